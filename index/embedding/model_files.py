"""What the folders of all models that a user names have in common: a tokenizer, one export, and how they are used.

Read are small JSON files, the tokenizer's and one export: OpenVINO's (`openvino_model.xml` and `.bin`) or else ONNX
(`model.onnx`, large ones with a file of data beside). Nothing in them is code: pickles and Python modules, which a
folder may hold too, are never opened. Every file is bounded in size before it is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from index.errors import WeightsError

CONFIGURATIONS = ("config.json", "tokenizer_config.json")
TOKENIZER_FILE = "tokenizer.json"
USUAL_TEXT_TOKENS = 512  # of models that say nothing of it
_LEAST_TEXT_TOKENS = 16
_MOST_BYTES_OF_MODEL = 4_000_000_000
_MOST_BYTES_OF_TOKENIZER = 64_000_000
_MOST_BYTES_OF_OTHERS = 1_000_000

# Where exports lie below the transformer's folder, best first, each with the files of data that may go with it.
_EXPORTS = tuple(
    (f"{place}{model}", tuple(f"{place}{data}" for data in data_files))
    for place, model, data_files in (
        ("openvino/", "openvino_model.xml", ("openvino_model.bin",)),
        ("", "openvino_model.xml", ("openvino_model.bin",)),
        ("onnx/", "model.onnx", ("model.onnx_data", "model.onnx.data")),
        ("", "model.onnx", ("model.onnx_data", "model.onnx.data")),
    )
)
# Models whose first positions are kept for padding: they have that many fewer.
_PADDED_POSITIONS = frozenset(
    {"roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl", "roberta-prelayernorm"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A model that can be opened.

    label: what it is called, with its revision where it has one. variable: the setting that names it, for errors.
    model: the export's file; files: all that what it gives depends on by their bytes.
    most_tokens: what it reads of a text, its frame included.
    padding: the token that fills up a batch. None: token 0.
    vocabulary_size: how many tokens it knows. None: unknown.
    """

    label: str
    variable: str
    model: Path
    files: tuple[Path, ...]
    tokenizer: Path
    most_tokens: int
    padding: str | int | None
    vocabulary_size: int | None


Files = TypeVar("Files", bound=ModelFiles)


@dataclass(frozen=True, slots=True)
class ModelKind(Generic[Files]):
    """What models of a kind are called, which setting names them, and how their folders are read.

    prefix: what stands before a model's name in the setting. chosen: names that are chosen for the user.
    usual_owner: whose a model on the hub is that is named without its owner.
    head: the file that is read first, for it says which others are needed.
    choose_files: those needed of a folder whose head is there, by what there is and the model's name; the export first.
    read: the folder, the model's name, its revision or "", and the paths that it will have or (), as a ModelFiles.
    """

    noun: str
    variable: str
    prefix: str
    chosen: Mapping[str, str]
    usual_owner: str
    head: str
    choose_files: Callable[[Path, Callable[[str], bool], str], tuple[str, ...]]
    read: Callable[[Path, str, str, tuple[str, ...]], Files]


def most_bytes(path: str) -> int:
    """How large a file of a model may be."""
    if path.endswith(TOKENIZER_FILE):
        return _MOST_BYTES_OF_TOKENIZER
    return _MOST_BYTES_OF_OTHERS if is_small(path) else _MOST_BYTES_OF_MODEL


def is_small(path: str) -> bool:
    """Whether a file of a model is one of those that say how it is used, rather than what it has learnt."""
    return path.endswith(".json")


def choose_export(inside: str, has: Callable[[str], bool]) -> tuple[tuple[str, ...], list[str]]:
    """The files of the best export, none where there is none, and then what is missing.

    inside: the transformer's folder below the model's, with its "/"; the model's own is looked into as well.
    """
    incomplete: list[str] = []
    for place in dict.fromkeys((inside, "")):
        for model, data_files in _EXPORTS:
            if not has(place + model):
                continue
            data = [place + file for file in data_files if has(place + file)]
            if data or not model.endswith(".xml"):
                return (place + model, *data), []
            incomplete.append(place + data_files[0])
    return (), incomplete or ["openvino/openvino_model.xml or onnx/model.onnx, which this engine reads"]


def find_most_tokens(
    said: Iterable[object], configuration: Mapping[str, Any], most: int, name: str, variable: str
) -> int:
    """What the model was made to read, no more than it has positions for, and `most` at the most.

    said: what its files say of it, the first that is a number counts. Raises WeightsError where that is too little.
    """
    found = next((length for length in map(to_count, said) if length is not None), USUAL_TEXT_TOKENS)
    positions = to_count(configuration.get("max_position_embeddings"))
    if positions is not None:
        if configuration.get("model_type") in _PADDED_POSITIONS:
            positions -= 1 + (to_count(configuration.get("pad_token_id"), 0) or 0)
        found = min(found, positions)
    if found < _LEAST_TEXT_TOKENS:
        raise WeightsError(
            f"{name} reads {found} tokens of a text, which is too little: set {variable} to another model."
        )
    return min(found, most)


def find_padding(tokenizer_configuration: Mapping[str, Any], configuration: Mapping[str, Any]) -> str | int | None:
    """The token that fills up a batch."""
    token = tokenizer_configuration.get("pad_token")
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else to_count(configuration.get("pad_token_id"), 0)


def to_count(value: object, least: int = 1) -> int | None:
    """A whole number as JSON may write it, from the least that it can be to what a token's number can; or None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
        return None
    return int(min(value, 2**31 - 1))


def check_sizes(files: Iterable[Path], variable: str) -> None:
    """Raises WeightsError where one of the files that are there is larger than is read."""
    for file in files:
        size = file.stat().st_size if file.is_file() else 0
        most = most_bytes(file.name)
        if size > most:
            raise WeightsError(
                f"{file} has {size:,} bytes, and {most:,} are the most that are read: set {variable} to a smaller "
                "model."
            )


def read_json(file: Path, kind: type, variable: str) -> Any:
    """What a small file holds; something empty of the kind where it is missing.

    Raises WeightsError where it holds another kind, or is too large.
    """
    if not file.is_file():
        return kind()
    check_sizes([file], variable)
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, kind):
        raise WeightsError(
            f"{file} is damaged, for it does not hold the JSON that it should: remove it, and get the model anew."
        )
    return content
