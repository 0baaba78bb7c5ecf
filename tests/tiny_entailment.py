"""An entailment model of random weights, tiny and whole, in the layout that transformers and its exporters write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tiny_encoder import INPUTS, Reference, make_graph, make_tokenizer, save_graph, write

NAMES = ("entailment", "neutral", "contradiction")


def make_entailment(
    folder: Path,
    *,
    form: str = "onnx",
    tokenizer: str = "wordpiece",
    names: Sequence[str] = NAMES,
    positions: int = 64,
    inputs: Sequence[str] = INPUTS,
    **graph: Any,
) -> Path:
    """A model's folder. form: "onnx", "openvino" or "both"; names: of its labels, in their order."""
    made = make_tokenizer(tokenizer)
    folder.mkdir(parents=True)
    made.save(str(folder / "tokenizer.json"))
    write(
        folder / "config.json",
        {
            "model_type": "bert",
            "max_position_embeddings": positions,
            "pad_token_id": 0,
            "vocab_size": made.get_vocab_size(),
            "id2label": {str(place): name for place, name in enumerate(names)},
        },
    )
    graph = {"outputs": ("logits",), "labels": len(names), **graph}
    model = make_graph(made.get_vocab_size(), positions=positions, inputs=inputs, **graph)
    for each in ("onnx", "openvino") if form == "both" else (form,):
        save_graph(model, folder, each)
    return folder


class EntailmentReference(Reference):
    """The model of a folder, run by onnxruntime for one pair at a time, its probabilities worked out by numpy."""

    def logits(self, premise: str, hypothesis: str) -> Any:
        """What the model gives of a pair, in the order of its labels."""
        encoding = self.tokenizer.encode(premise, hypothesis)
        ids = np.array([encoding.ids], dtype=np.int64)
        given = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.array([encoding.type_ids], dtype=np.int64),
        }
        return self._session.run(None, {name: given[name] for name in self._inputs})[0][0]

    def shares(self, premise: str, hypothesis: str) -> Any:
        """The softmax of these."""
        powers = np.exp(self.logits(premise, hypothesis).astype(np.float64))
        return powers / powers.sum()
