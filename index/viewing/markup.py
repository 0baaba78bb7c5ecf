"""Blocks become HTML that says nothing but what the text says: every character escaped, nothing live.

Within an element that has `data-start` and `data-end`, the text content is the document's from one to the other,
character for character; what is not shown of it, as the marks of a heading, stands in `<span class="mark" hidden>`.
Alone a table's `<thead class="made">` is no part of the text: it names the columns of rows that name them each.

What is cited stands in `<mark class="cited" data-start data-end data-cited>`, one for each part that it has in a block,
a cell or an item; `data-cited` names the whole place, or places, "120-180 150-200". The first part can be focused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from html import escape
from itertools import pairwise

from index.viewing.blocks import Block, Line
from index.viewing.inline import MARK, Run, part_inline
from index.viewing.tables import Cell, Table, to_tables
from index.viewing.windows import Window

Place = tuple[int, int]
_TAGS = {
    MARK: ('<span class="mark" hidden>', "</span>"),
    "address": ('<span class="address">', "</span>"),
    **{name: (f"<{name}>", f"</{name}>") for name in ("strong", "em", "code")},
}
_BREAK = "break"  # the style of a line end that is shown as one
_DEEPEST_ITEM = 6


def write_window(window: Window, cited: Iterable[Place] = ()) -> str:
    """The HTML of a window. cited: offsets into the document."""
    writer = _Writer(window, cited)
    begin, stop = window.start - window.offset, window.end - window.offset
    return "\n".join(writer.write(block) for block in _clip(window.blocks, begin, stop))


def _clip(blocks: Iterable[Block], begin: int, stop: int) -> Iterator[Block]:
    """What lies of the blocks between two offsets."""
    for block in blocks:
        if begin <= block.start and block.end <= stop:
            yield block
        elif block.start < stop and block.end > begin:
            lines = tuple(_cut(line, begin, stop) for line in block.lines if line.start < stop and line.end > begin)
            if lines:
                yield Block(block.form, lines)


def _cut(line: Line, begin: int, stop: int) -> Line:
    start, end = max(line.start, begin), min(line.end, stop)
    shown = min(max(line.begin, start), end)
    return replace(line, start=start, end=end, begin=shown, stop=max(shown, min(line.stop, end)))


class _Writer:
    def __init__(self, window: Window, cited: Iterable[Place]) -> None:
        self._text = window.text
        self._offset = window.offset
        self._is_markdown = window.is_markdown
        self._cited = sorted(
            {
                (start - self._offset, end - self._offset)
                for start, end in cited
                if start < window.end and end > window.start
            }
        )
        self._met = set[Place]()  # the places of which a part has been written

    def write(self, block: Block) -> str:
        """A block, as elements of HTML."""
        match block.form:
            case "heading":
                level = min(max(block.lines[0].level, 10) // 10 + 1, 6)
                return self._element(f"h{level}", block.start, block.end, self._part_lines(block.lines))
            case "list" | "table":
                return "\n".join(map(self._write_part, to_tables(self._text, block)))
            case "code":
                return self._element("pre", block.start, block.end, [Run(block.start, block.end)], within="code")
            case "fields":
                return self._element("pre", block.start, block.end, [Run(block.start, block.end)], 'class="fields"')
            case "quotation":
                return self._element("blockquote", block.start, block.end, self._part_lines(block.lines))
            case "rule":
                runs = [Run(block.start, block.end)]
                return self._element("div", block.start, block.end, runs, 'class="mark" hidden')
            case "aside":
                return self._element("p", block.start, block.end, self._part_lines(block.lines), 'class="aside"')
            case _:
                return self._element("p", block.start, block.end, self._part_lines(block.lines))

    def _write_part(self, part: Table | Sequence[Line]) -> str:
        return self._write_table(part) if isinstance(part, Table) else self._write_list(part)

    def _write_list(self, lines: Sequence[Line]) -> str:
        items = []
        place = lines[0].start
        outermost = min(line.level for line in lines)
        for line in lines:
            is_numbered = not self._text[line.start : line.begin].strip()
            depth = min(line.level - outermost, _DEEPEST_ITEM)
            runs = [Run(place, line.begin, (MARK,)), *self._part_line(line)]
            classes = f'class="depth-{depth}{" numbered" * is_numbered}"'
            items.append(self._element("li", place, line.end, runs, classes))
            place = line.end
        return f"<ul {self._places(lines[0].start, place)}>{''.join(items)}</ul>"

    def _write_table(self, table: Table) -> str:
        places = self._places(table.rows[0][0].start, table.rows[-1][-1].end)
        rows = [self._write_row(row, is_head=number < table.head_count) for number, row in enumerate(table.rows)]
        head, body = "".join(rows[: table.head_count]), "".join(rows[table.head_count :])
        if table.names:
            names = "".join(f'<th scope="col" dir="auto">{_escape(name)}</th>' for name in table.names)
            return f'<table><thead class="made"><tr>{names}</tr></thead><tbody {places}>{body}</tbody></table>'
        head = f"<thead>{head}</thead>" if head else ""
        return f"<table {places}>{head}<tbody>{body}</tbody></table>"

    def _write_row(self, row: Sequence[Cell], *, is_head: bool) -> str:
        start, end = row[0].start, row[-1].end
        cells = []
        column = 0
        for cell in row:
            cells += ["<td></td>"] * (cell.column - column)
            tag = "th" if is_head or cell.is_label else "td"
            scope = f'scope="{"col" if is_head else "rowgroup"}"' if tag == "th" else ""
            span = f'colspan="{cell.columns}"' if cell.columns > 1 else ""
            runs = [Run(cell.start, cell.begin, (MARK,)), *self._part(cell.begin, cell.stop)]
            runs.append(Run(cell.stop, cell.end, (MARK,)))
            cells.append(self._element(tag, cell.start, cell.end, runs, " ".join(filter(None, (scope, span)))))
            column = cell.column + cell.columns
        is_cited = any(begin < end and stop > row[0].begin for begin, stop in self._cited)
        attributes = f'class="cited" {self._places(start, end)}' if is_cited else self._places(start, end)
        return f"<tr {attributes}>{''.join(cells)}</tr>"

    def _part_lines(self, lines: Sequence[Line]) -> Iterator[Run]:
        """The runs of lines that are set as one."""
        place = lines[0].start
        for line in lines:
            if line.start > place:
                yield Run(place, line.start, (_BREAK,) if line.breaks else ())
            yield Run(line.start, line.begin, (MARK,))
            yield from self._part_line(line)
            place = line.end

    def _part_line(self, line: Line) -> Iterator[Run]:
        yield from self._part(line.begin, line.stop)
        yield Run(line.stop, line.end, (MARK,))

    def _part(self, start: int, end: int) -> Iterator[Run]:
        return part_inline(self._text, start, end) if self._is_markdown else iter([Run(start, end)])

    def _element(
        self, tag: str, start: int, end: int, runs: Iterable[Run], attributes: str = "", within: str = ""
    ) -> str:
        content = "".join(self._write_runs(start, end, [run for run in runs if run.start < run.end]))
        attributes = " ".join(filter(None, (attributes, 'dir="auto"', self._places(start, end))))
        opened, closed = (f"<{within}>", f"</{within}>") if within else ("", "")
        return f"<{tag} {attributes}>{opened}{content}{closed}</{tag}>"

    def _places(self, start: int, end: int) -> str:
        return f'data-start="{start + self._offset}" data-end="{end + self._offset}"'

    def _write_runs(self, start: int, end: int, runs: Sequence[Run]) -> Iterator[str]:
        """The runs of an element, with what is cited in marks."""
        place = start
        for begin, stop, places in self._part_cited(start, end):
            yield self._write_between(runs, place, begin)
            content = self._write_between(runs, begin, stop)
            shown = (self._text[max(begin, run.start) : min(stop, run.end)] for run in runs if MARK not in run.styles)
            yield self._mark(begin, stop, places, content) if any(map(str.strip, shown)) else content
            place = stop
        yield self._write_between(runs, place, end)

    def _part_cited(self, start: int, end: int) -> Iterator[tuple[int, int, list[Place]]]:
        """What is cited between two offsets, parted where another place begins or ends."""
        near = [(begin, stop) for begin, stop in self._cited if begin < end and stop > start]
        edges = sorted({min(max(edge, start), end) for place in near for edge in place})
        for begin, stop in pairwise(edges):
            if places := [place for place in near if place[0] < stop and place[1] > begin]:
                yield begin, stop, places

    def _mark(self, start: int, end: int, places: Sequence[Place], content: str) -> str:
        focus = "" if self._met.issuperset(places) else ' tabindex="0"'
        self._met.update(places)
        whole = " ".join(f"{begin + self._offset}-{stop + self._offset}" for begin, stop in places)
        return f'<mark class="cited"{focus} {self._places(start, end)} data-cited="{whole}">{content}</mark>'

    def _write_between(self, runs: Sequence[Run], start: int, end: int) -> str:
        written = []
        for run in runs:
            begin, stop = max(run.start, start), min(run.end, end)
            if begin < stop:
                content = _escape(self._text[begin:stop])
                for style in reversed(run.styles):
                    opened, closed = ("", "<br>") if style == _BREAK else _TAGS[style]
                    content = f"{opened}{content}{closed}"
                written.append(content)
        return "".join(written)


def _escape(text: str) -> str:
    # A carriage return would be read as a line feed.
    return escape(text, quote=True).replace("\r", "&#13;")
