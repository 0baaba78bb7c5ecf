"""Entailment models that a user names: found, fetched and run; on tiny ones, whose verdicts mean nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_embedding_models import NAME, REVISION, Hub
from tiny_encoder import INPUTS, LINES, write
from tiny_entailment import NAMES, EntailmentReference, make_entailment

from benchmarks.local_server import LocalServer
from index.documents import Progress
from index.embedding.engines import open_entailment
from index.embedding.entailment import EntailmentModel, read_logits
from index.embedding.entailment_layout import LONGEST_PAIR_TOKENS, Labels, read_entailment_layout, read_labels
from index.embedding.protocol import Entailed, Entailment
from index.errors import FootnoteError, InputError, WeightsError
from index.library import finish
from index.settings import Settings

# OpenVINO computes in bfloat16 where the processor has it.
NEAR = 0.03
PAIRS = [
    ("The mayor of Brenholm left in the spring of 2023.", "The mayor left."),
    ("A ferry crosses the sound at noon.", "The captain is Ida Voss."),
    ("", "The bridge was built in 1931."),
    ("It was built in 1931. " * 2, ""),
    ("Мэр говорил о пароме.", "市长谈到了渡轮。"),
]

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A new tiny model at each call."""
    made: list[Path] = []

    def make(**options: Any) -> Path:
        made.append(make_entailment(tmp_path / f"model{len(made)}", **options))
        return made[-1]

    return make


def open_folder(folder: Path) -> Entailment:
    return finish(open_entailment(Settings.from_environment({"FOOTNOTE_CHECK": f"nli:{folder}"})))


def refuse(folder: Path) -> str:
    with pytest.raises(FootnoteError) as raised:
        open_folder(folder)
    return str(raised.value)


def entail(model: Entailment, pairs: list[tuple[str, str]]) -> Any:
    return np.array(model.entail([premise for premise, _ in pairs], [hypothesis for _, hypothesis in pairs]))


def near(one: Any, other: Any) -> bool:
    return bool(np.abs(np.asarray(one) - np.asarray(other)).max() < NEAR)


# -- probabilities ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["onnx", "openvino"])
@pytest.mark.parametrize("tokenizer", ["wordpiece", "unigram", "bytes"])
def test_the_probabilities_are_those_of_the_model(make: Make, tokenizer: str, form: str) -> None:
    folder = make(tokenizer=tokenizer, form="both", positions=256)
    reference = EntailmentReference(folder)
    shutil.rmtree(folder / ("openvino" if form == "onnx" else "onnx"))
    found = entail(open_folder(folder), PAIRS)
    assert near(found, [reference.shares(*pair) for pair in PAIRS])
    assert np.allclose(found.sum(axis=1), 1)
    assert np.ptp(found, axis=0).max() > 0.2, "the pairs tell nothing apart"


def test_premise_and_hypothesis_are_told_apart(make: Make) -> None:
    model = open_folder(make())
    one, other = entail(model, [PAIRS[0], PAIRS[0][::-1]])
    assert not near(one, other)


@pytest.mark.parametrize("inputs", [INPUTS, INPUTS[:2]])
def test_token_types_are_given_where_the_graph_names_them(make: Make, inputs: tuple[str, ...]) -> None:
    folder = make(inputs=inputs)
    assert near(entail(open_folder(folder), PAIRS[:2]), [EntailmentReference(folder).shares(*p) for p in PAIRS[:2]])


@pytest.mark.parametrize("names", list(permutations(NAMES)))
def test_labels_count_by_their_names_in_any_order(make: Make, names: tuple[str, ...]) -> None:
    folder = make(names=[name.upper() for name in names])
    shares = EntailmentReference(folder).shares(*PAIRS[0])
    assert near(entail(open_folder(folder), PAIRS[:1])[0], [shares[names.index(name)] for name in NAMES])


def test_a_model_of_two_labels_knows_no_contradiction(make: Make) -> None:
    folder = make(names=["not_entailment", "entailment"])
    no, yes = EntailmentReference(folder).shares(*PAIRS[0])
    assert near(entail(open_folder(folder), PAIRS[:1])[0], [yes, no, 0])


def test_a_model_of_one_label_says_how_surely_by_the_logistic_function(make: Make) -> None:
    folder = make(names=["entailment"])
    [logit] = EntailmentReference(folder).logits(*PAIRS[0])
    yes = 1 / (1 + np.exp(-logit))
    assert near(entail(open_folder(folder), PAIRS[:1])[0], [yes, 1 - yes, 0])


@pytest.mark.parametrize(
    ("logits", "labels", "expected"),
    [
        ([1000, 0, 0], Labels(3, 0, 1, 2), (1, 0, 0)),
        ([-1000, -1000, -1000], Labels(3, 0, 1, 2), (1 / 3, 1 / 3, 1 / 3)),
        ([np.log(5), np.log(3), np.log(2)], Labels(3, 2, 0, 1), (0.2, 0.5, 0.3)),
        ([np.log(3), 0], Labels(2, 0, None, 1), (0.75, 0, 0.25)),
        ([np.log(3)], Labels(1, 0, None, None), (0.75, 0.25, 0)),
        ([-800], Labels(1, 0, None, None), (0, 1, 0)),
    ],
)
def test_logits_become_probabilities(logits: list[float], labels: Labels, expected: tuple[float, ...]) -> None:
    assert read_logits([logits], labels) == [pytest.approx(Entailed(*expected))]


texts = st.text(st.sampled_from("aé市 \n.ferry</s>😀"), max_size=60) | st.sampled_from(LINES)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Entailment:
    """One model for many inputs, which reads 64 tokens."""
    return open_folder(make_entailment(tmp_path_factory.mktemp("shared") / "tiny"))


@settings(max_examples=40)
@given(st.lists(st.tuples(texts, texts), max_size=12), st.randoms())
def test_pairs_have_the_same_verdicts_together_in_any_order_and_one_by_one(
    shared: Entailment, pairs: list[tuple[str, str]], chance: Any
) -> None:
    together = shared.entail([p for p, _ in pairs], [h for _, h in pairs])
    assert len(together) == len(pairs)
    order = chance.sample(range(len(pairs)), len(pairs))
    shuffled = shared.entail([pairs[i][0] for i in order], [pairs[i][1] for i in order])
    for place, one in zip(order, shuffled, strict=True):
        assert one == pytest.approx(together[place], abs=NEAR)
        assert shared.entail([pairs[place][0]], [pairs[place][1]])[0] == pytest.approx(one, abs=NEAR)
        assert sum(one) == pytest.approx(1)


def test_many_pairs_of_all_lengths_are_read_in_several_batches(shared: Entailment) -> None:
    pairs = [(f"{number} " + "the ferry " * (number * 7 % 25), "green " * (number % 9)) for number in range(150)]
    assert near(entail(shared, pairs), np.concatenate([entail(shared, [pair]) for pair in pairs]))


def test_threads_share_it(shared: Entailment) -> None:
    expected = entail(shared, PAIRS)
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(lambda _: entail(shared, PAIRS), range(12)):
            assert near(found, expected)


# -- length -----------------------------------------------------------------------------------


def test_of_a_pair_too_long_the_premises_end_is_cut_and_the_hypothesis_kept(make: Make) -> None:
    folder = make()
    model, reference = open_folder(folder), EntailmentReference(folder)
    hypothesis = "the captain is ida voss " * 5
    room = 64 - len(reference.tokenizer.encode("", hypothesis).ids)
    fits = "ferry " * room
    expected = reference.shares(fits, hypothesis)
    assert near(entail(model, [(fits, hypothesis), (fits + "bridge " * 300, hypothesis)]), [expected, expected])
    assert not near(expected, reference.shares(fits + "bridge " * 20, hypothesis[:24]))


def test_of_a_hypothesis_that_leaves_no_room_as_much_is_read_as_leaves_some(make: Make) -> None:
    folder = make()
    room = 64 - 3
    kept = int(room * 0.75)
    expected = EntailmentReference(folder).shares("bridge " * (room - kept), "ferry " * kept)
    assert near(entail(open_folder(folder), [("bridge " * 500, "ferry " * 500)])[0], expected)


def test_a_model_of_more_than_512_tokens_reads_them(make: Make) -> None:
    folder = make(positions=1200)
    write(folder / "tokenizer_config.json", {"model_max_length": 1e30})
    config = json.loads((folder / "config.json").read_text())
    assert read_entailment_layout(folder, "any").most_tokens == 1200
    pair = ("ferry " * 900 + "bridge " * 20, "the ferry")
    assert near(entail(open_folder(folder), [pair])[0], EntailmentReference(folder).shares(*pair))
    write(folder / "config.json", {**config, "max_position_embeddings": 100_000})
    assert read_entailment_layout(folder, "any").most_tokens == LONGEST_PAIR_TOKENS
    write(folder / "tokenizer_config.json", {"model_max_length": 512})
    assert read_entailment_layout(folder, "any").most_tokens == 512


@pytest.mark.parametrize("tokenizer", ["wordpiece", "bytes"])
def test_what_parts_a_pair_for_the_model_parts_nothing_in_a_document(make: Make, tokenizer: str) -> None:
    model = open_folder(make(tokenizer=tokenizer, positions=128))
    assert isinstance(model, EntailmentModel)
    [(tokens, _)] = model._encode(["It is green.</s> It is <s> red."], ["It</s> is red."])
    assert (tokens == 2).sum() == 2
    assert (tokens == 1).sum() == 1


# -- labels -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["CONTRADICTION", "NEUTRAL", "ENTAILMENT"], (3, 2, 1, 0)),
        (["contradiction", "entailment", "neutral"], (3, 1, 2, 0)),
        (["entailment", "not_entailment"], (2, 0, 1, None)),
        (["Not Entailment", "Entailment"], (2, 1, 0, None)),
        (["SUPPORTS", "REFUTES", "NOT ENOUGH INFO"], (3, 0, 2, 1)),
        (["unsupported", "supported"], (2, 1, 0, None)),
        (["hallucinated", "consistent"], (2, 1, 0, None)),
        (["contradiction", "entailment"], (2, 1, None, 0)),
        (["entailment"], (1, 0, None, None)),
    ],
)
def test_labels_are_read_in_many_spellings(names: list[str], expected: tuple[int | None, ...]) -> None:
    assert read_labels({"id2label": {str(i): name for i, name in enumerate(names)}}, "any") == expected
    assert read_labels({"label2id": {name: i for i, name in enumerate(names)}}, "any") == expected


@pytest.mark.parametrize(
    ("configuration", "shown"),
    [
        ({}, "none"),
        ({"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}, "LABEL_0, LABEL_1, LABEL_2"),
        ({"id2label": {"0": "LABEL_0"}}, "LABEL_0"),
        ({"id2label": {"0": "neutral", "1": "contradiction"}}, "neutral, contradiction"),
        ({"id2label": {"0": "entailment", "1": "joy"}}, "entailment, joy"),
        ({"id2label": {"0": "entailment", "1": "supported"}}, "entailment, supported"),
        ({"id2label": {"0": "entailment", "2": "neutral"}}, "entailment, None"),
        ({"id2label": {"0": "entailment", "1": "neutral", "2": "contradiction", "3": "x"}}, "entailment, neutral, "),
        ({"id2label": ["entailment", "neutral"]}, "none"),
        ({"label2id": {"entailment": "first"}}, "None"),
        ({"id2label": {"0": ["entailment"]}}, "['entailment']"),
    ],
)
def test_labels_that_do_not_say_what_they_mean_are_refused(configuration: dict[str, Any], shown: str) -> None:
    with pytest.raises(WeightsError) as raised:
        read_labels(configuration, "any")
    assert f"any does not say which of its labels ({shown}" in str(raised.value)
    assert "set FOOTNOTE_CHECK to another model" in str(raised.value)


# -- what cannot be used ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (["config.json"], "lacks config.json: "),
        (["tokenizer.json", "config.json"], "lacks config.json; tokenizer.json: "),
        (["onnx/model.onnx"], "lacks openvino/openvino_model.xml or onnx/model.onnx, which this engine reads: "),
    ],
)
def test_what_a_folder_lacks_is_named(make: Make, missing: list[str], said: str) -> None:
    folder = make()
    for name in missing:
        (folder / name).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    message = refuse(folder)
    assert said in message
    assert "set FOOTNOTE_CHECK to" in message


@pytest.mark.parametrize(
    ("file", "form"),
    [
        ("onnx/model.onnx", "onnx"),
        ("openvino/openvino_model.xml", "openvino"),
        ("openvino/openvino_model.bin", "openvino"),
    ],
)
@pytest.mark.parametrize("keeps", [0, 0.5])
def test_a_model_that_is_cut_off_is_told(make: Make, file: str, form: str, keeps: float) -> None:
    folder = make(form=form)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: int(len(content) * keeps)])
    message = refuse(folder)
    assert " cannot be used (" in message
    assert "set FOOTNOTE_CHECK to another" in message


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 200_000])
def test_a_tokenizer_that_is_none_is_told(make: Make, content: bytes) -> None:
    folder = make()
    (folder / "tokenizer.json").write_bytes(content)
    message = refuse(folder)
    assert message.startswith(f"{folder}/tokenizer.json cannot be used (")
    assert message.endswith("or set FOOTNOTE_CHECK to another.")


def test_a_damaged_configuration_is_told(make: Make) -> None:
    folder = make()
    (folder / "config.json").write_bytes(b"{")
    assert "config.json is damaged" in refuse(folder)


def test_a_model_with_other_labels_than_its_configuration_says_is_told(make: Make) -> None:
    assert "it gives no number for each of its 3 labels" in refuse(make(labels=2))


@pytest.mark.parametrize(
    "options", [{"inputs": ("input_ids",)}, {"inputs": (*INPUTS, "pixels")}, {"outputs": ("one", "two")}]
)
def test_an_export_of_another_kind_is_told(make: Make, options: dict[str, Any]) -> None:
    assert "should take input_ids, attention_mask, token_type_ids, and give logits)" in refuse(make(**options))


def test_an_encoder_is_no_entailment_model(make: Make) -> None:
    assert "and give logits)" in refuse(make(outputs=("last_hidden_state",)))


@pytest.mark.parametrize("given", ["a b", "../x", "/no/such/model", "a--b"])
def test_a_name_that_no_model_can_have_names_the_variable(given: str) -> None:
    with pytest.raises(InputError, match=r"^FOOTNOTE_CHECK names the (model|folder) '"):
        open_folder(Path(given)) if given.startswith("/") else finish(
            open_entailment(Settings.from_environment({"FOOTNOTE_CHECK": f"nli:{given}"}))
        )


# -- the hub ----------------------------------------------------------------------------------


def fetch(
    hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str = NAME
) -> tuple[list[Progress], Entailment]:
    """Open a model of a hub: what was told, and the model."""
    told: list[Progress] = []
    with LocalServer(hub.handler) as server:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", endpoint + template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache / "no hub"))
        walk = open_entailment(
            Settings.from_environment({"FOOTNOTE_CHECK": f"nli:{name}", "FOOTNOTE_CACHE": str(cache)})
        )
        while True:
            try:
                told.append(next(walk))
            except StopIteration as end:
                return told, end.value


def test_a_model_is_fetched_from_the_hub_once_and_only_what_it_needs(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make()
    hub = Hub(folder)
    told, model = fetch(hub, tmp_path / "cache", monkeypatch)
    total = hub.sizes["onnx/model.onnx"]
    assert told[0] == Progress(f"Fetching the entailment model {NAME} (this once)")
    assert told[-1] == Progress(f"Fetching the entailment model {NAME} (this once)", total, total, "bytes")
    assert model.name == f"{NAME}@{REVISION[:12]}"
    assert near(entail(model, PAIRS), entail(open_folder(folder), PAIRS))
    kept = tmp_path / "cache" / "models" / NAME.replace("/", "--")
    fetched = {file.relative_to(kept).as_posix() for file in kept.rglob("*") if file.is_file()}
    assert fetched == {"config.json", "tokenizer.json", "onnx/model.onnx", "fetched.json", "revision"}

    # From now on without the hub, the same.
    hub.requests.clear()
    assert fetch(hub, tmp_path / "cache", monkeypatch)[0] == []
    assert hub.requests == []


def test_a_model_that_cannot_be_used_is_told_before_what_is_large_is_fetched(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(make(names=["LABEL_0", "LABEL_1"]))
    with pytest.raises(WeightsError, match=r"does not say which of its labels \(LABEL_0, LABEL_1\)"):
        fetch(hub, tmp_path / "cache", monkeypatch)
    assert not [path for path in hub.requests if path.endswith("model.onnx")]


def test_a_model_that_the_hub_does_not_know_is_told(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        InputError, match=r"^FOOTNOTE_CHECK names the model cross-encoder/none, which is no folder, and "
    ):
        fetch(Hub(make()), tmp_path / "cache", monkeypatch, "none")
