"""The embedded default: all-MiniLM-L6-v2, run by OpenVINO without PyTorch or a converted copy.

The six-layer BERT encoder (Devlin et al. 2018; Wang et al. 2020, MiniLM) is written out below in
OpenVINO's operations straight from the published weights. Token vectors are averaged and normalised,
as the model was trained. OpenVINO computes in bfloat16 where the processor has it, else in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.encoder import Encoder, open_tokenizer
from index.embedding.encoder import Run as Run
from index.embedding.engine import compile_model, import_openvino, read_model
from index.embedding.weights import SHA256, Weights

DIMENSIONS = 384
MOST_TOKENS = 256  # the length that the model was published with; longer texts are cut there
_LAYERS, _HEADS = 6, 12


class MiniLM(Encoder):
    """all-MiniLM-L6-v2 as an `Embedding`: unit vectors of 384 dimensions. Safe to share between threads."""

    name = f"all-MiniLM-L6-v2@{SHA256['model.safetensors'][:12]}"

    def __init__(self, weights: Weights) -> None:
        super().__init__(open_tokenizer(weights.tokenizer), _compile(weights), DIMENSIONS, MOST_TOKENS)


def _compile(weights: Weights, precision: str | None = None) -> Run:
    """A function from (token ids, mask) of shape (texts, tokens) to hidden states (texts, tokens, 384)."""
    if weights.form == "onnx":
        request = compile_model(read_model(weights.model), precision)
        return lambda ids, mask: request.infer(
            {
                "input_ids": ids.astype(np.int64),
                "attention_mask": mask.astype(np.int64),
                "token_type_ids": np.zeros(ids.shape, dtype=np.int64),
            }
        )[0]
    from safetensors.numpy import load

    request = compile_model(_build(load(weights.model)), precision)
    return lambda ids, mask: request.infer([ids, mask], share_inputs=True, share_outputs=True)[0]


def _build(weights: dict[str, NDArray[np.float32]]) -> Any:
    """The encoder as an OpenVINO model with inputs `ids` (int32) and `mask` (float32: 1 for a token)."""
    openvino = import_openvino()
    op = openvino.opset13

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
