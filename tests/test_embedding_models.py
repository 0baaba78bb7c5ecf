from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tiny_encoder import make_model, write

from benchmarks.local_server import LocalHandler, LocalServer
from index.embedding import hub as hubs
from index.embedding.layout import CHOSEN, EMBEDDING, choose_files, read_layout, read_modules
from index.embedding.model_files import most_bytes
from index.embedding.models import open_model
from index.errors import FootnoteError, InputError, WeightsError
from index.library import finish
from index.settings import Settings

REVISION = "0123456789abcdef0123456789abcdef01234567"
NAME = "tiny/encoder"
PROMPTS = {"query": "ask: ", "passage": "text: "}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model, which no test changes."""
    return make_model(tmp_path_factory.mktemp("models") / "tiny", prompts=PROMPTS)


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(made, tmp_path / "tiny"))


def refuse(given: object, cache: Path) -> str:
    """What is said of a model that cannot be opened."""
    with pytest.raises(FootnoteError) as raised:
        finish(open_model(str(given), cache, EMBEDDING))
    return str(raised.value)


# -- a folder ---------------------------------------------------------------------------------


def test_a_folder_is_found_by_its_path_whole_relative_or_from_home(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for given in (str(model), "~/tiny", "tiny", "./tiny", "../" + tmp_path.name + "/tiny"):
        layout = finish(open_model(given, tmp_path / "cache", EMBEDDING))
        assert (layout.label, layout.model) == ("tiny", model / "onnx" / "model.onnx")
    assert not (tmp_path / "cache").exists()


def test_what_a_folder_says_is_read(model: Path) -> None:
    layout = read_layout(model, "tiny", REVISION)
    assert layout.label == "tiny@0123456789ab"
    assert (layout.pooling, layout.pools_prompt, layout.most_tokens) == ("mean", True, 64)
    assert (layout.query_prompt, layout.document_prompt) == ("ask: ", "text: ")


@pytest.mark.parametrize(
    ("name", "prompts", "expected"),
    [
        ("intfloat/multilingual-e5-small", None, ("query: ", "passage: ")),
        ("e5-base-v2", {"query": "", "document": ""}, ("query: ", "passage: ")),
        ("intfloat/multilingual-e5-small", {"query": "q ", "document": "d "}, ("q ", "d ")),
        ("someone/notes-e5-small", None, ("", "")),
        ("any", {"document": "d ", "corpus": "c "}, ("", "d ")),
        ("any", {"corpus": "c "}, ("", "c ")),
        ("any", None, ("", "")),
    ],
)
def test_prompts_are_those_of_the_model_or_those_that_e5_is_known_to_need(
    model: Path, name: str, prompts: dict[str, str] | None, expected: tuple[str, str]
) -> None:
    (model / "config_sentence_transformers.json").unlink()
    if prompts is not None:
        write(model / "config_sentence_transformers.json", {"prompts": prompts})
    layout = read_layout(model, name)
    assert (layout.query_prompt, layout.document_prompt) == expected


def test_a_default_prompt_stands_for_those_that_are_missing(model: Path) -> None:
    given = {"prompts": {"all": "a ", "query": "q "}, "default_prompt_name": "all"}
    write(model / "config_sentence_transformers.json", given)
    layout = read_layout(model, "any")
    assert (layout.query_prompt, layout.document_prompt) == ("q ", "a ")


@pytest.mark.parametrize(
    ("said", "tokenizer", "configuration", "expected"),
    [
        (128, 512, {"max_position_embeddings": 512}, 128),
        (None, 256, {"max_position_embeddings": 512}, 256),
        (None, 1e30, {"max_position_embeddings": 512}, 512),
        (None, None, {}, 512),
        (8192, 8192, {"max_position_embeddings": 8194}, 512),
        (512, 512, {"model_type": "xlm-roberta", "max_position_embeddings": 130, "pad_token_id": 1}, 128),
        (512, 512, {"model_type": "bert", "max_position_embeddings": 130, "pad_token_id": 1}, 130),
        (True, "many", {"max_position_embeddings": -5}, 512),
    ],
)
def test_a_text_is_as_long_as_the_model_says_and_has_positions_for(
    model: Path, said: Any, tokenizer: Any, configuration: dict[str, Any], expected: int
) -> None:
    write(model / "sentence_bert_config.json", {"max_seq_length": said})
    write(model / "tokenizer_config.json", {"model_max_length": tokenizer})
    write(model / "config.json", configuration)
    assert read_layout(model, "any").most_tokens == expected


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, ("cls", True)),
        ({"pooling_mode": "lasttoken", "include_prompt": False}, ("lasttoken", False)),
        ({"pooling_mode": "max", "include_prompt": True}, ("max", True)),
    ],
)
def test_a_pooling_is_read_as_it_was_written_of_old_and_is_today(
    model: Path, configuration: dict[str, Any], expected: tuple[str, bool]
) -> None:
    write(model / "1_Pooling" / "config.json", configuration)
    layout = read_layout(model, "any")
    assert (layout.pooling, layout.pools_prompt) == expected


def test_openvinos_own_form_is_taken_before_onnx_and_code_and_pickles_never(model: Path) -> None:
    there = {
        *("openvino/openvino_model.xml", "openvino/openvino_model.bin", "onnx/model.onnx", "pytorch_model.bin"),
        *("modules.json", "tokenizer.json", "1_Pooling/config.json", "modeling.py", "config.json", "model.pt"),
    }
    modules = read_modules(model, "any")
    assert choose_files(modules, there.__contains__, "any") == (
        *("openvino/openvino_model.xml", "openvino/openvino_model.bin"),
        *("modules.json", "tokenizer.json", "1_Pooling/config.json", "config.json"),
    )
    there = {path for path in there if not path.startswith("openvino/")} | {"onnx/model.onnx_data"}
    assert choose_files(modules, there.__contains__, "any")[:2] == ("onnx/model.onnx", "onnx/model.onnx_data")


def test_a_transformer_may_lie_in_a_folder_of_its_own(model: Path) -> None:
    old = model / "0_Transformer"
    old.mkdir()
    for name in ("tokenizer.json", "config.json", "sentence_bert_config.json", "onnx"):
        (model / name).rename(old / name)
    modules = json.loads((model / "modules.json").read_text())
    write(model / "modules.json", [{**modules[0], "path": "0_Transformer"}, *modules[1:]])
    assert read_layout(model, "any").model == old / "onnx" / "model.onnx"


# -- what cannot be used ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (["modules.json"], "has no modules.json"),
        (["tokenizer.json"], "lacks tokenizer.json: "),
        (["1_Pooling/config.json", "tokenizer.json"], "lacks tokenizer.json; 1_Pooling/config.json: "),
        (["onnx/model.onnx"], "lacks openvino/openvino_model.xml or onnx/model.onnx, which this engine reads: "),
    ],
)
def test_what_a_folder_lacks_is_named(model: Path, missing: list[str], said: str, tmp_path: Path) -> None:
    for name in missing:
        (model / name).unlink()
    (model / "pytorch_model.bin").write_bytes(b"a pickle")
    message = refuse(model, tmp_path)
    assert said in message
    assert "set FOOTNOTE_EMBEDDING to" in message


def test_openvinos_file_without_its_weights_is_named(model: Path, tmp_path: Path) -> None:
    shutil.rmtree(model / "onnx")
    write(model / "openvino" / "openvino_model.xml", {})
    assert "lacks openvino/openvino_model.bin: " in refuse(model, tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("modules.json", b"{", "modules.json is damaged"),
        ("modules.json", b"[" * 100_000, "modules.json is damaged"),
        ("modules.json", b'{"a": 1}', "modules.json is damaged"),
        ("modules.json", b"[1]", "is not as sentence-transformers writes it"),
        ("modules.json", b"[]", "names no Transformer with a Pooling"),
        ("modules.json", b" " * 1_000_001, "has 1,000,001 bytes, and 1,000,000 are the most that are read"),
        ("modules.json", b'[{"type": "sentence_transformers.models.Transformer", "path": "../x"}]', "is not as"),
        ("modules.json", b'[{"type": "custom_st.Transformer", "path": ""}]', "has the module 'custom_st.Transformer'"),
        ("modules.json", b'[{"type": "sentence_transformers.models.BoW", "path": ""}]', "only a Transformer with a"),
        ("1_Pooling/config.json", b"{}", "pools its tokens by 'nothing'"),
        ("1_Pooling/config.json", b'{"pooling_mode": ["a"]}', "and cls, mean, max, lasttoken are understood"),
        (
            "1_Pooling/config.json",
            b'{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}',
            "'cls_token and mean_tokens'",
        ),
        ("config.json", b"\xff", "config.json is damaged"),
        ("config_sentence_transformers.json", b'{"prompts": {"query": 5}}', "holds a prompt that is no text"),
        ("sentence_bert_config.json", b'{"max_seq_length": 4}', "reads 4 tokens of a text, which is too little"),
    ],
)
def test_what_is_damaged_or_not_understood_is_told(
    model: Path, file: str, content: bytes, said: str, tmp_path: Path
) -> None:
    (model / file).write_bytes(content)
    assert said in refuse(model, tmp_path)


def test_a_module_beyond_pooling_is_not_passed_over(model: Path, tmp_path: Path) -> None:
    modules = json.loads((model / "modules.json").read_text())
    dense = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    write(model / "modules.json", [*modules[:2], dense, modules[2]])
    assert "has the module 'sentence_transformers.models.Dense'" in refuse(model, tmp_path)


def test_a_model_larger_than_is_read_is_refused_unread(model: Path, tmp_path: Path) -> None:
    with (model / "onnx" / "model.onnx").open("wb") as stream:
        stream.truncate(most_bytes("model.onnx") + 1)  # without taking the disk's room
    assert "has 4,000,000,001 bytes, and 4,000,000,000 are the most that are read" in refuse(model, tmp_path)


@pytest.mark.parametrize(
    "given", ["a/../b", "..x", "a b", "a--b", "a/b/c", "é", "-a", "a/b.", "https://hub/a", "x" * 5000, "a\\..\\b"]
)
def test_a_name_that_no_model_can_have_is_refused_unasked(given: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"FOOTNOTE_EMBEDDING names the (model|folder) '"):
        finish(open_model(given, tmp_path, EMBEDDING))


@pytest.mark.parametrize("given", ["/no/such/model", "~/no/such", "./no", "../no", "/" + "x" * 5000, "/dev/null"])
def test_a_path_that_leads_to_no_folder_is_told_as_one(given: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"names the folder '.*which (does not exist|is no folder|cannot be entered)"):
        finish(open_model(given, tmp_path, EMBEDDING))


@pytest.mark.parametrize("value", ["local:", "local: "])
def test_the_settings_ask_for_a_name_behind_local(value: str) -> None:
    with pytest.raises(InputError, match=r"FOOTNOTE_EMBEDDING is 'local: ?': give a model behind it"):
        Settings.from_environment({"FOOTNOTE_EMBEDDING": f"{value}\n"})


# -- the hub ----------------------------------------------------------------------------------


class Hub:
    """A model hub at a port of this machine, of one model. `requests` are the paths that it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[str] = []
        self.files = {
            file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
        }
        self.files |= {"README.md": b"Hello", "pytorch_model.bin": b"a pickle", "modeling.py": b"raise SystemExit"}
        self.sizes = {path: len(content) for path, content in self.files.items()}
        self.breaks_after: int | None = None  # the bytes of each reply
        self.serves_ranges = True
        hub = self

        class Handler(LocalHandler):
            def do_GET(self) -> None:  # noqa: N802
                path = self.path.partition("?")[0]
                hub.requests.append(path)
                if path == f"/api/models/{NAME}/revision/main" or path == f"/api/models/{NAME}":
                    self.send("application/json", json.dumps(hub.listing()).encode())
                elif path.startswith(f"/{NAME}/resolve/{REVISION}/"):
                    self.serve(hub.files[path.removeprefix(f"/{NAME}/resolve/{REVISION}/")])
                else:
                    error = [("X-Error-Code", "RepoNotFound"), ("X-Error-Message", "Repository not found")]
                    self.send("application/json", b"{}", 404, error)

            def serve(self, content: bytes) -> None:
                begin = int(self.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
                begin = begin if hub.serves_ranges else 0
                rest = content[begin:]
                self.send_response(206 if begin else 200)
                self.send_header("content-length", str(len(rest)))
                self.end_headers()
                self.wfile.write(rest[: hub.breaks_after])
                self.close_connection = hub.breaks_after is not None

        self.handler = Handler

    def listing(self) -> dict[str, Any]:
        siblings = [
            {"rfilename": path, "size": self.sizes[path], "blobId": "0" * 40}
            | (
                {"lfs": {"size": self.sizes[path], "sha256": hashlib.sha256(content).hexdigest(), "pointerSize": 100}}
                if path.startswith("onnx/")
                else {}
            )
            for path, content in self.files.items()
        ]
        return {"id": NAME, "sha": REVISION, "siblings": siblings, "private": False}


@pytest.fixture
def hub(made: Path) -> Hub:
    return Hub(made)


@pytest.fixture
def served(hub: Hub) -> Iterator[str]:
    with LocalServer(hub.handler) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def open_elsewhere(endpoint: str, place: Path, name: str = NAME, **environment: str) -> tuple[list[str], str]:
    """Open a model in a process of its own whose hub is at an endpoint: what was told, and what came of it."""
    code = f"""
from pathlib import Path
from index.embedding.layout import EMBEDDING
from index.embedding.models import open_model
from index.embedding.transformer import Transformer
from index.errors import FootnoteError
walk = open_model({name!r}, Path({str(place / "cache")!r}), EMBEDDING)
try:
    while True:
        told = next(walk)
        print(told.message, told.done, told.total, told.unit)
except StopIteration as end:
    print(Transformer(end.value, 32).name)
except FootnoteError as error:
    print(f"{{type(error).__name__}}: {{error}}")
"""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, "HF_ENDPOINT": endpoint, "HF_HOME": str(place / "hub"), "HF_HUB_DISABLE_TELEMETRY": "1"}
        | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *told, last = done.stdout.splitlines()
    return told, last


def test_a_model_is_fetched_from_the_hub_once_and_only_what_it_needs(
    hub: Hub, served: str, made: Path, tmp_path: Path
) -> None:
    told, name = open_elsewhere(served, tmp_path)
    assert name.startswith(f"{NAME}@{REVISION[:12]}+")
    total = hub.sizes["onnx/model.onnx"]
    assert told[0] == f"Fetching the embedding model {NAME} (this once) 0 0 "
    assert told[-1] == f"Fetching the embedding model {NAME} (this once) {total} {total} bytes"
    kept = tmp_path / "cache" / "models" / "tiny--encoder"
    fetched = {file.relative_to(kept).as_posix() for file in kept.rglob("*") if file.is_file()}
    expected = {file.relative_to(made).as_posix() for file in made.rglob("*") if file.is_file()}
    assert fetched == expected | {"fetched.json", "revision"}
    assert not (tmp_path / "hub").exists() or not list((tmp_path / "hub").rglob("*.onnx"))

    # From now on without the hub, the same.
    hub.requests.clear()
    assert open_elsewhere(served, tmp_path) == ([], name)
    assert open_elsewhere("http://127.0.0.1:9", tmp_path, HF_HUB_OFFLINE="1") == ([], name)
    assert hub.requests == []


def test_another_model_of_the_same_name_has_another_name(made: Path, tmp_path: Path, hub: Hub, served: str) -> None:
    _, name = open_elsewhere(served, tmp_path)
    shutil.rmtree(tmp_path / "cache")
    hub.files["config_sentence_transformers.json"] = b'{"prompts": {"query": "other: "}}'
    hub.sizes["config_sentence_transformers.json"] = len(hub.files["config_sentence_transformers.json"])
    _, other = open_elsewhere(served, tmp_path)
    assert name.rpartition("+")[0] == other.rpartition("+")[0]
    assert name != other


def test_a_connection_that_breaks_off_is_taken_up_where_it_broke(hub: Hub, served: str, tmp_path: Path) -> None:
    hub.breaks_after = 20_000
    _, name = open_elsewhere(served, tmp_path)
    assert name.startswith(NAME)
    asked = hub.requests.count(f"/{NAME}/resolve/{REVISION}/onnx/model.onnx")
    assert asked == -(-hub.sizes["onnx/model.onnx"] // 20_000)


def test_a_server_that_begins_anew_each_time_is_given_up(hub: Hub, served: str, tmp_path: Path) -> None:
    hub.breaks_after, hub.serves_ranges = 20_000, False
    _, error = open_elsewhere(served, tmp_path)
    assert error.startswith(
        f"WeightsError: The model {NAME} is not on this machine and could not be fetched from the hub"
    )
    assert "onnx/model.onnx could not be fetched: " in error


def test_what_an_interrupted_fetch_has_brought_is_not_fetched_again(hub: Hub, served: str, tmp_path: Path) -> None:
    content, listing = hub.files["onnx/model.onnx"], hub.listing()
    hub.listing = lambda: listing  # type: ignore[method-assign]
    hub.files["onnx/model.onnx"] = content[:5000]  # and no more comes
    _, error = open_elsewhere(served, tmp_path)
    assert "could not be fetched" in error
    hub.files["onnx/model.onnx"] = content
    hub.requests.clear()
    told, name = open_elsewhere(served, tmp_path)
    assert name.startswith(NAME)
    assert hub.requests[1:] == [f"/{NAME}/resolve/{REVISION}/onnx/model.onnx"]
    assert len(told) == 2


def test_a_file_that_is_not_the_one_that_the_hub_lists_is_not_used(hub: Hub, served: str, tmp_path: Path) -> None:
    listing = hub.listing()
    hub.listing = lambda: listing  # type: ignore[method-assign]
    content = bytearray(hub.files["onnx/model.onnx"])
    content[len(content) // 2] ^= 1
    hub.files["onnx/model.onnx"] = bytes(content)
    _, error = open_elsewhere(served, tmp_path)
    assert "onnx/model.onnx as fetched is not the file that was listed" in error
    assert not (tmp_path / "cache" / "models" / "tiny--encoder").exists()


def test_a_file_longer_than_was_said_is_not_taken(hub: Hub, served: str, tmp_path: Path) -> None:
    listing = hub.listing()
    hub.listing = lambda: listing  # type: ignore[method-assign]
    hub.files["tokenizer.json"] += b" " * 5_000_000
    _, error = open_elsewhere(served, tmp_path)
    assert "tokenizer.json as fetched is not the file that was listed" in error


def test_a_model_too_large_is_refused_before_it_is_fetched(hub: Hub, served: str, tmp_path: Path) -> None:
    hub.sizes["onnx/model.onnx"] = 4_000_000_001
    _, error = open_elsewhere(served, tmp_path)
    assert "onnx/model.onnx is not there, or longer than the 4,000,000,000 bytes that are read of it" in error
    assert not any("onnx" in path for path in hub.requests)


def test_a_model_that_cannot_be_used_is_known_before_its_weights_are_fetched(
    hub: Hub, served: str, tmp_path: Path
) -> None:
    hub.files["1_Pooling/config.json"] = b'{"pooling_mode": "weightedmean"}'
    hub.sizes["1_Pooling/config.json"] = len(hub.files["1_Pooling/config.json"])
    _, error = open_elsewhere(served, tmp_path)
    assert error.startswith(f"WeightsError: {NAME} pools its tokens by 'weightedmean'")
    assert not any("onnx" in path for path in hub.requests)
    assert not list((tmp_path / "cache" / "models").glob("*/*"))


def test_a_model_without_an_export_is_told(hub: Hub, served: str, tmp_path: Path) -> None:
    del hub.files["onnx/model.onnx"]
    _, error = open_elsewhere(served, tmp_path)
    assert error.startswith(f"WeightsError: {NAME} lacks openvino/openvino_model.xml or onnx/model.onnx")


def test_a_name_that_the_hub_does_not_know_is_told(served: str, tmp_path: Path) -> None:
    told, error = open_elsewhere(served, tmp_path, "tiny/unknown")
    assert told == ["Fetching the embedding model tiny/unknown (this once) 0 0 "]
    assert error == (
        "InputError: FOOTNOTE_EMBEDDING names the model tiny/unknown, which is no folder, and the hub has no model of "
        "that name that may be read without HF_TOKEN: check the name."
    )


@pytest.mark.parametrize(
    ("environment", "reason"),
    [({}, "Connection refused"), ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE forbids to ask it")],
)
def test_a_hub_out_of_reach_is_told_at_once(environment: dict[str, str], reason: str, tmp_path: Path) -> None:
    _, error = open_elsewhere("http://127.0.0.1:9", tmp_path, "multilingual", **environment)
    assert error.startswith(f"WeightsError: The model {CHOSEN['multilingual']} is not on this machine")
    assert reason in error
    assert error.endswith("or set FOOTNOTE_EMBEDDING to local: and the folder of a model.")


def test_the_users_cache_of_the_hub_is_used_where_it_has_all_that_is_needed(made: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "hub" / "models--tiny--encoder" / "snapshots" / REVISION
    blobs = snapshot.parent.parent / "blobs"
    blobs.mkdir(parents=True)
    for number, file in enumerate(file for file in made.rglob("*") if file.is_file()):
        (blobs / str(number)).write_bytes(file.read_bytes())
        link = snapshot / file.relative_to(made)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blobs / str(number))
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text(REVISION)
    told, name = open_elsewhere("http://127.0.0.1:9", tmp_path)
    assert told == []
    assert name.startswith(f"{NAME}@{REVISION[:12]}+")
    (snapshot / "onnx" / "model.onnx").unlink()
    _, error = open_elsewhere("http://127.0.0.1:9", tmp_path)
    assert error.startswith(f"WeightsError: The model {NAME} is not on this machine")


def test_what_was_fetched_and_is_damaged_since_is_fetched_again(hub: Hub, served: str, tmp_path: Path) -> None:
    _, name = open_elsewhere(served, tmp_path)
    file = tmp_path / "cache" / "models" / "tiny--encoder" / "onnx" / "model.onnx"
    file.write_bytes(file.read_bytes()[:1000])
    told, again = open_elsewhere(served, tmp_path)
    assert again == name
    assert told


def test_a_cache_that_cannot_be_written_is_told(served: str, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    _, error = open_elsewhere(served, tmp_path)
    assert error.startswith(f"WeightsError: The model {NAME} could not be kept in {tmp_path}/cache/models (")
    assert error.endswith("or set FOOTNOTE_CACHE to another folder.")


def test_what_is_chosen_for_the_user_is_a_name_on_the_hub() -> None:
    assert CHOSEN == {"multilingual": "intfloat/multilingual-e5-small"}


def test_a_folder_of_the_working_directory_does_not_take_the_place_of_what_is_chosen(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.rename(tmp_path / "multilingual")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "no hub"))
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE"):
        finish(open_model("multilingual", tmp_path / "cache", EMBEDDING))


# -- a hub that means no good -----------------------------------------------------------------

Answer = Callable[[LocalHandler, threading.Event], None]
FILE = hubs.Listing(NAME, REVISION, {"file": 300}, {})


@contextmanager
def answering(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub that answers all requests in one way, which is the one that this process asks.

    The event is set once the test is over.
    """
    is_over = threading.Event()

    class Handler(LocalHandler):
        def do_GET(self) -> None:  # noqa: N802
            self.close_connection = True
            with suppress(OSError):  # mostly since the client has gone, as it should
                answer(self, is_over)

    with LocalServer(Handler) as server:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", endpoint + template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        try:
            yield
        finally:
            is_over.set()


def send_head(handler: LocalHandler, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def drip(handler: LocalHandler, is_over: threading.Event, part: bytes = b" ") -> None:
    """Send a part again and again, each long before the client has lost its patience with one read."""
    while not is_over.wait(0.02):
        handler.wfile.write(part)


def pour(handler: LocalHandler, is_over: threading.Event) -> None:
    while not is_over.is_set():
        handler.wfile.write(b" " * 100_000)


def answer_endlessly(handler: LocalHandler, is_over: threading.Event) -> None:
    send_head(handler)
    pour(handler, is_over)


def answer_by_drips(handler: LocalHandler, is_over: threading.Event) -> None:
    send_head(handler, content_length="300")
    drip(handler, is_over)


def answer_by_a_byte(handler: LocalHandler, is_over: threading.Event) -> None:
    """One byte, and the connection breaks off."""
    is_over.wait(0.02)
    send_head(handler, 206, content_length="300")
    handler.wfile.write(b" ")


def answer_with_a_head_by_drips(handler: LocalHandler, is_over: threading.Event) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-more: ")
    drip(handler, is_over, b"x")


def announce_again_and_again(handler: LocalHandler, is_over: threading.Event) -> None:
    drip(handler, is_over, b"HTTP/1.1 102 Processing\r\n\r\n")


def answer_compressed(handler: LocalHandler, is_over: threading.Event) -> None:
    body = gzip.compress(b"{}" + b" " * 10_000_000)
    send_head(handler, content_encoding="gzip", content_length=str(len(body)))
    handler.wfile.write(body)


def redirect_in_a_circle(handler: LocalHandler, is_over: threading.Event) -> None:
    send_head(handler, 302, location=handler.path)
    pour(handler, is_over)


def redirect_to_a_file(handler: LocalHandler, is_over: threading.Event) -> None:
    send_head(handler, 302, location="file:///etc/passwd")


def refuse_endlessly(handler: LocalHandler, is_over: threading.Event) -> None:
    send_head(handler, 401, x_error_code="RepoNotFound")
    pour(handler, is_over)


def ask_for_terms(handler: LocalHandler, is_over: threading.Event) -> None:
    send_head(handler, 403, x_error_code="GatedRepo", content_encoding="gzip", content_length="0")


def answer_with(content: bytes, status: int = 200) -> Answer:
    return lambda handler, is_over: handler.send("application/json", content, status)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answer_endlessly, "its list of files is longer than the 1,000,000 bytes that are read"),
        (answer_by_drips, "its list of files did not come within 0 seconds"),
        (answer_with_a_head_by_drips, "its list of files did not come within 0 seconds"),
        (announce_again_and_again, "its list of files did not come within 0 seconds"),
        (answer_compressed, "it answers compressed, which was not asked for"),
        (redirect_in_a_circle, "it redirects again and again"),
        (redirect_to_a_file, "unsupported protocol"),
        (refuse_endlessly, "the hub has no model of that name that may be read without HF_TOKEN"),
        (ask_for_terms, "the model's terms are to be accepted there first; then set HF_TOKEN"),
        (answer_with(b"", 300), "it answers with the status 300"),
        (answer_with(b""), "its answer is no list of a model's files"),
        (answer_with(b"[" * 500_000), "its answer is no list of a model's files"),
        (answer_with(b"[]"), "its answer is no list of a model's files"),
        (answer_with(b'{"sha": "x", "siblings": [null]}'), "its answer is no list of a model's files"),
        (answer_with(b'{"sha": "x", "siblings": [{"rfilename": "a", "size": 1e999}]}'), "its answer is no list"),
        (answer_with(b'{"sha": "../.."}'), "its answer names no revision"),
    ],
)
def test_a_list_of_files_is_bounded_in_time_and_length(
    answer: Answer, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "_LISTING_SECONDS", 0.45)
    monkeypatch.setattr(hubs, "_MOST_LISTING_BYTES", 1_000_000)
    with answering(answer, monkeypatch):
        begin = time.monotonic()
        with pytest.raises(hubs.HubError, match=reason) as raised:
            hubs.list_files(NAME)
        assert time.monotonic() - begin < 2
    assert raised.value.knows_name is (answer is not refuse_endlessly)


@pytest.mark.parametrize(
    "answer", [answer_by_drips, answer_by_a_byte, answer_with_a_head_by_drips, announce_again_and_again]
)
def test_a_file_that_comes_too_slowly_is_given_up_and_what_came_is_kept(
    answer: Answer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hubs, "_ENOUGH_SECONDS", 0.4)
    with answering(answer, monkeypatch):
        begin = time.monotonic()
        with pytest.raises(hubs.HubError, match=r"^file comes too slowly, and what came of it is kept$"):
            list(hubs.fetch(FILE, "file", tmp_path / "file", 1000))
        assert time.monotonic() - begin < 2
    came = (tmp_path / "file").stat().st_size
    assert (0 < came < 30) if answer in (answer_by_drips, answer_by_a_byte) else came == 0
    with answering(answer_with(b"x" * (300 - came), 206 if came else 200), monkeypatch):
        assert list(hubs.fetch(FILE, "file", tmp_path / "file", 1000)) == [300]
    assert (tmp_path / "file").read_bytes() == b" " * came + b"x" * (300 - came)


def test_a_file_that_comes_slowly_but_fast_enough_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hubs, "_ENOUGH_SECONDS", 0.4)
    monkeypatch.setattr(hubs, "_ENOUGH_BYTES", 40)

    def answer(handler: LocalHandler, is_over: threading.Event) -> None:
        send_head(handler, content_length="300")
        drip(handler, is_over, b" " * 10)

    with answering(answer, monkeypatch):
        begin = time.monotonic()
        assert list(hubs.fetch(FILE, "file", tmp_path / "file", 1000)) == [300]
        assert time.monotonic() - begin > 0.5


def test_what_the_asker_does_meanwhile_is_not_the_hubs_slowness(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hubs, "_ENOUGH_SECONDS", 0.4)
    monkeypatch.setattr(hubs, "_TOLD_BYTES", 100)

    def answer(handler: LocalHandler, is_over: threading.Event) -> None:
        send_head(handler, content_length="300")
        for _ in range(3):
            handler.wfile.write(b" " * 100)
            is_over.wait(0.05)

    told = []
    with answering(answer, monkeypatch):
        for done in hubs.fetch(FILE, "file", tmp_path / "file", 1000):
            told.append(done)
            time.sleep(0.5)
    assert len(told) > 1
    assert told[-1] == 300


def test_a_server_that_begins_anew_and_breaks_off_here_and_there_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def answer(handler: LocalHandler, is_over: threading.Event) -> None:
        asked.append(handler.path)
        send_head(handler, content_length="300")
        handler.wfile.write(b" " * (100 if len(asked) % 2 else 50))

    with answering(answer, monkeypatch), pytest.raises(hubs.HubError, match="file could not be fetched: "):
        list(hubs.fetch(FILE, "file", tmp_path / "file", 1000))
    assert len(asked) == 4


@pytest.mark.parametrize("answer", [answer_compressed, answer_endlessly, redirect_in_a_circle, refuse_endlessly])
def test_a_file_brings_no_more_than_was_listed(answer: Answer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with answering(answer, monkeypatch), pytest.raises(hubs.HubError, match=r"^file (could not be|as) fetched"):
        list(hubs.fetch(FILE, "file", tmp_path / "file", 1000))
    assert not (tmp_path / "file").exists() or (tmp_path / "file").stat().st_size == 0


def test_a_model_with_a_new_name_is_followed_and_the_token_stays_with_the_hub(
    hub: Hub, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    asked: list[tuple[str, str | None]] = []

    def answer(handler: LocalHandler, is_over: threading.Event) -> None:
        asked.append((handler.path, handler.headers["authorization"]))
        there = "" if "old" in handler.path else served  # first by the hub itself, then to another host
        send_head(handler, 307, location=f"{there}/api/models/{NAME}?blobs=true")

    serve = hub.handler.do_GET  # type: ignore[attr-defined]

    def note(handler: LocalHandler) -> None:
        asked.append((handler.path, handler.headers["authorization"]))
        serve(handler)

    monkeypatch.setattr(hub.handler, "do_GET", note)
    with answering(answer, monkeypatch):
        listing = hubs.list_files("tiny/old")
    assert (listing.revision, listing.sizes, set(listing.sha256)) == (REVISION, hub.sizes, {"onnx/model.onnx"})
    assert asked == [
        ("/api/models/tiny/old?blobs=true", "Bearer hf_secret"),
        (f"/api/models/{NAME}?blobs=true", "Bearer hf_secret"),
        (f"/api/models/{NAME}?blobs=true", None),
    ]


def test_nothing_is_asked_beside_the_list_and_the_files(hub: Hub, served: str, tmp_path: Path) -> None:
    open_elsewhere(served, tmp_path, HF_HUB_DISABLE_TELEMETRY="")
    assert hub.requests[0] == f"/api/models/{NAME}"
    assert all(path.startswith(f"/{NAME}/resolve/") for path in hub.requests[1:])


def test_a_proxy_that_cannot_be_understood_is_told(served: str, tmp_path: Path) -> None:
    proxies = dict.fromkeys(("http_proxy", "all_proxy"), "what://a:b") | {"no_proxy": "", "NO_PROXY": ""}
    _, error = open_elsewhere(served, tmp_path, **proxies)
    assert error.startswith(f"WeightsError: The model {NAME} is not on this machine and could not be fetched")
