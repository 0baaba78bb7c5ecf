"""JSON and XML: records become rows, and what else they hold becomes "path: value".

A record's row holds all of it, "name: Ida; address.city: Oslo", so that what belongs together is found together.

What is not well-formed is read as plain text, so that nothing readable is lost.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import local_name, parse_xml
from index.loading.formats.blocks import Blocks
from index.loading.formats.fields import read_date, read_title
from index.loading.formats.grid import Cell
from index.loading.formats.notebook import write_notebook
from index.loading.formats.text import count_broken, decode, find_title_and_date, read_text, say_broken

if TYPE_CHECKING:
    from lxml.etree import _Element

_DEEPEST = 60  # objects within objects; what lies deeper is written as JSON
_PARAGRAPH_CHARACTERS = 200  # a longer value stands as a paragraph of its own, but in a record
_RECORD_CHARACTERS = 800  # a longer record falls into its fields: no passage would hold it
_PATH_CHARACTERS = 300  # of the names of the objects around a value; longer ones are said once, and then cut
_TITLES = ("title", "headline", "subject", "name")
_COLUMNS = ("columns", "headers", "header", "fields", "cols")  # what names the columns of rows beside it
_HEADS = frozenset("head header teiHeader front info articleinfo bookinfo metadata".split())  # of XML's vocabularies
_MOST_ATTRIBUTES = 1_000  # of one element: the library takes time by the square of them
_NAMES = ("name", "key", "label")  # attributes that say what an element's text is
# Attributes of the form of a text, of its place in a drawing and of its vocabulary.
_TECHNICAL = frozenset(
    "class style lang space version xmlns x y x1 x2 y1 y2 cx cy r rx ry dx dy d fill stroke stroke-width "
    "transform viewbox points opacity font-size font-family text-anchor schemalocation rend ispermalink".split()
)
_FORMS = frozenset("style Style StyleMap script defs".split())  # elements of no text
_PROSE = frozenset("p para simpara listitem li section sect1 sect2 sect3 div head body".split())
_MARKUP = re.compile(r"<(?:p|br|b|i|a|div|ul|ol|li|h[1-6]|table|span|em|strong|img)\b[^<>]{0,500}+>", re.IGNORECASE)
_DATES = ("date", "published", "date_published", "published_at", "created_at", "datetime", "updated_at")


def read_json(content: bytes) -> Extract:
    """The values of a JSON document, of one on each line (.jsonl), or the cells of a notebook (.ipynb)."""
    text = decode(content).lstrip("\ufeff")
    blocks = Blocks()
    try:
        value = _parse(text)
        fields = value if isinstance(value, dict) else {}
        blocks.miss(say_broken(count_broken(content, text)))
        if isinstance(fields.get("cells"), list) and "nbformat" in fields:
            prose = write_notebook(fields["cells"], blocks)
            return Extract(blocks.text, *find_title_and_date(prose), unread=blocks.unread)
        _write(value, "", blocks, 0)
    except (ValueError, RecursionError):
        return read_text(content)
    title = next((fields[key] for key in _TITLES if isinstance(fields.get(key), str)), None)
    date = next((fields[key] for key in _DATES if isinstance(fields.get(key), str)), None)
    return Extract(blocks.text, read_title(title), read_date(date), unread=blocks.unread)


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_keep_all)
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [json.loads(line, object_pairs_hook=_keep_all) for line in lines]


def _keep_all(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's fields; of a name that is repeated all values, where the library would keep the last alone."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        values: dict[str, list[Any]] = {}
        for name, value in pairs:
            values.setdefault(name, []).append(value)
        fields = {name: several if len(several) > 1 else several[0] for name, several in values.items()}
    return fields


def _write(value: Any, path: str, blocks: Blocks, depth: int) -> None:
    if blocks.is_full:
        return
    if isinstance(value, (dict, list)):
        if depth >= _DEEPEST:
            value = json.dumps(value, ensure_ascii=False)
        elif len(path) > _PATH_CHARACTERS:
            blocks.paragraph(f"{path}:")
            path = "…"
    words = _say(value)
    if isinstance(value, dict) and (names := _find_columns(value)):
        rows = value[names[1]]
        _write({key: inner for key, inner in value.items() if key not in names}, path, blocks, depth)
        blocks.paragraph(f"{_join_path(path, names[1])}:")
        header = [Cell(name, is_header=True) for name in value[names[0]]]
        blocks.table(chain([header], map(_say_cells, rows)))
    elif _is_table(value):
        blocks.paragraph(f"{path}:" if path else "")
        blocks.table(map(_say_cells, value), is_named=True)
    elif words is None:
        holds_records, is_named = _holds_records(value), False
        for inner_path, inner in _open(value, path):
            row = _say_record(inner) if isinstance(inner, dict) and holds_records else None
            if row is None and isinstance(value, list) and (title := _find_title(inner)):
                _write_long_record(inner, title, blocks, depth)
            elif row is None:
                _write(inner, inner_path, blocks, depth + 1)
            elif isinstance(value, dict):
                blocks.item(_label(inner_path, row))
            else:
                if path and not is_named:
                    blocks.paragraph(f"{path}:")
                is_named = True
                blocks.item(row)
    elif isinstance(value, str) and (len(words) > _PARAGRAPH_CHARACTERS or "\n" in words):
        blocks.item(_label(path, ""))
        blocks.paragraph(words)
    elif words:
        blocks.item(_label(path, words))


def _is_table(value: Any) -> bool:
    """Whether a list holds rows: lists of single values, of more than one column."""
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(row, list) for row in value)
        and max(map(len, value)) > 1
        and not any(isinstance(cell, (dict, list)) for row in value for cell in row)
    )


def _find_columns(fields: dict[str, Any]) -> tuple[str, str] | None:
    """The fields of an object that name the columns of a table and hold its rows; None where there is none such."""
    names = next((key for key in _COLUMNS if isinstance(fields.get(key), list)), None)
    if names is None or not all(isinstance(name, str) for name in fields[names]):
        return None
    width = len(fields[names])
    rows = next((key for key in fields if key != names and _is_rows(fields[key], width)), None)
    return None if rows is None else (names, rows)


def _is_rows(value: Any, width: int) -> bool:
    is_table = isinstance(value, list) and value and width > 1 and all(isinstance(row, list) for row in value)
    return bool(is_table) and all(len(row) == width for row in value) and (len(value) == 1 or _is_table(value))


def _say_cells(row: list[Any]) -> list[str | Cell]:
    return [_say(cell) or "" for cell in row]


def _find_title(record: Any) -> str | None:
    """The name that an object gives itself."""
    if not isinstance(record, dict):
        return None
    titles = (record[key] for key in _TITLES if isinstance(record.get(key), str))
    return next((title for title in titles if 0 < len(title.strip()) <= _PARAGRAPH_CHARACTERS), None)


def _write_long_record(record: dict[str, Any], title: str, blocks: Blocks, depth: int) -> None:
    """Write a record that is too long for a row below its name: what is short in a row, and then the rest."""
    blocks.heading(title, depth + 2)
    short: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for key, value in record.items():
        words = _say(value)
        is_short = words is not None and len(words) <= _PARAGRAPH_CHARACTERS and "\n" not in words
        (short if is_short else rest)[key] = value
    row = _say_record(short)
    blocks.item(row or "")
    for key, value in (rest if row else record).items():
        _write(value, key, blocks, depth + 1)


def _holds_records(value: Any) -> bool:
    """Whether the objects in a list or an object are records of a kind: those of an object share a field's name."""
    if isinstance(value, list):
        return True
    if len(value) < 2 or not all(isinstance(record, dict) for record in value.values()):
        return False
    return bool(set.intersection(*map(set, value.values())))


def _say_record(record: dict[str, Any]) -> str | None:
    """A record in one line, "name: value; name: value"; None where it is too long for one."""
    fields: list[str] = []
    left = _RECORD_CHARACTERS
    waiting: list[tuple[str, Any]] = [("", record)]
    while waiting:
        path, value = waiting.pop()
        words = _say(value)
        # Every field counts, be it empty, so that no record is looked at for long.
        left -= len(value) if words is None else len(path) + len(words) + 4
        if left < 0 or len(path) > _PATH_CHARACTERS:
            return None
        if words is None:
            waiting += reversed([*_open(value, path)])
        elif words:
            fields.append(_label(path, words))
    return "; ".join(fields)


def _open(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """What an object or a list holds, each with its path."""
    if isinstance(value, dict):
        yield from ((f"{path}.{key}" if path else str(key), inner) for key, inner in value.items())
    else:
        yield from ((f"{path}[{number}]", inner) for number, inner in enumerate(value, 1))


def _join_path(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _label(path: str, words: str) -> str:
    return f"{path}: {words}".strip() if path else words


def _say(value: Any) -> str | None:
    """A value in words, a list of short ones with commas; None where it must be opened."""
    if isinstance(value, dict):
        return None
    if isinstance(value, list):
        said = [None if isinstance(inner, (dict, list)) else _say(inner) for inner in value]
        if any(words is None or len(words) > _PARAGRAPH_CHARACTERS for words in said):
            return None
        return ", ".join(filter(None, said))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def read_xml(content: bytes) -> Extract:
    """The text of the elements: records as rows, prose as paragraphs."""
    try:
        root = parse_xml(content)
    except UnreadableError:
        return read_text(content)
    blocks = Blocks()
    if local_name(root) == "svg":
        for words in root.iter("{*}title", "{*}desc", "{*}text"):
            blocks.paragraph(" ".join(" ".join(map(str, words.itertext())).split()))
        return Extract(blocks.text, read_title(root.findtext("{*}title")), unread=blocks.unread)
    _write_element(root, blocks, 0, is_listed=False)
    fields: dict[str, str] = {}
    for element in _first(root):
        fields.setdefault(local_name(element).lower(), " ".join((element.text or "").split()))
    title = next((fields[key] for key in _TITLES if fields.get(key)), None)
    date = next((found for key in _DATES if (found := read_date(fields.get(key)))), None)
    return Extract(blocks.text, read_title(title), date, unread=blocks.unread)


def _first(root: _Element) -> Iterator[_Element]:
    """The first children of the root, and all of its head: where a document says what it is."""
    around = root[0] if len(root) == 1 else root  # of a feed all is in its channel
    for child in around[:20]:
        yield from child.iter("{*}*") if local_name(child) in _HEADS else [child]


def _write_element(element: _Element, blocks: Blocks, depth: int, *, is_listed: bool) -> None:
    """Write what an element holds.

    is_listed: whether it is one of several of its name, as records are.
    """
    children = [child for child in element if isinstance(child.tag, str) and local_name(child) not in _FORMS]
    is_mixed = bool((element.text or "").strip()) or any((child.tail or "").strip() for child in children)
    name = local_name(element)
    if is_mixed or not children or depth >= _DEEPEST:
        text = "".join(map(str, element.itertext()))
        if not children and _MARKUP.search(text):
            _write_markup(text, name, blocks)
        elif children or len(text) > _PARAGRAPH_CHARACTERS:
            blocks.paragraph(" ".join(text.split()))
        else:
            blocks.item(_say_leaf(element, is_row=is_listed))
        return
    names = Counter(map(local_name, children))
    # Leaves that all have one name and say more of themselves are records of their own.
    is_list = len(names) == 1 and any(child.attrib for child in children)
    is_flat = len(children) > 1 and all(map(_is_leaf, children)) and not is_list
    record = _say_element(element, may_hold_records=is_listed or is_flat) if depth and not is_list else None
    if record is None and is_flat and not depth:
        record = "; ".join(filter(None, (_say_leaf(child) for child in children)))
    if record is not None:
        blocks.item(record if is_listed or not depth else _label(name, record))
        return
    rest = children
    if is_listed and depth and (title := _find_name(children)) is not None:
        # A record that is too long for a row: its name, what is short, and the rest.
        blocks.heading(" ".join((title.text or "").split()), min(depth + 1, 6))
        short = [child for child in children if _is_leaf(child) and not _MARKUP.search(child.text or "")]
        blocks.item("; ".join(filter(None, (_say_attributes(element), *map(_say_leaf, short)))))
        rest = [child for child in children if child not in short]
    elif depth:
        blocks.item(_say_attributes(element))
    for child in rest:
        _write_element(child, blocks, depth + 1, is_listed=names[local_name(child)] > 1)


def _write_markup(text: str, name: str, blocks: Blocks) -> None:
    """Write a page that an element holds as text, as feeds do."""
    from index.loading.formats.web import write_page

    words = _strip_markup(text)
    if "\n" not in words and len(words) <= _PARAGRAPH_CHARACTERS:
        blocks.item(_label(name, words))
    else:
        write_page(text, blocks)


def _say_element(element: _Element, *, may_hold_records: bool) -> str | None:
    """An element with all that it holds in one line, "name: value; inner.name: value"; None where that is too long,
    or holds prose, or records where it may hold none."""
    facts: list[str] = []
    left = _RECORD_CHARACTERS
    waiting: list[tuple[str, _Element]] = [("", element)]
    while waiting:
        path, part = waiting.pop()
        children = [child for child in part if isinstance(child.tag, str) and local_name(child) not in _FORMS]
        if children and ((part.text or "").strip() or any((child.tail or "").strip() for child in children)):
            return None
        if local_name(part) in _PROSE and part is not element:
            return None
        names = [local_name(child) for child in children if len(child)]
        if not may_hold_records and len(set(names)) < len(names):
            return None
        fact = _say_attributes(part, path) if children or not path else _say_leaf(part, path)
        left -= len(fact) + len(path) + 4
        if left < 0 or "\n" in fact:
            return None
        facts += [fact] if fact else []
        waiting += [(_join_path(path, local_name(child)), child) for child in reversed(children)]
    return "; ".join(facts)


def _say_attributes(element: _Element, path: str = "") -> str:
    """What the attributes of an element hold, but for what only names its form or place."""
    if len(element.attrib) > _MOST_ATTRIBUTES:
        return ""
    held = ((str(name), str(words).strip()) for name, words in element.attrib.items())
    return "; ".join(
        f"{_join_path(path, name)}: {' '.join(words.split())}"
        for name, words in held
        if words and not name.startswith("{") and name.lower() not in _TECHNICAL
    )


def _say_leaf(element: _Element, path: str = "", *, is_row: bool = False) -> str:
    """An element without others in it: "price: 12 (currency: EUR)", or its attributes where it has no text."""
    path = path or local_name(element)
    text = element.text or ""
    if _MARKUP.search(text):
        text = _strip_markup(text)
    words = " ".join(text.split())
    named = next((key for key in _NAMES if element.get(key)), None)
    if not words:
        return _say_attributes(element, "" if is_row else path)
    if named:
        return f"{' '.join((element.get(named) or '').split())}: {words}"
    attributes = _say_attributes(element)
    return f"{path}: {words} ({attributes})" if attributes else f"{path}: {words}"


def _strip_markup(text: str) -> str:
    from index.loading.formats.web import write_page

    page = Blocks()
    write_page(text, page)
    return page.text


def _find_name(children: list[_Element]) -> _Element | None:
    """The child that names a record."""
    named = {local_name(child).lower(): child for child in reversed(children) if _is_leaf(child) and child.text}
    return next((named[key] for key in _TITLES if key in named), None)


def _is_leaf(element: _Element) -> bool:
    return len(element) == 0 and len(element.text or "") <= _PARAGRAPH_CHARACTERS
