"""What lies in a model's folder, as sentence-transformers writes it, and what follows from it for its use.

`modules.json` names the parts in order: a transformer, a pooling and mostly a normalisation; each has its folder.
`index.embedding.model_files` tells what is read of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from index.embedding.model_files import (
    CONFIGURATIONS,
    TOKENIZER_FILE,
    ModelFiles,
    ModelKind,
    check_sizes,
    choose_export,
    find_most_tokens,
    find_padding,
    is_small,
    read_json,
    to_count,
)
from index.embedding.prompts import E5, E5_PROMPTS
from index.errors import WeightsError
from index.settings import LOCAL_PREFIX

# Chosen for the user. E5 (Wang et al. 2024, arXiv:2402.05672; MIT) is trained to bring a question to its passage, in
# some hundred languages, and reads 512 tokens; its vectors are as long as MiniLM's. Its peer of the same size,
# paraphrase-multilingual-MiniLM-L12-v2, is trained to tell alike sentences, and reads 128.
CHOSEN = {"multilingual": "intfloat/multilingual-e5-small"}

MODULES_FILE = "modules.json"
LONGEST_TEXT_TOKENS = 512  # chunks are far shorter, and what a model does for a token grows with the tokens beside it
_VARIABLE = "FOOTNOTE_EMBEDDING"
_LONGEST_PROMPT_CHARACTERS = 1000

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


class Modules(NamedTuple):
    """The folders of the transformer and of the pooling, below the model's; "" for that itself."""

    transformer: str
    pooling: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout(ModelFiles):
    """A model that can be opened, whose `most_tokens` are with its prompt.

    pooling: "cls", "mean", "max" or "lasttoken"; pools_prompt: whether a prompt's tokens are pooled too.
    query_prompt, document_prompt: what is put before a query and before a text.
    lower_cases: whether texts are made lower case first.
    """

    pooling: str
    pools_prompt: bool
    query_prompt: str
    document_prompt: str
    lower_cases: bool


def read_modules(folder: Path, label: str) -> Modules:
    """Where the model's parts lie.

    Raises WeightsError where there are none, or others than are understood.
    """
    if not (folder / MODULES_FILE).is_file():
        raise WeightsError(
            f"{label} ({folder}) has no {MODULES_FILE}, by which a sentence-transformers model is told: set "
            "FOOTNOTE_EMBEDDING to the folder or the name of one, or to local for the embedded model."
        )
    entries = read_json(folder / MODULES_FILE, list, _VARIABLE)
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
    chosen, missing_export = choose_export(inside, has)
    required = [MODULES_FILE, inside + TOKENIZER_FILE, f"{modules.pooling}/config.json".lstrip("/")]
    missing = [*(path for path in required if not has(path)), *missing_export]
    if missing:
        raise WeightsError(
            f"{label} lacks {'; '.join(missing)}: set FOOTNOTE_EMBEDDING to a sentence-transformers model with an "
            "OpenVINO or ONNX export, or local for the embedded model."
        )
    optional = [_PROMPTS_FILE, *(inside + file for file in (*CONFIGURATIONS, *_LENGTHS))]
    return (*chosen, *required, *filter(has, optional))


def read_layout(folder: Path, name: str, revision: str = "", paths: tuple[str, ...] = ()) -> Layout:
    """Read a model's folder. name: what its user calls it; revision: which one it is, where that is known.

    paths: the files that it will have, where not all of them are there yet.
    Raises WeightsError where it lacks something, or holds what is not understood.
    """
    label = f"{name}@{revision[:12]}" if revision else name
    modules = read_modules(folder, name)
    paths = paths or choose_files(modules, lambda path: (folder / path).is_file(), f"{name} ({folder})")
    check_sizes((folder / path for path in paths), _VARIABLE)
    transformer = folder / modules.transformer
    pooling, pools_prompt = _read_pooling(folder / modules.pooling / "config.json", name)
    configuration, tokenizer_configuration = (read_json(transformer / file, dict, _VARIABLE) for file in CONFIGURATIONS)
    tokenizer = transformer / TOKENIZER_FILE
    lengths: dict[str, Any] = next(
        (read_json(transformer / file, dict, _VARIABLE) for file in _LENGTHS if (transformer / file).is_file()), {}
    )
    query_prompt, document_prompt = _read_prompts(folder / _PROMPTS_FILE, name)
    return Layout(
        label=label,
        variable=_VARIABLE,
        model=folder / paths[0],
        files=(*(folder / path for path in paths if not is_small(path)), tokenizer),
        tokenizer=tokenizer,
        pooling=pooling,
        pools_prompt=pools_prompt,
        query_prompt=query_prompt,
        document_prompt=document_prompt,
        most_tokens=find_most_tokens(
            (lengths.get("max_seq_length"), tokenizer_configuration.get("model_max_length")),
            configuration,
            LONGEST_TEXT_TOKENS,
            name,
            _VARIABLE,
        ),
        lower_cases=lengths.get("do_lower_case") is True,
        padding=find_padding(tokenizer_configuration, configuration),
        vocabulary_size=to_count(configuration.get("vocab_size")),
    )


def _read_pooling(file: Path, name: str) -> tuple[str, bool]:
    given = read_json(file, dict, _VARIABLE)
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
    given = read_json(file, dict, _VARIABLE)
    listed = given.get("prompts")
    prompts = {key: value for key, value in listed.items() if value} if isinstance(listed, dict) else {}
    for prompt in prompts.values():
        if not isinstance(prompt, str) or len(prompt) > _LONGEST_PROMPT_CHARACTERS:
            raise WeightsError(
                f"{file} holds a prompt that is no text of up to {_LONGEST_PROMPT_CHARACTERS:,} characters: correct it."
            )
    if not prompts and E5.fullmatch(name.rpartition("/")[2].lower()):
        return E5_PROMPTS  # which they are published without
    usual = prompts.get(str(given.get("default_prompt_name")), "")
    query = prompts.get("query", usual)
    return query, next((prompts[key] for key in ("document", "passage", "corpus") if key in prompts), usual)


def _choose_in(folder: Path, has: Callable[[str], bool], name: str) -> tuple[str, ...]:
    return choose_files(read_modules(folder, name), has, name)


EMBEDDING = ModelKind(
    noun="embedding model",
    variable=_VARIABLE,
    prefix=LOCAL_PREFIX,
    chosen=CHOSEN,
    usual_owner="sentence-transformers",
    head=MODULES_FILE,
    choose_files=_choose_in,
    read=read_layout,
)
