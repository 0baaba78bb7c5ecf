"""What lies in an entailment model's folder, as transformers writes it: a classifier of pairs, and its labels' names.

Published models order their labels in every possible way, so that a label counts by its name in `config.json` alone. A
model of two labels tells whether a text entails another or not, one of a single label how surely it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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
from index.errors import WeightsError
from index.settings import ENTAILMENT_PREFIX

LONGEST_PAIR_TOKENS = 2048  # what a model does for a token grows with the tokens beside it
_VARIABLE = "FOOTNOTE_CHECK"
_CONFIGURATION = "config.json"
_MOST_LABELS = 3

# What a label is called that says so, in lower case and without what is no letter.
_ENTAILMENT = frozenset(
    "entailment entail entails entailed support supports supported consistent faithful grounded".split()
)
_CONTRADICTION = frozenset(
    "contradiction contradict contradicts contradicted contradictory refute refutes refuted".split()
)
# And that there is no entailment, without saying whether there is a contradiction.
_NEUTRAL = frozenset(
    "neutral notentailment nonentailment noentailment notenoughinfo notenoughinformation notsupport notsupports "
    "notsupported nosupport unsupported inconsistent notconsistent unfaithful notfaithful ungrounded notgrounded "
    "hallucination hallucinated".split()
)
_NO_LETTER = re.compile(r"[^a-z]")


class Labels(NamedTuple):
    """How many labels a model has, and the places of those that are meant; None for one that it has not."""

    total: int
    entailment: int
    neutral: int | None
    contradiction: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntailmentLayout(ModelFiles):
    """An entailment model that can be opened; it reads `most_tokens` of a pair."""

    labels: Labels


def choose_entailment_files(folder: Path, has: Callable[[str], bool], name: str) -> tuple[str, ...]:
    """The files that are needed of those that there are, by their paths below the model's folder; the export first.

    Raises WeightsError, which names what is missing.
    """
    chosen, missing_export = choose_export("", has)
    required = (_CONFIGURATION, TOKENIZER_FILE)
    missing = [*(path for path in required if not has(path)), *missing_export]
    if missing:
        raise WeightsError(
            f"{name} lacks {'; '.join(missing)}: set {_VARIABLE} to an entailment model with an OpenVINO or ONNX "
            "export, or to words."
        )
    return (*chosen, *required, *(file for file in CONFIGURATIONS if file not in required and has(file)))


def read_entailment_layout(
    folder: Path, name: str, revision: str = "", paths: tuple[str, ...] = ()
) -> EntailmentLayout:
    """Read a model's folder; see `index.embedding.layout.read_layout`.

    Raises WeightsError where it lacks something, or its labels do not say what they mean.
    """
    paths = paths or choose_entailment_files(folder, lambda path: (folder / path).is_file(), f"{name} ({folder})")
    check_sizes((folder / path for path in paths), _VARIABLE)
    configuration, tokenizer_configuration = (read_json(folder / file, dict, _VARIABLE) for file in CONFIGURATIONS)
    said = (tokenizer_configuration.get("model_max_length"), configuration.get("max_position_embeddings"))
    return EntailmentLayout(
        label=f"{name}@{revision[:12]}" if revision else name,
        variable=_VARIABLE,
        model=folder / paths[0],
        files=(*(folder / path for path in paths if not is_small(path)), folder / TOKENIZER_FILE),
        tokenizer=folder / TOKENIZER_FILE,
        most_tokens=find_most_tokens(said, configuration, LONGEST_PAIR_TOKENS, name, _VARIABLE),
        padding=find_padding(tokenizer_configuration, configuration),
        vocabulary_size=to_count(configuration.get("vocab_size")),
        labels=read_labels(configuration, name),
    )


def read_labels(configuration: Mapping[str, Any], name: str) -> Labels:
    """Which label is which, by their names. Raises WeightsError where these do not say so."""
    by_place = configuration.get("id2label")
    if not by_place and isinstance(by_name := configuration.get("label2id"), dict):
        by_place = {str(place): label for label, place in by_name.items()}
    by_place = by_place if isinstance(by_place, dict) else {}
    given = [by_place.get(str(place)) for place in range(len(by_place))]
    names = [_NO_LETTER.sub("", label.lower()) if isinstance(label, str) else "" for label in given[:_MOST_LABELS]]
    places = [
        [place for place, name in enumerate(names) if name in meant]
        for meant in (_ENTAILMENT, _NEUTRAL, _CONTRADICTION)
    ]
    entailment, neutral, contradiction = (found[0] if found else None for found in places)
    is_known = sum(map(len, places)) == len(given) and max(map(len, places)) <= 1
    if entailment is None or not is_known:
        shown = ", ".join(str(label)[:40] for label in given[: 2 * _MOST_LABELS]) or "none"
        raise WeightsError(
            f"{name} does not say which of its labels ({shown}) is entailment, neutral or contradiction: set "
            f'{_VARIABLE} to another model, or to a folder of it whose {_CONFIGURATION} does, as in "id2label": '
            '{"0": "entailment", "1": "not_entailment"}.'
        )
    return Labels(len(given), entailment, neutral, contradiction)


ENTAILMENT = ModelKind(
    noun="entailment model",
    variable=_VARIABLE,
    prefix=ENTAILMENT_PREFIX,
    chosen={},
    usual_owner="cross-encoder",
    head=_CONFIGURATION,
    choose_files=choose_entailment_files,
    read=read_entailment_layout,
)
