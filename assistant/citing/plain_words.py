"""A sentence as it is compared: its words without what only arranges or introduces them.

List numbers, emphasis, the bars of a table and the targets of links say nothing, and are taken away; so is what tells
only who says it ("The documents say that"). What stands in code stays, and is opaque: `None` is no nothing, `user_2`
neither a number nor a name. It is compared as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINK = re.compile(r"!?\[([^\[\]\n]{0,300}+)\](?:\([^()\n]{0,500}+\)|\[[^\[\]\n]{0,100}+\])")
# Of an item, a heading, a quotation. "A. Smith" begins with a name.
_MARK = re.compile(r"(?:[-+•◦▪‣–>#]{1,6}+|\*|\(?\d{1,3}[.)]|\([a-z]\)|[a-z][.)]|[A-Z]\))\s++")
_MOST_MARKS = 3
_CODE = re.compile(r"`{1,3}[^`\n]{1,300}+`{1,3}")
_EMPHASIS = re.compile(r"(?<!\s)\*{1,3}+|\*{1,3}+(?!\s)|(?<!\w)_{1,3}+(?=\w)|(?<=[\w.!?,:)])_{1,3}+(?!\w)|~~")
_BAR = re.compile(r"(?<!\s)\s*+\|[\s|]*+")
# "**Speed:** it is fast", "**Speed** | it is fast", "Speed: it is fast".
_BOLD_LABEL = re.compile(
    r"(?:\*\*|__)([^*\n]{1,100}?)(?:(?::|\.)(?:\*\*|__)|(?:\*\*|__)(?::|\s?\||\s?[–—]| -(?=\s)))\s*+"
)
_LABEL = re.compile(r"((?:[^\W\d_][\w’'/-]{0,30}+(?: |(?=:))){1,4}):\s++(?=[A-Z`\"“])")
_SOURCES = (
    r"(?:documents?|documentation|sources?|texts?|articles?|passages?|sentences?|excerpts?|context|files?|pages?)"
)
_FRAME = re.compile(
    rf"(?:(?:the |these |this |your )?(?:(?:provided|given|cited|available) )?{_SOURCES}(?: (?:also|only|clearly))?"
    r" (?:says?|states?|mentions?|notes?|explains?|adds?|reports?|tells? us)(?: only)? that "
    rf"|(?:according to|based on|as per|per) (?:the |these |this |your )?(?:(?:provided|given|cited|available) )?"
    rf"{_SOURCES}(?: provided| given)?, "
    r"|(?:they|it) (?:also )?(?:says?|states?|mentions?|notes?)(?: only)? that )",
    re.IGNORECASE,
)
# What joins a sentence to the one before, or says yes or no before the reason.
_JOINING = re.compile(
    r"(?:(?:yes|no|overall|in short|in summary|in brief|in general|in conclusion|in other words|in both cases"
    r"|in addition|as a result|for example|for instance|however|moreover|furthermore|additionally|also|therefore|thus"
    r"|hence|so|then|next|first|finally|lastly|otherwise|instead|specifically|notably|sure|certainly|of course"
    r"|absolutely|indeed|correct|exactly|here)[,:!] |(?:please )?note that )(?=\S)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PlainWords:
    """A text as it is compared.

    label: what its line calls it, "Speed" of "**Speed:** it is fast", which is no part of the text; or "".
    text: its words, what is code between backticks.
    """

    label: str
    text: str

    @property
    def prose(self) -> str:
        """The words without what stands in code, for what reads numbers and names."""
        return _CODE.sub("`", self.text) if "`" in self.text else self.text

    @property
    def codes(self) -> list[str]:
        """What stands in code."""
        return [code.strip("` ") for code in _CODE.findall(self.text)]


def make_plain(text: str) -> PlainWords:
    """The words of a sentence, of an answer or of a document."""
    text = " ".join(text.split())
    for _ in range(_MOST_MARKS):
        mark = _MARK.match(text)
        if mark and mark.end() < len(text):
            text = text[mark.end() :]
    label = _BOLD_LABEL.match(text) or _LABEL.match(text)
    if label and label.end() < len(text):
        return PlainWords(_bare(label[1]), _bare(text[label.end() :]))
    return PlainWords("", _bare(text))


def make_plain_statement(text: str) -> PlainWords:
    """The same of an answer's sentence, without who says it and without "Yes," or "However," before it."""
    plain = make_plain(text)
    said = plain.text
    for pattern in (_JOINING, _FRAME, _JOINING):
        if (opening := pattern.match(said)) and opening.end() < len(said):
            said = said[opening.end() :]
    return PlainWords(plain.label, said[:1].upper() + said[1:] if said != plain.text else said)


def _bare(text: str) -> str:
    text = _LINK.sub(r"\1", text)
    outside, codes = _CODE.split(text), _CODE.findall(text)
    outside = [_BAR.sub(" – ", _EMPHASIS.sub("", part)) for part in outside]
    return "".join(part for pair in zip(outside, [*codes, ""], strict=True) for part in pair).strip(" –")
