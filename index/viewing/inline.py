"""What is set within a line of Markdown: strong and emphasised words, code, the addresses of links.

A text is parted into runs that tile it. Marks are runs of their own, so that what is shown is still, character for
character, part of the text.

But: this is what people write in notes, not CommonMark; what is not understood is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MARK = "mark"  # the style of what is not shown
_DEEPEST = 4
# Each bounded, so that a text of marks alone takes no longer than another.
_INLINE = re.compile(
    r"(?P<ticks>`{1,3})(?!`)(?P<code>[^`\n]{1,400})(?P=ticks)(?!`)"
    r"|(?P<picture>!?)\[(?P<words>[^\[\]\n]{1,300})\]\((?P<address>[^()\s]{0,500})\)"
    r"|(?P<strong>\*\*|__)(?=\S)(?P<bold>.{1,400}?)(?<=\S)(?P=strong)"
    r"|(?<![\w*])(?P<emphasis>[*_])(?=[^\s*_])(?P<light>[^\n*_]{1,300})(?<=[^\s])(?P=emphasis)(?![\w*])"
)


class Run(NamedTuple):
    """A part of a text that is set in one way. styles: the names of what it is set as, outermost first."""

    start: int
    end: int
    styles: tuple[str, ...] = ()


def part_inline(text: str, start: int, end: int, styles: tuple[str, ...] = ()) -> Iterator[Run]:
    """The runs of a part of a text."""
    place = start
    if len(styles) < _DEEPEST:
        for match in _INLINE.finditer(text, start, end):
            if match.start() > place:
                yield Run(place, match.start(), styles)
            yield from _part_match(text, match, styles)
            place = match.end()
    if place < end:
        yield Run(place, end, styles)


def _part_match(text: str, match: re.Match[str], styles: tuple[str, ...]) -> Iterator[Run]:
    name = next(name for name in ("code", "words", "bold", "light") if match[name] is not None)
    begin, stop = match.span(name)
    yield Run(match.start(), begin, (MARK,))
    if name == "code":
        yield Run(begin, stop, (*styles, "code"))
        yield Run(stop, match.end(), (MARK,))
    elif name == "words":
        yield from part_inline(text, begin, stop, styles)
        yield Run(stop, stop + 1, (MARK,))
        # Shown, since a citation may hold it; but nothing leads there.
        yield Run(stop + 1, match.end(), (*styles, "address"))
    else:
        yield from part_inline(text, begin, stop, (*styles, "strong" if name == "bold" else "em"))
        yield Run(stop, match.end(), (MARK,))
