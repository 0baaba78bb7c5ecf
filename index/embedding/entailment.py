"""An entailment model that the user names, run by OpenVINO from its own export, without PyTorch.

It reads a premise and a hypothesis together, and says how surely the one entails the other, leaves it open, or
contradicts it (natural language inference, Bowman et al. 2015).

But: which texts it was taught, and in which languages, is the model's own matter.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.encoder import no_panic, pad, sort_into_batches, to_tokens
from index.embedding.entailment_layout import EntailmentLayout, Labels
from index.embedding.export import compile_export, find_padding_token, read_tokenizer, refuse_model, refuse_tokenizer
from index.embedding.protocol import Entailed, Vectors

LONGEST_TOKEN_CHARACTERS = 16  # on the average: a longer text is cut before tokens are made of it
_HYPOTHESIS_SHARE = 0.75  # of what the model reads of a pair, at most
_PROBE = ("The ferry leaves at noon.", "The ferry leaves.")


class EntailmentModel:
    """A model of an `EntailmentLayout` as an `Entailment`. Safe to share between threads."""

    def __init__(self, layout: EntailmentLayout) -> None:
        """Open a model. Raises WeightsError where its files cannot be used."""
        self.name = layout.label
        self._layout = layout
        self._tokenizer = read_tokenizer(layout)
        self._tokenizer.encode_special_tokens = True  # or a document could write the mark that parts premise and rest
        self._padding = find_padding_token(layout, self._tokenizer)
        self._run, _ = compile_export(layout, ("logits",), lone_rank=2)
        self._lock = threading.Lock()
        self._probe()

    def entail(self, premises: Sequence[str], hypotheses: Sequence[str]) -> list[Entailed]:
        """What each premise means for the hypothesis at its place; of a pair too long the premise's end is cut."""
        pairs = self._encode(premises, hypotheses)
        logits = np.empty((len(pairs), self._layout.labels.total), dtype=np.float32)
        for batch in sort_into_batches([len(tokens) for tokens, _ in pairs]):
            logits[batch] = self._classify([pairs[place] for place in batch])
        return read_logits(logits, self._layout.labels)

    def _encode(
        self, premises: Sequence[str], hypotheses: Sequence[str]
    ) -> list[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """The tokens of each pair in the model's frame, and for each token which of the two it is of."""
        room = self._layout.most_tokens - self._tokenizer.num_special_tokens_to_add(True)
        longest = self._layout.most_tokens * LONGEST_TOKEN_CHARACTERS
        pairs = []
        for texts in zip(premises, hypotheses, strict=True):
            premise, hypothesis = (self._tokenizer.encode(text[:longest], add_special_tokens=False) for text in texts)
            hypothesis.truncate(int(room * _HYPOTHESIS_SHARE))
            premise.truncate(room - len(hypothesis.ids))
            pair = self._tokenizer.post_process(premise, hypothesis)
            pairs.append((to_tokens(pair.ids), to_tokens(pair.type_ids)))
        return pairs

    def _classify(self, pairs: Sequence[tuple[NDArray[np.int32], NDArray[np.int32]]]) -> Vectors:
        ids, mask = pad([tokens for tokens, _ in pairs], self._padding, self._layout.most_tokens)
        types, _ = pad([types for _, types in pairs], 0, self._layout.most_tokens)
        with self._lock:  # what it gives is the engine's own, until it is asked again
            return self._run(ids, mask, types).copy()

    def _probe(self) -> None:
        """Raises WeightsError where the model does not say what its labels promise."""
        layout = self._layout
        try:
            with no_panic():
                pairs = self._encode([_PROBE[0]], [_PROBE[1]])
        except Exception as error:  # the library raises no kind of its own
            raise refuse_tokenizer(layout, error) from error
        try:
            logits = self._classify(pairs)
        except Exception as error:  # OpenVINO's are of many kinds
            raise refuse_model(layout, error) from error
        if logits.shape != (1, layout.labels.total) or not np.isfinite(logits).all():
            raise refuse_model(layout, f"it gives no number for each of its {layout.labels.total} labels")


def read_logits(logits: Any, labels: Labels) -> list[Entailed]:
    """The probabilities of what a classifier gives, of shape (pairs, labels): softmax, or of one label the logistic."""
    numbers = np.asarray(logits, dtype=np.float64)
    if labels.total == 1:
        numbers = np.concatenate([numbers, np.zeros_like(numbers)], axis=1)  # whose softmax is the logistic
        labels = Labels(2, 0, 1, None)
    powers = np.exp(numbers - numbers.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    nothing = np.zeros(len(shares))
    columns = (
        nothing if place is None else shares[:, place]
        for place in (labels.entailment, labels.neutral, labels.contradiction)
    )
    return [Entailed(*map(float, row)) for row in zip(*columns, strict=True)]
