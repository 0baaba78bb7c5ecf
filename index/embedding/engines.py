"""The models that the settings can name: as embedding the embedded one, one run as it is, OpenAI's; for entailment."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from index.documents import Progress
from index.embedding.protocol import Embedding, Entailment, Vectors
from index.errors import InputError, ModelError
from index.settings import ENTAILMENT_PREFIX, LOCAL_EMBEDDING, LOCAL_PREFIX, Settings


def open_embedding(settings: Settings) -> Generator[Progress, None, Embedding]:
    """Open the embedding that the settings name.

    Raises WeightsError where a model that runs here cannot be had, InputError where it is unknown or a key is missing.
    """
    if settings.embedding == LOCAL_EMBEDDING:
        from index.embedding.minilm import MiniLM
        from index.embedding.weights import open_weights

        weights = yield from open_weights(settings.cache_folder)
        return MiniLM(weights)
    if settings.embedding.startswith(LOCAL_PREFIX):
        from index.embedding.layout import EMBEDDING
        from index.embedding.models import open_model
        from index.embedding.transformer import Transformer

        layout = yield from open_model(settings.embedding.removeprefix(LOCAL_PREFIX), settings.cache_folder, EMBEDDING)
        return Transformer(layout, settings.chunk_tokens)
    if not settings.api_key and not settings.base_url:
        raise InputError(
            f"FOOTNOTE_EMBEDDING is {settings.embedding!r}, an OpenAI model, but OPENAI_API_KEY is not set: "
            "set the key, or FOOTNOTE_EMBEDDING=local for the embedded model."
        )
    from llama_index.embeddings.openai import OpenAIEmbedding

    return LlamaIndexEmbedding(
        OpenAIEmbedding(
            model_name=settings.embedding,
            api_key=settings.api_key or "none",
            api_base=settings.base_url,
            max_retries=2,
            timeout=settings.timeout_seconds,
        ),
        f"openai:{settings.embedding}",
    )


def open_entailment(settings: Settings) -> Generator[Progress, None, Entailment]:
    """Open the entailment model that the settings name in `check`.

    Raises InputError where no model can have that name, WeightsError where it cannot be had or used.
    """
    from index.embedding.entailment import EntailmentModel
    from index.embedding.entailment_layout import ENTAILMENT
    from index.embedding.models import open_model

    layout = yield from open_model(settings.check.removeprefix(ENTAILMENT_PREFIX), settings.cache_folder, ENTAILMENT)
    return EntailmentModel(layout)


class LlamaIndexEmbedding:
    """Any llama-index embedding model, behind our protocol."""

    embeds_sentences = False

    def __init__(self, model: Any, name: str) -> None:
        self.name = name
        self._model = model

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row for each text."""
        return self._ask(self._model.get_text_embedding_batch, list(texts))

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        """Unit vectors of the texts; such a model does not show what it makes of their sentences."""
        vectors = self.embed(texts)
        return vectors, [vectors[:0]] * len(texts)

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of one query."""
        vector: Vectors = self._ask(lambda query: [self._model.get_query_embedding(query)], text)[0]
        return vector

    def _ask(self, model: Callable[[Any], Sequence[Sequence[float]]], given: Any) -> Vectors:
        try:
            return _normalise(model(given))
        except Exception as error:
            # Each such model raises errors of its own. Not their messages: a server's may repeat the key.
            raise ModelError(
                f"The embedding model {self.name} did not answer ({type(error).__name__}): check FOOTNOTE_EMBEDDING, "
                "OPENAI_API_KEY and OPENAI_BASE_URL, then ask again."
            ) from None

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """An estimate: chunks are far below such a model's limit, so that four characters a token will do."""
        return [len(text) // 4 + 1 for text in texts]


def _normalise(vectors: Sequence[Sequence[float]]) -> Vectors:
    import numpy as np

    rows = np.asarray(vectors, dtype=np.float32)
    unit: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
    return unit
