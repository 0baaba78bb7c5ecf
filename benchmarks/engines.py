"""Which engine runs the embedded model: speed, and cosine to full precision, side by side.

    python -m benchmarks.engines [--texts FILE.jsonl] [--count 128] [--rounds 4] [--json FILE]

All engines run the same published weights over the same texts of 40 to 170 words, interleaved round by round:
the product as it ships (OpenVINO, bfloat16 where the processor has it), OpenVINO in float32, onnxruntime in float32
and with int8 matrices (dynamic, one scale a channel), and Chroma's default embedding function on an ONNX file made
from the same weights. Without --texts, texts are cut from the sample folder.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import write_json
from index.embedding import minilm
from index.embedding.weights import Weights, open_weights
from index.library import finish
from index.settings import Settings, sample_folder

Embed = Callable[[Sequence[str]], Any]


def main() -> None:
    """Measure every engine and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--texts", type=Path, help="a JSON lines file whose rows have a `text`")
    arguments.add_argument("--count", type=int, default=128)
    arguments.add_argument("--rounds", type=int, default=4)
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    texts = make_texts(given.texts, given.count)
    weights = finish(open_weights(Settings.from_environment().cache_folder))
    with tempfile.TemporaryDirectory() as temporary:
        systems = measure(open_engines(weights, Path(temporary)), texts, given.rounds)
    print(f"{platform.processor() or platform.machine()}, {len(texts)} texts, {given.rounds} rounds, interleaved\n")
    print("| engine | texts/s (median) | cosine to fp32 (least) | one query (ms) |\n|---|---|---|---|")
    for name, row in systems.items():
        print(f"| {name} | {row['texts_per_second']:.1f} | {row['least_cosine']:.4f} | {row['query_ms']:.1f} |")
    write_json(given.json, {"set": "engines", "systems": systems})


def make_texts(file: Path | None, count: int) -> list[str]:
    """Texts of 40 to 170 words, the same at every run."""
    if file:
        words = [str(json.loads(line)["text"]).split() for line in file.read_text(encoding="utf-8").splitlines()[:2000]]
    else:
        words = [path.read_text(encoding="utf-8").split() for path in sorted(sample_folder().iterdir())]
    chance = random.Random(0)
    texts: list[str] = []
    while len(texts) < count:
        source = chance.choice(words)
        start = chance.randrange(max(1, len(source) - 40))
        texts.append(" ".join(source[start : start + chance.randint(40, 170)]))
    return texts


def open_engines(weights: Weights, temporary: Path) -> dict[str, Embed]:
    """Every engine by name; the reference, onnxruntime in float32, first."""
    import onnxruntime
    from safetensors.numpy import load

    tensors = load(weights.model)
    options = onnxruntime.SessionOptions()

    def with_run(run: minilm.Run) -> Embed:
        engine = minilm.MiniLM(weights)
        engine._run = run
        return engine.embed

    def with_onnx(*, int8: bool) -> Embed:
        session = onnxruntime.InferenceSession(to_onnx(tensors, int8=int8), options)
        return with_run(lambda ids, mask: session.run(None, to_inputs(ids, mask))[0])

    return {
        "onnxruntime fp32": with_onnx(int8=False),
        "onnxruntime int8": with_onnx(int8=True),
        "OpenVINO fp32": with_run(minilm._compile(weights, minilm._read_tensors(weights), precision="f32")),
        "product": minilm.MiniLM(weights).embed,
        "Chroma's default": open_chroma_default(weights, to_onnx(tensors, int8=False), temporary),
    }


def open_chroma_default(weights: Weights, model: bytes, temporary: Path) -> Embed:
    """Chroma's default embedding function, pointed at local files."""
    from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

    folder = temporary / "onnx"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(model)
    (folder / "tokenizer.json").write_text(weights.tokenizer, encoding="utf-8")
    for name in ("config.json", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).touch()

    class Local(ONNXMiniLM_L6_V2):  # type: ignore[misc]
        DOWNLOAD_PATH = temporary

    default = Local(preferred_providers=["CPUExecutionProvider"])
    return lambda texts: np.array(default(list(texts)))


def measure(engines: dict[str, Embed], texts: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Medians over interleaved rounds."""
    reference = next(iter(engines.values()))(texts)
    speeds: dict[str, list[float]] = {name: [] for name in engines}
    waits: dict[str, list[float]] = {name: [] for name in engines}
    cosines: dict[str, float] = {}
    for _ in range(rounds):
        for name, embed in engines.items():
            started = time.perf_counter()
            vectors = embed(texts)
            speeds[name].append(len(texts) / (time.perf_counter() - started))
            cosines[name] = float((vectors * reference).sum(axis=1).min())
            for _ in range(5):
                started = time.perf_counter()
                embed(["why was Israel skipped?"])
                waits[name].append(1000 * (time.perf_counter() - started))
    return {
        name: {
            "texts_per_second": statistics.median(speeds[name]),
            "least_cosine": cosines[name],
            "query_ms": statistics.median(waits[name]),
        }
        for name in engines
    }


def to_inputs(ids: Any, mask: Any) -> dict[str, Any]:
    """What the ONNX model takes."""
    return {
        "input_ids": ids.astype(np.int64),
        "attention_mask": mask.astype(np.int64),
        "token_type_ids": np.zeros(ids.shape, dtype=np.int64),
    }


def to_onnx(weights: dict[str, Any], *, int8: bool) -> bytes:
    """The encoder as an ONNX model with the inputs that Chroma's function gives; see `index.embedding.minilm`."""
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(value: Any) -> str:
        constants.append(numpy_helper.from_array(np.array(value, order="C"), f"c{len(constants)}"))
        return str(constants[-1].name)

    def add(kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        names = [f"t{len(nodes)}_{i}" for i in range(outputs)]
        nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def linear(x: str, name: str) -> str:
        matrix, bias = weights[f"{name}.weight"].T, constant(weights[f"{name}.bias"])
        if not int8:
            return str(add("Add", add("MatMul", x, constant(matrix)), bias))
        scale = np.abs(matrix).max(axis=0) / 127
        whole, step, zero = add("DynamicQuantizeLinear", x, outputs=3)
        product = add("MatMulInteger", whole, constant(np.round(matrix / scale).astype(np.int8)), zero)
        scaled = add("Mul", step, constant(scale.astype(np.float32)))
        return str(add("Add", add("Mul", add("Cast", product, to=TensorProto.FLOAT), scaled), bias))

    def layer_norm(x: str, name: str) -> str:
        gain, bias = constant(weights[f"{name}.weight"]), constant(weights[f"{name}.bias"])
        return str(add("LayerNormalization", x, gain, bias, epsilon=1e-12, axis=-1))

    def heads(x: str, order: list[int]) -> str:
        return str(add("Transpose", add("Reshape", x, constant(np.array([0, 0, 12, 32]))), perm=order))

    length = add("Gather", add("Shape", "input_ids"), constant(np.int64(1)))
    places = weights["embeddings.position_embeddings.weight"]
    place = add("Gather", constant(places), add("Range", constant(np.int64(0)), length, constant(np.int64(1))))
    segment = add("Gather", constant(weights["embeddings.token_type_embeddings.weight"]), "token_type_ids")
    words = add("Gather", constant(weights["embeddings.word_embeddings.weight"]), "input_ids")
    x = layer_norm(add("Add", add("Add", words, segment), place), "embeddings.LayerNorm")
    mask = add("Unsqueeze", add("Cast", "attention_mask", to=TensorProto.FLOAT), constant(np.array([1, 2])))
    bias = add("Mul", add("Sub", mask, constant(np.float32(1))), constant(np.float32(10_000)))
    for number in range(6):
        layer = f"encoder.layer.{number}"
        query = heads(linear(x, f"{layer}.attention.self.query"), [0, 2, 1, 3])
        key = heads(linear(x, f"{layer}.attention.self.key"), [0, 2, 3, 1])
        value = heads(linear(x, f"{layer}.attention.self.value"), [0, 2, 1, 3])
        scores = add("Mul", add("MatMul", query, key), constant(np.float32(32**-0.5)))
        mixed = add("MatMul", add("Softmax", add("Add", scores, bias), axis=-1), value)
        mixed = add("Reshape", add("Transpose", mixed, perm=[0, 2, 1, 3]), constant(np.array([0, 0, 384])))
        mixed = linear(mixed, f"{layer}.attention.output.dense")
        x = layer_norm(add("Add", mixed, x), f"{layer}.attention.output.LayerNorm")
        inner = linear(add("Gelu", linear(x, f"{layer}.intermediate.dense")), f"{layer}.output.dense")
        x = layer_norm(add("Add", inner, x), f"{layer}.output.LayerNorm")
    nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    graph = helper.make_graph(
        nodes,
        "all-MiniLM-L6-v2",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["texts", "tokens", 384])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
