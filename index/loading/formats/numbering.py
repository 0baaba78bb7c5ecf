"""The numbers of lists and headings, which Office files do not hold: they only say how to count."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from index.loading.formats.archive import attribute, local_name, whole_number

if TYPE_CHECKING:
    from lxml.etree import _Element

LEVELS = 10  # how deep lists are counted: OpenDocument's ten, Word's nine
HIGHEST = 32_767  # Word counts no further
_LONGEST_TEXT = 40
_MOST_STYLES = 20  # that a style may rest on, one on the other
_PLACE = re.compile(r"%(10|[1-9])")
_ROMAN = list(
    zip((1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1), "m cm d cd c xc l xl x ix v iv i".split(), strict=True)
)


@dataclass(frozen=True, slots=True)
class Level:
    """How one level of a list is counted: from what number, in what form, and in what text ("%1.%2)") it stands."""

    start: int
    form: str
    text: str
    is_legal: bool = False  # whether the numbers of other levels are written in digits


class Counter:
    """The numbers that a list has come to, level by level."""

    def __init__(self) -> None:
        self._counts: list[int | None] = [None] * LEVELS

    def restart(self, level: int) -> None:
        """Begin a level and those within it anew."""
        self._counts[level:] = [None] * (LEVELS - level)

    def count(self, level: int, levels: dict[int, Level], number: int | None = None) -> str:
        """The number of the next item of a level as it is shown, "2.1" or "b)"; empty for a bullet.

        number: what the item is said to count as.
        """
        for upper in range(level):
            if self._counts[upper] is None:  # a level that was left out counts as begun
                self._counts[upper] = levels[upper].start if upper in levels else 1
        last, shown = self._counts[level], levels[level]
        self._counts[level] = number if number is not None else shown.start if last is None else last + 1
        self.restart(level + 1)
        if shown.form == "bullet":
            return ""
        return _PLACE.sub(lambda place: self._render(int(place[1]) - 1, levels, shown.is_legal), shown.text)

    def _render(self, level: int, levels: dict[int, Level], is_legal: bool) -> str:
        number = self._counts[level]
        if number is None or level not in levels:
            return ""
        return render_number(number, "decimal" if is_legal else levels[level].form)


def render_number(number: int, form: str) -> str:
    """A number as Word's forms ("lowerRoman", "upperLetter") write it; in digits where the form is another."""
    if form == "none":
        return ""
    text = ""
    if form.endswith("Letter") and 0 < number <= 26 * 30:
        text = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
    elif form.endswith("Roman") and 0 < number < 4000:
        for value, letters in _ROMAN:
            text += letters * (number // value)
            number %= value
    elif form == "decimalZero":
        text = f"{number:02}"
    return (text.upper() if form.startswith("upper") else text) or str(number)


class WordNumbering:
    """The numbers of a Word document's paragraphs, counted in reading order.

    numbering, styles: the roots of these parts, where there are any.
    """

    def __init__(self, numbering: _Element | None, styles: _Element | None) -> None:
        self._lists: dict[str, tuple[str, dict[int, Level], set[int]]] = {}
        self._linked: dict[str, int] = {}
        self._counters: dict[str, Counter] = {}
        self._begun: set[str] = set()
        self._read_lists(numbering)
        self._styles = _read_styles(styles)

    def count(self, paragraph: _Element) -> str:
        """The number that the next paragraph carries; empty where it carries none."""
        style = paragraph.find("{*}pPr/{*}pStyle")
        named = (attribute(style, "val") if style is not None else None) or ""
        name, depth = _read_place(paragraph.find("{*}pPr/{*}numPr"))
        if name is None:
            name, inherited = self._styles.get(named, (None, None))
            depth = self._linked.get(named, inherited) if depth is None else depth
        abstract, levels, restarted = self._lists.get(name or "", ("", {}, set()))
        if (depth := depth or 0) not in levels:
            return ""
        counter = self._counters.setdefault(abstract, Counter())
        if name and name not in self._begun:
            self._begun.add(name)
            for level in restarted:
                counter.restart(level)
        return counter.count(depth, levels)

    def _read_lists(self, root: _Element | None) -> None:
        """Lists of one description count on from each other, but for those that say where they start."""
        described: dict[str, dict[int, Level]] = {}
        linked: dict[str, str] = {}
        links: dict[str, str] = {}
        for element in root if root is not None else ():
            if local_name(element) == "abstractNum":
                name = attribute(element, "abstractNumId") or ""
                described[name] = {}
                for part in element:
                    value = attribute(part, "val") or ""
                    if local_name(part) == "lvl" and (place := whole_number(part, "ilvl", 0)) in range(LEVELS):
                        described[name][place] = _read_level(part)
                        if (style := part.find("{*}pStyle")) is not None:
                            self._linked[attribute(style, "val") or ""] = place
                    elif local_name(part) == "styleLink":
                        linked[value] = name
                    elif local_name(part) == "numStyleLink":
                        links[name] = value
            elif local_name(element) == "num":
                reference = element.find("{*}abstractNumId")
                name = (attribute(reference, "val") if reference is not None else None) or ""
                name = linked.get(links.get(name, ""), name)
                levels, restarted = dict(described.get(name, {})), set()
                for override in element.iterchildren("{*}lvlOverride"):
                    place = whole_number(override, "ilvl", 0)
                    level, start = override.find("{*}lvl"), override.find("{*}startOverride")
                    if level is not None and place in range(LEVELS):
                        levels[place] = _read_level(level)
                    if start is not None and place in levels:
                        levels[place] = replace(levels[place], start=_read_start(start))
                        restarted.add(place)
                self._lists[attribute(element, "numId") or ""] = name, levels, restarted


def _read_level(level: _Element) -> Level:
    fields = {local_name(field): field for field in level}
    values = {name: attribute(field, "val") for name, field in fields.items()}
    return Level(
        start=_read_start(fields.get("start")),
        form=values.get("numFmt") or "decimal",
        text=(values.get("lvlText") or "")[:_LONGEST_TEXT],
        is_legal="isLgl" in values and values["isLgl"] not in {"0", "false", "off"},
    )


def _read_start(element: _Element | None) -> int:
    return min(max(whole_number(element, "val", 0), 0), HIGHEST)


def _read_place(properties: _Element | None) -> tuple[str | None, int | None]:
    """The list that a paragraph or a style says it is of, and its level there."""
    if properties is None:
        return None, None
    name, level = properties.find("{*}numId"), properties.find("{*}ilvl")
    depth = min(max(whole_number(level, "val", 0), 0), LEVELS - 1) if level is not None else None
    return attribute(name, "val") if name is not None else None, depth


def _read_styles(root: _Element | None) -> dict[str, tuple[str | None, int | None]]:
    """The lists that styles put their paragraphs in, by themselves or by the styles that they rest on."""
    own, bases = {}, {}
    for style in root.iterchildren("{*}style") if root is not None else ():
        name, base = attribute(style, "styleId") or "", style.find("{*}basedOn")
        own[name] = _read_place(style.find("{*}pPr/{*}numPr"))
        bases[name] = (attribute(base, "val") if base is not None else None) or ""
    found = {}
    for name in own:
        base, place = name, own[name]
        for _ in range(_MOST_STYLES):
            base = bases.get(base, "")
            number, depth = own.get(base, (None, None))
            place = number if place[0] is None else place[0], depth if place[1] is None else place[1]
        found[name] = place
    return found
