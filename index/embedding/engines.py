"""The models that the settings can name: the embedded one, another that runs here, a server's; for entailment too."""

from __future__ import annotations

from collections.abc import Generator

from index.documents import Progress
from index.embedding.protocol import Embedding, Entailment
from index.endpoint import find_embedding
from index.errors import InputError
from index.settings import ENTAILMENT_PREFIX, LOCAL_EMBEDDING, LOCAL_PREFIX, Settings


def open_embedding(settings: Settings) -> Generator[Progress, None, Embedding]:
    """Open the embedding that the settings name.

    Raises WeightsError where a model that runs here cannot be had, InputError where it is unknown, or its server is.
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
    served = find_embedding(settings)
    if served is None:
        raise InputError(
            f"FOOTNOTE_EMBEDDING is {settings.embedding!r}, a server's model, but no server is named: set "
            "FOOTNOTE_EMBEDDING_URL, or OPENAI_API_KEY for OpenAI's, or FOOTNOTE_EMBEDDING=local for the embedded "
            "model."
        )
    from index.embedding.server import ServerEmbedding

    return ServerEmbedding(served)


def open_entailment(settings: Settings) -> Generator[Progress, None, Entailment]:
    """Open the entailment model that the settings name in `check`.

    Raises InputError where no model can have that name, WeightsError where it cannot be had or used.
    """
    from index.embedding.entailment import EntailmentModel
    from index.embedding.entailment_layout import ENTAILMENT
    from index.embedding.models import open_model

    layout = yield from open_model(settings.check.removeprefix(ENTAILMENT_PREFIX), settings.cache_folder, ENTAILMENT)
    return EntailmentModel(layout)
