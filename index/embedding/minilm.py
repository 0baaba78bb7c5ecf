"""The embedded default: all-MiniLM-L6-v2, run by OpenVINO without PyTorch or a converted copy.

Six layers of BERT (Wang et al. 2020, MiniLM). Token vectors are averaged and normalised, as the model was trained.
OpenVINO computes in bfloat16 where the processor has it, else in float32.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from index.embedding.bert import DIMENSIONS as DIMENSIONS
from index.embedding.bert import Tensors, build_encoder
from index.embedding.cross_encoder import PairModel
from index.embedding.encoder import Encoder, open_tokenizer
from index.embedding.encoder import Run as Run
from index.embedding.engine import compile_model, read_model
from index.embedding.weights import SHA256, Weights

MOST_TOKENS = 256  # the length that the model was published with; longer texts are cut there


class MiniLM(Encoder):
    """all-MiniLM-L6-v2 as an `Embedding` and a `CrossEncoder`. Safe to share between threads."""

    name = f"all-MiniLM-L6-v2@{SHA256['model.safetensors'][:12]}"

    def __init__(self, weights: Weights) -> None:
        self._tensors = _read_tensors(weights)
        super().__init__(open_tokenizer(weights.tokenizer), _compile(weights, self._tensors), DIMENSIONS, MOST_TOKENS)
        self._pairs: PairModel | None = None
        self._opening_pairs = threading.Lock()

    def score_pairs(self, query: str, texts: Sequence[str]) -> list[float] | None:
        """How surely each text answers the query, from 0 to 1; None where the weights came as a model of ONNX."""
        if self._tensors is None:
            return None
        with self._opening_pairs:
            if self._pairs is None:
                self._pairs = PairModel(self._tensors, self._tokenizer)
        return self._pairs.score(query, texts)


def _read_tensors(weights: Weights) -> Tensors | None:
    """The weights by name, or None where they came as a model of ONNX."""
    if weights.form == "onnx":
        return None
    from safetensors.numpy import load

    return load(weights.model)


def _compile(weights: Weights, tensors: Tensors | None, precision: str | None = None) -> Run:
    """A function from (token ids, mask) of shape (texts, tokens) to hidden states (texts, tokens, 384)."""
    if tensors is None:
        request = compile_model(read_model(weights.model), precision)
        return lambda ids, mask: request.infer(
            {
                "input_ids": ids.astype(np.int64),
                "attention_mask": mask.astype(np.int64),
                "token_type_ids": np.zeros(ids.shape, dtype=np.int64),
            }
        )[0]
    request = compile_model(build_encoder(tensors), precision)
    return lambda ids, mask: request.infer([ids, mask], share_inputs=True, share_outputs=True)[0]
