from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load
from test_minilm import TEXTS, VECTORS
from tiny_encoder import DIMENSIONS, INPUTS, LINES, Reference, make_model, make_tokenizer, unit, write

from benchmarks.engines import to_onnx
from index.embedding import centre
from index.embedding.encoder import open_tokenizer, place
from index.embedding.engines import open_embedding
from index.embedding.minilm import MOST_TOKENS
from index.embedding.protocol import Embedding
from index.embedding.transformer import Transformer
from index.embedding.weights import open_weights
from index.errors import FootnoteError, InputError
from index.library import finish
from index.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
CHUNK_TOKENS = 32
PROMPTS = {"query": "query: ", "document": "passage: "}
# OpenVINO computes in bfloat16 where the processor has it.
LEAST_COSINE = 0.999

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A new tiny model at each call. What all its texts have in common, which is much, stays in its vectors."""
    monkeypatch.setattr(centre, "MOST_IN_COMMON", 1.1)
    made: list[Path] = []

    def make(**options: Any) -> Path:
        made.append(make_model(tmp_path / f"model{len(made)}", **options))
        return made[-1]

    return make


def open_folder(folder: Path, chunk_tokens: int = CHUNK_TOKENS) -> Transformer:
    settings = {"FOOTNOTE_EMBEDDING": f"local:{folder}", "FOOTNOTE_CHUNK_TOKENS": str(chunk_tokens)}
    embedding: Embedding = finish(open_embedding(Settings.from_environment(settings)))
    assert isinstance(embedding, Transformer)
    return embedding


def refuse(folder: Path, chunk_tokens: int = CHUNK_TOKENS) -> str:
    with pytest.raises(FootnoteError) as raised:
        open_folder(folder, chunk_tokens)
    return str(raised.value)


def near(one: Any, other: Any) -> bool:
    return bool(one @ other > LEAST_COSINE)


def pool(states: Any, how: str) -> Any:
    """As sentence-transformers pools the states of a text's tokens."""
    ways = {"mean": states.mean(axis=0), "cls": states[0], "max": states.max(axis=0), "lasttoken": states[-1]}
    return unit(ways[how])


# -- vectors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tokenizer", ["wordpiece", "unigram", "bytes"])
@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "lasttoken"])
def test_a_vector_is_what_the_model_makes_of_a_text_with_its_prompt(make: Make, tokenizer: str, pooling: str) -> None:
    folder = make(tokenizer=tokenizer, pooling=pooling, prompts=PROMPTS)
    embedding, reference = open_folder(folder), Reference(folder)
    texts = ["Ida Voss", *(line[:40] for line in LINES), "", "The ferry. " * 4]
    vectors = embedding.embed(texts)
    assert vectors.shape == (len(texts), DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, vectors, strict=True):
        assert near(vector, pool(cut_states(reference, f"passage: {text}"), pooling)), text
        assert near(embedding.embed_query(text), pool(cut_states(reference, f"query: {text}"), pooling)), text


def cut_states(reference: Reference, text: str) -> Any:
    states, encoding = reference.states(text)
    assert len(encoding.ids) <= 64, "the model has no more positions"
    return states


@pytest.mark.parametrize("form", ["openvino", "data"])
def test_every_form_of_export_gives_the_same_vectors(make: Make, form: str) -> None:
    expected = open_folder(make()).embed(LINES)
    assert near_all(open_folder(make(form=form)).embed(LINES), expected)


def near_all(ones: Any, others: Any) -> bool:
    return all(near(one, other) for one, other in zip(ones, others, strict=True))


@pytest.mark.parametrize(
    "options",
    [
        {"inputs": INPUTS[:2]},
        {"outputs": ("token_embeddings", "sentence_embedding")},
        {"outputs": ("sentence_embedding", "last_hidden_state")},
        {"outputs": ("hidden",)},
        {"shape": (1, 64)},
        {"shape": ("texts", 64)},
    ],
)
def test_exports_differ_in_what_they_take_and_give(make: Make, options: dict[str, Any]) -> None:
    embedding = open_folder(make(**options))
    assert embedding.embeds_sentences
    vectors, sentences = embedding.embed_with_sentences(LINES, [[(0, 20)]] * len(LINES))
    assert near_all(vectors, np.concatenate([embedding.embed([line]) for line in LINES]))
    assert [rows.shape for rows in sentences] == [(1, DIMENSIONS)] * len(LINES)


def test_an_export_that_gives_no_states_gives_no_sentences(make: Make) -> None:
    embedding = open_folder(make(outputs=("sentence_embedding",)))
    assert not embedding.embeds_sentences
    vectors, sentences = embedding.embed_with_sentences(LINES[:1], [[(0, 20)]])
    assert vectors.shape == (1, DIMENSIONS)
    assert sentences[0].shape == (0, DIMENSIONS)


def test_a_text_has_the_same_vector_in_a_batch_as_alone_and_in_its_own_row(make: Make) -> None:
    embedding = open_folder(make(prompts=PROMPTS))
    texts = [f"{number} " + "the ferry " * (number * 7 % 25) for number in range(150)]
    together = embedding.embed(texts)
    assert near_all(together, np.concatenate([embedding.embed([text]) for text in texts]))


def test_a_padding_beyond_the_models_positions_is_none(make: Make) -> None:
    # A multiple of eight tokens would be more than it has.
    folder = make(positions=45, most_tokens=45)
    embedding, reference = open_folder(folder), Reference(folder)
    text = "ferry " * 43
    assert embedding.count_tokens([text]) == [43]
    assert near(embedding.embed([text])[0], pool(reference.states(text)[0], "mean"))


def test_a_text_is_cut_where_the_model_ends(make: Make) -> None:
    embedding = open_folder(make())
    fits = "ferry " * 62
    assert embedding.count_tokens([fits, fits + "bridge"]) == [62, 63]
    assert near(*embedding.embed([fits, fits + "bridge"]))


def test_a_prompt_that_is_not_pooled_is_only_read(make: Make) -> None:
    pooling = {"pooling_mode": "mean", "include_prompt": False}
    folder = make(pooling=pooling, prompts=PROMPTS)
    embedding, reference = open_folder(folder), Reference(folder)
    states, _ = reference.states("passage: the ferry")
    prompt = len(reference.tokenizer.encode("passage: ").ids) - 1
    assert near(embedding.embed(["the ferry"])[0], pool(states[prompt:], "mean"))


def test_texts_are_made_lower_case_where_the_model_says_so(make: Make) -> None:
    folder = make(tokenizer="bytes")
    assert not near(*open_folder(folder).embed(["THE FERRY İ", "the ferry i̇"]))
    write(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": True})
    embedding = open_folder(folder)
    assert near(*embedding.embed(["THE FERRY İ", "the ferry i̇"]))
    # "İ" becomes two characters, and the offsets stay those of the text.
    _, [rows] = embedding.embed_with_sentences(["İİİ. The ferry."], [[(0, 4), (5, 15)]])
    assert not near(rows[0], rows[1])


def test_a_real_model_gives_the_vectors_that_it_gives_elsewhere(
    make: Make, cache_folder: Path, embedding: Embedding
) -> None:
    # The embedded model's own weights, exported to ONNX and laid out as the hub's models are.
    weights = finish(open_weights(cache_folder))
    folder = make()
    (folder / "onnx" / "model.onnx").write_bytes(to_onnx(load(weights.model), int8=False))
    (folder / "tokenizer.json").write_text(weights.tokenizer, encoding="utf-8")
    write(folder / "sentence_bert_config.json", {"max_seq_length": MOST_TOKENS})
    write(folder / "config.json", {"model_type": "bert", "max_position_embeddings": 512, "vocab_size": 30522})
    model = open_folder(folder, 200)
    vectors, sentences = model.embed_with_sentences(TEXTS, [[(0, len(text) // 2)] for text in TEXTS])
    assert ((vectors * VECTORS).sum(axis=1) > 0.9998).all()
    expected = embedding.embed_with_sentences(TEXTS, [[(0, len(text) // 2)] for text in TEXTS])[1]
    for one, other in zip(sentences, expected, strict=True):
        assert (one * other).sum(axis=1).min() > 0.999
    assert model.count_tokens(TEXTS) == embedding.count_tokens(TEXTS)


# -- sentences --------------------------------------------------------------------------------


@pytest.mark.parametrize("tokenizer", ["wordpiece", "unigram", "bytes"])
@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "lasttoken"])
def test_a_sentence_is_pooled_from_its_own_tokens_where_it_stands(make: Make, tokenizer: str, pooling: str) -> None:
    folder = make(tokenizer=tokenizer, pooling=pooling, prompts={"document": "passage: "})
    embedding, reference = open_folder(folder), Reference(folder)
    text = "The mayor left.  Ida\u3000crosses."
    spans = [(0, 15), (17, 29), (17, 20), (15, 17)]
    _, [rows] = embedding.embed_with_sentences([text], [spans])
    states, encoding = reference.states(f"passage: {text}")
    for (start, end), row in zip(spans[:3], rows, strict=False):
        places = [
            number
            for number, (begin, stop) in enumerate(encoding.offsets)
            # The word's own first character decides: a token may hold the space before it.
            if begin < stop and (at := first_letter(f"passage: {text}", begin, stop)) is not None
            if start <= at - len("passage: ") < end
        ]
        how = "mean" if pooling == "cls" else pooling
        assert near(row, pool(states[places], how)), (start, end)
    # What holds no word has the vector of its text.
    assert near(rows[3], embedding.embed([text])[0])


def first_letter(text: str, begin: int, end: int) -> int | None:
    return next((at for at in range(begin, end) if not text[at].isspace()), None)


@pytest.mark.parametrize(
    ("offsets", "text", "prompt", "expected"),
    [
        ([(0, 0), (0, 3), (4, 7), (0, 0)], "one two", 0, [(0, 0), (0, 3), (4, 7), (0, 0)]),
        ([(0, 0), (0, 2), (2, 6), (6, 10), (0, 0)], "one two", 3, [(0, 0), (0, 0), (0, 3), (4, 7), (0, 0)]),
        ([(0, 5)], "one", 3, [(0, 2)]),  # a token of both the prompt and the text begins with the text
        ([(0, 3)], "   ", 0, [(3, 3)]),  # and one of white space alone nowhere
        ([(0, 99)], "one", 0, [(0, 3)]),
        ([], "one", 0, []),
    ],
)
def test_tokens_are_placed_in_the_text_behind_a_prompt(
    offsets: Sequence[tuple[int, int]], text: str, prompt: int, expected: list[tuple[int, int]]
) -> None:
    assert place(offsets, text, prompt).tolist() == [list(pair) for pair in expected]


TOKENIZERS = {kind: open_tokenizer(make_tokenizer(kind).to_str()) for kind in ("wordpiece", "unigram", "bytes")}


@settings(max_examples=200)
@given(
    st.text(st.sampled_from("aé市 \u3000\n.ferry😀İ"), max_size=30),
    st.sampled_from(["", "passage: ", "文:"]),
    st.data(),
)
def test_every_token_begins_in_the_text_at_a_letter(text: str, prompt: str, data: st.DataObject) -> None:
    tokenizer = TOKENIZERS[data.draw(st.sampled_from(sorted(TOKENIZERS)))]
    placed = place(tokenizer.encode(prompt + text).offsets, text, len(prompt))
    for begin, end in placed:
        assert 0 <= begin <= end <= len(text)
        assert begin == end or not text[begin].isspace()
    assert (np.diff(placed[1:-1, 0]) >= 0).all()
    covered = {at for begin, end in placed for at in range(begin, end)}
    if tokenizer is not TOKENIZERS["wordpiece"]:  # which has no token for some
        assert {at for at, letter in enumerate(text) if not letter.isspace()} <= covered


def test_threads_share_it_and_get_the_vectors_that_one_would(make: Make) -> None:
    embedding = open_folder(make(prompts=PROMPTS))
    texts = [f"Thread {number} " + "ferry " * (number * 5 % 20) for number in range(24)]
    expected = np.concatenate([embedding.embed_query(text)[None] for text in texts])
    with ThreadPoolExecutor(6) as threads:
        vectors = list(threads.map(embedding.embed_query, texts * 3))
    assert np.abs(np.array(vectors) - np.concatenate([expected] * 3)).max() < 1e-5


def test_no_texts_have_no_vectors(make: Make) -> None:
    embedding = open_folder(make())
    assert embedding.embed([]).shape == (0, DIMENSIONS)
    assert embedding.embed_with_sentences([], [])[1] == []


# -- what all texts have in common ------------------------------------------------------------


def test_what_all_texts_have_in_common_is_taken_off_where_it_is_much(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(prompts=PROMPTS)
    texts = ["The mayor left.", "Ida Voss"]
    whole, query = open_folder(folder).embed(texts), open_folder(folder).embed_query(texts[0])
    common = {p: find_mean(open_folder(folder), p) for p in ("passage: ", "query: ")}
    monkeypatch.setattr(centre, "MOST_IN_COMMON", 0.0)
    embedding = open_folder(folder)
    vectors, sentences = embedding.embed_with_sentences(texts, [[(0, 15), (15, 15)], [(0, 8)]])
    for one, vector in zip(whole, vectors, strict=True):
        assert near(vector, unit(one - common["passage: "]))
    assert near(embedding.embed_query(texts[0]), unit(query - common["query: "]))
    for rows in sentences:
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert near(sentences[0][1], vectors[0])  # of a sentence without a word, taken off once


def find_mean(embedding: Transformer, prompt: str) -> Any:
    return embedding._embed(centre.TEXTS, [()] * len(centre.TEXTS), prompt)[0].mean(axis=0)


def test_the_embedded_models_texts_have_little_in_common(embedding: Embedding) -> None:
    assert centre.find_centre(embedding.embed(centre.TEXTS)) is None


def test_a_cone_is_told_by_the_mean_cosine_of_its_texts() -> None:
    chance = np.random.default_rng(0)
    away = chance.normal(size=(24, 300)).astype(np.float32)
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    axis = np.eye(300, dtype=np.float32)[0]
    for cosine, is_cone in ((0.1, False), (0.45, False), (0.55, True), (0.8, True)):
        cone = cosine**0.5 * axis + (1 - cosine) ** 0.5 * away
        found = centre.find_centre(cone / np.linalg.norm(cone, axis=1, keepdims=True))
        assert (found is not None) == is_cone, cosine


# -- its name ---------------------------------------------------------------------------------


def test_its_name_changes_with_all_that_its_vectors_depend_on_and_with_nothing_else(make: Make) -> None:
    folder = make(prompts=PROMPTS)
    names = [open_folder(folder).name]
    (folder / "README.md").write_text("another")
    (folder / "pytorch_model.bin").write_bytes(b"another")
    assert open_folder(folder).name == names[0]
    assert names[0].startswith(f"{folder.name}+")
    for file, content in {
        "1_Pooling/config.json": {"pooling_mode": "cls"},
        "config_sentence_transformers.json": {"prompts": {"query": "other: "}},
        "sentence_bert_config.json": {"max_seq_length": 60},
        "tokenizer.json": {**json.loads((folder / "tokenizer.json").read_text()), "normalizer": None},
    }.items():
        write(folder / file, content)
        names.append(open_folder(folder).name)
    model = folder / "onnx" / "model.onnx"
    content = model.read_bytes()
    model.write_bytes(content[:-400].replace(b"tiny", b"tony", 1) + content[-400:])
    names.append(open_folder(folder).name)
    assert len(set(names)) == len(names)


# -- what cannot be used ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "form"),
    [
        ("onnx/model.onnx", "onnx"),
        ("onnx/model.onnx_data", "data"),
        ("openvino/openvino_model.xml", "openvino"),
        ("openvino/openvino_model.bin", "openvino"),
    ],
)
@pytest.mark.parametrize("keeps", [0, 0.5])
def test_a_model_that_is_cut_off_is_told(
    make: Make, file: str, form: str, keeps: float, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = make(form=form)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: int(len(content) * keeps)])
    message = refuse(folder)
    assert " cannot be used (" in message
    assert "remove it and get the model anew" in message
    assert "Exception from" not in message
    assert capfd.readouterr().err == ""  # OpenVINO's other readers have not tried it


def test_an_onnx_file_does_not_lead_to_files_elsewhere(make: Make, tmp_path: Path) -> None:
    folder = make(form="data")
    data = folder / "onnx" / "model.onnx_data"
    data.rename(tmp_path / "secret")
    model = folder / "onnx" / "model.onnx"
    path = b"../../secret"
    assert len(path) < len(b"model.onnx_data")
    data.symlink_to(tmp_path / "secret")
    assert "outside the base directory" in refuse(folder)
    data.unlink()
    model.write_bytes(model.read_bytes().replace(b"model.onnx_data", b"../../././secret"[:15]))
    assert " cannot be used (" in refuse(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"model": {"type": "BPE", "vocab": {}, "merges": ["a b"]}}',
        b'{"version": "1.0", "added_tokens": [], "model": {"type": "WordPiece", "unk_token": "x", '
        b'"continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {}}}',
        b'{"version": "1.0", "added_tokens": [], "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"},'
        b' "model": {"type": "BPE", "vocab": {}, "merges": []}}',
    ],
)
def test_a_tokenizer_that_is_none_is_told(make: Make, content: bytes) -> None:
    folder = make()
    (folder / "tokenizer.json").write_bytes(content)
    assert refuse(folder).startswith(f"{folder}/tokenizer.json cannot be used (")


def test_a_tokenizer_of_another_model_is_told(make: Make) -> None:
    folder = make()
    write(folder / "config.json", {"vocab_size": 50})
    assert " tokens, and the model 50)" in refuse(folder)


@pytest.mark.parametrize(
    "options", [{"inputs": ("input_ids",)}, {"inputs": (*INPUTS, "pixels")}, {"outputs": ("one", "two")}]
)
def test_an_export_of_another_kind_is_told(make: Make, options: dict[str, Any]) -> None:
    assert "should take input_ids, attention_mask, token_type_ids, and give one of last_hidden_state" in refuse(
        make(**options)
    )


def test_chunks_that_the_model_would_not_read_to_their_end_are_refused(make: Make) -> None:
    folder = make(prompts=PROMPTS)
    room = 64 - len(Reference(folder).tokenizer.encode("passage: ").ids)
    assert open_folder(folder, room)
    with pytest.raises(InputError) as raised:
        open_folder(folder, 200)
    assert str(raised.value) == (
        f"{folder.name} reads {room} tokens of a text, and chunks have up to 200: set FOOTNOTE_CHUNK_TOKENS to {room} "
        "or less, or FOOTNOTE_EMBEDDING to another model."
    )


# -- the product on it ------------------------------------------------------------------------


def test_a_folder_is_asked_with_it_and_another_model_is_refused_by_the_store(
    make: Make, folder: Path, tmp_path: Path
) -> None:
    (folder / "ferry.md").write_text("# The ferry\n\nCaptain Ida Voss steers the ferry. It crosses at noon.\n")

    def run(*arguments: str, embedding: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "FOOTNOTE_EMBEDDING": embedding,
            "FOOTNOTE_CHUNK_TOKENS": "40",
            "FOOTNOTE_STORE": str(tmp_path / "s"),
        }
        return subprocess.run(
            [sys.executable, "-m", "assistant", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    one, other = make(prompts=PROMPTS), make(tokenizer="bytes", pooling="cls")
    asked = ("ask", "Who steers the ferry?", "--documents", str(folder))
    done = run(*asked, embedding=f"local:{one}")
    assert done.returncode == 0, done.stderr
    assert "Captain Ida Voss steers the ferry." in done.stdout

    refused = run(*asked, embedding=f"local:{other}")
    assert refused.returncode == 1
    assert f"embedding {other.name}+" in refused.stderr
    assert f"embedding {one.name}+" in refused.stderr
    assert "--anew" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert run("sync", str(folder), "--anew", embedding=f"local:{other}").returncode == 0
    assert "Captain Ida Voss" in run(*asked, embedding=f"local:{other}").stdout

    shutil.rmtree(one)
    gone = run(*asked, embedding=f"local:{one}")
    assert gone.returncode == 2
    assert gone.stderr.strip().endswith(f"names the folder '{one}', which does not exist: check the path.")
