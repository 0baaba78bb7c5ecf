"""Sentences of a text, with exact offsets. Citations are made of these.

`find_sentences` never raises and loses nothing: sentences are in order, do not overlap, carry no
surrounding white space, and together hold every letter and digit of the text.

First the text falls into blocks (paragraphs, headings, list items, table rows, lines of a log or that
stand alone), then each block into sentences by its punctuation, with rules for abbreviations, initials,
decimals, quotations and scripts without spaces.

But: the abbreviations are those of English and of a few neighbours; and whether a line end is a
paragraph's end or only the width of somebody's editor is an estimate, as is which short line is a
heading: it is content among others of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, takewhile
from typing import Literal

Kind = Literal["prose", "heading", "boilerplate"]

LONGEST_SENTENCE_CHARACTERS = 1000
_LOG_LINE_CHARACTERS = 300  # a longer line of a log falls into sentences


@dataclass(frozen=True, slots=True)
class Sentence:
    """The offsets of one sentence, and what it is: prose, a heading, or a site's boilerplate."""

    start: int
    end: int
    kind: Kind = "prose"


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text whose line ends, if any, carry no meaning.

    `marked` tells a Markdown heading, `item` a list's item, `logged` a line of a log.
    """

    start: int
    end: int
    marked: bool = False
    item: bool = False
    logged: bool = False


def find_sentences(text: str) -> list[Sentence]:
    """Every sentence of the text, in order."""
    sentences: list[Sentence] = []
    for block in find_blocks(text):
        # What a line of a log says belongs to the time at its start, full stops or not.
        is_whole = block.logged and block.end - block.start <= _LOG_LINE_CHARACTERS
        spans = [(block.start, block.end)] if is_whole else list(_split_block(text, block.start, block.end))
        kind = _kind_of(text, block, spans)
        sentences.extend(Sentence(start, end, kind) for start, end in spans)
    return sentences


@lru_cache(maxsize=1024)
def find_chunk_sentences(text: str) -> tuple[Sentence, ...]:
    """The same of a chunk, which is short, and is asked for its sentences when it is embedded and when it is stored."""
    return tuple(find_sentences(text))


# -- blocks -----------------------------------------------------------------------------------

_LINE = re.compile(r"[^\n\r\x0b\x0c\x85\u2028\u2029]+")
# The byte order mark of a file stands before the mark of its first line.
_FENCE = re.compile(r"\ufeff?\s*(```|~~~)")
_HEADING = re.compile(r"\ufeff?\s{0,3}(#{1,6})(?:\s+|$)")
_BULLET = re.compile(r"\ufeff?\s*(?:(?:[-*+•◦▪‣–]|\(?(?:\d{1,3}|[a-zA-Z])[.)])(?:\s+)|[>|]\s*)+")
_NUMBER = re.compile(r"\(?\w")
_ENDS = re.compile(r"[.!?…:;。！？][\"'”’»)\]*_]*\s*$")
_WORDS = re.compile(r"\w")
# How the lines of a log begin: with a moment, which little else does; with a day, a time, a level.
_STAMP = re.compile(
    r"(?P<moment>[\[(<]?(?:\d{4}[-/.]?\d\d[-/.]?\d\d|\d\d?[-/. ](?:\d\d?|[A-Z][a-z]{2})(?:[-/. ]\d{2,4})?"
    r"|(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]?\d)[T:, ]{1,2}\d\d?:\d\d"
    r"|\S{1,60} \S{1,60} \S{1,60} \[\d\d/[A-Z][a-z]{2}/\d{4}:)"
    r"|[\[(<]?(?:\d{4}-\d\d-\d\d\b|\d\d?:\d\d\b|\d{10}(?:\.\d|\d{3}\b)|[ ]{0,6}\d{1,7}\.\d{6}\]"
    r"|[IWEF]\d{4} \d\d:|(?:time|ts|level)=|\{\""
    r"|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b)"
)


def find_blocks(text: str) -> Iterator[Block]:
    """The blocks of a text, in order; list marks and heading marks are left outside."""
    pending: list[tuple[int, int]] = []  # the lines of the paragraph being gathered
    pending_item = False
    fenced = False
    blank_before = True
    last_end = 0

    def flush() -> Iterator[Block]:
        nonlocal pending, pending_item
        if pending:
            yield from _join_lines(text, pending, pending_item)
        pending, pending_item = [], False

    for match in _LINE.finditer(text):
        start, end = _trim(text, match.start(), match.end())
        # Two or more line ends between this line and the last one: a blank line.
        gap = text[last_end : match.start()].replace("\r\n", "\n")
        blank_before = len(gap) > 1 or last_end == 0
        last_end = match.end()
        if start == end:
            yield from flush()
            continue
        line = text[match.start() : end]
        if blank_before:
            yield from flush()
        if fence := _FENCE.match(line):
            yield from flush()
            fenced = not fenced
            yield from _if_words(text, Block(*_trim(text, match.start() + fence.end(), end)))
        elif fenced:
            yield Block(start, end)
        elif heading := _HEADING.match(line):
            yield from flush()
            yield from _if_words(text, Block(*_trim(text, match.start() + heading.end(), end), marked=True))
        elif bullet := _BULLET.match(line):
            yield from flush()
            # A list's numbers are words that a citation may hold; dashes and bars are not.
            number = _NUMBER.search(line, 0, bullet.end())
            begin = match.start() + (number.start() if number else bullet.end())
            pending, pending_item = [_trim(text, begin, end)], True
        else:
            pending.append((start, end))
    yield from flush()


def _join_lines(text: str, lines: list[tuple[int, int]], item: bool) -> Iterator[Block]:
    """Join the lines that only an editor's width has parted; the others stand alone, and so do all of a log."""
    if not item and _is_log(text, lines):
        for start, end in lines:
            yield from _if_words(text, Block(start, end, item=True, logged=True))
        return
    width = max(end - start for start, end in lines)
    start, end = lines[0]
    for next_start, next_end in lines[1:]:
        first_word = re.match(r"\S+", text[next_start:next_end])
        would_fit = (end - start_of_line(text, end)) + 1 + (first_word.end() if first_word else 0) <= width - 12
        wrapped = 60 <= width <= 140 and not would_fit
        if wrapped or text[next_start].islower():
            end = next_end
        else:
            yield from _if_words(text, Block(start, end, item=item))
            start, end = next_start, next_end
    yield from _if_words(text, Block(start, end, item=item))


def _is_log(text: str, lines: list[tuple[int, int]]) -> bool:
    """Whether the lines of a paragraph are a log's: several begin as such lines do, or the only one with a moment."""
    first = _STAMP.match(text, *lines[0])
    if len(lines) == 1:
        return first is not None and first["moment"] is not None
    stamps = [stamp for start, end in lines if (stamp := _STAMP.match(text, start, end))]
    # Prose may be wrapped before a time; what begins otherwise may begin with what a program printed below its line.
    return len(stamps) > 1 and (first is not None or all(stamp["moment"] for stamp in stamps))


def start_of_line(text: str, offset: int) -> int:
    """The offset at which the line that holds `offset` begins, or one in it that is 1000 characters back."""
    least = max(0, offset - 1000)
    return max(text.rfind("\n", least, offset), text.rfind("\r", least, offset), least - 1) + 1


def _if_words(text: str, block: Block) -> Iterator[Block]:
    if block.start < block.end and _WORDS.search(text, block.start, block.end):
        yield block


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and (text[start].isspace() or text[start] in "\ufeff\x00"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in "\ufeff\x00"):
        end -= 1
    return start, end


# -- sentences within a block -----------------------------------------------------------------

_END = re.compile(
    r"(?P<mark>(?<![.!?…])[.!?…]++)(?P<close>[\"'”’»)\]*_]*(?:\[\d{1,3}\])*)(?P<space>\s+)|(?P<wide>[。！？｡]+[」』”’）]*)"
)
_ITEM_NUMBER = re.compile(r"(?:\d{1,4}\.){0,8}\d+|[ivxlc]{1,7}|[IVXLC]{1,7}|[A-Za-z]")
# Words whose full stop rarely ends a sentence.
_TITLES = frozenset(
    (
        "mr mrs ms dr prof st rev hon sen rep gov gen col capt lt sgt cmdr adm maj pres sec vs cf viz eg ie e.g "
        "i.e fig figs eq no nos vol vols pp p ch sect ed eds al approx ca est dept univ assn jan feb mar apr jun "
        "jul aug sep sept oct nov dec mon tue wed thu fri sat sun herr fr hr nr bzw z.b d.h u.a m mme mlle sr sra "
        "attn av avda dott dra dipl dipl.-ing"
    ).split()
)
# Words whose full stop ends none before the number that they announce: "Tel. 555-0160", "Best.-Nr. 12", "Art. 4".
_BEFORE_NUMBERS = frozenset(
    (
        "tel telef tél tlf fax ext extn str nr par para art sec pos kap bd abs ziff bl rn rz ref inv vers rev chap apt "
        "bldg rm fl min max núm pág aufl"
    ).split()
)
# Words whose full stop may end one: then the next word decides.
_MAYBE = frozenset(
    ("inc ltd co corp jr sr etc a.m p.m u.s u.k u.n u.s.a d.c e.u b.c a.d ph.d m.d b.a m.a ave blvd rd").split()
)
_STARTERS = frozenset(
    (
        "the a an in on at by for from with without after before during since while when where if as although "
        "though because but and or so yet however he she it they we you i this that these those there his her its "
        "their our my your one some many most all both each every no not what why who how according"
    ).split()
)


def _split_block(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin, word = start, -1
    for match in _END.finditer(text, start, end):
        if word < begin:
            first_word = _WORDS.search(text, begin, end)
            word = first_word.start() if first_word else end
        if match["wide"] or _is_boundary(text, begin, word, match, end):
            stop = match.end() if match["wide"] else match.start("space")
            yield from _cap(text, *_trim(text, begin, stop))
            begin = match.end()
    yield from _cap(text, *_trim(text, begin, end))


def _is_boundary(text: str, begin: int, first: int, match: re.Match[str], end: int) -> bool:
    """Whether a mark ends the sentence that begins at `begin` and has its first letter or digit at `first`."""
    following = text[match.end() : min(end, match.end() + 40)]
    opening = re.match(r"[\"'“‘«(\[*_¿¡—–-]*\s*", following)
    head = following[opening.end() :] if opening else following
    if not head:
        return bool(following)
    if head[0].islower():
        return False
    if match["mark"] != ".":
        return True
    before = re.search(r"[^\s\"'“‘«(\[*_]*$", text[max(begin, match.start() - 24) : match.start()])
    word = before.group() if before else ""
    if not word.isdigit() and first >= match.start():
        return False
    if first >= match.start() - len(word) and _ITEM_NUMBER.fullmatch(word):
        return False  # the number of a list item: "1. Text", "2.1. Text", "iv. Text"
    first_word = re.match(r"[\w’']+", head)
    starts = first_word is not None and first_word.group().casefold() in _STARTERS
    lowered = word.casefold()
    if lowered in _TITLES:
        return lowered == "no" and starts
    announces = lowered.endswith("str") or lowered.rpartition("-")[2] in _BEFORE_NUMBERS  # "Hauptstr. 4"
    if announces and re.match(r"[+(]{0,2}\d", following):
        return False
    if len(word) == 1 and word.isalpha() and word.isupper():
        return starts  # an initial: "J. Smith", but "vitamin C. The ..."
    if lowered in _MAYBE or re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", word):
        return starts
    return True


def _cap(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Part what no punctuation parts, so that no citation runs on for pages."""
    while end - start > LONGEST_SENTENCE_CHARACTERS:
        limit = start + LONGEST_SENTENCE_CHARACTERS
        half = start + LONGEST_SENTENCE_CHARACTERS // 2
        cut = max(text.rfind(mark, half, limit) for mark in ("; ", "\n", ", "))
        if cut < 0:
            cut = max(text.rfind(" ", half, limit), text.rfind("、", half, limit), text.rfind("，", half, limit))
        cut = limit if cut < 0 else cut + 1
        piece = _trim(text, start, cut)
        if _WORDS.search(text, *piece):
            yield piece
        start, end = _trim(text, cut, end)
    if _WORDS.search(text, start, end):
        yield start, end


# -- what a block is --------------------------------------------------------------------------

# What the sites that pages are scraped from put around the text. A paragraph that holds one of these
# is nobody's answer.
_BOILERPLATE_OPENS = re.compile(
    r"(?:read|see|watch|listen) (?:also|more|next)\b|also read\b|click here\b"
    r"|(?:related|recommended)(?: (?:articles?|stories|posts?))?:"
    r"|(?:share|follow us|tweet|skip to (?:main )?content|advertisement|leave a (?:reply|comment)|post a comment"
    r"|sign in|log in|subscribe(?: now)?|table of contents|back to top)\b.{0,60}$",
    re.IGNORECASE,
)
_BOILERPLATE_HOLDS = re.compile(
    r"\b(?:join|subscribe to|sign up (?:for|to)|get) (?:our|the|my) (?:\w+ )?newsletter\b|\bnever miss a story\b"
    r"|\bth(?:is|e) (?:web)?site uses cookies\b|\bwe use cookies\b|\baccept (?:all )?cookies\b"
    r"|\bcookie (?:policy|settings|information)\b|\b(?:view|read) our privacy policy\b|\bprivacy overview$"
    r"|\bfacebook comments\b|\ball rights reserved\b|\byour email address will not be published\b",
    re.IGNORECASE,
)
_BOILERPLATE_WORDS = ("newsletter", "never miss", "cookie", "privacy", "facebook", "rights", "your email")


def _is_boilerplate(sentence: str) -> bool:
    if _BOILERPLATE_OPENS.match(sentence):
        return True
    # Looking for words first is what makes this fast: hardly any sentence has one of them.
    folded = sentence.casefold()
    return any(word in folded for word in _BOILERPLATE_WORDS) and _BOILERPLATE_HOLDS.search(sentence) is not None


# "Head of sales: Karl Aster", "**Length:** 9.4 metres", "Anna: Then we order the paper"
_LABELLED = re.compile(r"\W{0,4}\w[^:\n\r]{0,40}:[*_]{0,3}\s")
_LONGEST_HEADING_CHARACTERS = 100
_NEIGHBOURS = 2  # lines on either side that a short line is compared with


def _kind_of(text: str, block: Block, spans: list[tuple[int, int]]) -> Kind:
    if any(_is_boilerplate(text[start:end]) for start, end in spans):
        return "boilerplate"
    if block.marked:
        return "heading"
    words = text[block.start : block.end]
    # A short line that stands alone is a heading unless it ends as a statement does, or is content among its like.
    if len(spans) > 1 or not _is_short(words):
        return "prose"
    if _asks(words):
        return "heading" if not block.item or _heads_answer(text, block) else "prose"
    return "prose" if block.item or _is_listed(text, block) else "heading"


def _is_short(line: str) -> bool:
    """Whether a line could be a heading by its length and its end."""
    return len(line) <= _LONGEST_HEADING_CHARACTERS and "|" not in line and (_asks(line) or not _ENDS.search(line))


def _asks(line: str) -> bool:
    return line.rstrip(" *_").endswith("?")


def _heads_answer(text: str, block: Block) -> bool:
    """Whether a list's item that asks is the question of an answer below it, and not one of several questions."""
    above, below = ([line for line in lines if line.strip()] for lines in _find_lines_around(text, block))
    return bool(below) and not any(map(_asks, above[:1] + below[:1]))


def _is_listed(text: str, block: Block) -> bool:
    """Whether a short line is one of several in a row, which head nothing: facts, an address, a list, a conversation.

    Three in a row, or two alike: both with a label, or both with a digit. The first may head the others, as a name
    does above an address, where it has neither. Across blank lines labels alone tell, since headings stand so too.
    """
    first, *rest = text[block.start : block.end].splitlines(keepends=True)
    has_label, has_digit = _is_labelled(first), _has_digit(first)
    above, below = _find_lines_around(text, block)
    before, after = _take_short(above), _take_short(below)
    for line in (*before[:1], *after[:1], *rest):
        if (has_label and _is_labelled(line)) or (has_digit and _has_digit(line)):
            return True
    if len(before) + len(after) >= _NEIGHBOURS and (before or has_label or has_digit):
        return True
    above, below = ([line for line in lines if line.strip()] for lines in (above, below))
    if not has_label:
        return all(map(_is_labelled, [*above[:1], *below[:1]])) and bool(_take_short(above) and _take_short(below))
    before, after = _take_short(above), _take_short(below)
    return len(before) + len(after) >= _NEIGHBOURS and any(map(_is_labelled, before + after))


def _find_lines_around(text: str, block: Block) -> tuple[list[str], list[str]]:
    """The lines above and below a block, nearest first, as far as such short ones reach."""
    width = (_LONGEST_HEADING_CHARACTERS + 2) * (_NEIGHBOURS + 1)
    begin = start_of_line(text, block.start)
    above = text[max(0, begin - width) : begin].splitlines()[::-1]
    return above, text[block.end : block.end + width].splitlines()[1:]


def _take_short(lines: list[str]) -> list[str]:
    """The first of the lines, as long as they are short, with words, and no item, heading or boilerplate."""
    short = takewhile(_is_content, (line.strip() for line in lines))
    return list(islice(short, _NEIGHBOURS))


def _is_content(line: str) -> bool:
    if _FENCE.match(line):
        return True
    is_marked = _HEADING.match(line) or _BULLET.match(line)
    return bool(_WORDS.search(line)) and _is_short(line) and not is_marked and not _is_boilerplate(line)


def _is_labelled(line: str) -> bool:
    return _LABELLED.match(line) is not None


def _has_digit(line: str) -> bool:
    return any(map(str.isdigit, line))
