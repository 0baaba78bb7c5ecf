"""What a table says: its merged cells filled, its titles, headers and notes told from its rows of facts.

A fact with the wrong header is worse than one without: where nothing tells that a row names the columns, it is a row.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, count, islice, takewhile
from typing import NamedTuple

_AHEAD_ROWS = 20  # that are looked at to tell whether a row names the columns
_MOST_HEADER_ROWS = 4
_NAME_CHARACTERS = 80  # of a column's name
MOST_COLUMNS = 1_000  # that one cell is merged over
_SIDE_ROWS = 1_000  # of a sheet that are looked at to tell whether tables stand side by side
_SIDE_CELLS = 200_000
# What merged cells repeat may grow with what the table holds, and not faster.
_ROOM_CHARACTERS = 1_000_000
_ROOM_FACTOR = 10

NO_VALUE = "(formula without a saved value)"

_YEAR = re.compile(r"(?:19|20)\d\d")
_DIGIT = re.compile(r"\d")
_IS_NUMBER = re.compile(r"\W*+\d[\W\d]*+")
_UNIT = re.compile(  # "kg", "(EUR)", "in %", "kWh/m²", "Mio €"
    r"[(\[]?(?:in |per )?(?:[^\W\d]{1,5}|[%°€$£¥])(?:[ /·*.](?:[^\W\d]{1,5}|[%€$£¥])){0,2}[²³]?[)\]]?"
)


# Words that name a column, or a field of a form. Of two columns they tell "Room | Price", a header, from
# "Room | Kitchen", a fact: there nothing else may.
_COLUMN_WORDS = frozenset(
    "account address age amount answer author birthday born budget capacity capital category city class code color "
    "colour comment comments company contact cost costs count country currency customer date day deadline definition "
    "department description destination dish duration email e-mail employees end example expires extension fax fee "
    "floor founded frequency grade group height hours id item job language length level limit location mail manager "
    "material meaning members menu mobile model month name note notes number order origin owner payment percent "
    "percentage person phone place population position price priority product profession project qty quantity rate "
    "rating reason remark remarks result revenue role room salary sales score seats section service sex share size "
    "sku source speed start state status stock street subject supplier surface tax team tel telephone temperature time "
    "title total town type unit units user value vat version volume weight week width year zip "
    "action activity area average charge chair consumption copies damage delivery deposit director discount distance "
    "driver duty employee employer expense figure fine flight gender gain garage gate guest head income inhabitants "
    "insurance interest landlord lead leave load loan loss maker minimum maximum minutes mass mileage mobile "
    "nationality occupation opening output pager people piece plan plate points power president production profit "
    "purpose reach recipient reference registration religion rent room route savings secretary sender shift signature "
    "site spouse student supervisor target temp tenant turnover usage validity vehicle visitor vote wage winner "
    "abteilung adresse alter anschrift anzahl artikel bemerkung beruf beschreibung betrag datum dauer einheit ergebnis "
    "firma gewicht größe kategorie kosten kunde land menge monat nummer ort position preis produkt raum stadt stelle "
    "stimmen straße strasse tag telefon titel uhrzeit umsatz vorname nachname wert wohnort zahl zeit zimmer zustand "
    "année article client date jour lieu mois montant nom numéro pays personne prénom prix produit quantité rue salle "
    "téléphone tarif taille valeur ville "
    "año apellido cantidad ciudad cliente descripción dirección fecha importe mes nombre número país precio producto "
    "puesto sala teléfono tipo valor "
    "anno città cliente cognome costo descrizione indirizzo luogo mese nome numero paese prezzo prodotto quantità "
    "stanza valore via "
    "aantal adres bedrag datum functie jaar klant maand naam nummer omschrijving plaats prijs stad straat waarde "
    "adress antal belopp by dag dato gate kommune land måned navn namn pris sted stilling sum årstal år värde verdi "
    "data cena ilość imię kwota miasto nazwa nazwisko".split()
)
# Words that head a column of labels, whatever the labels are.
_KEY_WORDS = frozenset(
    "attribute attributes feature field fields key keys option options parameter parameters property properties "
    "question questions setting settings specification term terms variable "
    "eigenschaft feld frage merkmal schlüssel kenngröße question champ clé pregunta campo clave domanda vraag".split()
)
# Words for what each row has an amount of, even where the rows are called as columns are: "Item | Amount", "Price | 9".
_FIGURE_WORDS = frozenset(
    "amount amounts cost costs count euros figure figures number price prices quantity qty sum total value values "
    "anzahl betrag kosten menge preis summe wert montant nombre prix quantité valeur importe cantidad precio valor "
    "costo importo prezzo quantità valore aantal bedrag prijs waarde antal belopp beløp pris sum verdi värde".split()
)
_WORD = re.compile(r"[^\W\d_]++(?:-[^\W\d_]++)*+")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*+(?:[_.-][a-z0-9]++)*+")  # as programs name columns
_LONG_ROWS = 4  # of two columns of words in a file that is a table and nothing else: it has names for them
_MOST_FIGURES = 6  # of one kind below one word that hardly are facts of several kinds
_TOTAL = re.compile(
    r"(?:(?:grand|overall|sub|net|gross)[ -]?)?(?:total|totals|sum|totaal|totale|totaux|totalt|totalsumme|totalen)\b"
    r"|sous-total|(?:zwischen|gesamt|end)?summen?\b|gesamt|insgesamt|somme\b|suma\b|somma\b|i alt\b|razem\b|yhteensä",
    re.IGNORECASE,
)


class Cell(NamedTuple):
    """A cell of a file: its text, how many rows and columns it is merged over, and whether the file calls it a header.

    is_header: None where the format does not tell headers from other cells.
    """

    text: str
    rows: int = 1
    columns: int = 1
    is_header: bool | None = None


class Row(NamedTuple):
    """A row with merged cells filled.

    goes_on: the places whose text is that of the merged cell to their left.
    is_header: whether the file calls it a header; None where it does not say.
    is_labelled: whether the file calls the first of two cells the header of the other.
    """

    texts: list[str]
    goes_on: Collection[int] = ()
    is_header: bool | None = None
    is_labelled: bool = False

    @property
    def own(self) -> list[int]:
        """The places of the filled cells, of merged ones the first."""
        return [place for place, text in enumerate(self.texts) if text and place not in self.goes_on]


class Line(NamedTuple):
    """What is to be written: a row of facts, or the text of a title or a note."""

    text: str
    is_row: bool


class TooMuchError(Exception):
    """A table whose merged cells would repeat much more than it holds."""


def read_lines(
    rows: Iterable[Sequence[str | Cell] | Row], *, skips: bool, is_sheet: bool, is_named: bool, first_column: int = 0
) -> Iterator[Line | None]:
    """The lines of a table, each row as "Header: value; Header: value"; None where another table begins.

    rows: of cells; a row in which none is merged or called a header may come as Row.
    skips: whether the rows leave out the places that a cell above or to their left is merged over.
    is_sheet: whether an empty row parts two tables, and columns without a name are told by letters.
    is_named: whether the file is a table and nothing else, so that a first row of words is likely a header.
    first_column: how many columns of the sheet are to the left of the table.
    Raises TooMuchError.
    """
    filled = _fill(rows, skips)
    if not is_sheet:
        filled = (row for row in filled if any(row.texts))
    ahead: deque[Row] = deque()
    header: list[str] | None = None
    labels: list[str] = []
    kept: list[str] = []  # the header above an empty row, and the last row of facts below it
    last: list[str] = []
    group = ""  # what heads some of the rows, with its mark
    is_grouped = are_labels = False

    def label(count: int) -> list[str]:
        return _label_columns(header or [], count, first_column, is_sheet)

    while True:
        if header is None or (ahead and ahead[0].is_header):  # only these rows are told by those that follow
            ahead.extend(islice(filled, _AHEAD_ROWS - len(ahead)))
        row = ahead.popleft() if ahead else next(filled, None)
        if row is None:
            return
        # Most rows of long tables are several facts below a header; it may be repeated on each page.
        if header and not row.goes_on and row.is_header is None and len(row.texts) <= len(header):
            if row.texts == header:
                continue
            facts = [
                label + text if name != text else text
                for label, name, text in zip(labels, header, row.texts, strict=False)
                if text
            ]
            if len(facts) > 1 or (facts and not row.texts[0]):
                if group and _is_total(row):
                    group = ""
                last = row.texts
                yield Line(group + "; ".join(facts), is_row=True)
                continue
        own = row.own
        if not own:
            kept, header, group, is_grouped = header or kept, None, "", False
            yield None
            continue
        if header and len(own) == 1 and (own[0] == 0 or row.goes_on):
            ahead.extend(islice(filled, 0 if ahead else 1))
            if (is_grouped or row.goes_on) and _is_group(row, ahead, header):
                group = f"{'Group' if 'Group' not in header else 'Section'}: {row.texts[own[0]]}; "
                continue
        if row.is_header and header is not None:
            ahead.extend(islice(filled, _AHEAD_ROWS - len(ahead)))
        if header is None and len(own) == 1 and _is_title(row, ahead):
            kept = []
            yield Line(row.texts[own[0]], is_row=False)
            continue
        if header is None and kept and _goes_on(row, kept, last):
            header, labels = kept, _label_columns(kept, len(kept), first_column, is_sheet)
            yield Line(_render(header, labels, row), is_row=True)
        elif (header is None or row.is_header) and (found := _find_header(row, list(ahead), is_named)):
            header, more = found
            labels = label(len(header))
            group = ""
            for _ in range(more):
                ahead.popleft()
            is_grouped = _has_groups(ahead)
        elif header is None and _is_above(row, ahead, is_named):
            yield Line(_render_above(row), is_row=True)
        elif header and len(own) == 1 and (own[0] == 0 or row.goes_on):
            group = ""
            yield Line(row.texts[own[0]], is_row=False)
        elif row.texts != header:
            if header is None:
                are_labels = _are_labels([row, *takewhile(lambda other: other.own, ahead)])
                header = []
            if group and _is_total(row):
                group = ""
            row = row._replace(is_labelled=row.is_labelled or (are_labels and own == [0, 1]))
            yield Line(group + _render(header, label(len(row.texts)) if any(header) else [], row), is_row=True)
        kept = []


def part_side_by_side(
    rows: Iterable[Row | list[str | Cell]],
) -> Iterator[tuple[int, Iterable[Row | list[str | Cell]]]]:
    """The tables that stand side by side on a sheet, each with its first column: those parted by a column that is
    empty in every row, where each begins with words. What stands above them all comes with the first.

    Of a sheet too long to be looked at first, all is one table.
    """
    rest = iter(rows)
    begun: list[Row | list[str | Cell]] = []
    cells = 0
    for row in rest:
        begun.append(row)
        cells += len(row.texts if isinstance(row, Row) else row)
        if len(begun) > _SIDE_ROWS or cells > _SIDE_CELLS:
            yield 0, chain(begun, rest)
            return
    lines: list[list[str | Cell]] = [[*row.texts] if isinstance(row, Row) else row for row in begun]
    above = next((number for number, line in enumerate(lines) if len(_find_filled(line)) > 1), len(lines))
    parts = _find_parts(lines[above:])
    if not all(_stands_alone(lines[above:], part) for part in parts) or len(parts) < 2:
        yield 0, begun
        return
    for part in parts:
        held = [line[part.start : part.stop] for line in lines[above:]]
        # Empty rows at the ends are of the other tables.
        while not _find_filled(held[-1]):
            held.pop()
        yield part.start, [*lines[:above], *held] if part is parts[0] else [*held]


def _find_filled(line: Sequence[str | Cell]) -> list[int]:
    return [place for place, cell in enumerate(line) if (cell.text if isinstance(cell, Cell) else cell)]


def _find_parts(lines: Sequence[Sequence[str | Cell]]) -> list[range]:
    """The runs of columns that no empty column parts; none where too many cells are merged to look at them all."""
    taken: set[int] = set()
    covered = 0
    for line in lines:
        for place in _find_filled(line):
            cell = line[place]
            width = min(cell.columns if isinstance(cell, Cell) else 1, MOST_COLUMNS)
            covered += width
            if covered > 2 * _SIDE_CELLS:
                return []
            taken.update(range(place, place + width))
    starts = sorted(place for place in taken if place - 1 not in taken)
    ends = sorted(place + 1 for place in taken if place + 1 not in taken)
    return [range(*part) for part in zip(starts, ends, strict=True)]


def _stands_alone(lines: Sequence[Sequence[str | Cell]], part: range) -> bool:
    """Whether some columns are a table of their own: two or more, of which the first holds words or names its rows,
    so that they are not the figures of the rows to their left."""
    rows = [[cell.text if isinstance(cell, Cell) else cell for cell in line[part.start : part.stop]] for line in lines]
    rows = [row for row in rows if any(row)]
    names = [row[0] for row in rows if row[0]]
    several = sum(sum(map(bool, row)) > 1 for row in rows)
    return len(part) > 1 and several > 1 and len(names) * 2 > len(rows) and sum(map(_has_letter, names)) > 1


def _fill(rows: Iterable[Sequence[str | Cell] | Row], skips: bool) -> Iterator[Row]:
    """The rows with each merged cell's text in all of its places. Raises TooMuchError."""
    reaching: dict[int, tuple[str, int, bool]] = {}  # by place: the text, in how many rows more, whether from the left
    room = _ROOM_CHARACTERS
    for row in rows:
        if isinstance(row, Row):
            if not reaching:
                room += _ROOM_FACTOR * len(row.texts)
                yield row
                continue
            row = row.texts
        texts: list[str] = []
        goes_on: set[int] = set()
        flags: list[bool | None] = []
        cells = iter(row)
        last = max(reaching, default=-1)
        while True:
            place = len(texts)
            cell = next(cells, None) if not skips or place not in reaching else ""
            if cell is None and place > last:
                break
            # A cell with a text of its own is not covered, whatever the file says.
            if place not in reaching or (cell[0] if isinstance(cell, Cell) else cell):
                reaching.pop(place, None)
                text, height, width, flag = cell if isinstance(cell, Cell) else (cell or "", 1, 1, None)
                flags += [flag] if text else []
                room += _ROOM_FACTOR * (len(text) + 1)
                for covered in range(place, place + min(max(width, 1), MOST_COLUMNS)):
                    if covered in reaching:
                        break
                    reaching[covered] = text, max(height, 1), covered > place
                    last = max(last, covered)
            text, height, from_left = reaching.pop(place)
            if height > 1:
                reaching[place] = text, height - 1, from_left
            if from_left:
                goes_on.add(place)
            texts.append(text)
            room -= len(text) + 1
            if room < 0:
                raise TooMuchError
        # A row that is nothing but what reaches into it is that above.
        if flags or not (skips or any(texts)):
            yield Row(texts, goes_on, flags[-1] if any(flags) else None, flags == [True, False])


def _is_title(row: Row, ahead: Sequence[Row]) -> bool:
    """Whether a row of one cell stands above the table, rather than above some of its columns."""
    following = next((other for other in ahead if len(other.own) != 1), None)
    if following is None or not following.own:
        return following is not None
    return row.own[0] <= following.own[0] or following is not ahead[0] or _join(row, following) is None


def _is_above(row: Row, ahead: Iterable[Row], is_named: bool) -> bool:
    """Whether a row of facts stands above a table of more columns, whose header follows."""
    rows = list(takewhile(lambda other: other.own, ahead))
    widths = [len(other.own) for other in rows]
    common = max(set(widths), key=widths.count, default=0)
    if not len(row.own) < common > 2 or widths.count(common) * 2 <= len(widths):
        return False
    first = widths.index(common)
    return _find_header(rows[first], rows[first + 1 :], is_named) is not None


def _is_total(row: Row) -> bool:
    """Whether a row sums up those above it, which may be those of every group."""
    return _TOTAL.match(next(filter(None, row.texts))) is not None


def _is_group(row: Row, ahead: Sequence[Row], header: list[str]) -> bool:
    """Whether a row of one cell heads the rows that follow."""
    text = row.texts[row.own[0]]
    if not ahead or not _is_name(text) or text.endswith((".", "!")) or _TOTAL.match(text):
        return False
    following = ahead[0]
    return len(following.own) > 1 and not following.is_header and following.texts != header


def _has_groups(rows: Iterable[Row]) -> bool:
    """Whether the rows below a header are in groups that rows of one cell head: a row may also lack all but its name,
    so the first must be one, and not the only one."""
    heads = [row.own == [0] for row in takewhile(lambda other: other.own, rows)]
    return heads[:2] == [True, False] and sum(heads) > 1 and heads.count(True) * 2 <= len(heads)


def _goes_on(row: Row, header: list[str], last: list[str]) -> bool:
    """Whether a row below an empty one is another of the table above: it fills the same columns, with the like."""
    if row.goes_on or row.is_header or len(row.texts) != len(header) or len(last) != len(header) or len(row.own) < 2:
        return False
    kinds, kinds_above = ([(bool(text), _has_letter(text)) for text in texts] for texts in (row.texts, last))
    if kinds != kinds_above:
        return False
    # Where all are words, those that name columns begin another table.
    return (True, False) in kinds or not any(map(_names_column, row.texts))


def _find_header(row: Row, ahead: list[Row], is_named: bool) -> tuple[list[str], int] | None:
    """The names of the columns, and how many more rows they are made of; None where the row is one of facts."""
    header, more = row, 0
    while more < min(_MOST_HEADER_ROWS - 1, len(ahead) - 1) and (joined := _join(header, ahead[more])):
        header, more = joined, more + 1
    rows = list(takewhile(lambda other: other.own, ahead[more:]))
    if not rows or row.is_header is False:
        return None
    if row.is_header:
        is_header = not (rows[0].is_header and len(rows[0].own) > 1)
    else:
        is_header = more > 0 or (_is_header(header, rows, is_named) and not _is_above(row, rows, is_named))
    if not is_header:
        return None
    if len(rows) > 1 and _are_units(header, rows):
        width = max(len(header.texts), len(rows[0].texts))
        names, units = ([*texts, *[""] * (width - len(texts))] for texts in (header.texts, rows[0].texts))
        header, more = Row([" ".join(filter(_has_words, pair)) for pair in zip(names, units, strict=True)]), more + 1
    return header.texts, more


def _are_units(header: Row, rows: Sequence[Row]) -> bool:
    """Whether the first of the rows below a header holds units of the columns: of numbers all, and for each of them."""
    units, below = rows[0], rows[1:]
    own = [place for place in units.own if _has_words(units.texts[place])]
    return (
        bool(own)
        and not units.goes_on
        and all(_UNIT.fullmatch(units.texts[place]) and place in header.own for place in own)
        and all(_DIGIT.search(text) for place in own for text in _find_values(place, below))
        and all(any(_find_values(place, below)) for place in own)
        # Every column without a unit is one of words.
        and not any(
            all(map(_IS_NUMBER.fullmatch, values))
            for place in header.own
            if place not in own and (values := _find_values(place, below))
        )
    )


def _find_values(place: int, rows: Iterable[Row]) -> list[str]:
    return [row.texts[place] for row in rows if place < len(row.texts) and row.texts[place]]


def _has_words(text: str) -> bool:
    return any(map(str.isalpha, text)) or any(sign in text for sign in "%°€$£¥")


def _join(above: Row, below: Row) -> Row | None:
    """One header of two rows where names in the first stand over several columns of the second: "2023 Revenue"."""
    width = max(len(above.texts), len(below.texts))
    first, second = ([*row.texts, *[""] * (width - len(row.texts))] for row in (above, below))
    spanned: set[int] = set()
    for place in range(1, width):
        # A name over several columns that is not merged stands over the first of them.
        if not first[place] and first[place - 1] and second[place - 1] and second[place]:
            first[place] = first[place - 1]
            spanned |= {place - 1, place}
        elif place in above.goes_on:
            spanned |= {place - 1, place}
    named = {place for place in spanned if second[place]}
    if not named:
        return None
    if not (above.is_header and below.is_header):
        # Beside them the second row must have no other names, unless it fills a corner that the first leaves empty.
        beside = (place for place in range(width) if place not in spanned and (first[0] or not second[0]))
        if any(first[place] and second[place] not in ("", first[place]) for place in beside):
            return None
        if not all(_is_name(text) for place in named for text in (first[place], second[place])):
            return None
    texts = [" ".join(dict.fromkeys(filter(None, names))) for names in zip(first, second, strict=True)]
    header = Row(texts, set(above.goes_on) & set(below.goes_on), above.is_header and below.is_header)
    return header if _differ(header) else None


def _is_header(row: Row, rows: Sequence[Row], is_named: bool) -> bool:
    """Whether the file's own words tell a header: several short names, unlike each other, that name what follows."""
    own, following = row.own, [*rows[0].texts, *[""] * len(row.texts)]
    named = sum(bool(name and text) for name, text in zip(row.texts, following, strict=False))
    # Years are names of several columns, unless years follow.
    are_years = (len(own) > 2 and _has_letter(row.texts[own[0]])) or not row.texts[0]
    return (
        len(own) > 1
        and 0 < named >= sum(map(bool, following)) - 1
        and _differ(row)
        and all(map(_is_name, (row.texts[place] for place in own)))
        and all(_has_letter(row.texts[place]) or (are_years and not _YEAR.fullmatch(following[place])) for place in own)
        and (len(own) > 2 or not row.texts[0] or _names_two(row, rows, is_named))
        # A name that ends as a label does, above others that do: what follows each on its line is its value.
        and not any(row.texts[place].endswith(":") and following[place].endswith(":") for place in own)
        and (is_named or not _are_pairs(row, rows))
    )


def _are_pairs(row: Row, rows: Sequence[Row]) -> bool:
    """Whether the rows may be labels and values by turns, "Name | Karl | Phone | 555": words unlike each other in
    every other place, and beside them values of several kinds, or too few to tell."""
    together = [row, *rows]
    if len(row.own) < 4 or any(len(other.texts) % 2 or len(other.own) % 2 for other in together) or len(rows) > 8:
        return False
    labels = [text for other in together for text in other.texts[::2] if text]
    if len({*labels}) < len(labels) or any(_DIGIT.search(text) or not _is_name(text) for text in labels):
        return False
    columns = [_find_values(place, rows) for place in range(1, len(row.texts), 2)]
    kinds = [{_DIGIT.search(value) is not None for value in values} for values in columns]
    return len(rows) == 1 or all(len(kind) == 2 for kind in kinds)


def _names_two(row: Row, rows: Sequence[Row], is_named: bool) -> bool:
    """Whether a row names two columns, "Room | Price"; else it is a label and its value, "Room | Kitchen"."""
    first, second = (row.texts[place] for place in row.own)
    pairs = [[other.texts[place] for place in row.own] for other in rows if len(other.own) > 1]
    pairs = [pair for pair in pairs if all(pair) and not pair[1].endswith(NO_VALUE)]
    if len(pairs) < len(rows) / 2 or _DIGIT.search(second):
        # Formulas without values tell nothing.
        return not pairs and not _DIGIT.search(second) and _names_column(first) and _names_column(second)
    labels, values = zip(*pairs, strict=True)
    if _KEY_WORDS.intersection(_find_words(first)):
        return True
    if _names_column(second):
        are_figures = all(map(_DIGIT.search, values)) and not _FIGURE_WORDS.isdisjoint(_find_words(second))
        return are_figures or sum(map(_names_column, labels)) * 2 < len(labels)
    if any(map(_names_column, labels)):
        return False
    are_numbers = not any(map(_has_letter, labels)) or (len(labels) > 1 and all(map(_DIGIT.search, labels)))
    if (are_numbers and not _DIGIT.search(first)) or len({*labels}) < len(labels):
        # Numbers, and words that recur, are no labels; but "Phone 1" and "Phone 2" are.
        return not any(_is_column_word(words[0]) for words in map(_find_words, labels) if words)
    # A tenant's name may stand above a rent and a deposit.
    are_many = len(values) >= (2 if is_named else _MOST_FIGURES)
    if are_many and all(map(_DIGIT.search, values)) and len({*map(_find_shape, values)}) == 1:
        return True
    if len(values) > 2 and len({*values}) * 2 <= len(values) and second not in values:
        return True
    are_identifiers = all(map(_IDENTIFIER.fullmatch, (first, second)))
    return is_named and (are_identifiers or len(values) >= _LONG_ROWS)


def _names_column(text: str) -> bool:
    """Whether a cell is a word for a column, or begins or ends with one."""
    words = _find_words(text)
    return 0 < len(words) <= 4 and not _DIGIT.search(text) and any(map(_is_column_word, (words[0], words[-1])))


def _is_column_word(word: str) -> bool:
    return word in _COLUMN_WORDS or word.removesuffix("s") in _COLUMN_WORDS


def _find_words(text: str) -> list[str]:
    return _WORD.findall(text[: _NAME_CHARACTERS + 1].partition("(")[0].casefold())


def _find_shape(value: str) -> str:
    """What kind of number a cell is: "0" of "1,250.00", "0 a" of "3 kg" and "2 lb", "0-0-0" of a date."""
    return re.sub(r"[^\W\d]+", "a", re.sub(r"\d++(?:[.,]\d++)*+", "0", value.strip("+-")))


def _are_labels(rows: Sequence[Row]) -> bool:
    """Whether rows of two cells are labels and their values: labels that name fields, or values of several kinds."""
    pairs = [row.texts[:2] for row in rows if row.own == [0, 1]]
    labels = [label for label, _ in pairs]
    if len(pairs) * 2 <= len(rows) or len({*labels}) < len(labels) or not all(map(_is_name, labels)):
        return False
    kinds = {_DIGIT.search(value) is not None for _, value in pairs}
    # Of two rows the first may be a header, but not where both begin alike, "Approved by", "Approved on".
    is_told = len(kinds) == 2 and (len(pairs) > 2 or len({label.split()[0] for label in labels}) == 1)
    return is_told or any(map(_names_column, labels))


def _is_name(text: str) -> bool:
    return len(text) <= _NAME_CHARACTERS and (_has_letter(text) or _YEAR.fullmatch(text) is not None)


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def _differ(row: Row) -> bool:
    return len({row.texts[place] for place in row.own}) == len(row.own)


def _label(name: str) -> str:
    if not name:
        return ""
    return f"{name} " if name.endswith(":") else f"{name}: "


def _render_above(row: Row) -> str:
    """A row above a table: of two cells, the first is the label of the other."""
    own = [row.texts[place] for place in row.own]
    is_label = len(own) == 2 and len(own[0]) <= _NAME_CHARACTERS and _has_letter(own[0])
    return f"{_label(own[0])}{own[1]}" if is_label else _render_unnamed(row)


def _label_columns(header: list[str], count: int, first_column: int, is_sheet: bool) -> list[str]:
    """What is said before a value of each column: its name, or its place; nothing left of the first name, as there
    the rows' own names stand."""
    labels = [_label(name) for name in header]
    begin = next((place for place, name in enumerate(header) if name), len(header))
    for place in range(begin, max(len(header), count)):
        if place >= len(header) or not header[place]:
            number = first_column + place + 1
            labels[place:] = [f"Column {_to_letters(number) if is_sheet else number}: ", *labels[place + 1 :]]
    return labels


def _to_letters(number: int) -> str:
    """A column's name in a sheet: A to Z, AA, AB."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _render(header: list[str], labels: list[str], row: Row) -> str:
    if not any(header):
        return _render_unnamed(row)
    header = [*header, *[""] * (len(row.texts) - len(header))]
    end = next(place for place in count(1) if place not in row.goes_on)
    if end > 1 and len({*header[:end]}) > 1:
        header[:end] = [""] * end  # a first cell over columns of several names, as "Total", is of none
        labels = [*[""] * end, *labels[end:]]
    # What is merged over several names is said of each, once.
    said = {place for place in row.goes_on if header[place] in ("", header[place - 1])}
    return "; ".join(
        f"{label}{text}" if name != text else text
        for place, (name, label, text) in enumerate(zip(header, labels, row.texts, strict=False))
        if text and place not in said
    )


def _render_unnamed(row: Row) -> str:
    """The cells of a row without a header, and each that ends as a label does with the one after it."""
    texts = [text for place, text in enumerate(row.texts) if text and place not in row.goes_on]
    if row.is_labelled and len(texts) == 2:
        return f"{_label(texts[0])}{texts[1]}"
    facts: list[str] = []
    is_label = False
    for text in texts:
        if is_label and not text.endswith(":"):
            facts[-1] = f"{facts[-1]} {text}"
            is_label = False
        else:
            facts.append(text)
            is_label = text.endswith(":") and len(text) <= _NAME_CHARACTERS
    return " | ".join(facts)
