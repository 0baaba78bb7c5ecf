"""The blocks of a text: paragraphs, headings, list items, table rows, fields, lines of code or of a log.

A block is a run of text whose line ends, if any, carry no meaning. It is told by its marks ("## ", "- ", "| "), by its
columns, or by what the lines of its paragraph have in common.

Levels order what a block stands under (see outline.py): a heading's is below those of what it heads.

But: whether a line end is a paragraph's end or only the width of somebody's editor is an estimate, as are columns that
only spaces make, and code that no fence surrounds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Form = Literal[
    "", "heading", "item", "quotation", "line", "field", "code", "language", "columns", "row", "label", "furniture"
]

# Marked headings have 10 to 60; what has no mark, 61 to 68 by its number, else 69.
SECTION_LEVEL = 60
UNMARKED_LEVEL = 69
FIELD_LEVEL = 70  # and one more for each step to the right
LEAD_LEVEL = 90  # a line that ends in a colon
ITEM_LEVEL = 91  # and one more for each list around its list
COLUMNS_LEVEL = 110
LABEL_LEVEL = 111  # of some of a table's rows
CELL_BAR = " | "
_DEEPEST = 18  # steps to the right that are told apart


@dataclass(frozen=True, slots=True)
class Block:
    """The offsets of a block, what its marks and its neighbours say it is, and the level at which it stands.

    form: "" for a paragraph or a line whose kind its words must tell; "line" for one of a log, or one that is known to
        head nothing; "language" for what stands beside a fence; "label" for a line in a table that heads the rows
        below it; "furniture" for what a page repeats of others.
    """

    start: int
    end: int
    form: Form = ""
    level: int = 0


# Readers of pages that have no marks of their own begin a line with these, white space that nobody types: one that a
# page repeats of others, as a running header; a heading, once for each level; a short line that is none.
FURNITURE_MARK, HEADING_MARK, PLAIN_MARK = "\u2001", "\u2000", "\u2002"
_SILENT_HEADING = re.compile("\u2000{1,6}(?=[^\u2000])")
_LINE = re.compile(r"[^\n\r\x0b\x0c\x85\u2028\u2029]+")
# The byte order mark of a file stands before the mark of its first line.
_FENCE = re.compile(r"\ufeff?\s*(```|~~~)")
_HEADING = re.compile(r"\ufeff?\s{0,3}(#{1,6})(?:\s+|$)")
_BULLET = re.compile(r"\ufeff?\s*(?:(?:[-*+•◦▪‣–]|\(?(?:\d{1,3}|[a-zA-Z])[.)])(?:\s+)|[>|]\s*)+")
_PIPE = re.compile(r"\ufeff?[ \t]*+\|\s*+(?=[^|]*+\|)")  # of a row that has more than a beginning
_NUMBER = re.compile(r"\(?\w")
_WORDS = re.compile(r"\w")
# A line that parts a table's head from its rows, and one that underlines a heading.
_RULE = re.compile(r"[ \t]*+[|+]?[ \t]*+:?(?:-{2,}+|={2,}+)[-=:|+ \t]*+")
_NO_COLUMNS = re.compile(r"[^|+]*+")
_UNDERLINE = re.compile(r"(?P<mark>=|-|~)(?P=mark){2,}")
_STATED = re.compile(r"[.!?;:,][\"'”’)]*$")
_UNDERLINED = {"=": 10, "-": 20, "~": 30}
# How the lines of a log begin: with a moment, which little else does; with a day, a time, a level.
_STAMP = re.compile(
    r"(?P<moment>[\[(<]?(?:\d{4}[-/.]?\d\d[-/.]?\d\d|\d\d?[-/. ](?:\d\d?|[A-Z][a-z]{2})(?:[-/. ]\d{2,4})?"
    r"|(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]?\d)[T:, ]{1,2}\d\d?:\d\d"
    r"|\S{1,60} \S{1,60} \S{1,60} \[\d\d/[A-Z][a-z]{2}/\d{4}:)"
    r"|[\[(<]?(?:\d{4}-\d\d-\d\d\b|\d\d?:\d\d\b|\d{10}(?:\.\d|\d{3}\b)|[ ]{0,6}\d{1,7}\.\d{6}\]"
    r"|[IWEF]\d{4} \d\d:|(?:time|ts|level)=|\{\""
    r"|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b)"
)
# "port: 8443", "server:", "MAX_RETRIES = 7", "[server]"
_ASSIGNMENT = re.compile(
    r"(?:export |set |const |let |var |final |static ){0,3}[A-Za-z_][\w.-]{0,60}+[ \t]*+=(?![=>])[ \t]*+\S"
)
_FIELD = re.compile(
    r"[\"']?[\w$@/.*][^:=\n\r\t\"';,]{0,60}+[\"']?[ \t]*+:(?:[ \t]|$)|" + _ASSIGNMENT.pattern.removesuffix(r"[ \t]*+\S")
)
_SECTION = re.compile(r"\[[^\[\]]{1,80}\]$")
_ASIDE = re.compile(r"[#;]|//|---$|\.\.\.$|[}\]],?$")  # what stands between fields and is none
_FIELD_SHARE = 0.8  # of the lines, from which on they are fields
_LONGEST_CODE_CHARACTERS = 300
_CODE = re.compile(
    r"(?:(?:async |export |public |private |protected |static |abstract )*"
    r"(?:def|class|func|fn|function|interface|struct|enum|impl|namespace)\b.*[:{(,;]"
    r"|(?:if|elif|else|for|while|with|try|except|finally|switch|case|catch|do|} ?else)\b.*[:{]"
    r"|import [\w.]+(?: as \w+)?;?|from [\w.]+ import .*|#include .*|using [\w.:]+;|package [\w.]+;?"
    r"|return\b.*[;)\]}\w]|@\w[\w.]*(?:\(.*\))?"
    r"|[\w.\[\]\"'*&>$-]+ ?(?:[-+*/|&%:]?=|=>) ?\S.*|[\w.:>$-]+\(.*\)[;:{,]?|.*[;{}]|[)}\]]++[;,)]*+"
    r"|(?P<comment>//.*|#.*|/\*.*|\*.*|--.*|\"\"\".*))$"
)
_LAST_WORD = re.compile(r"(?<![^\W\d_])[^\W\d_]++$")
_LEADING_WORDS = frozenset(
    (
        "a an the of to in on at by for from with without until till than and or nor but as into over under between "
        "before after since during per is are was were be has have had will would shall should can could may must "
        "not no its their our your his her this that these those which who der die das den dem des ein eine einen "
        "einem einer am im vom zum zur von bis und oder mit ohne für auf aus bei nach seit ab pro ist sind war le la "
        "les un une des du de et ou à au aux en dans pour par avec sur el los las del al y o con por para desde hasta"
    ).split()
)
_SHORTEST_PROSE_CHARACTERS = 30
_SHORTEST_WRAPPED_CHARACTERS = 55
_CODE_MARKS = re.compile(r"[=(){};]|^(?:import|from|using) \S", re.MULTILINE)
_CODE_SHARE = 0.7
_GAP = re.compile(r"(?<! ) *+\t\s*|(?<=[^\s.!?:;,])  +(?=\S)|(?<=\S)   +(?=\S)")
_SENTENCE_END = re.compile(r"[^\W\d]{2}[.!?] +\S")
_WIDE_GAP = re.compile(r"\S   +\S")
_ROW_SHARE = 0.6  # of a paragraph's lines, from which on they are a table's rows
_DIGIT = re.compile(r"\d")
_AMOUNT = re.compile(r"^[^\w\s]?\s?\d[\d.,]*+\s?(?:[^\W\d]{1,4}|[^\w\s])?$")  # "12.00", "€ 3", "40 %"
_HEAD_SHARE = 0.8
_YEAR = re.compile(r"(?:19|20)\d\d")
_LONGEST_LABEL_CHARACTERS = 100


def find_blocks(text: str) -> Iterator[Block]:
    """The blocks of a text, in order; list marks and heading marks are left outside."""
    pending: list[tuple[int, int]] = []  # the lines of the paragraph being gathered
    form: Form = ""
    level = 0
    fence_mark = ""  # of the fence that is open
    in_table = False  # whether rows have begun
    last_end = 0

    def flush() -> Iterator[Block]:
        nonlocal pending, form, level
        if pending:
            yield from _join_lines(text, pending, form, level) if form else _part_paragraph(text, pending)
        pending, form, level = [], "", 0

    for match in _LINE.finditer(text):
        start, end = trim(text, match.start(), match.end())
        # Two or more line ends between this line and the last one: a blank line.
        gap = text[last_end : match.start()].replace("\r\n", "\n")
        is_after_blank = len(gap) > 1 or last_end == 0
        last_end = match.end()
        if start == end:
            yield from flush()
            continue
        line = text[match.start() : end]
        if is_after_blank:
            yield from flush()
        in_table = in_table and not is_after_blank
        if line[0] == FURNITURE_MARK:
            yield from flush()
            yield from _if_words(text, Block(start, end, "furniture"))
        elif line[0] == PLAIN_MARK:
            yield from flush()
            yield from _if_words(text, Block(start, end, "line"))
        elif silent := _SILENT_HEADING.match(line):
            yield from flush()
            yield from _if_words(text, Block(start, end, "heading", 10 * len(silent.group())))
        elif (fence := _FENCE.match(line)) and fence_mark in ("", fence[1]):
            yield from flush()
            fence_mark = "" if fence_mark else fence[1]
            yield from _if_words(text, Block(*trim(text, match.start() + fence.end(), end), "language"))
        elif fence_mark:
            yield Block(start, end, "code")
        elif heading := _HEADING.match(line):
            yield from flush()
            begin = match.start() + heading.end()
            yield from _if_words(text, Block(*trim(text, begin, end), "heading", 10 * len(heading[1])))
        elif pipe := _PIPE.match(line):
            yield from flush()
            rule = None if in_table and not is_after_blank else _LINE.search(text, match.end())
            is_head = rule is not None and _is_rule(rule.group()) and not _NO_COLUMNS.fullmatch(rule.group())
            in_table = True
            begin = match.start() + pipe.end()
            head_or_row: Form = "columns" if is_head else "row"
            yield from _if_words(text, Block(*trim(text, begin, end), head_or_row, COLUMNS_LEVEL))
        elif (bullet := _BULLET.match(line)) and not (
            # "by\n15. March" is no list.
            pending and not form and line.lstrip()[0].isdigit() and _goes_on(text, pending[-1][1])
        ):
            yield from flush()
            # A list's numbers are words that a citation may hold; dashes and bars are not.
            number = _NUMBER.search(line, 0, bullet.end())
            begin = match.start() + (number.start() if number else bullet.end())
            pending = [trim(text, begin, end)]
            form = "quotation" if ">" in bullet.group() and number is None else "item"
            level = ITEM_LEVEL + _depth_of(line)
        else:
            # What is no deeper than an item is none of its, unless the item's line was too long or leads on.
            is_no_deeper = form == "quotation" or _depth_of(line) <= level - ITEM_LEVEL
            if (
                form
                and pending
                and is_no_deeper
                and (_FIELD.match(text, start, end) or _ends_there(text, pending[-1], text[start]))
            ):
                yield from flush()
            pending.append((start, end))
    yield from flush()


def show_cells(row: str) -> str:
    """A row in one line, its cells parted by bars, an empty one a dash."""
    return CELL_BAR.join(cell or "–" for cell in find_cells(row))


def _ends_there(text: str, line: tuple[int, int], following: str) -> bool:
    """Whether an item or a quotation ends with a line, by its length, its end and the first character that follows."""
    start, end = line
    return not following.islower() and end - start < _SHORTEST_WRAPPED_CHARACTERS and not _goes_on(text, end)


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The offsets of what is left of a part of a text without the white space around it."""
    while start < end and (text[start].isspace() or text[start] in "\ufeff\x00"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in "\ufeff\x00"):
        end -= 1
    return start, end


def start_of_line(text: str, offset: int) -> int:
    """The offset at which the line that holds `offset` begins, or one in it that is 1000 characters back."""
    least = max(0, offset - 1000)
    return max(text.rfind("\n", least, offset), text.rfind("\r", least, offset), least - 1) + 1


def is_marked(line: str) -> bool:
    """Whether a line begins as a heading, an item, a quotation or a row does."""
    return bool(_HEADING.match(line) or _BULLET.match(line))


def is_stamped(line: str) -> bool:
    """Whether a line begins as a log's lines do: with a moment, a time, a level."""
    return _STAMP.match(line) is not None


def is_fence(line: str) -> bool:
    """Whether a line begins or ends a block of code."""
    return _FENCE.match(line) is not None


def find_cells(row: str) -> list[str]:
    """The cells of a row whose columns are parted by bars, tabs or runs of spaces."""
    return [" ".join(row[start:end].split()) for start, end in part_cells(row)]


def part_cells(row: str) -> list[tuple[int, int]]:
    """The offsets of the cells of a row, as `find_cells` finds them."""
    if "\t" in row:
        return _part_at("\t", row, 0, len(row))
    if "|" in row:
        start, end = len(row) - len(row.lstrip()), len(row.rstrip())
        start += row.startswith("|", start)
        return _part_at("|", row, start, max(start, end - row.endswith("|", start, end)))
    gaps = [match.span() for match in _GAP.finditer(row)]
    return list(zip([0, *(end for _, end in gaps)], [*(start for start, _ in gaps), len(row)], strict=True))


def _part_at(mark: str, row: str, start: int, end: int) -> list[tuple[int, int]]:
    parts = []
    for part in row[start:end].split(mark):
        parts.append((start, start + len(part)))
        start += len(part) + 1
    return parts


def _part_paragraph(text: str, lines: Sequence[tuple[int, int]]) -> Iterator[Block]:
    """The blocks of a paragraph without marks: what its lines have in common tells whether each stands alone."""
    blocks: Sequence[Block] | None = None
    while len(lines) > 1 and (heading := _find_underlined(text, lines)):
        yield heading
        lines = lines[2:]
    if not lines:
        return
    if _is_log(text, lines):
        blocks = [Block(start, end, "line") for start, end in lines]
    elif len(lines) > 1:
        blocks = _find_fields(text, lines) or _find_rows(text, lines) or _find_code(text, lines)
    elif _ASSIGNMENT.match(text, *lines[0]) and not _SENTENCE_END.search(text, *lines[0]):
        blocks = [Block(*lines[0], "field", FIELD_LEVEL)]
    elif text.count("\t", *lines[0]) > 1 and not _FIELD.match(text, *lines[0]):
        blocks = [Block(*lines[0], "row", COLUMNS_LEVEL)]
    if not blocks:
        yield from _join_lines(text, lines)
        return
    for block in blocks:
        yield from _if_words(text, block)


def _join_lines(text: str, lines: Sequence[tuple[int, int]], form: Form = "", level: int = 0) -> Iterator[Block]:
    """Join the lines that only an editor's width has parted; the others stand alone."""
    width = max(end - start for start, end in lines)
    is_prose = width >= _SHORTEST_PROSE_CHARACTERS  # in narrower lines an address may stand, or a list
    start, end = lines[0]
    for next_start, next_end in lines[1:]:
        first_word = re.match(r"\S+", text[next_start:next_end])
        would_fit = (end - start_of_line(text, end)) + 1 + (first_word.end() if first_word else 0) <= width - 12
        wrapped = 60 <= width <= 140 and not would_fit
        if wrapped or text[next_start].islower() or (is_prose and _goes_on(text, end)):
            end = next_end
        else:
            yield from _if_words(text, Block(start, end, form, level))
            start, end = next_start, next_end
    yield from _if_words(text, Block(start, end, form, level))


def _goes_on(text: str, end: int) -> bool:
    """Whether a line that ends there cannot be the end of anything: with a comma, or a word that leads on."""
    last = _LAST_WORD.search(text, max(0, end - 20), end)
    return text[end - 1] == "," or (last is not None and last.group().casefold() in _LEADING_WORDS)


def _is_log(text: str, lines: Sequence[tuple[int, int]]) -> bool:
    """Whether the lines of a paragraph are a log's: several begin as such lines do, or the only one with a moment."""
    first = _STAMP.match(text, *lines[0])
    if len(lines) == 1:
        return first is not None and first["moment"] is not None
    stamps = [stamp for start, end in lines if (stamp := _STAMP.match(text, start, end))]
    # Prose may be wrapped before a time; what begins otherwise may begin with what a program printed below its line.
    return len(stamps) > 1 and (first is not None or all(stamp["moment"] for stamp in stamps))


def _find_underlined(text: str, lines: Sequence[tuple[int, int]]) -> Block | None:
    """The first line as a heading, where the second underlines it."""
    (start, end), (rule_start, rule_end) = lines[:2]
    underline = _UNDERLINE.fullmatch(text, rule_start, rule_end)
    if underline is None or end - start > _LONGEST_LABEL_CHARACTERS or _FIELD.match(text, start, end):
        return None
    if not _WORDS.search(text, start, end) or _GAP.search(text, start, end):
        return None
    # A line that parts two statements underlines none of them.
    if underline["mark"] != "=" and _STATED.search(text, start, end):
        return None
    return Block(start, end, "heading", _UNDERLINED[underline["mark"]])


# -- tables whose columns tabs, spaces or bars make ---------------------------------------------


def _find_rows(text: str, lines: Sequence[tuple[int, int]]) -> list[Block]:
    """The rows of a table, its columns' names among them where they can be told; none where the lines are none."""
    words = [text[start:end] for start, end in lines]
    rules = {number for number, line in enumerate(words) if _is_rule(line)}
    if 1 in rules and "|" in words[0]:
        return [
            Block(*span, "row" if number else "columns", COLUMNS_LEVEL)
            for number, span in enumerate(lines)
            if number not in rules
        ]
    rows = [number for number, line in enumerate(words) if number not in rules and _GAP.search(line)]
    if len(rows) < 2 or len(rows) < _ROW_SHARE * (len(words) - len(rules)):
        return []
    if not any("\t" in words[number] for number in rows):
        spaced = [words[number] for number in rows]
        # Who types two spaces after a full stop makes no columns, nor does who spaces every word.
        is_prose = any(map(_SENTENCE_END.search, spaced)) or not all(map(_WIDE_GAP.search, spaced))
        if is_prose or not _is_aligned(spaced):
            return []
    head = rows[0]
    cells = {number: find_cells(words[number]) for number in rows}
    has_head = head + 1 in rules or _is_head(cells[head], [cells[number] for number in rows[1:]])
    blocks = []
    for number, span in enumerate(lines):
        form: Form = "columns" if number == head and has_head else "row"
        if number not in cells:
            is_label = not words[number].endswith((".", "!", "?")) and span[1] - span[0] <= _LONGEST_LABEL_CHARACTERS
            form = "label" if is_label and head < number < rows[-1] else ""
        blocks.append(Block(*span, form, LABEL_LEVEL if form == "label" else COLUMNS_LEVEL))
    return [block for number, block in enumerate(blocks) if number not in rules]


def _is_rule(line: str) -> bool:
    return _RULE.fullmatch(line) is not None


def _is_aligned(rows: Sequence[str]) -> bool:
    """Whether most of the rows have a cell that begins or ends where those of others do."""
    places = [{edge for gap in _GAP.finditer(row) for edge in ((gap.start(), 0), (gap.end(), 1))} for row in rows]
    places = [place | {(len(row), 0)} for place, row in zip(places, rows, strict=True)]
    (_, most), *_ = Counter(edge for place in places for edge in place).most_common(1)
    return most >= max(2, _ROW_SHARE * len(rows))


def _is_head(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether a table's first row names its columns: words or years above what has other numbers."""
    names, rows = first[1:], [cells[1:] for cells in others if len(cells) > 1]
    if not names or not rows or not all(map(_is_name, names)):
        return False
    if all(map(_YEAR.fullmatch, filter(None, names))):
        return not all(_YEAR.fullmatch(cell) for cells in rows for cell in cells)
    # Two columns are as often labels with their values: then only bare numbers below a word tell.
    told = _AMOUNT if len(first) == 2 else _DIGIT
    with_numbers = sum(any(map(told.search, cells)) for cells in rows)
    return len(rows) > 1 and not any(map(_DIGIT.search, names)) and with_numbers >= _HEAD_SHARE * len(rows)


def _is_name(cell: str) -> bool:
    return not any(map(str.isdigit, _YEAR.sub("", cell))) or bool(re.match(r"[^\W\d]{3}", cell))


# -- fields and code ----------------------------------------------------------------------------


def _find_fields(text: str, lines: Sequence[tuple[int, int]]) -> list[Block]:
    """Lines that are fields, with what heads them, as in a file of settings; none where hardly all of them are."""
    blocks: list[Block] = []
    fields = others = 0
    for start, end in lines:
        depth = _depth_of(text[start_of_line(text, start) : end])
        if _SECTION.match(text, start, end):
            blocks.append(Block(start, end, "heading", UNMARKED_LEVEL))
        elif _FIELD.match(text, start, end):
            fields += 1
            if text[end - 1] == "?":  # "Q: How long is the warranty?"
                blocks.append(Block(start, end))
                continue
            heads = text[end - 1] == ":" and _has_below(text, end, depth)
            blocks.append(Block(start, end, "heading" if heads else "field", FIELD_LEVEL + depth))
        elif _ASIDE.match(text, start, end):
            blocks.append(Block(start, end))
        elif blocks and blocks[-1].form == "field" and depth > blocks[-1].level - FIELD_LEVEL:
            blocks[-1] = Block(blocks[-1].start, end, "field", blocks[-1].level)  # a value of several lines
        else:
            others += 1
            if others > (1 - _FIELD_SHARE) * len(lines):
                return []
            blocks.append(Block(start, end))
    return blocks if fields > 1 or (fields and fields + 1 == len(blocks) and blocks[0].form == "heading") else []


def _has_below(text: str, end: int, depth: int) -> bool:
    """Whether a line that ends there at a depth is followed by a deeper one, or by a list."""
    below = _LINE.search(text, end)
    if below is None or len(text[end : below.start()].replace("\r\n", "\n")) > 1:
        return False
    line = below.group()[: 2 * _LONGEST_LABEL_CHARACTERS]
    return bool(line.strip()) and (_depth_of(line) > depth or _BULLET.match(line) is not None)


def _find_code(text: str, lines: Sequence[tuple[int, int]]) -> list[Block]:
    """Lines of code that no fence surrounds; none where they are something else."""
    if not _CODE_MARKS.search(text, lines[0][0], lines[-1][1]):
        return []
    code = comments = 0
    for start, end in lines:
        if end - start <= _LONGEST_CODE_CHARACTERS and (match := _CODE.match(text, start, end)):
            code += 1
            comments += match["comment"] is not None
    if code == comments or code < max(2, _CODE_SHARE * len(lines)):
        return []
    return [Block(start, end, "code") for start, end in lines]


def _depth_of(line: str) -> int:
    """How many steps of two spaces a line stands to the right."""
    indent = line[: min(len(line) - len(line.lstrip()), 2 * _DEEPEST)]
    return min(len(indent.expandtabs(4)) // 2, _DEEPEST)


def _if_words(text: str, block: Block) -> Iterator[Block]:
    if block.start < block.end and _WORDS.search(text, block.start, block.end):
        yield block
