"""A model's tokenizer and its graph, opened from the files that it was exported to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.encoder import lower_case, no_panic, open_tokenizer
from index.embedding.engine import compile_model, import_openvino, read_model
from index.embedding.model_files import ModelFiles
from index.embedding.protocol import Vectors
from index.errors import WeightsError

_REQUIRED_INPUTS = ("input_ids", "attention_mask")
_INPUTS = (*_REQUIRED_INPUTS, "token_type_ids")

# From (token ids, mask: 1 for a token, types: which text it is of), each of shape (texts, tokens), to what it gives.
RunExport = Callable[[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]], Vectors]


def read_tokenizer(files: ModelFiles, *, lower_cases: bool = False) -> Any:
    """The model's tokenizer, which neither pads nor cuts. Raises WeightsError where its file cannot be used."""
    try:
        with no_panic():
            tokenizer = open_tokenizer(files.tokenizer.read_text(encoding="utf-8"))
            if lower_cases:
                lower_case(tokenizer)
            size = tokenizer.get_vocab_size(True)
    except Exception as error:  # the library raises no kind of its own
        raise refuse_tokenizer(files, error) from error
    if files.vocabulary_size is not None and size > files.vocabulary_size:
        raise refuse_tokenizer(files, f"it knows {size:,} tokens, and the model {files.vocabulary_size:,}")
    return tokenizer


def find_padding_token(files: ModelFiles, tokenizer: Any) -> int:
    """The number of the token that fills up a batch."""
    padding = files.padding if isinstance(files.padding, int) else tokenizer.token_to_id(files.padding or "")
    return padding or 0


def compile_export(files: ModelFiles, outputs: Sequence[str], lone_rank: int) -> tuple[RunExport, str]:
    """What runs the model, for one caller at a time, and which of the outputs it gives: the first of them that it has.

    lone_rank: the rank of an output that may be called otherwise, where it is the only one; it counts as the first.
    Raises WeightsError where the export cannot be used.
    """
    try:
        model = read_model(files.model)
        inputs = {name: port for port in model.inputs for name in port.get_names() if name in _INPUTS}
        names = {str(name) for port in (*model.inputs, *model.outputs) for name in port.get_names()}
        output = _find_output(model, outputs, lone_rank)
        if len(inputs) == len(model.inputs) and set(_REQUIRED_INPUTS) <= inputs.keys() and output is not None:
            model.reshape({name: import_openvino().PartialShape([-1, -1]) for name in inputs})
            types = {name: port.get_element_type().to_dtype() for name, port in inputs.items()}
            request = compile_model(model)
        else:
            raise ValueError(
                f"of what it takes and gives, {', '.join(sorted(names))[:300]}, not all is understood: it should take "
                f"{', '.join(_INPUTS)}, and give {'one of ' if len(outputs) > 1 else ''}{', '.join(outputs)}"
            )
    except Exception as error:  # OpenVINO's are of many kinds
        raise refuse_model(files, error) from error
    place, name = output

    def run(ids: NDArray[np.int32], mask: NDArray[np.float32], types_of: NDArray[np.int32]) -> Vectors:
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types_of}
        results = request.infer({name: given[name].astype(kind) for name, kind in types.items()}, share_outputs=True)
        states: Vectors = np.asarray(results[place], dtype=np.float32)
        return states

    return run, name


def _find_output(model: Any, outputs: Sequence[str], lone_rank: int) -> tuple[int, str] | None:
    names = [port.get_names() for port in model.outputs]
    for name in outputs:
        for place, given in enumerate(names):
            if name in given:
                return place, name
    # Exports of one output may call it as they like.
    is_alone = len(names) == 1 and model.outputs[0].get_partial_shape().rank.get_length() == lone_rank
    return (0, outputs[0]) if is_alone else None


def refuse_model(files: ModelFiles, reason: str | Exception) -> WeightsError:
    """That the export cannot be used, and why."""
    return WeightsError(
        f"{files.model} cannot be used ({_shorten(reason)}): where it is damaged or cut off, remove it and get the "
        f"model anew; else set {files.variable} to another."
    )


def refuse_tokenizer(files: ModelFiles, reason: str | Exception) -> WeightsError:
    """That the tokenizer cannot be used, and why."""
    return WeightsError(
        f"{files.tokenizer} cannot be used ({_shorten(reason)}): remove it and get the model anew, or set "
        f"{files.variable} to another."
    )


def _shorten(reason: str | Exception) -> str:
    """What a library says at last, which is the reason; what it says before is where in its own code that was."""
    lines = [line for line in str(reason).splitlines() if line.strip()]
    return lines[-1].strip()[:500] if lines else type(reason).__name__
