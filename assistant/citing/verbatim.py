"""What of a reply stands as it is written, and is read neither for markers nor for markup: code and formulas.

    ``` and ~~~       a block of code, to a line of as many marks or more; one that nobody closes goes on to the end
    `a` ``a ` b``     code in line; over a line's end, but not into another paragraph or list item
    $$a$$ \\[a\\]      a formula that stands by itself
    \\(a\\) $a$        one in line: "$5 and $6" is none, nor is "$HOME"

The page shows a reply by the same rules by which its markers were read, so that no number in code becomes a marker.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.citing.markers import opens_line

LONGEST_OPENING = 1000  # of the line that opens a block, in characters; what a longer one opens is none
# What is longer is none, so that a mark which nobody closes holds back no more of a reply than this.
LONGEST_CODE, LONGEST_FORMULA, LONGEST_FORMULA_IN_LINE = 1000, 2000, 200

_FENCE = re.compile(r"(`{3,}+|~{3,}+)([^`\n]*+)\n")
_UNFINISHED_FENCE = re.compile(r"(?:`{1,2}|~{1,2}|(?:`{3,}+|~{3,}+)[^`\n]*+)\Z")

_SAME_PARAGRAPH = r"\n(?![ \t\r]*+(?:[\n>|#*+-]|`{3}|~{3}|\d{1,9}[.)]|\Z))"
CODE = re.compile(rf"(`{{1,9}})(?!`)((?:[^\n]|{_SAME_PARAGRAPH}){{0,{LONGEST_CODE - 1}}}?[^`\n])\1(?!`)")
_UNFINISHED_CODE = re.compile(rf"`(?:[^\n]|{_SAME_PARAGRAPH}){{0,{LONGEST_CODE + 100}}}\n?[ \t]{{0,9}}\Z")

_ESCAPED = r"\\(?:\\|(?![\[\]()]))"
_SAME_FORMULA = r"\n(?![ \t\r]*+(?:\n|~{3}))"
_FORMULA = re.compile(
    rf"\$\$(?P<block>(?:[^$`\n]|{_SAME_FORMULA}){{1,{LONGEST_FORMULA}}}+)\$\$"
    rf"|\\\[(?P<square>(?:[^\\`\n]|{_ESCAPED}|{_SAME_FORMULA}){{1,{LONGEST_FORMULA}}}+)\\\]"
    rf"|\\\((?P<round>(?:[^\\`\n]|{_ESCAPED}){{1,{LONGEST_FORMULA_IN_LINE}}}+)\\\)"
    # A number after which no sign comes is a sum of money.
    r"|\$(?=[^\s\d$]|\d[\d.,]*+[^\S\n]*+(?:[\\^_+*/=<>-]|[A-Za-z](?![A-Za-z])))"
    rf"(?P<line>[^$\n`]{{1,{LONGEST_FORMULA_IN_LINE}}}+)(?<!\s)\$(?![\w$])"
)
_UNFINISHED_FORMULA = re.compile(
    rf"(?:\\\Z|\$\$?\Z|\$\$(?:[^$`\n]|{_SAME_FORMULA}){{1,{LONGEST_FORMULA}}}+\$?\Z"
    rf"|\\\[(?:[^\\`\n]|{_ESCAPED}|{_SAME_FORMULA}){{0,{LONGEST_FORMULA}}}+\\?\Z"
    rf"|\\\((?:[^\\`\n]|{_ESCAPED}){{0,{LONGEST_FORMULA_IN_LINE}}}+\\?\Z"
    rf"|\$[^\s\d$][^$\n`]{{0,{LONGEST_FORMULA_IN_LINE}}}+\$?\Z"
    r"|\$\d[\d.,]*+[^\S\n]*+[A-Za-z]?\Z"
    rf"|\$\d[\d.,]*+[^\S\n]*+(?:[\\^_+*/=<>-]|[A-Za-z](?![A-Za-z]))[^$\n`]{{0,{LONGEST_FORMULA_IN_LINE}}}+\$?\Z)"
)
# What alone tells a formula from words between dollars or escaped brackets.
_SIGN = re.compile(r"\\[A-Za-z]|[\^_=<>+]|\A\s*+[A-Za-z](?:[\d']?\s*+\Z|\()")


@dataclass(frozen=True, slots=True)
class Fence:
    """The line that opens a block of code.

    marks: "```". name: what it says of the block, "python". indent: what stands before the marks, in characters.
    length: from its marks on, with its end.
    """

    marks: str
    name: str
    indent: int
    length: int

    def is_closed_by(self, line: str) -> bool:
        """Whether a line ends the block: as many marks or more, and nothing else, not much deeper than the first."""
        marks = line.strip(" \t\r>")
        indent = len(line) - len(line.lstrip(" \t>"))
        return not marks.strip(self.marks[0]) and len(marks) >= len(self.marks) and indent < self.indent + 4


def read_fence(text: str, before: str) -> Fence | None:
    """The line that the text begins with, where it opens a block of code; `before` is what stands before it."""
    if not opens_line(before) or not (match := _FENCE.match(text[:LONGEST_OPENING])):
        return None
    return Fence(match[1], match[2].strip(), len(before) - before.rfind("\n") - 1, match.end())


def may_become_fence(text: str, before: str) -> bool:
    """Whether what follows decides whether the text opens a block of code."""
    return opens_line(before) and len(text) < LONGEST_OPENING and _UNFINISHED_FENCE.match(text) is not None


def may_become_code(text: str) -> bool:
    """Whether what follows decides whether the text, a mark, opens code in line."""
    code = CODE.match(text)
    # Until something follows, its last mark may be the first of a longer run.
    return code.end() == len(text) if code else _UNFINISHED_CODE.match(text) is not None


def find_formula(text: str) -> tuple[str, bool, int] | None:
    """The formula that the text begins with: what stands between its marks, whether by itself, and its length."""
    match = _FORMULA.match(text)
    if not match or (match["block"] is None and not _SIGN.search(match[match.lastgroup or 0])):
        return None
    return match[match.lastgroup or 0], match.lastgroup in ("block", "square"), match.end()


def may_become_formula(text: str) -> bool:
    """Whether what follows decides whether the text opens a formula."""
    return _UNFINISHED_FORMULA.match(text) is not None
