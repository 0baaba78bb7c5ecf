"""The embedded default: all-MiniLM-L6-v2, run by OpenVINO without PyTorch or a converted copy.

The six-layer BERT encoder (Devlin et al. 2018; Wang et al. 2020, MiniLM) is written out below in
OpenVINO's operations straight from the published weights. Token vectors are averaged and normalised,
as the model was trained. OpenVINO computes in bfloat16 where the processor has it, else in float32.

Texts are sorted by length and padded only to the longest of their batch: most of the speed is there.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.protocol import Vectors
from index.embedding.weights import SHA256, Weights

DIMENSIONS = 384
MOST_TOKENS = 256  # the length that the model was published with; longer texts are cut there
_LAYERS, _HEADS = 6, 12
_BATCH_TOKENS = 2048
_COUNTED_TEXTS = 64  # at once: a token takes some 300 bytes while it is counted
_LENGTH_STEP = 8  # padding to a multiple keeps the number of distinct shapes, and so memory, small


class MiniLM:
    """all-MiniLM-L6-v2 as an `Embedding`: unit vectors of 384 dimensions. Safe to share between threads."""

    embeds_sentences = True
    name = f"all-MiniLM-L6-v2@{SHA256['model.safetensors'][:12]}"

    def __init__(self, weights: Weights) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_str(weights.tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._lock = threading.Lock()
        self._run = _compile(weights)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row for each text; texts beyond 256 tokens are cut there."""
        return self.embed_with_sentences(texts, [()] * len(texts))[0]

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        """The same, and the mean of the token vectors of each sentence: no more work for the model.

        A sentence beyond the cut has the vector of its text.
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        tokens = [np.asarray(_cut(encoding.ids), dtype=np.int32) for encoding in encodings]
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        vectors = np.empty((len(tokens), DIMENSIONS), dtype=np.float32)
        sentences: list[Vectors] = [vectors[:0]] * len(tokens)
        first = 0
        while first < len(order):
            last = first + 1
            while last < len(order) and (last + 1 - first) * len(tokens[order[last]]) <= _BATCH_TOKENS:
                last += 1
            batch = order[first:last]
            with self._lock:  # the states are the engine's own, until it is asked again
                hidden, vectors[batch] = self._embed_batch([tokens[i] for i in batch])
                for i, states in zip(batch, hidden, strict=True):
                    if spans[i]:
                        offsets = np.array(encodings[i].offsets[: len(tokens[i])])
                        sentences[i] = _pool(states[: len(tokens[i])], offsets, spans[i], vectors[i])
            first = last
        return vectors, sentences

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of one query, made as those of texts are."""
        vector: Vectors = self.embed([text])[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many word pieces each text is, the two that frame every text aside."""
        counts: list[int] = []
        for first in range(0, len(texts), _COUNTED_TEXTS):
            batch = list(texts[first : first + _COUNTED_TEXTS])
            counts += map(len, self._tokenizer.encode_batch_fast(batch, add_special_tokens=False))
        return counts

    def _embed_batch(self, tokens: list[NDArray[np.int32]]) -> tuple[Vectors, Vectors]:
        """The states of every token, and the mean of each text's, as a unit vector."""
        length = -(-max(map(len, tokens)) // _LENGTH_STEP) * _LENGTH_STEP
        ids = np.zeros((len(tokens), length), dtype=np.int32)
        mask = np.zeros((len(tokens), length), dtype=np.float32)
        for row, token_ids in enumerate(tokens):
            ids[row, : len(token_ids)] = token_ids
            mask[row, : len(token_ids)] = 1
        hidden = self._run(ids, mask)
        pooled = np.einsum("btd,bt->bd", hidden, mask)
        return hidden, pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


def _pool(states: Vectors, offsets: NDArray[np.int64], spans: Sequence[tuple[int, int]], instead: Vectors) -> Vectors:
    """Unit vectors of the spans of a text: the mean of the states of the tokens that begin in each."""
    bounds = np.array(spans)
    inside = (offsets[:, 0] >= bounds[:, :1]) & (offsets[:, 0] < bounds[:, 1:]) & (offsets[:, 0] < offsets[:, 1])
    pooled = inside.astype(np.float32) @ states
    pooled[~inside.any(axis=1)] = instead
    unit: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    return unit


def _cut(ids: list[int]) -> list[int]:
    return ids if len(ids) <= MOST_TOKENS else [*ids[: MOST_TOKENS - 1], ids[-1]]


def _import_openvino() -> Any:
    """OpenVINO without its telemetry, which would tell a host on the network that it was imported."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


Run = Callable[[NDArray[np.int32], NDArray[np.float32]], Vectors]


def _compile(weights: Weights, precision: str | None = None) -> Run:
    """A function from (token ids, mask) of shape (texts, tokens) to hidden states (texts, tokens, 384).

    precision: "f32" or "bf16"; by default the fastest that the processor computes itself.
    """
    openvino = _import_openvino()
    core = openvino.Core()
    if weights.form == "onnx":
        model = core.read_model(weights.model)
    else:
        from safetensors.numpy import load

        model = _build(load(weights.model))
    options = {"PERFORMANCE_HINT": "LATENCY"} | ({"INFERENCE_PRECISION_HINT": precision} if precision else {})
    request = core.compile_model(model, "CPU", options).create_infer_request()
    if weights.form == "onnx":
        return lambda ids, mask: request.infer(
            {
                "input_ids": ids.astype(np.int64),
                "attention_mask": mask.astype(np.int64),
                "token_type_ids": np.zeros(ids.shape, dtype=np.int64),
            }
        )[0]
    return lambda ids, mask: request.infer([ids, mask], share_inputs=True, share_outputs=True)[0]


def _build(weights: dict[str, NDArray[np.float32]]) -> Any:
    """The encoder as an OpenVINO model with inputs `ids` (int32) and `mask` (float32: 1 for a token)."""
    openvino = _import_openvino()
    from openvino import opset13 as op

    def integers(*values: int) -> Any:
        return op.constant(np.array(values, dtype=np.int64))

    def weight(name: str) -> Any:
        return op.constant(weights[name], shared_memory=True)

    def linear(x: Any, name: str) -> Any:
        return op.add(op.matmul(x, weight(f"{name}.weight"), False, True), weight(f"{name}.bias"))

    def layer_norm(x: Any, name: str) -> Any:
        normal = op.mvn(x, integers(-1), True, 1e-12, "INSIDE_SQRT")
        return op.add(op.multiply(normal, weight(f"{name}.weight")), weight(f"{name}.bias"))

    def split_heads(x: Any) -> Any:
        return op.transpose(op.reshape(x, integers(0, 0, _HEADS, DIMENSIONS // _HEADS), True), integers(0, 2, 1, 3))

    ids = op.parameter([-1, -1], np.int32, name="ids")
    mask = op.parameter([-1, -1], np.float32, name="mask")
    zero, one = op.constant(np.int64(0)), op.constant(np.int64(1))
    length = op.gather(op.shape_of(ids, "i64"), one, zero)

    # Words, positions and the (single) segment are looked up and summed.
    segment = weights["embeddings.token_type_embeddings.weight"][0]
    places = op.constant(weights["embeddings.position_embeddings.weight"] + segment)
    words = op.gather(weight("embeddings.word_embeddings.weight"), ids, zero)
    x = op.add(words, op.gather(places, op.range(zero, length, one, "i64"), zero))
    x = layer_norm(x, "embeddings.LayerNorm")

    # Padding gets a weight of practically nothing in every attention.
    absent = op.subtract(op.unsqueeze(mask, integers(1, 2)), op.constant(np.float32(1)))
    bias = op.multiply(absent, op.constant(np.float32(10_000)))

    for number in range(_LAYERS):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            split_heads(linear(x, f"{layer}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        attended = op.transpose(op.scaled_dot_product_attention(query, key, value, bias), integers(0, 2, 1, 3))
        attended = op.reshape(attended, integers(0, 0, DIMENSIONS), True)
        attended = linear(attended, f"{layer}.attention.output.dense")
        x = layer_norm(op.add(attended, x), f"{layer}.attention.output.LayerNorm")
        inner = op.gelu(linear(x, f"{layer}.intermediate.dense"), "ERF")
        x = layer_norm(op.add(linear(inner, f"{layer}.output.dense"), x), f"{layer}.output.LayerNorm")
    return openvino.Model([x], [ids, mask], "all-MiniLM-L6-v2")
