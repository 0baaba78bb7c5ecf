"""What lies in a model's folder, as sentence-transformers writes it, and what follows from it for its use.

`modules.json` names the parts in order: a transformer, a pooling and mostly a normalisation; each has its folder. Read
are these small JSON files, the tokenizer's and one export of the transformer: OpenVINO's (`openvino_model.xml` and
`.bin`) or else ONNX (`model.onnx`, large ones with a file of data beside). Nothing in them is code: pickles and Python
modules, which a folder may hold too, are never opened. Every file is bounded in size before it is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from index.errors import WeightsError

MODULES_FILE = "modules.json"
LONGEST_TEXT_TOKENS = 512  # chunks are far shorter, and what a model does for a token grows with the tokens beside it
_LEAST_TEXT_TOKENS = 16
_MOST_BYTES_OF_MODEL = 4_000_000_000
_MOST_BYTES_OF_TOKENIZER = 64_000_000
_MOST_BYTES_OF_OTHERS = 1_000_000
_LONGEST_PROMPT_CHARACTERS = 1000

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
_TOKENIZER_FILE = "tokenizer.json"
_CONFIGURATIONS = ("config.json", "tokenizer_config.json")
# The name that sentence-transformers writes today, and those that it wrote.
_LENGTHS = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
_PROMPTS_FILE = "config_sentence_transformers.json"
_ORDER = ("Transformer", "Pooling", "Normalize")
_FOLDER = re.compile(r"\w[\w.-]{0,99}")

# How a pooling is named, newly and of old.
_POOLINGS = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens", "lasttoken": "lasttoken"}
# Models whose first positions are kept for padding: they have that many fewer.
_PADDED_POSITIONS = frozenset(
    {"roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl", "roberta-prelayernorm"}
)
# The E5 models are published without their prompts, which their model cards say that every text needs.
_E5 = re.compile(r"(multilingual-)?e5-(small|base|large)(-v2|-unsupervised)?")
_E5_PROMPTS = {"query": "query: ", "document": "passage: "}


class Modules(NamedTuple):
    """The folders of the transformer and of the pooling, below the model's; "" for that itself."""

    transformer: str
    pooling: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A model that can be opened.

    label: what it is called, with its revision where it has one.
    model: the export's file; files: all that its vectors depend on by their bytes.
    pooling: "cls", "mean", "max" or "lasttoken"; pools_prompt: whether a prompt's tokens are pooled too.
    query_prompt, document_prompt: what is put before a query and before a text.
    most_tokens: what it reads of a text, its frame and prompt included.
    lower_cases: whether texts are made lower case first.
    padding: the token that fills up a batch. None: token 0.
    vocabulary_size: how many tokens it knows. None: unknown.
    """

    label: str
    model: Path
    files: tuple[Path, ...]
    tokenizer: Path
    pooling: str
    pools_prompt: bool
    query_prompt: str
    document_prompt: str
    most_tokens: int
    lower_cases: bool
    padding: str | int | None
    vocabulary_size: int | None


def most_bytes(path: str) -> int:
    """How large a file of a model may be."""
    if path.endswith(_TOKENIZER_FILE):
        return _MOST_BYTES_OF_TOKENIZER
    return _MOST_BYTES_OF_OTHERS if is_small(path) else _MOST_BYTES_OF_MODEL


def is_small(path: str) -> bool:
    """Whether a file of a model is one of those that say how it is used, rather than what it has learnt."""
    return path.endswith(".json")


def read_modules(folder: Path, label: str) -> Modules:
    """Where the model's parts lie.

    Raises WeightsError where there are none, or others than are understood.
    """
    if not (folder / MODULES_FILE).is_file():
        raise WeightsError(
            f"{label} ({folder}) has no {MODULES_FILE}, by which a sentence-transformers model is told: set "
            "FOOTNOTE_EMBEDDING to the folder or the name of one, or to local for the embedded model."
        )
    entries = _read_json(folder / MODULES_FILE, list)
    parts: dict[str, str] = {}
    for entry in entries:
        kind, path = (entry.get("type"), entry.get("path")) if isinstance(entry, dict) else (None, None)
        if not isinstance(kind, str) or not isinstance(path, str) or not (path == "" or _FOLDER.fullmatch(path)):
            raise WeightsError(f"{folder / MODULES_FILE} is not as sentence-transformers writes it: get {label} anew.")
        library, _, name = kind[:200].partition(".")
        part = name.rpartition(".")[2]
        if library != "sentence_transformers" or part != (*_ORDER, "")[len(parts)]:
            raise WeightsError(
                f"{label} has the module {kind[:200]!r}, and only a Transformer with a Pooling and a Normalize is "
                "understood, in this order: set FOOTNOTE_EMBEDDING to another model."
            )
        parts[part] = path
    if len(parts) < 2:
        raise WeightsError(f"{folder / MODULES_FILE} names no Transformer with a Pooling: get {label} anew.")
    return Modules(parts["Transformer"], parts["Pooling"])


def choose_files(modules: Modules, has: Callable[[str], bool], label: str) -> tuple[str, ...]:
    """The files that are needed of those that there are, by their paths below the model's folder; the export first.

    Raises WeightsError, which names what is missing.
    """
    inside = f"{modules.transformer}/" if modules.transformer else ""
    chosen: list[str] = []
    incomplete: list[str] = []
    for place in dict.fromkeys((inside, "")):
        for model, data_files in _EXPORTS:
            if chosen or not has(place + model):
                continue
            data = [place + file for file in data_files if has(place + file)]
            if model.endswith(".xml") and not data:
                incomplete.append(place + data_files[0])
            else:
                chosen = [place + model, *data]
    required = [MODULES_FILE, inside + _TOKENIZER_FILE, f"{modules.pooling}/config.json".lstrip("/")]
    missing = [path for path in required if not has(path)]
    if not chosen:
        missing += incomplete or ["openvino/openvino_model.xml or onnx/model.onnx, which this engine reads"]
    if missing:
        raise WeightsError(
            f"{label} lacks {'; '.join(missing)}: set FOOTNOTE_EMBEDDING to a sentence-transformers model with an "
            "OpenVINO or ONNX export, or local for the embedded model."
        )
    optional = [_PROMPTS_FILE, *(inside + file for file in (*_CONFIGURATIONS, *_LENGTHS))]
    return (*chosen, *required, *filter(has, optional))


def read_layout(folder: Path, name: str, revision: str = "", paths: tuple[str, ...] = ()) -> Layout:
    """Read a model's folder. name: what its user calls it; revision: which one it is, where that is known.

    paths: the files that it will have, where not all of them are there yet.
    Raises WeightsError where it lacks something, or holds what is not understood.
    """
    label = f"{name}@{revision[:12]}" if revision else name
    modules = read_modules(folder, name)
    paths = paths or choose_files(modules, lambda path: (folder / path).is_file(), f"{name} ({folder})")
    for file in (folder / path for path in paths):
        if file.is_file():
            _check_size(file)
    transformer = folder / modules.transformer
    pooling, pools_prompt = _read_pooling(folder / modules.pooling / "config.json", name)
    configuration, tokenizer_configuration = (_read_json(transformer / file, dict) for file in _CONFIGURATIONS)
    tokenizer = transformer / _TOKENIZER_FILE
    lengths: dict[str, Any] = next(
        (_read_json(transformer / file, dict) for file in _LENGTHS if (transformer / file).is_file()), {}
    )
    query_prompt, document_prompt = _read_prompts(folder / _PROMPTS_FILE, name)
    return Layout(
        label=label,
        model=folder / paths[0],
        files=(*(folder / path for path in paths if not is_small(path)), tokenizer),
        tokenizer=tokenizer,
        pooling=pooling,
        pools_prompt=pools_prompt,
        query_prompt=query_prompt,
        document_prompt=document_prompt,
        most_tokens=_find_most_tokens(lengths, tokenizer_configuration, configuration, name),
        lower_cases=lengths.get("do_lower_case") is True,
        padding=_find_padding(tokenizer_configuration, configuration),
        vocabulary_size=_to_count(configuration.get("vocab_size")),
    )


def _read_pooling(file: Path, name: str) -> tuple[str, bool]:
    given = _read_json(file, dict)
    kind = given.get("pooling_mode")
    if kind is None:
        kinds = [key.removeprefix("pooling_mode_") for key in given if key.startswith("pooling_mode_") and given[key]]
        kind = " and ".join(kinds)
        kind = next((new for new, old in _POOLINGS.items() if old == kind), kind)
    if not isinstance(kind, str) or kind not in _POOLINGS:
        raise WeightsError(
            f"{name} pools its tokens by {str(kind)[:200] or 'nothing'!r}, and {', '.join(_POOLINGS)} are understood: "
            "set FOOTNOTE_EMBEDDING to another model."
        )
    return kind, given.get("include_prompt", True) is not False


def _read_prompts(file: Path, name: str) -> tuple[str, str]:
    """The prompts of a query and of a text, as sentence-transformers chooses them."""
    given = _read_json(file, dict)
    listed = given.get("prompts")
    prompts = {key: value for key, value in listed.items() if value} if isinstance(listed, dict) else {}
    for prompt in prompts.values():
        if not isinstance(prompt, str) or len(prompt) > _LONGEST_PROMPT_CHARACTERS:
            raise WeightsError(
                f"{file} holds a prompt that is no text of up to {_LONGEST_PROMPT_CHARACTERS:,} characters: correct it."
            )
    if not prompts and _E5.fullmatch(name.rpartition("/")[2].lower()):
        prompts = _E5_PROMPTS
    usual = prompts.get(str(given.get("default_prompt_name")), "")
    query = prompts.get("query", usual)
    return query, next((prompts[key] for key in ("document", "passage", "corpus") if key in prompts), usual)


def _find_most_tokens(
    lengths: Mapping[str, Any],
    tokenizer_configuration: Mapping[str, Any],
    configuration: Mapping[str, Any],
    name: str,
) -> int:
    """What the model was made to read, and no more than it has positions for."""
    said = (lengths.get("max_seq_length"), tokenizer_configuration.get("model_max_length"))
    found = next((length for length in map(_to_count, said) if length is not None), LONGEST_TEXT_TOKENS)
    positions = _to_count(configuration.get("max_position_embeddings"))
    if positions is not None:
        if configuration.get("model_type") in _PADDED_POSITIONS:
            positions -= 1 + (_to_count(configuration.get("pad_token_id"), 0) or 0)
        found = min(found, positions)
    if found < _LEAST_TEXT_TOKENS:
        raise WeightsError(
            f"{name} reads {found} tokens of a text, which is too little: set FOOTNOTE_EMBEDDING to another model."
        )
    return min(found, LONGEST_TEXT_TOKENS)


def _find_padding(tokenizer_configuration: Mapping[str, Any], configuration: Mapping[str, Any]) -> str | int | None:
    token = tokenizer_configuration.get("pad_token")
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else _to_count(configuration.get("pad_token_id"), 0)


def _to_count(value: object, least: int = 1) -> int | None:
    """A whole number as JSON may write it, from the least that it can be to what a token's number can; or None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
        return None
    return int(min(value, 2**31 - 1))


def _check_size(file: Path) -> None:
    size = file.stat().st_size
    most = most_bytes(file.name)
    if size > most:
        raise WeightsError(
            f"{file} has {size:,} bytes, and {most:,} are the most that are read: set FOOTNOTE_EMBEDDING to a "
            "smaller model."
        )


def _read_json(file: Path, kind: type) -> Any:
    """What a small file holds; something empty of the kind where it is missing."""
    if not file.is_file():
        return kind()
    _check_size(file)
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, kind):
        raise WeightsError(
            f"{file} is damaged, for it does not hold the JSON that it should: remove it, and get the model anew."
        )
    return content
