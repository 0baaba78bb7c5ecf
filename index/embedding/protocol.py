"""What the models are that run here: a text becomes a vector, two texts read together a score or a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
else:
    Vectors = Any


class Embedded(NamedTuple):
    """What an embedding makes of a chunk: its unit vector, and its sentences' as the store packs them.

    None for sentences that are still to be read.
    """

    vector: Vectors
    sentences: bytes | None


class Embedding(Protocol):
    """name: identifies the model and its weights; a store remembers it and refuses another.

    embeds_sentences: whether `embed_with_sentences` gives more than `embed`.
    """

    name: str
    embeds_sentences: bool

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts, one row each, in the order given."""

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        """The same, and for each text one row for each (start, end) of its sentences, read where they stand.

        A model that gives no more than a text's vector gives no rows for sentences.
        """

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of one query, of shape (dimensions,)."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many of the model's tokens each text is."""


@runtime_checkable
class CrossEncoder(Protocol):
    """What reads a question and a text together, as an embedding may do besides."""

    def score_pairs(self, query: str, texts: Sequence[str]) -> list[float] | None:
        """How surely each text answers the query, from 0 to 1; None where it cannot tell here."""


class Entailed(NamedTuple):
    """What a premise means for a hypothesis: the probabilities that it entails it, leaves it open, contradicts it.

    A model that does not tell a contradiction from what is left open has 0 for it.
    """

    entailment: float
    neutral: float
    contradiction: float


class Entailment(Protocol):
    """What reads a premise and a hypothesis together. name: what a reader may call it."""

    name: str

    def entail(self, premises: Sequence[str], hypotheses: Sequence[str]) -> list[Entailed]:
        """What each premise means for the hypothesis at its place."""
