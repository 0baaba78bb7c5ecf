"""Sentences of a text, with exact offsets. Citations are made of these.

`find_sentences` never raises and loses nothing: sentences are in order, do not overlap, carry no
surrounding white space, and together hold every letter and digit of the text.

First the text falls into blocks (blocks.py), then each block into sentences by its punctuation, with rules for
abbreviations, initials, decimals, quotations and scripts without spaces. A table's row, a line of code and a line of a
log stay whole.

But: the abbreviations are those of English and of a few neighbours; and which short line is a heading is an
estimate: it is content among others of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Literal, get_args

from index.splitting.blocks import (
    FIELD_LEVEL,
    ITEM_LEVEL,
    SECTION_LEVEL,
    UNMARKED_LEVEL,
    Block,
    find_blocks,
    is_fence,
    is_marked,
    is_stamped,
    start_of_line,
    trim,
)

Kind = Literal["prose", "heading", "boilerplate", "question", "item", "field", "row", "columns", "code", "quotation"]
KINDS: tuple[Kind, ...] = get_args(Kind)
HEADS = frozenset[Kind](("heading", "question"))  # what heads the sentences that follow
CONTENT = frozenset(KINDS) - HEADS - {"boilerplate", "columns"}  # what may answer a question

LONGEST_SENTENCE_CHARACTERS = 1000
_LONGEST_WHOLE_CHARACTERS = {"line": 300, "row": 500, "columns": 500, "code": LONGEST_SENTENCE_CHARACTERS}


@dataclass(frozen=True, slots=True)
class Sentence:
    """The offsets of one sentence, what it is, and the level at which it stands (see blocks.py).

    kind: "question" for a heading that asks; "boilerplate" for what a site, a page or a fence puts around the text;
        "field" for a label with its value; "columns" for a row that names a table's columns.
    """

    start: int
    end: int
    kind: Kind = "prose"
    level: int = 0


def find_sentences(text: str) -> list[Sentence]:
    """Every sentence of the text, in order."""
    sentences: list[Sentence] = []
    for block in find_blocks(text):
        # What a row, or a line of a log, says belongs to what stands at its start, full stops or not.
        form = "row" if _is_record(text, block) else block.form
        if block.end - block.start <= _LONGEST_WHOLE_CHARACTERS.get(form, 0):
            spans = [(block.start, block.end)]
        else:
            spans = list(_split_block(text, block.start, block.end))
        kind, level = _classify(text, block, spans)
        sentences.extend(Sentence(start, end, kind, level) for start, end in spans)
    return sentences


_WORDS = re.compile(r"\w")
_ENDS = re.compile(r"[.!?…:;。！？][\"'”’»)\]*_]*\s*$")

# -- sentences within a block -----------------------------------------------------------------

_END = re.compile(
    r"(?P<mark>(?<![.!?…])[.!?…]++)(?P<close>[\"'”’»)\]*_]*(?:\[\d{1,3}\])*)(?P<space>\s+)|(?P<wide>[。！？｡]+[」』”’）]*)"
)
_DAY = re.compile(r"[0-3]?\d")
_MONTH = re.compile(
    r"(?:jan(?:uar[yi]?)?|feb(?:ruar[yi]?)?|mar(?:ch|s|zo)?|märz|apr(?:il)?|ma[iy]|jun[ei]?|jul[iy]?|aug(?:ust)?|"
    r"sept?(?:ember)?|o[ck]t(?:ob[er]{2})?|nov(?:ember)?|de[cz](?:emb[er]{2})?)\b",
    re.IGNORECASE,
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
            yield from _cap(text, *trim(text, begin, stop))
            begin = match.end()
    yield from _cap(text, *trim(text, begin, end))


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
    if _DAY.fullmatch(word) and _MONTH.match(head):
        return False  # "15. March"
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
        piece = trim(text, start, cut)
        if _WORDS.search(text, *piece):
            yield piece
        start, end = trim(text, cut, end)
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
_LONGEST_FIELD_CHARACTERS = 300
_RECORD = re.compile(r"[^:;\n]{1,80}+: [^;]*+; [^:;\n]{1,80}+: ")  # "City: Oslo; Grade: Staff"
_SECTION_NUMBER = re.compile(r"(?:§ ?)?\d{1,3}(?P<further>(?:\.\d{1,3}){0,7})\.?\s")
# "Dear all,", "Best regards", "</details>", "BEGIN:VCARD"
_NO_HEADING = re.compile(
    r",$|^<[^<>]*>$|^\S+:\S+$|^(?:(?:best|kind|warm|with|many)(?: \w+)? (?:regards|wishes|thanks)|regards|sincerely|"
    r"yours(?: \w+)?|cheers|thanks|(?:mit |viele |beste |liebe |schöne )\w*(?: \w+)? ?gr(?:üße|uß|üßen)|cordialement|"
    r"saludos(?: \w+)?)$",
    re.IGNORECASE,
)
_LONGEST_HEADING_CHARACTERS = 100
_NEIGHBOURS = 2  # lines on either side that a short line is compared with


def _is_record(text: str, block: Block) -> bool:
    """Whether an item of a list holds several fields, as a table's row does that says its columns' names."""
    return block.form == "item" and _RECORD.match(text, block.start, block.end) is not None


def _classify(text: str, block: Block, spans: list[tuple[int, int]]) -> tuple[Kind, int]:
    """What the sentences of a block are, and the level at which they stand."""
    if block.form in ("row", "columns", "code", "field"):
        return block.form, block.level
    words = text[block.start : block.end]
    if block.form in ("language", "furniture") or any(_is_boilerplate(text[start:end]) for start, end in spans):
        return "boilerplate", 0
    if block.form in ("heading", "label"):
        return "question" if _asks(words) else "heading", block.level
    if block.form == "quotation":
        return "quotation", 0
    if block.form == "line":
        return "prose", 0
    if _is_record(text, block):
        return "row", block.level
    is_item, is_short = block.form == "item", len(spans) == 1 and _is_short(words)
    if is_short and _asks(words) and (not is_item or _heads_answer(text, block)):
        return "question", UNMARKED_LEVEL
    is_field = len(spans) == 1 and len(words) <= _LONGEST_FIELD_CHARACTERS and _is_labelled(words)
    # Alone, a line with a colon may be a title, or a statement.
    if is_field and (is_item or _is_listed(text, block)):
        return "field", block.level or FIELD_LEVEL
    if is_item:
        is_section = is_short and _SECTION_NUMBER.match(words) and _heads_section(text, block)
        return ("heading", _level_of(words)) if is_section else ("item", block.level)
    # A short line that stands alone is a heading unless it ends as a statement does, or is content among its like.
    if not is_short or _NO_HEADING.search(words) or is_stamped(words):
        return "prose", 0
    return ("item", ITEM_LEVEL) if _is_listed(text, block) else ("heading", _level_of(words))


def _level_of(heading: str) -> int:
    """The level of a heading without a mark: by its number, "2.1 Scope", or its capitals."""
    if number := _SECTION_NUMBER.match(heading):
        return SECTION_LEVEL + 1 + number["further"].count(".")
    return SECTION_LEVEL if heading.isupper() else UNMARKED_LEVEL


def _is_short(line: str) -> bool:
    """Whether a line could be a heading by its length and its end."""
    return len(line) <= _LONGEST_HEADING_CHARACTERS and "|" not in line and (_asks(line) or not _ENDS.search(line))


def _asks(line: str) -> bool:
    return line.rstrip(" *_").endswith("?")


def _heads_section(text: str, block: Block) -> bool:
    """Whether a short numbered line, "2. Leave", heads a text: it stands apart, and prose follows that is no item."""
    above, below = _find_lines_around(text, block)
    following = next((line for line in below if line.strip()), "")
    is_apart = not above or not above[0].strip() or block.start == 0
    is_prose = bool(_WORDS.search(following)) and not following[0].isspace() and not is_marked(following)
    return (
        is_apart
        and is_prose
        and (len(following) > _LONGEST_HEADING_CHARACTERS // 2 or _ENDS.search(following) is not None)
    )


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
    if is_fence(line):
        return True
    return bool(_WORDS.search(line)) and _is_short(line) and not is_marked(line) and not _is_boilerplate(line)


def _is_labelled(line: str) -> bool:
    return _LABELLED.match(line) is not None


def _has_digit(line: str) -> bool:
    return any(map(str.isdigit, line))
