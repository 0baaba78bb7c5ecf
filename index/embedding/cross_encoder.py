"""A cross-encoder: it reads a question and a sentence together, and says how surely the one answers the other.

It is all-MiniLM-L6-v2 with the upper four layers moved a little (low-rank adaptation, Hu et al. 2021) and a readout of
two small layers. What was learnt is in `cross_encoder.safetensors`, a megabyte and a half beside the weights that are
there anyway: of each moved matrix two narrow ones, `down` and `up`, whose product is added to it.

It was trained on 40,000 pairs of questions and sentences that answer them or do not, near misses above all: of a
question's sentences and "none of them", the right one was to be the likeliest. docs/results.md says on which, and what
it brings.

But: it was taught English prose. And it reads what is said, not whether it is so.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index.embedding.bert import Tensors, build_encoder
from index.embedding.encoder import to_tokens
from index.embedding.engine import compile_model

MOST_TOKENS = 112  # of a pair; of a longer text the end is read
MOST_QUESTION_TOKENS = 40
LONGEST_CHARACTERS = 2000  # of a text that tokens are made of
_BEGIN, _END = 101, 102  # the tokens that frame a pair's two texts
_LENGTH_STEP = 16  # pairs are filled up to a multiple
LEARNT_FILE = Path(__file__).with_name("cross_encoder.safetensors")


class PairModel:
    """The model, compiled. Safe to share between threads."""

    def __init__(self, tensors: Tensors, tokenizer: Any) -> None:
        self._request = compile_model(build_encoder(_adapt(tensors), reads_pairs=True))
        self._tokenizer = tokenizer
        self._lock = threading.Lock()

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How surely each text answers the question, from 0 to 1."""
        if not texts:
            return []
        given = [question[:LONGEST_CHARACTERS], *(text[-LONGEST_CHARACTERS:] for text in texts)]
        asked, *said = (e.ids for e in self._tokenizer.encode_batch_fast(given, add_special_tokens=False))
        pairs = [frame_pair(asked[:MOST_QUESTION_TOKENS], tokens) for tokens in said]
        scores = [0.0] * len(pairs)
        # Together those that are about as long: what a shorter one is filled up with costs as much as its words.
        lengths = [-(-len(tokens) // _LENGTH_STEP) * _LENGTH_STEP for tokens, _ in pairs]
        for length in sorted({*lengths}):
            rows = [row for row, its_length in enumerate(lengths) if its_length == length]
            for row, score in zip(rows, self._score_alike([pairs[row] for row in rows], length), strict=True):
                scores[row] = score
        return scores

    def _score_alike(self, pairs: Sequence[tuple[list[int], int]], length: int) -> list[float]:
        """The scores of pairs that are filled up to so many tokens."""
        ids = np.zeros((len(pairs), length), dtype=np.int32)
        mask, second = (np.zeros(ids.shape, dtype=np.float32) for _ in range(2))
        for row, (tokens, first) in enumerate(pairs):
            ids[row, : len(tokens)] = to_tokens(tokens)
            mask[row, : len(tokens)] = 1
            second[row, first : len(tokens)] = 1
        with self._lock:
            scores: list[float] = self._request.infer([ids, mask, second])[0][:, 0].tolist()
        return scores


def frame_pair(asked: Sequence[int], said: Sequence[int]) -> tuple[list[int], int]:
    """The tokens of a pair, of a long text those at its end, and how many of them are of the question."""
    first = [_BEGIN, *asked, _END]
    room = MOST_TOKENS - len(first) - 1
    return [*first, *said[-room:], _END], len(first)


def _adapt(tensors: Tensors) -> Tensors:
    """The weights with what was learnt added to them, and those of the readout."""
    from safetensors.numpy import load_file

    learnt = {name: value.astype(np.float32) for name, value in load_file(LEARNT_FILE).items()}
    moved = {
        f"{name.removesuffix('.down')}.weight": (down @ learnt[name.replace(".down", ".up")]).T
        for name, down in learnt.items()
        if name.endswith(".down")
    }
    readout = {name: np.ascontiguousarray(value.T) for name, value in learnt.items() if name.startswith("readout.")}
    return {**tensors, **{name: tensors[name] + value for name, value in moved.items()}, **readout}
