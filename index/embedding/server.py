"""The embedding of a server that speaks OpenAI's protocol: OpenAI, Ollama, vLLM, llama.cpp, LM Studio and many more.

Texts go in batches; where the server refuses one, its halves go, down to the text that it does not take. A text that is
longer than its model reads is embedded by its beginning, as the models that run here do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from index.embedding.prompts import find_prompts
from index.embedding.protocol import Vectors
from index.endpoint import Endpoint, RefusedError, Served, join

BATCH_TEXTS = 32  # as many as the most cautious servers take by themselves
LEAST_CHARACTERS = 100  # of a text that is shortened; no model reads less
_LEAST_LENGTH = 1e-12  # what a vector of nothing is divided by


class ServerEmbedding:
    """Embeds with a server's model. Safe to share between threads.

    Each method that embeds raises ModelError where the server does not answer, or not with vectors: one for each text,
    all of one length, of finite numbers.
    """

    embeds_sentences = False

    def __init__(self, served: Served) -> None:
        self.name = f"server:{served.model}"  # wherever it is served
        self._served = served
        self._url = join(served.url, "embeddings")
        self._query_prompt, self._prompt = find_prompts(served.model)
        self._takes_lists = True
        self._dimensions = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row for each text."""
        return self._embed([f"{self._prompt}{text}" for text in texts])

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        """Unit vectors of the texts; a server does not show what its model makes of their sentences."""
        vectors = self.embed(texts)
        return vectors, [vectors[:0]] * len(texts)

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of one query."""
        vector: Vectors = self._embed([f"{self._query_prompt}{text}"])[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """An estimate, four bytes a token, so that what is not written in Latin letters makes smaller chunks."""
        return [len(text.encode(errors="replace")) // 4 + 1 for text in texts]

    def _embed(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        if not texts:
            return np.zeros((0, self._dimensions), np.float32)
        with Endpoint(self._served) as endpoint:
            rows = np.concatenate(self._ask(endpoint, texts))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        unit: Vectors = (rows / np.maximum(lengths, _LEAST_LENGTH)).astype(np.float32)
        return unit

    def _ask(self, endpoint: Endpoint, texts: Sequence[str]) -> list[Any]:
        """The vectors of the texts, in the server's own length, in one array for each request."""
        half = len(texts) // 2
        if len(texts) > (BATCH_TEXTS if self._takes_lists else 1):
            return self._ask(endpoint, texts[:half]) + self._ask(endpoint, texts[half:])
        try:
            return [self._request(endpoint, texts, is_list=self._takes_lists)]
        except RefusedError as refusal:
            if refusal.is_unknown:
                raise
            if len(texts) > 1:
                return self._ask(endpoint, texts[:half]) + self._ask(endpoint, texts[half:])
            if refusal.is_too_long and len(texts[0]) > LEAST_CHARACTERS:
                return self._ask(endpoint, [texts[0][: len(texts[0]) // 2]])
            if refusal.is_too_long or not self._takes_lists:
                raise
        rows = self._request(endpoint, texts, is_list=False)
        self._takes_lists = False
        return [rows]

    def _request(self, endpoint: Endpoint, texts: Sequence[str], *, is_list: bool) -> Any:
        given = list(texts) if is_list else texts[0]
        answer = endpoint.ask(self._url, {"model": self._served.model, "input": given})
        rows = _read(answer, endpoint, len(texts))
        if self._dimensions not in (0, rows.shape[1]):
            raise endpoint.misread(f"vectors of {rows.shape[1]:,} numbers after those of {self._dimensions:,}")
        self._dimensions = rows.shape[1]
        return rows


def _read(answer: Any, endpoint: Endpoint, count: int) -> Any:
    """The vectors of an answer, in the order of the texts, of shape (count, dimensions)."""
    import numpy as np

    try:
        data = answer["data"]
        if len(data) != count:
            raise endpoint.misread(f"{len(data):,} vectors for {count:,} texts")
        given = {row.get("index", place): row["embedding"] for place, row in enumerate(data)}
        rows = np.array([given[place] for place in range(count)], np.float64)
        if rows.ndim != 2 or not rows.shape[1]:
            raise ValueError
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
        raise endpoint.misread("what is no list of vectors") from None
    # No number of a vector is so large; its square must be one yet.
    if not (np.abs(rows) < 1e100).all():
        raise endpoint.misread("a vector that is not of numbers alone")
    return rows
