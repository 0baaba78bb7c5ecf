"""A question that a document may be asked, and the words that it was made from: only these may answer it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assistant.citing.orders import is_order
from index.documents import Passage
from index.splitting.folding import fold
from index.splitting.sentences import Sentence
from index.splitting.terms import find_content_terms

LONGEST_QUESTION_CHARACTERS = 89
LONGEST_SOURCE_CHARACTERS = 500  # of what a question is made of
_FEWEST_CHARACTERS = 9
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd\ue000-\uf8ff]")
# Markup, addresses and what else nobody types into a question.
_MARKUP = re.compile(r"[<>{}\[\]|\\^~=\u2026]|https?:|www\.|\S@\S|\.\.\.|#")
_SECRET = re.compile(
    r"passw|passphrase|kennwort|contrase|mot de passe|wachtwoord|secret|credential|api[ _-]?key|access[ _-]?key"
    r"|private[ _-]?key|token|\bpin\b|\bcvv\b|\biban\b|\bssn\b|social security|credit card|account n|kontonummer"
    r"|date of birth|passport",
    re.IGNORECASE,
)
_RANDOM = re.compile(r"(?<![A-Za-z0-9_+/-])(?=\S*\d)(?=\S*[A-Za-z])[A-Za-z0-9_+/-]{20,}")  # a hash, a key
_MARKS = re.compile(r"!?\[(?P<shown>[^\[\]]{0,200})\]\([^()\s]{0,300}\)|`+|\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)")
_NOTE = re.compile(r"\s?\[\d{1,3}\]")  # the number of a footnote


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question, and where in a document what answers it stands.

    start, end: what was made a question of, or what stands under the heading that was. worth: how much a person may
    want to ask it, higher is better. kind: what it was made from, "reason", "row" and so on. about: the id of the
    document that it is about as a whole, "" where it is about words in one. holds: a name that any words may answer it
    with that have it, "" where only its own may.
    """

    question: str
    document_id: str
    start: int
    end: int
    kind: str
    worth: float
    about: str = ""
    holds: str = ""

    @property
    def terms(self) -> frozenset[str]:
        """The terms that tell it from other questions."""
        return find_terms_of(self.question)

    def is_fit(self) -> bool:
        """Whether it can be shown: short, one line, no markup, nothing secret, and in words."""
        question = self.question
        letters = sum(character.isalpha() for character in question)
        return (
            _FEWEST_CHARACTERS <= len(question) <= LONGEST_QUESTION_CHARACTERS
            and not _UNFIT.search(question)
            and not _MARKUP.search(question)
            and not is_secret(question)
            and letters >= len(question) / 2
            and question.count("“") == question.count("”")
            and question.count("(") == question.count(")")
            and '"' not in question
            and not is_order(question)
        )


@dataclass(frozen=True, slots=True)
class Source:
    """One sentence of a passage, as questions are made of it.

    line: its words in one line, without markup. context: what it stands under. place: among the passage's sentences.
    """

    passage: Passage
    sentence: Sentence
    place: int
    line: str
    context: tuple[str, ...]

    def make(self, question: str, kind: str, worth: float) -> Candidate:
        """A question that this sentence answers."""
        return Candidate(
            question, self.passage.document_id, self.sentence.start, self.sentence.end, kind, round(worth, 4)
        )


def read_sources(passage: Passage) -> Iterator[Source]:
    """The sentences of a passage that questions may be made of: none that order, and none that hold a secret."""
    for place, (sentence, context) in enumerate(zip(passage.sentences, passage.contexts(), strict=True)):
        whole = passage.line_of(sentence)
        if len(whole) > LONGEST_SOURCE_CHARACTERS:
            continue  # nothing that could be asked in a line
        line = strip_marks(whole)
        if sentence.kind == "boilerplate" or is_secret(line) or _UNFIT.search(line) or is_order(line):
            continue
        heads = (head[:LONGEST_SOURCE_CHARACTERS] for head in context)
        yield Source(passage, sentence, place, line, tuple(map(strip_marks, heads)))


def strip_marks(line: str) -> str:
    """A line without Markdown's marks and without the numbers of footnotes."""
    return " ".join(_NOTE.sub("", _MARKS.sub(lambda m: m["shown"] or "", line)).split())


def is_secret(text: str) -> bool:
    """Whether a text names, or looks like, what is nobody's business."""
    return _SECRET.search(text) is not None or _RANDOM.search(text) is not None


def normalise(question: str) -> str:
    """A question as it is compared with others, for none is shown twice."""
    return " ".join(re.findall(r"\w+", fold(question)))


def find_terms_of(question: str) -> frozenset[str]:
    """The terms of a question that carry meaning."""
    return frozenset(find_content_terms(question))


def is_near(terms: frozenset[str], others: Iterable[frozenset[str]]) -> bool:
    """Whether the terms of a question are most of those of another, or the other way round."""
    return any(len(terms & other) >= 0.75 * max(1, min(len(terms), len(other))) for other in others)
