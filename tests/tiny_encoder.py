"""A sentence-transformers model of random weights, tiny and whole: a tokenizer of its own, one layer of attention.

Written in the layout that the hub's models have. `expected` works out by onnxruntime, text by text and without
padding, what the product should find.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DIMENSIONS = 24
LINES = [
    "The mayor of Brenholm left the town council in the spring of 2023.",
    "A ferry crosses the sound at noon, and the captain is Ida Voss.",
    "Der Bürgermeister sprach über die Fähre. Мэр говорил о пароме. 市长谈到了渡轮。",
    "How old is the bridge? It was built in 1931, query: passage:",
]
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


@functools.cache  # the library trains not quite the same twice
def make_tokenizer(kind: str = "wordpiece") -> Any:
    """A trained tokenizer. kind: "wordpiece" as BERT's, "unigram" as XLM-R's, "bytes" as RoBERTa's."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    special = ["<pad>", "<s>", "</s>", "<unk>"]
    if kind == "wordpiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer: Any = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    elif kind == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False
        )
    else:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return tokenizer


def make_graph(
    vocabulary_size: int,
    positions: int = 64,
    inputs: Sequence[str] = INPUTS,
    outputs: Sequence[str] = ("last_hidden_state",),
    shape: Sequence[str | int] = ("texts", "tokens"),
    labels: int = 3,
) -> Any:
    """One layer of attention over words, positions and (where the model takes them) token types, as ONNX.

    labels: how many numbers the output "logits" has, which are made of all states.
    """
    chance = np.random.default_rng(7)
    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(value: Any) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value), f"c{len(constants)}"))
        return str(constants[-1].name)

    def random(*size: int, scale: float = 1) -> str:
        return constant((scale * chance.normal(size=size)).astype(np.float32))

    def add(kind: str, *given: str, name: str = "", **attributes: Any) -> str:
        name = name or f"t{len(nodes)}"
        nodes.append(helper.make_node(kind, list(given), [name], **attributes))
        return name

    zero, one = constant(np.int64(0)), constant(np.int64(1))
    length = add("Gather", add("Shape", "input_ids"), one)
    x = add("Gather", random(vocabulary_size, DIMENSIONS), "input_ids")
    x = add("Add", x, add("Gather", random(positions, DIMENSIONS), add("Range", zero, length, one)))
    if "token_type_ids" in inputs:
        x = add("Add", x, add("Gather", random(2, DIMENSIONS), "token_type_ids"))
    if "attention_mask" in inputs:
        mask = add("Cast", "attention_mask", to=TensorProto.FLOAT)
        absent = add("Mul", add("Sub", mask, constant(np.float32(1))), constant(np.float32(10_000)))
        # Small, or in bfloat16 another token may have all of the attention.
        query, key = (add("MatMul", x, random(DIMENSIONS, DIMENSIONS, scale=0.1)) for _ in range(2))
        scores = add("MatMul", query, add("Transpose", key, perm=[0, 2, 1]))
        scores = add("Add", scores, add("Unsqueeze", absent, constant(np.array([1]))))
        x = add("Add", x, add("MatMul", add("Softmax", scores, axis=-1), x))
    gain, bias = constant(np.ones(DIMENSIONS, np.float32)), random(DIMENSIONS)
    x = add("LayerNormalization", x, gain, bias, axis=-1)
    kinds = []
    for output in outputs:
        if output == "sentence_embedding":
            add("ReduceMean", x, constant(np.array([1])), name=output, keepdims=0)
            kinds.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, [shape[0], DIMENSIONS]))
        elif output == "logits":
            # The bias is what all texts have in common, which would settle every verdict.
            own = add("Sub", x, bias)
            if "attention_mask" in inputs:
                own = add("Mul", own, add("Unsqueeze", mask, constant(np.array([2]))))
            pooled = add("ReduceSum", own, constant(np.array([1])), keepdims=0)
            add("MatMul", add("LpNormalization", pooled, axis=-1), random(DIMENSIONS, labels), name=output)
            kinds.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, [shape[0], labels]))
        else:
            add("Identity", x, name=output)
            kinds.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, [*shape, DIMENSIONS]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, list(shape)) for name in inputs],
        kinds,
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def make_model(
    folder: Path,
    *,
    form: str = "onnx",
    tokenizer: str = "wordpiece",
    pooling: Any = "mean",
    prompts: dict[str, str] | None = None,
    most_tokens: int | None = 64,
    **graph: Any,
) -> Path:
    """A model's folder as sentence-transformers writes it. form: "onnx", "openvino", or "data" beside the ONNX."""
    made = make_tokenizer(tokenizer)
    folder.mkdir(parents=True)
    made.save(str(folder / "tokenizer.json"))
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    write(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(kinds.items())
        ],
    )
    modes = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens", "lasttoken": "lasttoken"}
    write(
        folder / "1_Pooling" / "config.json",
        pooling
        if isinstance(pooling, dict)
        else {"word_embedding_dimension": DIMENSIONS}
        | {f"pooling_mode_{old}": new == pooling for new, old in modes.items()},
    )
    write(folder / "config.json", {"model_type": "bert", "max_position_embeddings": 64, "pad_token_id": 0})
    if most_tokens is not None:
        write(folder / "sentence_bert_config.json", {"max_seq_length": most_tokens, "do_lower_case": False})
    if prompts is not None:
        write(folder / "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": None})
    model = make_graph(made.get_vocab_size(), **graph)
    save_graph(model, folder, form)
    return folder


def save_graph(model: Any, folder: Path, form: str) -> None:
    """Write the export where sentence-transformers does."""
    if form == "openvino":
        import openvino

        (folder / "openvino").mkdir()
        export = openvino.Core().read_model(model.SerializeToString())
        openvino.save_model(export, folder / "openvino" / "openvino_model.xml", compress_to_fp16=False)
        return
    (folder / "onnx").mkdir()
    beside = {"save_as_external_data": True, "location": "model.onnx_data", "size_threshold": 1000}
    onnx.save(model, folder / "onnx" / "model.onnx", **(beside if form == "data" else {}))


def write(file: Path, content: Any) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")


class Reference:
    """The model of a folder, run by onnxruntime for one text at a time."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._session = onnxruntime.InferenceSession(str(folder / "onnx" / "model.onnx"))
        self._inputs = [given.name for given in self._session.get_inputs()]

    def states(self, text: str) -> tuple[Any, Any]:
        """The states of a text's tokens, and its encoding."""
        encoding = self.tokenizer.encode(text)
        ids = np.array([encoding.ids], dtype=np.int64)
        given = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        return self._session.run(None, {name: given[name] for name in self._inputs})[0][0], encoding


def unit(vector: Any) -> Any:
    return vector / np.linalg.norm(vector)
