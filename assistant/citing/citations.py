"""The passages' sentences are numbered for the prompt; the model cites those numbers, and each is an exact citation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import count

from assistant.answers import Citation
from assistant.citing.markers import find_numbers
from assistant.citing.support import find_support
from index.documents import Passage
from index.embedding.protocol import Embedding, Vectors
from index.splitting.sentences import LONGEST_SENTENCE_CHARACTERS, Sentence
from index.splitting.terms import find_terms

# Of what is one source: a block of code, and several items of one word.
LONGEST_BLOCK_CHARACTERS, LONGEST_WORDS_CHARACTERS = 2 * LONGEST_SENTENCE_CHARACTERS, 300
_BLANK_LINE = re.compile(r"\n[ \t]*+\r?+\n")

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
    """What tells the numbers of the sources that clearly support a sentence, or none. It weighs no sentence twice."""
    given = list(sources)
    candidates = [passage.words_of(sentence) for passage, sentence in sources.values()]
    remembering = _Remembering(embedding) if embedding else None

    @cache
    def seek(words: str) -> tuple[int, ...]:
        return tuple(given[place] for place in find_support(words, candidates, remembering))

    return seek


class _Remembering:
    """An embedding that embeds no text twice, for each sentence is weighed against the same sources."""

    def __init__(self, embedding: Embedding) -> None:
        self.name, self.embeds_sentences = embedding.name, embedding.embeds_sentences
        self.embed_with_sentences, self.embed_query = embedding.embed_with_sentences, embedding.embed_query
        self.count_tokens = embedding.count_tokens
        self._embed = embedding.embed
        self._vectors: dict[str, Vectors] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts, one row each."""
        import numpy as np

        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._embed(new), strict=True))
        return np.stack([self._vectors[text] for text in texts])
