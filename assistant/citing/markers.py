"""The forms in which models write what a sentence rests on: "[3]", "[Source 3, 4]", "【3†source】", "(3)", "³".

    [3] [3, 4] [3-5] [^3] [S3] [source: 3] [[3]] 【3】 \\[3\\]   a marker wherever it stands outside code
    [3](http://a.example)                                    the same, and its target goes with it
    (Source 3) (sentences 3-5)                               a marker wherever it stands outside code
    (3) (3, 4)                                               one where all its numbers were given out and it ends
                                                             a clause: not "f(3)", "three (3) states", "in (3)",
                                                             "(1) first, (2) second", "Smith (3), Jones (2)"
    word³ word.³ <sup>3</sup>                                one after a word or a stop: not "km³", "10³", "x³"
    {3}                                                      one that stands apart and ends a clause: not "a{3}"
    [2020]                                                   where 2020 was not given out, text after "in", "since",
                                                             "May" and the like: then it loses its brackets only
    [0, 1] [1, 5] a[15]                                      text, where not all was given out: what counts from 0,
                                                             what follows "in", "between", "returns", "=" and the
                                                             like, and what is glued to the name of a variable;
                                                             after "range", "∈" and "=" whatever was given out

Text that would look like a marker of ours, the numbers of which rise from 1, is escaped as Markdown: "a\\[5]".

A further label is a word more in `_LABELS`; a further bracket a character more in
`LEFT_BRACKETS` and `RIGHT_BRACKETS`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterator
from dataclasses import dataclass

from assistant.question.vocabulary import MONTHS

_LONGEST_RANGE = 20
# Of one marker, and of a link's target, in characters. What is longer is none, so that a form which nobody closes
# holds back no more of a reply than this.
LONGEST_MARKER, LONGEST_TARGET = 1000, 2000

# What may stand before a number in round brackets, and what only in square ones.
_PLAIN_LABELS = "source sources sentence sentences ref refs citation citations quelle quellen satz fuente".split()
_LABELS = (
    *_PLAIN_LABELS,
    *"reference references cite cited footnote footnotes note passage doc document s frase phrase fonte".split(),
    *"line lines quote quotes quotation statement evidence excerpt extract snippet zeile zitat ligne cita riga".split(),
    *"来源 出典 引用".split(),
)
_JOINTS = ("and", "to", "see", "und", "bis", "et", "à", "y")
LEFT_BRACKETS, RIGHT_BRACKETS = "[【［〔", "]】］〕"
_OPEN, _CLOSE = (f"[{re.escape(brackets)}]" for brackets in (LEFT_BRACKETS, RIGHT_BRACKETS))
_DASH = "[–—‑-]"

_LABEL = rf"(?i:{'|'.join(sorted(_LABELS, key=len, reverse=True))})\.?\s*+:?\s*+#?\s*+"
_PLAIN_LABEL = rf"(?i:{'|'.join(sorted(_PLAIN_LABELS, key=len, reverse=True))})\.?\s*+:?\s*+#?\s*+"
# "†source" is what some models put after a number, and "4:0†" the number of a message before it.
_DAGGER = rf"†[^{re.escape(LEFT_BRACKETS + RIGHT_BRACKETS)}<\n,;]*+"
_PLACE = rf"(?::\d++(?=†))?(?:{_DAGGER})?"
_NUMBER = rf"\d++{_PLACE}"
_JOINT = rf"\s*+(?:[,;&]|{_DASH})?\s*+(?:(?:and|to|und|bis|et|à|y)\b)?\s*+"
_MORE = rf"(?:{_JOINT}(?:{_LABEL}|[\^#]\s*+)?{_NUMBER})*+\s*+[,;]?\s*+"
_BODY = rf"\s*+(?:{_LABEL}|[\^#]\s*+)?{_NUMBER}{_MORE}"

_SQUARE = rf"\\?{_OPEN}(?:{_BODY})\\?{_CLOSE}"
_BRACKETED = re.compile(rf"\[\[(?P<two>{_BODY})\]\]|\\?{_OPEN}(?P<one>{_BODY})\\?{_CLOSE}")
_LABELLED = re.compile(rf"[(（]\s*+(?:see\s++)?(?P<one>{_PLAIN_LABEL}\d++{_MORE.replace(_PLACE, '')})[)）]")
# Round brackets and raised digits are told from text by where they stand, so by what follows too.
_LIST = rf"\d++(?:\s*+(?:[,;]|{_DASH})\s*+\d++)*+"
_ROUND = re.compile(rf"[(（]\s*+(?P<one>{_LIST})\s*+[)）](?=(?P<gap>[^\S\n]*+)(?P<next>\S|\n))")
_CURLY = re.compile(rf"\{{\s*+(?P<one>{_LIST})\s*+\}}(?=(?P<gap>[^\S\n]*+)(?P<next>\S|\n))")
_RAISED_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_RAISED = re.compile(rf"(?P<one>[{_RAISED_DIGITS}]++(?:[,˒⁻][{_RAISED_DIGITS}]++)*+)")
_SUP = re.compile(rf"<sup>\s*+{_OPEN}?(?P<one>{_BODY}){_CLOSE}?\s*+</sup>")

OPENING = re.compile(rf"{_OPEN}|[(（{{<\\{_RAISED_DIGITS}]")
_BEGINNINGS = "|".join(
    sorted({word[:n] for word in (*_LABELS, *_JOINTS) for n in range(1, len(word) + 1)}, key=len, reverse=True)
)
_INSIDE = (
    rf"(?:[\d\s,;&^#:.]|{_DASH}|(?i:{'|'.join(sorted((*_LABELS, *_JOINTS), key=len, reverse=True))})(?![^\W\d_])"
    rf"|{_DAGGER})*+(?i:{_BEGINNINGS})?"
)
_UNFINISHED = re.compile(
    rf"(?:\\|\\?{_OPEN}\[?{_INSIDE}\\?|\[\[{_BODY}\]|[(（]{_INSIDE}|[(（]\s*+{_LIST}\s*+[)）][^\S\n]*"
    rf"|\{{(?:[\d\s,;]|{_DASH})*+(?:\}}[^\S\n]*+)?"
    rf"|[{_RAISED_DIGITS}]+(?:[,˒⁻][{_RAISED_DIGITS}]+)*[,˒⁻]?"
    rf"|<(?:s|su|sup|sup>{_OPEN}?{_INSIDE}{_CLOSE}?\s*(?:<|</|</s|</su|</sup)?)?)\Z"
)

_NUMBERS = re.compile(rf"(?:[\d,;&^#:.]|[^\S\n]|{_DASH})*+\\?{_CLOSE}?")

# "[3](http://a.example)" is a link; "[3](see below)" is a marker, and text.
_TARGET = re.compile(r'\((?=[^\s()]*[:/#.])(?:[^\s()]++|\([^\s()]*+\))*+(?:[ \t]++"[^"\n]*+")?\)')
_UNFINISHED_TARGET = re.compile(r'\((?:[^\s()]++|\([^\s()]*+\))*+(?:\([^\s()]*+|[ \t]++(?:"[^"\n]*+"?)?)?\Z')

# After these a clause cannot end, so that a number in brackets is what they stand for.
_LEADING = re.compile(
    r"(?<![\w’'])(?i:in|of|the|a|an|by|from|to|for|with|at|on|between|than|over|under|since|until|till|during|before"
    r"|after|about|around|circa|ca\.?|c\.|and|or|year|early|late|mid|is|are|was|were|be|step|steps|equations?|figures?"
    r"|tables?|sections?|chapters?|part|rule|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty)\s*\Z"
)
# After these, numbers in square brackets are values, even where all were given out.
_RANGE = re.compile(r"(?:[∈=≤≥→]|(?<![\w’'])(?i:ranges?|intervals?|segment|vector|array|domain|shape)(?: of)?)\s*\Z")
# After these where not all were; after the second, two that rise, but not in "as told in [3, 99]".
_VALUE = re.compile(
    r"(?<![\w’'])(?i:returns?|yields?|prints?|outputs?|equals?|contains?|lists?|values?|werte?|valeurs?|valores|tuple|set"
    r"|index|elements?|e\.g\.|i\.e\.|like)\s*\Z"
)
_BETWEEN = re.compile(
    r"(?<![\w’'])(?i:in|between|within|inside|is|are|of|the|a|an|to|from|with|into|over|on|zwischen|von|auf|entre|dans"
    r"|tra|fra)\s*\Z"
)
_TOLD = re.compile(
    r"(?i:see|seen|said|told|reported|described|stated|mentioned|noted|shown|listed|cited|discussed|explained|defined"
    r"|documented|according|based|found|given|quoted)\s+\w+\s*\Z"
)
# The names of variables, which a number in brackets is glued to: "a", "row_count", "argv", "df2", "self.rows".
_VARIABLE = re.compile(
    r"(?<![^\W_])(?:[A-Za-z]|[A-Za-z_][\w.]*[\d_][\w.]*|[a-z]+(?:[A-Z][\w.]*|\.[A-Za-z_]\w*)|(?i:rows?|cols?|columns?|cells?"
    r"|arr|arrays?|args?|argv|buf|buffer|chars?|children|counts?|data|df|dict|elements?|entries|fields?|idx|index|items?"
    r"|keys?|lines?|list|lst|lists?|map|matrix|messages?|names?|nodes?|nums?|numbers|objects?|options?|params?|parts?"
    r"|points?|queue|records?|results?|self|stack|str|strings?|tables?|this|tokens?|tuple|users?|values?|vals?|vec"
    r"|vector|words?))(?:\[\d+\])*\Z",
    re.ASCII,
)
_PLAIN = re.compile(rf"\\?\[\s*+({_LIST})\s*+\\?\]")
_MONTH = re.compile(rf"\b(?i:{'|'.join(MONTHS)})\s*\Z")
_LINE_OPENS = re.compile(r"[\s>*+|#–-]*+(?:\d+[.)]\s*+)?\Z")
_NUMBERED_LINE = re.compile(r"[\s>*+|#–-]*[(（]\d+[)）]")
_STOP = re.compile(r"[.!?…。！？][\"'”’»*_]*\s*\Z")
_UNIT = re.compile(r"(?:\W|^)(?:\w{1,3}|(?:centi|kilo|milli)?met(?:re|er)s?|inch(?:es)?|foot|feet|miles?|yards?)\Z")
_NAME_BEFORE = re.compile(r"(?:\W|^)[A-Z][\w’'-]*\s*\Z")

# In a code block only the end of a sentence or of a comment may carry markers.
_MARKS = re.compile(rf"(?:{_SQUARE}\s*+)++(?P<stop>[.!?…])?")
_PROSE = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]{2,}+[,;:]?\s++){3}")
_COMMENT = re.compile(r"(?:#|//|--)\s")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Marker:
    """length: of its form, in characters. numbers: what it points to. text: what of it is text after all."""

    length: int
    numbers: tuple[int, ...]
    text: str = ""


def read_marker(text: str, before: str, given: Collection[int], bracketed: bool) -> Marker | None:
    """The marker that the text begins with, or None.

    before: what stands before it in the reply. given: the numbers that were given out. bracketed: whether
    the reply has had markers in square brackets, so that round ones in mid-sentence are likely text.
    """
    text = text[:LONGEST_MARKER]
    if match := _BRACKETED.match(text):
        body = match["one"] or match["two"]
        numbers = expand(body)
        is_year = re.fullmatch(r"\s*(?:1\d|2[01])\d\d\s*", body) and not any(number in given for number in numbers)
        if is_year and (_LEADING.search(before[-20:]) or _MONTH.search(before[-20:])):
            return Marker(match.end(), (), body.strip())
        if (plain := _PLAIN.fullmatch(match[0])) and _are_values(numbers, before[-40:], given):
            # Our own numbers are 1 and what comes next, up to how many were given out.
            is_like_ours = len(numbers) == 1 and 1 <= numbers[0] <= len(given) + 1
            return Marker(match.end(), (), rf"\[{plain[1]}]" if is_like_ours else f"[{plain[1]}]")
        return Marker(match.end(), numbers)
    if match := _LABELLED.match(text):
        return Marker(match.end(), expand(match["one"]))
    if match := _SUP.match(text):
        is_marker = re.search(_OPEN, match[0]) or _may_be_raised(before)
        return Marker(match.end(), expand(match["one"])) if is_marker else None
    if match := _RAISED.match(text):
        return Marker(match.end(), tuple(_lower(match["one"], given))) if _may_be_raised(before) else None
    if match := _ROUND.match(text) or _CURLY.match(text):
        numbers = expand(match["one"])
        # Few write one number alone in curly brackets but for a marker.
        is_given = all(number in given for number in numbers) or (text[0] == "{" and len(numbers) == 1 and numbers[0])
        if numbers and is_given and _ends_clause(match, before, bracketed) and not _VALUE.search(before[-40:]):
            return Marker(match.end(), numbers)
    return None


def _are_values(numbers: tuple[int, ...], before: str, given: Container[int]) -> bool:
    """Whether numbers in square brackets are an interval, a list or a place in one."""
    if not numbers:
        return False
    if len(numbers) == 1:
        is_set = before.endswith(("=", "∈", "= ", "∈ "))
        return is_set or (numbers[0] not in given and _VARIABLE.search(before) is not None)
    if _RANGE.search(before):
        return True
    if all(number in given for number in numbers):
        return False
    if numbers == tuple(range(len(numbers))) or _VALUE.search(before) or _VARIABLE.search(before):
        return True
    rises = len(numbers) == 2 and numbers[0] < numbers[1]
    return rises and _BETWEEN.search(before) is not None and not _TOLD.search(before)


def is_unfinished(text: str) -> bool:
    """Whether what follows decides what the text begins with."""
    return _UNFINISHED.match(text[:LONGEST_MARKER]) is not None


def skip_numbers(text: str) -> int:
    """The length of the numbers, and of the bracket that closes them, that the text begins with."""
    match = _NUMBERS.match(text)
    return match.end() if match else 0


def skip_target(text: str) -> int | None:
    """The length of the link's target that the text begins with, or 0; None where what follows decides."""
    if len(text) < LONGEST_TARGET and _UNFINISHED_TARGET.match(text):
        return None
    match = _TARGET.match(text[:LONGEST_TARGET])
    return match.end() if match else 0


def opens_line(before: str) -> bool:
    """Whether nothing but a list's mark stands before in the line."""
    return _LINE_OPENS.match(before[before.rfind("\n") + 1 :]) is not None


def split_code_line(line: str) -> tuple[str, list[tuple[int, ...]], str]:
    """A line of a code block: its code, the numbers of each marker that ends it, and the stop after them.

    Markers are those after a full stop or in a comment, and those before the stop of what reads as a sentence. What
    the line has between its code and its stop are these markers.
    """
    *_, last = (None, *(match for match in _MARKS.finditer(line) if match.end() == len(line)))
    if last:
        words, stop = line[: last.start()].rstrip(), last["stop"] or ""
        is_comment = _WORD.match(words[-1:]) and _COMMENT.search(words)
        is_sentence = bool(stop) and line[last.start() - 1 : last.start()].isspace() and _PROSE.search(words)
        if is_comment or is_sentence or (not stop and words.rstrip("\"'”’)").endswith(tuple(".!?…"))):
            return line[: last.start()], [expand(marker) for marker in re.findall(_SQUARE, last[0])], stop
    return line, [], ""


def find_numbers(text: str) -> set[int]:
    """All numbers that a document's own markers would point to, were they taken for ours: "opened in 1911.[1]"."""
    forms = (_BRACKETED, _LABELLED, _SUP, _ROUND, _RAISED)
    numbers: set[int] = set()
    for match in (match for form in forms for match in form.finditer(f"{text}\n")):
        numbers.update(expand(match[0]))
        for run in re.findall(rf"[{_RAISED_DIGITS}]+", match[0]):
            # "¹²" may be read as 12, and as 1 and 2.
            numbers.update(*(_lower(run, given) for given in ((), range(10**9))))
    return numbers


def expand(numbers: str) -> tuple[int, ...]:
    """The numbers of "3, 5-7": 3, 5, 6, 7."""
    bare = re.sub(r":\d+(?=†)|†[^,;]*", "", numbers)
    return tuple(
        number
        # Longer ones were never given out.
        for first, last in re.findall(rf"(\d+)(?:\s*(?:{_DASH}|(?:to|bis|à)\b)\s*(?:{_LABEL})?(\d+))?", bare)
        for number in _range(int(first[:9]), int((last or first)[:9]))
    )


def _range(first: int, last: int) -> Iterator[int]:
    yield from range(first, min(last, first + _LONGEST_RANGE) + 1)


def _lower(raised: str, given: Container[int]) -> Iterator[int]:
    """The numbers of "³⁴": 34 where it was given out, else 3 and 4."""
    for run in re.findall(rf"[{_RAISED_DIGITS}]+", raised):
        digits = [_RAISED_DIGITS.index(digit) for digit in run]
        number = int("".join(map(str, digits))[:9])
        yield from [number] if number in given else digits


def _may_be_raised(before: str) -> bool:
    """Whether a raised number here is a note's and no exponent."""
    word = re.search(r"(?<!\w)[^\W\d_]{2,}[.,;:!?…”\"'’»。！？]*\Z", before[-40:])
    return word is not None and not _UNIT.search(before[-40:])


def _ends_clause(match: re.Match[str], before: str, bracketed: bool) -> bool:
    following, gap = match["next"], match["gap"]
    line = before[before.rfind("\n") + 1 :]
    if before[-1:].isalnum() or before[-1:] in "_[(" or _LEADING.search(line[-20:]):
        return False
    at_end = following in f"\n.!?…。！？{LEFT_BRACKETS}(（|" or (not gap and following in "*_\"'”’»")
    if opens_line(before):
        return following == "\n" and bool(before.strip())
    # A name's number is its own: "Smith (3), Jones (2)".
    of_name = _NAME_BEFORE.search(line[-40:]) is not None
    if at_end:
        return not (bracketed and of_name)
    if _STOP.search(line[-20:]):
        return bool(gap) and following.isupper() and not _NUMBERED_LINE.match(line)
    return following in ",;:" and not bracketed and not of_name
