"""Tables without ruling lines: cells that stand under each other, below the names of their columns.

But: which line is a header, a label, a remark or what a cell goes on with is an estimate.
"""

from __future__ import annotations

from itertools import pairwise

from index.loading.formats.pdf_letters import Piece
from index.loading.formats.pdf_rows import HEADER_ROWS, LEVEL, NEAR, YEAR, Cell, Part, Row, is_number

_SHORT_CELL = 40  # characters of a cell in a table of two columns of words
_MOST_WRAPPED = 6  # further lines of one cell
_LARGER = 1.15  # than a table's letters, from which a line is a heading that ends it
_HEADER_CHARACTERS = 60  # of a header's line in one column
_MOST_LABELS = 8  # rows without values, one after the other, within a table


def join_wrapped(rows: list[Row], cells: list[list[Cell]]) -> tuple[list[Row], list[list[Cell]]]:
    """The rows of a column and their cells, the further lines of wrapped cells joined to the row that they belong to.

    A label that stands in the middle beside two rows is written in both.
    """
    joined_rows: list[Row] = []
    joined: list[list[Cell]] = []
    place = 0
    while place < len(rows):
        row, row_cells = rows[place], cells[place]
        if _is_between(rows, cells, place + 1):
            upper, label, lower = cells[place : place + 3]
            if len(upper) > 1 and len(label) == 1 and _count_aligned(lower, upper) > 1:
                joined_rows += ([*row, *rows[place + 1]], [*rows[place + 2], *rows[place + 1]])
                joined += ([*label, *upper], [*label, *lower])
                place += 3
                continue
            if len(upper) <= len(label) and all(_find_above(cell, upper) for cell in lower):
                row = [*rows[place + 1], *row, *rows[place + 2]]
                row_cells = sorted([*label, *_add_lines(upper, lower)], key=lambda cell: cell.left)
                place += 2
            elif len(label) == 1 and label[0].right < lower[0].left:
                joined_rows += (row, [*rows[place + 1], *rows[place + 2]])
                joined += (row_cells, [*label, *lower])
                place += 3
                continue
        count = _count_wrapped(rows, cells, place, joined[-1] if joined else [])
        for number in range(place + 1, place + 1 + count):
            row = [*row, *rows[number]]
            row_cells = _add_lines(row_cells, cells[number])
        joined_rows.append(row)
        joined.append(row_cells)
        place += 1 + count
    return joined_rows, joined


def _is_between(rows: list[Row], cells: list[list[Cell]], place: int) -> bool:
    """Whether a row stands beside the middle of the one above and the one below, which have nothing in its columns."""
    if not 0 < place < len(rows) - 1 or not all(cells[place - 1 : place + 2]):
        return False
    size = rows[place][0].size
    steps = [rows[number][0].middle - rows[number + 1][0].middle for number in (place - 1, place)]
    return (
        max(steps) < 0.75 * size
        and abs(steps[0] - steps[1]) < 0.15 * size
        and not any(
            cell.left < other.right and other.left < cell.right
            for cell in cells[place]
            for other in (*cells[place - 1], *cells[place + 1])
        )
    )


def _count_wrapped(rows: list[Row], cells: list[list[Cell]], place: int, above: list[Cell]) -> int:
    """How many rows after one are the further lines of its cells: nearer to it than the rows of its table are."""
    anchor = cells[place]
    if len(anchor) < 2:
        return 0
    size = rows[place][0].size
    steps = [
        rows[number][0].middle - rows[number + 1][0].middle
        for number in range(place, min(place + _MOST_WRAPPED + 1, len(rows) - 1))
    ]
    count = 0
    label = anchor[0].right
    while (
        count < min(_MOST_WRAPPED, len(steps))
        and 0.5 * size < steps[count] < min(1.35 * size, 1.2 * steps[0])
        and 0 < len(cells[place + count + 1]) < len(anchor)
        and all(any(map(str.isalpha, cell.text)) and _find_above(cell, anchor) for cell in cells[place + count + 1])
    ):
        count += 1
    if not count:
        return 0
    after = cells[place + count + 1] if count < len(steps) else []
    if cells[place + 1][0].left < label and after and after[0].text[:1].islower():
        return 0  # the first line of the next row's label
    around = []  # from this row to those of its table
    if count < len(steps) and _count_aligned(after, anchor) > 1:
        around.append(steps[count])
    if place and len(cells[place - 1]) > 1 and _count_aligned(anchor, above) > 1:
        around.append(rows[place - 1][0].middle - rows[place][0].middle)
    return count if around and min(around) > 1.2 * steps[0] else 0


def _find_above(cell: Cell, row: list[Cell]) -> Cell | None:
    """The cell of a row with whose line another line is level at the left, at the right or in the middle."""
    return next(
        (
            other
            for other in row
            if other.pieces[0].is_bold == cell.pieces[0].is_bold
            and (
                abs(cell.left - other.left) < NEAR
                or abs(cell.right - other.right) < NEAR
                or abs(cell.left + cell.right - other.left - other.right) < NEAR
            )
        ),
        None,
    )


def _add_lines(row: list[Cell], more: list[Cell]) -> list[Cell]:
    """The cells of a row with the further lines of some."""
    added = {id(_find_above(cell, row)): cell for cell in more}
    return [Cell([*cell.pieces, *added[id(cell)].pieces]) if id(cell) in added else cell for cell in row]


def tell_rows(cells: list[list[Cell]]) -> list[str]:
    """For each row "numbers" or "words" where it looks like a table's, or ""."""
    kinds = []
    for place, row in enumerate(cells):
        numbers = sum(cell.is_number for cell in row[1:])
        kind = ""
        if numbers and 2 * numbers >= len(row) - 1:
            kind = "numbers"
        elif len(row) > 2:
            beside = cells[max(place - 2, 0) : place] + cells[place + 1 : place + 3]
            kind = "words" if any(_count_aligned(row, other) > 2 for other in beside) else ""
        kinds.append(kind)
    for place, row in enumerate(cells):
        # Two columns of words need three rows, and short cells.
        around = cells[max(place - 2, 0) : place + 3]
        if not kinds[place] and _is_pair(row):
            kinds[place] = "words" if sum(_is_pair(o) and _count_aligned(row, o) == 2 for o in around) > 2 else ""
    return kinds


def _is_pair(row: list[Cell]) -> bool:
    return (
        len(row) == 2
        and all(1 < len(cell.text) <= _SHORT_CELL for cell in row)
        and row[1].left - row[0].right > 1.5 * row[0].pieces[0].size
    )


def _count_aligned(row: list[Cell], other: list[Cell]) -> int:
    """How many cells of a row begin or end where one of the other begins or ends."""
    return sum(
        any(abs(cell.left - beside.left) < NEAR or abs(cell.right - beside.right) < NEAR for beside in other)
        for cell in row
    )


def read_table(rows: list[Row], cells: list[list[Cell]], kinds: list[str], start: int) -> tuple[int, int, Part] | None:
    """The table whose first row of values is at `start`: its first row, the row after its last, and what it is."""
    value_left = min(cell.left for cell in cells[start][1:])
    right = max(cell.right for cell in cells[start])
    left = min(cell.left for cell in cells[start])
    end, place = start + 1, start + 1
    size = rows[start][0].size
    has_labels = not cells[start][0].is_number
    largest = max(piece.size for piece in rows[start])
    usual = 0.0  # between rows of values
    while place < len(rows) and place - end < _MOST_LABELS:
        row = cells[place]
        step = min(p.middle for p in rows[place - 1]) - max(p.middle for p in rows[place])
        if not row or step > 4.5 * size:
            break
        # What is larger than a header alone names rows.
        is_larger = len(row) == 1 and rows[place][0].size > _LARGER * largest
        if is_larger and not all(above[-1].is_bold for above in rows[start:end]):
            break
        if _begins_table(rows, cells, start, place) or _is_remark(row, cells[start:end], step, usual, size):
            break
        if kinds[place]:
            largest = max(largest, *(piece.size for piece in rows[place]))
            if place == end and any(map(_is_amount, cells[place - 1])):
                usual = min(usual, step) if usual else step
            # A row whose values all lie elsewhere begins another table.
            if row[-1].right < value_left or row[0].left > right + 2 * size:
                break
            value_left = min([value_left, *(cell.left for cell in row[1:] if cell.is_number or len(row) > 2)])
            left, right = min(left, row[0].left), max(right, row[-1].right)
            has_labels |= not row[0].is_number
            end = place + 1
        elif not has_labels and len(row) == 1 and row[0].right <= left:
            pass
        elif not _fits(row, left, value_left, right, size):
            break
        elif len(row) == 1 and row[0].is_number and row[0].left >= value_left - size:
            end = place + 1
        place += 1
    # A label may end in lines below the last row of values.
    flagged = [row for row, kind in zip(cells[start:end], kinds[start:end], strict=True) if kind]
    if len(flagged) < 2 and (kinds[start] != "numbers" or len(cells[start]) < 3):
        return None
    columns = _find_columns(flagged)
    first = place = start
    while place and start - place < HEADER_ROWS:
        place -= 1
        if len(cells[place]) == 1 and rows[place][0].size > _LARGER * largest:
            break
        if _heads(cells[place], columns, rows[place], rows[place + 1]):
            first = place
        elif len(cells[place]) != 1 or cells[place][0].right > columns[0][0] or kinds[place + 1] == "words":
            break  # only labels may stand between a header and the first row of values
    if len(flagged) < 2 and not any(
        _lines_up(row, columns) and not any(map(_is_amount, row)) for row in cells[first:start]
    ):
        return None
    return first, end, write_table(rows, cells, kinds, first, end)


def _begins_table(rows: list[Row], cells: list[list[Cell]], start: int, place: int) -> bool:
    """Whether a row is the header of another table: bold where the rows above are not, or in columns of its own."""
    row, before = cells[place], cells[start:place]
    last = next((number for number in range(place - 1, start, -1) if len(cells[number]) > 1), start)
    if (
        len(row) > 1
        and not any(cell.is_number for cell in row)
        and all(piece.is_bold for piece in rows[place])
        and not any(piece.is_bold for piece in rows[last])
    ):
        return True
    if len(row) < 3 or sum(len(above) > 1 for above in before) < 3:
        return False  # a header may stand aside of its columns
    return not any(
        cell.left < other.right + NEAR and other.left < cell.right + NEAR
        for cell in row[1:]
        for above in before
        for other in above[1:]
    )


def _is_remark(row: list[Cell], table: list[list[Cell]], step: float, usual: float, size: float) -> bool:
    """Whether a row is a line of prose below a table: it spans columns, and stands apart or begins to their left."""
    text = row[0].text
    if not any(_is_amount(cell) for cells in table for cell in cells[1:]):
        return False  # what is below a header names rows
    if len(row) > 1 or text.endswith(":") or " " not in text or text.isupper():
        return False
    left, value_left = (
        min(cells[0].left for cells in table if cells),
        min(cells[1].left for cells in table if len(cells) > 1),
    )
    is_apart = step > 1.25 * (usual or 1.5 * size) and (text[-1] in ".!?" or len(text) > _SHORT_CELL)
    return (
        (is_apart or row[0].left < left - 0.5 * size) and row[0].left < value_left and row[0].right > value_left + NEAR
    )


def write_table(rows: list[Row], cells: list[list[Cell]], kinds: list[str], first: int, end: int) -> Part:
    """The rows from one to another as a table, a cell for each column."""
    columns = _find_columns([row for row, kind in zip(cells[first:end], kinds[first:end], strict=True) if kind])
    header = _read_spans(cells[first:end], columns, rows[first][0].size)
    if header:
        upper, depth, names = header
        table = _write_rows(cells[first : first + upper], rows[first : first + upper], columns) if upper else []
        table.append(names)
        table += _write_rows(cells[first + depth : end], rows[first + depth : end], columns)
    else:
        table = _write_rows(cells[first:end], rows[first:end], columns)
    filled = {number for row in table if len(row) > 1 for number, cell in enumerate(row) if cell} | {0}
    return Part(
        [[cell for number, cell in enumerate(row) if number in filled] if len(row) > 1 else row for row in table],
        is_table=True,
    )


def is_header(cells: list[list[Cell]]) -> bool:
    """Whether rows that were taken for a table are the header of the one below."""
    return len(cells) <= HEADER_ROWS and not any(
        row[0].text and not row[0].is_number and any(cell.is_number for cell in row[1:]) for row in cells
    )


def _fits(row: list[Cell], left: float, value_left: float, right: float, size: float) -> bool:
    """Whether a row that is not of values may stand among those that are."""
    if len(row) > 1:
        return all(len(cell.text) <= 60 for cell in row) and row[0].left > left - NEAR and row[-1].right < right + size
    cell = row[0]
    if cell.right <= value_left or (cell.left >= value_left - size and cell.right <= right + size):
        return cell.left > left - 3 * size
    return cell.text.endswith(":") or cell.right < left + 0.8 * (right - left)


def _find_columns(rows: list[list[Cell]]) -> list[tuple[float, float]]:
    """The columns of values, from left to right; the cells to the left of them are labels."""
    values = [(cell.right - cell.left, cell, number) for number, row in enumerate(rows) for cell in row[1:]]
    columns: list[tuple[float, float, set[int]]] = []
    for _, cell, number in sorted(values, key=lambda value: value[0]):
        touched = [column for column in columns if cell.left <= column[1] and cell.right >= column[0]]
        held = [row for column in touched for row in column[2]]
        if len(touched) > 1 and (len(held) > len(set(held)) or number in held):
            continue  # it spans columns
        columns = [column for column in columns if column not in touched]
        columns.append(
            (
                min([cell.left, *(column[0] for column in touched)]),
                max([cell.right, *(column[1] for column in touched)]),
                {number, *held},
            )
        )
    return [(left, right) for left, right, _ in sorted(columns, key=lambda column: column[0])]


def _find_places(cell: Cell, columns: list[tuple[float, float]]) -> list[int]:
    """The numbers of the columns that a cell stands in, from 1; 0 is the labels'."""
    shared = [
        (min(cell.right, right) - max(cell.left, left), number) for number, (left, right) in enumerate(columns, 1)
    ]
    touched = [
        number
        for share, number in shared
        if share > 0.4 * (columns[number - 1][1] - columns[number - 1][0]) or share > 0.9 * (cell.right - cell.left)
    ]
    if touched and cell.left < columns[0][0] and cell.right - cell.left > 2 * (columns[0][1] - columns[0][0]):
        return [0]
    if touched:
        return touched
    if cell.left < columns[0][0] and (cell.left + cell.right) / 2 < columns[0][0]:
        return [0]
    middle = (cell.left + cell.right) / 2
    return [min(range(1, len(columns) + 1), key=lambda number: abs(sum(columns[number - 1]) / 2 - middle))]


def _heads(row: list[Cell], columns: list[tuple[float, float]], above: Row, below: Row) -> bool:
    """Whether a row stands over the columns as a header does."""
    size = below[0].size
    if not row or above[0].middle - below[0].middle > 2.6 * size:
        return False
    edge, end = columns[0][0] - 1.5 * size, columns[-1][1] + 2 * size
    over = [cell for cell in row if (cell.left >= edge and cell.right <= end) or _is_over_one(cell, columns)]
    if any(len(cell.text) > 80 for cell in row):
        return False
    return (
        _lines_up(row, columns)
        or len(over) == len(row)
        or (len(over) == len(row) - 1 > 0 and row[0].right < columns[0][0])
    )


def _lines_up(row: list[Cell], columns: list[tuple[float, float]]) -> bool:
    """Whether a row has one short cell for each column, near it, and a label at most."""
    if len(columns) < 2 or not 0 <= len(row) - len(columns) <= 1:
        return False
    middles = [(left + right) / 2 for left, right in columns]
    reach = min(after - before for before, after in pairwise(middles)) / 2
    values = row[-len(columns) :]
    return all(len(cell.text) <= _SHORT_CELL for cell in values) and all(
        abs((cell.left + cell.right) / 2 - middle) < reach for cell, middle in zip(values, middles, strict=True)
    )


def _is_over_one(cell: Cell, columns: list[tuple[float, float]]) -> bool:
    """Whether a cell stands in the middle over a column that is narrower than it."""
    return any(abs((cell.left + cell.right) - (left + right)) < 4 * NEAR for left, right in columns)


def _write_rows(
    cells: list[list[Cell]], rows: list[Row], columns: list[tuple[float, float]]
) -> list[list[list[Piece]]]:
    table: list[list[list[Piece]]] = []
    in_header = True
    above: list[list[Piece]] | None = None  # a row of the header that the next may go on with
    label: list[list[Piece]] | None = None  # a row that has only a label
    for number, row in enumerate(cells):
        places = [_find_places(cell, columns) for cell in row]
        if _lines_up(row, columns) and (in_header or row[0].is_number):
            # One cell for each column, though a little aside.
            places = [[number] for number in range(len(columns) + 1 - len(row), len(columns) + 1)]
        written: list[list[Piece]] = [[] for _ in range(len(columns) + 1)]
        for cell, place in zip(row, places, strict=True):
            written[place[0]] += cell.pieces
        has_values = any(written[1:])
        spans = any(len(place) > 1 for place in places) or (
            in_header and len(row) == 1 and not row[0].is_number and _is_wide(row[0], places[0], columns)
        )
        if written[0] and any(cell.is_number and not YEAR.fullmatch(cell.text) for cell in row[1:]):
            in_header = False
        step = rows[number - 1][0].middle - rows[number][0].middle if number else 0.0
        is_near = step < 1.7 * rows[number][0].size
        if not has_values or (len(row) == 1 and spans):
            pieces = [piece for cell in row for piece in cell.pieces]
            if not spans and is_near and table and _goes_on(table[-1][0], pieces):
                table[-1][0].extend(pieces)
            else:
                table.append([pieces])
                label = table[-1] if not spans else None
            above = None
            continue
        if in_header and above and is_near and not spans and _joins_header(above, written):
            for upper, lower in zip(above, written, strict=True):
                upper += lower
            continue
        if label is not None and label is table[-1] and is_near and written[0] and _goes_on(label[0], written[0]):
            written[0] = label[0] + written[0]
            table.pop()
        table.append(written)
        label = None
        above = written if in_header and not spans else None
    return table


def _read_spans(
    cells: list[list[Cell]], columns: list[tuple[float, float]], size: float
) -> tuple[int, int, list[list[Piece]]] | None:
    """The header of a table in which upper cells span columns, as one row with their words over each of those.

    Before it, the first of its rows, and the row after its last.
    """
    if len(columns) < 3:
        return None
    for last in range(1, min(HEADER_ROWS, len(cells) - 1)):
        if not all(map(_is_name, (*cells[last - 1], *cells[last]))):
            return None
        lowest = cells[last][-len(columns) :]
        if not 0 <= len(cells[last]) - len(columns) <= 1 or [_find_places(cell, columns)[0] for cell in lowest] != [
            *range(1, len(columns) + 1)
        ]:
            continue
        edges = [
            (min(cell.left, left), max(cell.right, right)) for cell, (left, right) in zip(lowest, columns, strict=True)
        ]
        labels = cells[last][: -len(columns)]
        names = [[piece for cell in labels for piece in cell.pieces], *(list(cell.pieces) for cell in lowest)]
        first = last
        while first:
            upper = cells[first - 1]
            label = [cell for cell in upper[:1] if cell.right < edges[0][0]]
            spans = _find_spans(upper[len(label) :], lowest, edges, size)
            if not spans:
                break
            for cell, (begin, end) in zip(upper[len(label) :], spans, strict=True):
                for number in range(begin, end):
                    names[number + 1] = [*cell.pieces, *names[number + 1]]
            names[0] = [piece for cell in label for piece in cell.pieces] + names[0]
            first -= 1
        return (first, last + 1, names) if first < last else None
    return None


def _is_amount(cell: Cell) -> bool:
    return cell.is_number and not YEAR.fullmatch(cell.text)


def _is_name(cell: Cell) -> bool:
    return len(cell.text) <= _HEADER_CHARACTERS and (not cell.text[:1].isdigit() or bool(YEAR.fullmatch(cell.text)))


def _find_spans(
    row: list[Cell], below: list[Cell], edges: list[tuple[float, float]], size: float
) -> list[tuple[int, int]]:
    """For each cell of a header's row the first of the columns that it spans, and the one after the last.

    Each stands over the middle of its columns, or all begin with their first, or are the first lines of cells below.
    None where they do not.
    """
    if not 1 < len(row) < len(edges):
        return []
    single = [
        next((n for n, edge in enumerate(edges) if abs(sum(edge) - cell.left - cell.right) < 2 * LEVEL), -1)
        for cell in row
    ]
    if min(single) >= 0 and all(below[n].text[:1].islower() or below[n].text[:1] == "(" for n in single):
        return [(n, n + 1) for n in single]
    lefts = [next((n for n, edge in enumerate(edges) if abs(edge[0] - cell.left) < NEAR), -1) for cell in row]
    spans = [*pairwise([*lefts, len(edges)])]
    if lefts[0] != 0 or not all(
        begin < end and cell.right <= edges[end - 1][1] + NEAR for cell, (begin, end) in zip(row, spans, strict=True)
    ):
        spans = _find_middles(row, edges, size)
    counts = [end - begin for begin, end in spans]
    # What is in the middle over one column may be that one's alone.
    doubtful = [
        (begin + end - 1 != 2 * n or min(counts) == 1)
        for n, (begin, end) in zip(single, spans, strict=False)
        if n >= 0 and end - begin > 1
    ]
    return spans if max(counts, default=0) > 1 and not any(doubtful) else []


def _find_middles(row: list[Cell], edges: list[tuple[float, float]], size: float) -> list[tuple[int, int]]:
    """The columns over whose middle each cell of a row stands, one after the other; none where they are not all."""
    spans, begin = [], 0
    for place, cell in enumerate(row):
        rest = len(row) - place - 1
        off = {
            end: abs(edges[begin][0] + edges[end - 1][1] - cell.left - cell.right) / 2
            for end in range(begin + 1, len(edges) - rest + 1)
            if cell.left > edges[begin][0] - 2 * size and cell.right < edges[end - 1][1] + 2 * size
        }
        best = min(off, key=lambda end: off[end], default=0)
        if not best or off[best] > 0.5 * size:
            return []
        spans.append((begin, best))
        begin = best
    return spans if begin == len(edges) else []


def _is_wide(cell: Cell, places: list[int], columns: list[tuple[float, float]]) -> bool:
    """Whether a cell reaches beyond its column, or stands in the middle over all."""
    if len(columns) < 2 or not places[0]:
        return False
    left, right = columns[places[0] - 1]
    middle = abs(cell.left + cell.right - columns[0][0] - columns[-1][1]) < 4 * NEAR
    return middle or cell.right - cell.left > 1.6 * (right - left)


def _goes_on(label: list[Piece], more: list[Piece]) -> bool:
    """Whether a label's next line is still the label."""
    before, after = label[-1].text.rstrip() if label else "", more[0].text.lstrip()
    return bool(before) and not before.endswith((":", ".")) and (after[:1].islower() or before.endswith((",", "\x02")))


def _joins_header(above: list[list[Piece]], below: list[list[Piece]]) -> bool:
    """Whether two rows of a header are the lines of one."""
    uppers = [" ".join(piece.text for piece in cell).strip() for cell in above]
    lowers = [" ".join(piece.text for piece in cell).strip() for cell in below]
    if (uppers[0] and lowers[0]) or any(len(text) > _HEADER_CHARACTERS for text in (*uppers, *lowers)):
        return False
    pairs = [(upper, lower) for upper, lower in zip(uppers[1:], lowers[1:], strict=True) if upper]
    if 2 * len(pairs) < sum(map(bool, lowers[1:])) and any(
        is_number(upper) or not lower[:1].isalpha() for upper, lower in pairs
    ):
        return False  # what spans columns, or stands over one of many
    if any(is_number(upper) and not YEAR.fullmatch(upper) for upper, _ in pairs):
        return False
    return not all(is_number(lower) and not YEAR.fullmatch(lower) for lower in lowers[1:] if lower)
