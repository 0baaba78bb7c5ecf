"""JSON and XML: records become rows, and what else they hold becomes "path: value".

A record's row holds all of it, "name: Ida; address.city: Oslo", so that what belongs together is found together.

What is not well-formed is read as plain text, so that nothing readable is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import local_name, parse_xml
from index.loading.formats.blocks import Blocks
from index.loading.formats.fields import read_date, read_title
from index.loading.formats.notebook import write_notebook
from index.loading.formats.text import count_broken, decode, find_title_and_date, read_text, say_broken

if TYPE_CHECKING:
    from lxml.etree import _Element

_DEEPEST = 60  # objects within objects; what lies deeper is written as JSON
_PARAGRAPH_CHARACTERS = 200  # a longer value stands as a paragraph of its own, but in a record
_RECORD_CHARACTERS = 800  # a longer record falls into its fields: no passage would hold it
_PATH_CHARACTERS = 300  # of the names of the objects around a value; longer ones are said once, and then cut
_TITLES = ("title", "headline", "subject", "name")
_HEADS = frozenset("head header teiHeader front info articleinfo bookinfo metadata".split())  # of XML's vocabularies
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
    if words is None:
        holds_records, is_named = _holds_records(value), False
        for inner_path, inner in _open(value, path):
            row = _say_record(inner) if isinstance(inner, dict) and holds_records else None
            if row is None:
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
    _write_element(root, blocks, 0)
    fields: dict[str, str] = {}
    for element in _first(root):
        fields.setdefault(local_name(element).lower(), " ".join((element.text or "").split()))
    title = next((fields[key] for key in _TITLES if fields.get(key)), None)
    date = next((found for key in _DATES if (found := read_date(fields.get(key)))), None)
    return Extract(blocks.text, read_title(title), date, unread=blocks.unread)


def _first(root: _Element) -> Iterator[_Element]:
    """The first children of the root, and all of its head: where a document says what it is."""
    for child in root[:20]:
        yield from child.iter("{*}*") if local_name(child) in _HEADS else [child]


def _write_element(element: _Element, blocks: Blocks, depth: int) -> None:
    children = [child for child in element if isinstance(child.tag, str)]
    mixed = bool((element.text or "").strip()) or any((child.tail or "").strip() for child in children)
    if mixed or not children or depth >= _DEEPEST:
        text = " ".join("".join(map(str, element.itertext())).split())
        if children or len(text) > _PARAGRAPH_CHARACTERS:
            blocks.paragraph(text)
        elif text:
            blocks.item(f"{local_name(element)}: {text}")
    elif len(children) > 1 and all(_is_leaf(child) for child in children):
        pairs = [(local_name(child), " ".join((child.text or "").split())) for child in children]
        blocks.item("; ".join(f"{name}: {words}" for name, words in pairs if words))
    else:
        for child in children:
            _write_element(child, blocks, depth + 1)


def _is_leaf(element: _Element) -> bool:
    return len(element) == 0 and len(element.text or "") <= _PARAGRAPH_CHARACTERS
