"""The real embedding, which computes nothing twice: tests ask the same of the same few documents again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from index.embedding.minilm import MiniLM
from index.embedding.protocol import Vectors
from index.embedding.weights import Weights

MOST_CALLS = 4000  # that are remembered


class RememberingMiniLM(MiniLM):
    """all-MiniLM-L6-v2 that gives again what it gave to the very same call, so that no value is another than its own.

    But: what a model computes is tested with `MiniLM` itself.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__(weights)
        self._given: OrderedDict[Hashable, Any] = OrderedDict()

    def score_pairs(self, query: str, texts: Sequence[str]) -> list[float] | None:
        scores = self._remember(
            ("pairs", query, *texts), lambda: super(RememberingMiniLM, self).score_pairs(query, texts)
        )
        return None if scores is None else [*scores]

    def _embed(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]], prompt: str = ""
    ) -> tuple[Vectors, list[Vectors]]:
        call = (prompt, tuple(texts), tuple(tuple((start, end) for start, end in each) for each in spans))
        vectors, sentences = self._remember(call, lambda: super(RememberingMiniLM, self)._embed(texts, spans, prompt))
        return vectors.copy(), [each.copy() for each in sentences]

    def _remember(self, call: Hashable, compute: Callable[[], Any]) -> Any:
        given = self._given.pop(call) if call in self._given else compute()
        self._given[call] = given
        if len(self._given) > MOST_CALLS:
            self._given.popitem(last=False)
        return given
