"""What of a passage may answer a question, and what it is read with.

A document's own question is no answer, but what follows is read with it: "Yes." answers "Is there parking?". A row is
read with the names of its columns. A short line that is a heading by its form alone answers where it heads nothing:
"£4" below "What does a locker cost?".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.quoting.kin import find_kin
from index.documents import Passage
from index.splitting.blocks import COLUMNS_LEVEL, SECTION_LEVEL
from index.splitting.outline import count_empty_cells, name_heads, to_line
from index.splitting.sentences import CONTENT, HEADS, Kind, Sentence
from index.splitting.terms import find_content_terms, find_terms

_LABELLED = re.compile(r"\W{0,4}\w[^:\n]{0,40}:[*_]{0,3}\s\S")
_LABEL = re.compile(r"[\W_]{0,4}(?P<label>\w[^:=\n]{0,40}?)[\"'*_ ]{0,3}(?::|=(?!=))")
_LABELS = frozenset[Kind](("field", "heading"))
_NO_HEAD = re.compile(r"(?:import|from|using|package|use|require|#include)\s\S+")  # of a program
_LETTER_FIELDS = frozenset("from to cc bcc date sent subject reply-to received".split())
_SILENT_FIELDS = frozenset("title tags tag aliases layout slug draft categories".split())  # of a page's front matter
_OF_LETTER = re.compile(
    r"\b(?:e-?mails?|mail(?:ed)?|message|letter|sen[dt]s?|sender|receive[ds]?|recipients?|address|subject|wr(?:ote|itten)"
    r"|dated?|whom|from whom|who)\b",
    re.IGNORECASE,
)
_ASKS_AUTHOR = re.compile(
    r"\b(?:who (?:wrote|has written|authored|drafted|penned|prepared|compiled|published|made)\b"
    r"|authors?\b|written by\b|by whom\b|who sent\b)",
    re.IGNORECASE,
)
_ASKS_TITLE = re.compile(r"\bwhat(?:['’]s| is| was) the (?:\w{1,20} )?(?:subject|title|headline)\b", re.IGNORECASE)
_ASKS_DATE = re.compile(
    r"\b(?:when (?:was|is|did) .{0,60}?\b(?:published|written|sent|posted|dated|issued|made|updated|created)\b"
    r"|(?:date of|dated|how old is (?:this|the)|last (?:updated|changed)|publication date)\b)",
    re.IGNORECASE,
)
_AUTHOR = re.compile(
    r"(?i:by|von|par|por|door)[:\s]\s{0,3}(?:(?i:dr|prof)\.? )?[^\W\d_a-z][\w’'.-]*(?: [\w’'.-]+){0,4}$"
    r"|(?i:authors?|written by|from|von|autor(?:in)?|auteur)[ ]?[:=]"
)
_CAPTION = re.compile(r"(?:table|figure|fig\.|chart|exhibit|tabelle|tableau)\s{1,3}\d", re.IGNORECASE)
# How letters begin and end, which says nothing.
_COURTESY = re.compile(
    r"(?:dear|hi|hello|hallo|sehr geehrte[rs]?|liebe[rs]?|beste|geachte|ch[eè]re?s?|bonjour|hola|estimad[oa]s?"
    r"|querid[oa]s?|(?:kind|best|warm) (?:regards|wishes)|regards|yours|sincerely|cheers|(?:with )?love(?=,)"
    r"|mit freundlichen gr[uü](?:ß|ss)en|(?:viele|liebe|beste) gr[uü](?:ß|ss)e|met vriendelijke groet(?:en)?"
    r"|cordialement|bien à vous|saludos|atentamente)(?:,? [^\s.!?:,]{1,30}){0,4},?",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?:date|dated|sent|published|created|updated|last updated|datum|fecha)[ ]?[:=]", re.IGNORECASE)
_DOCUMENT = frozenset(
    find_terms(
        "document file text page article post report note notes minutes letter mail email e-mail message memo paper"
        " policy contract decision version date published written sent posted dated issued made updated changed created"
        " last old"
    )
)
_IMPRINT_CHARACTERS = 1500  # of a document, where its author and its date stand


@dataclass(frozen=True, slots=True)
class Content:
    """A sentence that may answer. place: among those of its passage. above: what it stands under, outermost first.

    question: the place of the document's question that it answers; None where it stands below none, or further down.
    beside: what it is read with: the question that it answers, the names of its columns, other words for its labels.
    """

    place: int
    sentence: Sentence
    above: tuple[str, ...]
    question: int | None
    beside: str


def find_content(passage: Passage, question: str = "") -> Iterator[Content]:
    """What of a passage may answer, in order. question: where it asks for a title, the document's own may."""
    asks_title = _ASKS_TITLE.search(question) is not None
    asked, asked_at, caption = "", None, ""
    said: list[str] = []  # by a heading that answers, so that it heads nothing
    if passage.context and passage.context[-1].endswith("?"):
        asked = passage.context[-1]  # at the end of the passage before
    for place, (sentence, heads) in enumerate(zip(passage.sentences, passage.above(), strict=True)):
        if sentence.kind == "question":
            asked, asked_at = passage.line_of(sentence).strip("*_ "), place
            continue
        if _COURTESY.fullmatch(passage.line_of(sentence)):
            continue
        is_title = asks_title and _is_title(passage, sentence)
        if sentence.kind not in CONTENT and not is_title and not _is_answer(passage, place, follows=bool(asked)):
            asked = asked if sentence.kind == "boilerplate" else ""
            continue
        names = name_heads(heads, count_empty_cells(passage.text, sentence.start - passage.start))
        above = tuple(name for name in names if name not in said and not _NO_HEAD.match(name))
        if sentence.kind == "heading" and not is_title:
            said.append(to_line(passage.words_of(sentence), sentence.kind))
        if asked and (not above or not above[-1].endswith("?")):
            above = (*above, asked)
        is_row = sentence.kind == "row"
        labels = [head.words for head in heads if is_row and head.level == COLUMNS_LEVEL]
        labels += [find_label(passage.words_of(sentence))] if sentence.kind in _LABELS else []
        kin = sorted(find_kin(find_terms(" ".join(labels)))) if labels else []
        beside = [asked, *((caption, *labels) if is_row else ()), *kin]
        yield Content(place, sentence, above, asked_at if asked else None, " ".join(filter(None, beside)))
        if not is_row:
            caption = passage.line_of(sentence) if is_caption(passage, sentence) else ""
        asked, asked_at = "", None


def _is_answer(passage: Passage, place: int, *, follows: bool) -> bool:
    """Whether a heading says something itself: it has no mark, and heads nothing, or gives what its label names."""
    sentence = passage.sentences[place]
    if sentence.kind != "heading" or sentence.level < SECTION_LEVEL:
        return False
    if _LABELLED.match(passage.words_of(sentence)):
        return True
    following = next((s for s in passage.sentences[place + 1 :] if s.kind != "boilerplate"), None)
    if follows or following is None or (following.kind in HEADS and following.level <= sentence.level):
        return True
    # The first of several such lines that stand below a heading.
    between = passage.text[sentence.end - passage.start : following.start - passage.start]
    is_close = not between.strip() and between.count("\n") == 1
    return is_close and following.kind == "item" and place > 0 and passage.sentences[place - 1].kind == "heading"


def _is_title(passage: Passage, sentence: Sentence) -> bool:
    """Whether a sentence is the heading that opens a document, as the subject opens a mail."""
    return sentence.kind == "heading" and passage.start == 0 and sentence == passage.sentences[0]


def is_caption(passage: Passage, sentence: Sentence) -> bool:
    """Whether a sentence is no more than what a table says of itself: "Table 1 shows units sold"."""
    return _CAPTION.match(passage.words_of(sentence)) is not None


def find_label(words: str) -> str:
    """The label of a field, in small letters, or ""."""
    label = _LABEL.match(words)
    return label["label"].casefold() if label else ""


def is_header(question: str, passage: Passage, sentence: Sentence) -> bool:
    """Whether a sentence is of a mail's head, a page's title and tags, or a table's caption, and the question asks for
    nothing there.
    """
    if is_caption(passage, sentence):
        return "what" not in question.casefold() or "show" not in question.casefold()
    if sentence.kind != "field" or sentence.start > _IMPRINT_CHARACTERS:
        return False
    label = find_label(passage.words_of(sentence))
    if label in _SILENT_FIELDS:
        return not set(find_terms(label)) & set(find_terms(question))
    if label not in _LETTER_FIELDS or _OF_LETTER.search(question):
        return False
    fields = (s for s in passage.sentences if s.kind == "field" and s.start <= _IMPRINT_CHARACTERS)
    labels = {find_label(passage.words_of(s)) for s in fields}
    return "from" in labels and not labels.isdisjoint(("to", "subject", "sent"))


def is_imprint(question: str, passage: Passage, sentence: Sentence) -> bool:
    """Whether a question asks who wrote a document, when, or its title, and a sentence is the line that says it."""
    if _ASKS_TITLE.search(question) and _is_title(passage, sentence):
        return True
    if sentence.start > _IMPRINT_CHARACTERS or sentence.kind == "prose":
        return False
    words = passage.words_of(sentence)
    if _ASKS_AUTHOR.search(question):
        return _AUTHOR.match(words) is not None
    return _ASKS_DATE.search(question) is not None and _DATE.match(words) is not None and _means(question, passage)


def _means(question: str, passage: Passage) -> bool:
    """Whether what a question asks the date of is the document: it is called so, or by a word for a document."""
    called = {*find_terms(passage.title), *find_terms(passage.path), *_DOCUMENT}
    return set(find_content_terms(question)) <= called
