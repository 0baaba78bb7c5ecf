"""The passages' sentences are numbered for the prompt; the model cites those numbers, and each is an exact citation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import count

from assistant.answers import Citation
from assistant.citing.markers import find_numbers
from assistant.citing.names import find_names
from assistant.citing.support import find_support
from index.documents import Passage
from index.embedding.protocol import Embedding, Vectors
from index.splitting.sentences import HEADS, LONGEST_SENTENCE_CHARACTERS, Sentence
from index.splitting.terms import find_terms

# Of what is one source: a block of code, and several items of one word.
LONGEST_BLOCK_CHARACTERS, LONGEST_WORDS_CHARACTERS = 2 * LONGEST_SENTENCE_CHARACTERS, 300
_BLANK_LINE = re.compile(r"\n[ \t]*+\r?+\n")

_TAKEN_UP = 2  # sentences before
_PRONOUN = re.compile(
    r"\b(?:he|she|they|it|his|her|their|its|him|them|this|these|that|i|we|my|our|you)\b", re.IGNORECASE
)

Seek = Callable[[str], tuple[int, ...]]


def number_sentences(passages: Sequence[Passage]) -> dict[int, tuple[Passage, Sentence]]:
    """The sentences that a model may cite, by the number that the prompt gives them; the numbers rise, from 1.

    A block of code is one, and so are items of one word that follow each other: each from the first to the last.
    Boilerplate gets no number, and so is never shown to the model; nor does a line of one word that says nothing but
    what stands under it. A number that stands in a document's own marker is not given out: a model that copies
    "opened in 1911.[1]" does not cite our sentence 1.
    """
    ordered = [(passage, sentence) for passage in passages for sentence in _find_saying(passage)]
    shown = {words for passage in passages for words in (passage.title, *passage.context)}
    shown |= {passage.words_of(sentence) for passage, sentence in ordered}
    taken = set[int]().union(*map(find_numbers, shown))
    return dict(zip((number for number in count(1) if number not in taken), ordered, strict=False))


def _find_saying(passage: Passage) -> Iterator[Sentence]:
    """What of a passage says something that a model may cite."""
    run: list[Sentence] = []
    previous: Sentence | None = None
    for sentence in passage.sentences:
        answers = previous is not None and previous.kind == "question"  # as "Yes" does, or a name
        previous = sentence
        if sentence.kind == "boilerplate" or (_is_bare(sentence, passage) and not answers):
            continue
        if run and not _goes_on(run, sentence, passage):
            yield replace(run[0], end=run[-1].end)
            run = []
        run.append(sentence)
    if run:
        yield replace(run[0], end=run[-1].end)


def _is_bare(sentence: Sentence, passage: Passage) -> bool:
    """Whether a sentence is a line of one word that heads others, or states nothing."""
    heads_more = sentence.kind == "heading" and sentence != passage.sentences[-1]
    words = passage.words_of(sentence)
    if heads_more:
        return len(words.split()) == 1
    return sentence.kind == "prose" and _is_one_word(words) and words.isalpha()


def _goes_on(run: Sequence[Sentence], sentence: Sentence, passage: Passage) -> bool:
    """Whether a sentence is of one source with those before it: a line of their code, an item of one word as they."""
    first, last = run[0], run[-1]
    between = passage.text[last.end - passage.start : sentence.start - passage.start]
    if first.kind != sentence.kind or sentence.kind not in ("code", "item"):
        return False
    if sentence.kind == "code":
        # A longer block is parted where it leaves a line free.
        length = sentence.end - first.start
        is_parted = length > LONGEST_SENTENCE_CHARACTERS and _BLANK_LINE.search(between)
        return between.isspace() and not is_parted and length <= LONGEST_BLOCK_CHARACTERS
    is_list = not re.search(r"\w", between) and not _BLANK_LINE.search(between)
    are_words = all(_is_one_word(passage.words_of(one)) for one in (last, sentence))
    return is_list and are_words and sentence.end - first.start <= LONGEST_WORDS_CHARACTERS


def _is_one_word(words: str) -> bool:
    return len(words.split()) == 1 and len(find_terms(words)) <= 1


def cite(number: int, passage: Passage, sentence: Sentence) -> Citation:
    """A citation of what was numbered in a passage."""
    return Citation(
        number,
        passage.document_id,
        passage.path,
        passage.title,
        passage.page_of(sentence),
        sentence.start,
        sentence.end,
        passage.words_of(sentence),
        passage.contexts()[[one.start for one in passage.sentences].index(sentence.start)],
    )


def find_context(cited: Sequence[tuple[Passage, Sentence]]) -> str:
    """What cited sentences stand under and beside: titles, dates, headings, and the names that they take up.

    "Lapid" takes up "Yair Lapid" of anywhere in the passage, "he" the names of the two sentences before.
    """
    found: dict[str, None] = {}
    for passage, sentence in cited:
        place, quote = passage.sentences.index(sentence), passage.words_of(sentence)
        found |= dict.fromkeys([passage.title, passage.date or "", *passage.contexts()[place]])
        known = {name for names, _ in find_names(quote) for name in names}
        before = range(place - _TAKEN_UP, place) if _PRONOUN.search(quote) else range(0)
        for other, words in enumerate(map(passage.words_of, passage.sentences)):
            for names, opens in find_names(words):
                if other in before or (not opens and len(names) > 1 and known.intersection(names)):
                    found[" ".join(names)] = None
    return " | ".join(filter(None, found))


def show_context(context: Sequence[str], title: str) -> str:
    """What words stand under in one line, "Handbook › Leave"; the document's title is not said again."""
    return " › ".join(context[1:] if context[:1] == (title,) else context)


def show_quote(citation: Citation, passages: Sequence[Passage]) -> str:
    """The words of a citation in one line, the cells of a row parted by bars where one of the passages tells them."""
    for passage in passages:
        for sentence in passage.sentences if passage.document_id == citation.document_id else ():
            if (sentence.start, sentence.end) == (citation.start, citation.end):
                return passage.line_of(sentence)
    return " ".join(citation.quote.split())


def seek_among(sources: dict[int, tuple[Passage, Sentence]], embedding: Embedding | None = None) -> Seek:
    """What tells the numbers of the sources that clearly support a sentence, or none. It weighs no sentence twice.

    A heading says nothing, and is no source.
    """
    given = [number for number, (_, sentence) in sources.items() if sentence.kind not in HEADS]
    candidates = [passage.words_of(sentence) for passage, sentence in map(sources.__getitem__, given)]
    remembering = Remembering(embedding) if embedding else None

    @cache
    def seek(words: str) -> tuple[int, ...]:
        return tuple(given[place] for place in find_support(words, candidates, remembering))

    return seek


class Remembering:
    """An embedding that reads no text twice, for each sentence is weighed against the same sources."""

    def __init__(self, embedding: Embedding) -> None:
        self.name, self.embeds_sentences = embedding.name, embedding.embeds_sentences
        self.embed, self.embed_query, self.count_tokens = embedding.embed, embedding.embed_query, embedding.count_tokens
        self._embed = embedding.embed_with_sentences
        self._known: dict[str, tuple[Vectors, Vectors]] = {}

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        """The texts' unit vectors and those of their parts; a text has the same parts whenever it comes."""
        import numpy as np

        new = {text: parts for text, parts in zip(texts, spans, strict=True) if text not in self._known}
        if new:
            self._known.update(zip(new, zip(*self._embed(list(new), list(new.values())), strict=True), strict=True))
        known = [self._known[text] for text in texts]
        return np.stack([whole for whole, _ in known]), [parts for _, parts in known]
