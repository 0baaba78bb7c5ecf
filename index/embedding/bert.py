"""The BERT encoder (Devlin et al. 2018) written out in OpenVINO's operations, straight from published weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.engine import import_openvino

DIMENSIONS = 384
LAYERS, HEADS = 6, 12

Tensors = Mapping[str, NDArray[np.float32]]


def build_encoder(weights: Tensors, *, reads_pairs: bool = False) -> Any:
    """The encoder as an OpenVINO model with inputs `ids` (int32) and `mask` (float32: 1 for a token).

    Its output is the states, of shape (texts, tokens, 384). reads_pairs: there is a third input, `second` (float32: 1
    for a token of the second text), and the output is a number from 0 to 1 for each pair, of shape (pairs, 1).
    """
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
        return op.transpose(op.reshape(x, integers(0, 0, HEADS, DIMENSIONS // HEADS), True), integers(0, 2, 1, 3))

    ids = op.parameter([-1, -1], np.int32, name="ids")
    mask = op.parameter([-1, -1], np.float32, name="mask")
    zero, one = op.constant(np.int64(0)), op.constant(np.int64(1))
    length = op.gather(op.shape_of(ids, "i64"), one, zero)

    # Words, positions and the first segment are looked up and summed.
    segment = weights["embeddings.token_type_embeddings.weight"][0]
    places = op.constant(weights["embeddings.position_embeddings.weight"] + segment)
    words = op.gather(weight("embeddings.word_embeddings.weight"), ids, zero)
    x = op.add(words, op.gather(places, op.range(zero, length, one, "i64"), zero))
    if reads_pairs:
        second = op.parameter([-1, -1], np.float32, name="second")
        moved = op.constant(weights["embeddings.token_type_embeddings.weight"][1] - segment)
        x = op.add(x, op.multiply(op.unsqueeze(second, integers(2)), moved))
    x = layer_norm(x, "embeddings.LayerNorm")

    # Padding gets a weight of practically nothing in every attention.
    absent = op.subtract(op.unsqueeze(mask, integers(1, 2)), op.constant(np.float32(1)))
    bias = op.multiply(absent, op.constant(np.float32(10_000)))

    for number in range(LAYERS):
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
    if not reads_pairs:
        return openvino.Model([x], [ids, mask], "encoder")

    # What stands for the pair: the state of its first token, and the mean of all.
    weighed = op.multiply(x, op.unsqueeze(mask, integers(2)))
    mean = op.divide(op.reduce_sum(weighed, integers(1), False), op.reduce_sum(mask, integers(1), True))
    pair = op.concat([op.gather(x, zero, one), mean], 1)
    inner = op.gelu(linear(pair, "readout.inner"), "ERF")
    score = op.sigmoid(linear(inner, "readout.outer"))
    return openvino.Model([score], [ids, mask, second], "cross-encoder")
