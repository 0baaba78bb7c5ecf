"""What all models that run here have in common: texts become tokens, tokens states, and states unit vectors.

Texts are sorted by length and padded only to the longest of their batch: most of the speed is there. The vector of a
sentence is pooled from the states of its tokens in the pass of its whole text ("late chunking", Günther et al. 2024).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.protocol import Vectors

_BATCH_TOKENS = 2048
_COUNTED_TEXTS = 64  # at once: a token takes some 300 bytes while it is counted
_LENGTH_STEP = 8  # padding to a multiple keeps the number of distinct shapes, and so memory, small
_LEAST_LENGTH = 1e-12  # what a vector of nothing is divided by

# From (token ids, mask: 1 for a token) of shape (texts, tokens) to states (texts, tokens, dimensions).
Run = Callable[[NDArray[np.int32], NDArray[np.float32]], Vectors]


def open_tokenizer(definition: str) -> Any:
    """The tokenizer that a `tokenizer.json` defines, which neither pads nor cuts."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(definition)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


@contextmanager
def no_panic() -> Iterator[None]:
    """Make an error of what the tokenizers' library breaks off at in a damaged definition."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # which is no Exception, and of a module without a name
            raise
        raise RuntimeError(str(error)) from error


def lower_case(tokenizer: Any) -> None:
    """Have a tokenizer make texts lower case before all else; its offsets stay those of the text that is given."""
    from tokenizers import normalizers

    given = [tokenizer.normalizer] if tokenizer.normalizer else []
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *given])


class Encoder:
    """Embeds with a tokenizer and what `run` makes of its tokens. Safe to share between threads.

    most_tokens: a longer text is cut there, its last token kept, which ends it.
    padding: the token that fills up the shorter texts of a batch.
    """

    name: str
    embeds_sentences = True

    def __init__(self, tokenizer: Any, run: Run, dimensions: int, most_tokens: int, padding: int = 0) -> None:
        self._tokenizer = tokenizer
        self._run = run
        self._dimensions = dimensions
        self._most_tokens = most_tokens
        self._padding = padding
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row for each text; what is longer than the model reads is cut."""
        return self.embed_with_sentences(texts, [()] * len(texts))[0]

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        """The same, and a unit vector of the tokens that begin in each sentence: no more work for the model.

        A sentence beyond the cut has the vector of its text.
        """
        return self._embed(texts, spans)

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of one query."""
        vector: Vectors = self._embed([text], [()])[0][0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text is, those aside that frame every text."""
        counts: list[int] = []
        for first in range(0, len(texts), _COUNTED_TEXTS):
            batch = list(texts[first : first + _COUNTED_TEXTS])
            counts += map(len, self._tokenizer.encode_batch_fast(batch, add_special_tokens=False))
        return counts

    def _embed(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]], prompt: str = ""
    ) -> tuple[Vectors, list[Vectors]]:
        """What `embed_with_sentences` gives, with a prompt put before each text; the spans are those of the text."""
        encodings = self._tokenizer.encode_batch([prompt + text for text in texts])
        tokens = [to_tokens(self._cut(encoding.ids)) for encoding in encodings]
        vectors = np.empty((len(tokens), self._dimensions), dtype=np.float32)
        sentences: list[Vectors] = [vectors[:0]] * len(tokens)
        for batch in sort_into_batches([len(each) for each in tokens]):
            with self._lock:  # the states are the engine's own, until it is asked again
                states, vectors[batch] = self._embed_batch([tokens[i] for i in batch], prompt)
                for i, of_text in zip(batch, states, strict=True):
                    if spans[i] and self.embeds_sentences:
                        offsets = place(encodings[i].offsets[: len(tokens[i])], texts[i], len(prompt))
                        bounds = np.array(spans[i])
                        # The first and last token of each text frame it, and hold no character.
                        begins, ends = offsets[:, 0], offsets[:, 1]
                        inside = (begins >= bounds[:, :1]) & (begins < bounds[:, 1:]) & (begins < ends)
                        pooled = self._pool_sentences(of_text[: len(offsets)], inside)
                        is_empty = ~inside.any(axis=1)
                        pooled[is_empty] = vectors[i]
                        sentences[i] = self._finish(pooled, prompt)
                        sentences[i][is_empty] = to_unit(vectors[i : i + 1])
        return vectors, sentences

    def _embed_batch(self, tokens: list[NDArray[np.int32]], prompt: str) -> tuple[Vectors, Vectors]:
        """The states of every token, and each text's unit vector."""
        ids, mask = pad(tokens, self._padding, self._most_tokens)
        states = self._run(ids, mask)
        return states, self._finish(self._pool(states, mask, prompt), prompt)

    def _pool(self, states: Vectors, mask: NDArray[np.float32], prompt: str) -> Vectors:
        """What stands for each text: here the sum of its tokens' states, which points where their mean does."""
        pooled: Vectors = np.einsum("btd,bt->bd", states, mask)
        return pooled

    def _pool_sentences(self, states: Vectors, inside: NDArray[np.bool_]) -> Vectors:
        """What stands for each sentence of a text. inside: of shape (sentences, tokens), which tokens are whose."""
        pooled: Vectors = inside.astype(np.float32) @ states
        return pooled

    def _finish(self, pooled: Vectors, prompt: str) -> Vectors:
        """The unit vectors of what was pooled."""
        return to_unit(pooled)

    def _cut(self, ids: list[int]) -> list[int]:
        return ids if len(ids) <= self._most_tokens else [*ids[: self._most_tokens - 1], ids[-1]]


def sort_into_batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The places of texts in the order of their lengths in tokens, as many at once as a batch may have tokens."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    first = 0
    while first < len(order):
        last = first + 1
        while last < len(order) and (last + 1 - first) * lengths[order[last]] <= _BATCH_TOKENS:
            last += 1
        yield order[first:last]
        first = last


def pad(
    rows: Sequence[NDArray[np.int32]], padding: int, most_tokens: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The rows as one array, filled up to the longest and a little more, and the mask: 1 where it holds a row's own."""
    length = min(-(-max(map(len, rows)) // _LENGTH_STEP) * _LENGTH_STEP, most_tokens)
    ids = np.full((len(rows), length), padding, dtype=np.int32)
    mask = np.zeros((len(rows), length), dtype=np.float32)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return ids, mask


def to_tokens(ids: Sequence[int]) -> NDArray[np.int32]:
    """Token ids as the engine takes them; one of more than 31 bits is another that no model knows."""
    return np.asarray(ids, dtype=np.uint32).astype(np.int32)


def place(offsets: Sequence[tuple[int, int]], text: str, prompt_characters: int) -> NDArray[np.int64]:
    """Where tokens begin and end in a text that was read behind a prompt, of shape (tokens, 2).

    A token may hold the white space before its word; it begins where the word does.
    """
    placed = []
    for begin, end in offsets:
        begin, end = max(begin - prompt_characters, 0), min(max(end - prompt_characters, 0), len(text))
        while begin < end and text[begin].isspace():
            begin += 1
        placed.append((begin, end))
    return np.array(placed, dtype=np.int64).reshape(-1, 2)


def to_unit(vectors: Vectors) -> Vectors:
    """Rows of length one."""
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _LEAST_LENGTH)
    return unit
