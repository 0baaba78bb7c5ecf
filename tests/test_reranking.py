"""A server's reranker, over real sockets: the forms that servers have, what they do badly, what a reader is told."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_server import (
    Fault,
    ModelServer,
    bomb,
    cut,
    fall_silent,
    hang_up,
    pour,
    redirect,
    refuse,
    say,
    score,
    send,
)

from assistant.chain import answer
from index.documents import Passage
from index.errors import InputError, ModelError
from index.library import finish, open_library
from index.searching import reranking
from index.searching.reranking import Reranker, open_reranker
from index.settings import Settings

KEY = "sk-do-not-show-3f9a"
TEXTS = ["The ferry leaves at noon.", "The bridge is closed on Mondays.", "On Mondays the old bridge is open."]
QUERY = "When is the old bridge open?"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.connection.FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(reranking, "_known", {})


def settings_for(url: str, **others: str) -> Settings:
    named = {"FOOTNOTE_RERANKER": "a-model", "FOOTNOTE_RERANKER_URL": url, "FOOTNOTE_RERANKER_KEY": KEY}
    return Settings.from_environment({**os.environ, **named, **others})


def open_at(url: str, **others: str) -> Reranker:
    reranker = open_reranker(settings_for(url, **others))
    assert reranker
    return reranker


def make_passage(text: str, place: int, score: float) -> Passage:
    return Passage("d", "d.md", "Title", None, place, place + len(text), text, score, ())


def make_passages(texts: list[str]) -> list[Passage]:
    return [make_passage(text, place, 1 / (place + 1)) for place, text in enumerate(texts)]


# -- forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "path", "given"),
    [
        ("documents", "/v1/rerank", "{root}"),
        ("documents", "/v1/rerank", "{root}/v1"),
        ("documents", "/v1/rerank", "{root}/v1/"),
        ("documents", "/v1/rerank", "{root}/v1/rerank"),
        ("documents", "/v2/rerank", "{root}"),
        ("documents", "/v2/rerank", "{root}/v2"),
        ("documents", "/rerank", "{root}"),
        ("documents", "/rerank", "{root}/v1"),
        ("documents", "/deep/reranking", "{root}/deep/reranking"),
        ("documents", "/v1/rerank", "{root}/v1?name=value"),
        ("texts", "/rerank", "{root}"),
        ("texts", "/rerank", "{root}/rerank"),
        ("texts", "/rerank", "{root}/v1"),
    ],
)
def test_whatever_form_a_server_has_is_found_once(form: str, path: str, given: str) -> None:
    with ModelServer(form=form, path=path) as server:
        url = given.format(root=server.root)
        assert open_at(url).score(QUERY, TEXTS) == [score(QUERY, text) for text in TEXTS]
        tried = len(server.asked)
        open_at(url).score(QUERY, TEXTS)
    assert tried <= 5
    assert len(server.asked) == tried + 1
    assert server.asked[-1].path.partition("?")[0] == path
    assert server.asked[-1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "answer",
    [
        {"results": [{"index": 1, "relevance_score": 2}, {"index": 0, "relevance_score": -3.5}]},
        {"results": [{"index": 0, "relevance_score": -3.5, "document": {"text": "x"}}, {"index": 1, "score": 2}]},
        {"object": "list", "data": [{"index": 1, "relevance_score": 2}, {"index": 0, "relevance_score": -3.5}]},
        [{"index": 1, "score": 2}, {"index": 0, "score": -3.5}],
    ],
)
def test_scores_come_in_any_order_and_under_their_names(answer: object) -> None:
    with ModelServer(say(answer)) as server:
        assert open_at(server.base_url).score(QUERY, TEXTS[:2]) == [-3.5, 2]


def test_a_server_that_was_changed_is_found_again() -> None:
    with ModelServer(form="documents", path="/v1/rerank") as server:
        reranker = open_at(server.root)
        reranker.score(QUERY, TEXTS)
        server.form, server.path = "texts", "/rerank"
        assert reranker.score(QUERY, TEXTS) == [score(QUERY, text) for text in TEXTS]


@pytest.mark.parametrize("too_long", [(400, "maximum context length"), (500, "input is too large"), (413, "no")])
def test_texts_that_are_too_long_are_shortened(too_long: tuple[int, str]) -> None:
    texts = ["bridge " * 400, "harbour " * 400]
    with ModelServer(longest=1200, too_long=too_long) as server:
        assert open_at(server.base_url).score("bridge", texts) == [1.0, 0.0]


# -- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (refuse(500), "failed with error 500"),
        (refuse(429, headers=(("retry-after", "900"),)), "wait 900 seconds"),
        (refuse(401), "refused the key for its reranker: check FOOTNOTE_RERANKER_KEY"),
        (refuse(404), "has no reranker 'a-model': load it there, or check FOOTNOTE_RERANKER and FOOTNOTE_RERANKER_URL"),
        (refuse(400, "no"), "refused the request with error 400"),
        (refuse(400, "maximum context length"), "refused the request with error 400"),
        (hang_up, "broke off"),
        (cut, "broke off"),
        (pour, "went on without an end"),
        (bomb, "compressed"),
        (redirect("http://127.0.0.1:9/"), "elsewhere"),
        (send(b"<html>"), "no JSON"),
        (say({}), "no list of scores"),
        (say([]), "0 scores for 3 texts"),
        (say({"results": [{"index": 0, "relevance_score": 1}]}), "1 scores for 3 texts"),
        (say({"results": [{"index": i, "relevance_score": 1} for i in (0, 1, 1)]}), "no list of scores"),
        (say({"results": [{"index": i, "relevance_score": 1} for i in (0, 1, 3)]}), "no list of scores"),
        (say({"results": [{"index": i, "relevance_score": None} for i in range(3)]}), "no list of scores"),
        (say({"results": [{"index": i} for i in range(3)]}), "no list of scores"),
        (say({"results": [[i] for i in range(3)]}), "no list of scores"),
        (say({"results": "abc"}), "no list of scores"),
        (say({"results": [{"index": i, "relevance_score": float("nan")} for i in range(3)]}), "no number"),
    ],
)
def test_what_a_reranker_does_wrong_leaves_the_order_of_the_search(fault: Fault, told: str) -> None:
    passages = make_passages(TEXTS)
    with ModelServer(*[fault] * 12) as server:
        reranker = open_at(server.base_url)
        assert reranker.order(QUERY, passages) == passages
        asked = len(server.asked)
        assert reranker.order(QUERY, passages) == passages
        assert len(server.asked) == asked  # it is not asked again for the same question
        with pytest.raises(ModelError):
            open_at(server.base_url).score(QUERY, TEXTS)
    assert told in reranker.failure
    assert reranker.failure.count(". ") == 0
    assert KEY not in reranker.failure


def test_a_reranker_that_says_nothing_is_given_up() -> None:
    with ModelServer(fall_silent) as server:
        reranker = open_at(server.base_url, FOOTNOTE_TIMEOUT_SECONDS="0.2")
        reranker.order(QUERY, make_passages(TEXTS))
    assert "was silent for 0.2 seconds" in reranker.failure


def test_a_reranker_without_a_server_says_so() -> None:
    with pytest.raises(InputError, match="FOOTNOTE_RERANKER is 'a-model', but no server is named: set FOOTNOTE_RERANK"):
        open_reranker(settings_for("", OPENAI_API_KEY="k"))
    assert open_reranker(settings_for("http://x", FOOTNOTE_RERANKER="")) is None


def test_the_language_models_server_is_asked_where_no_other_is_named_and_only_it_gets_its_key() -> None:
    others = {"FOOTNOTE_RERANKER_KEY": "", "OPENAI_API_KEY": "a-key"}
    with ModelServer() as server, ModelServer() as other:
        open_at("", OPENAI_BASE_URL=server.base_url, **others).score(QUERY, TEXTS)
        open_at(other.base_url, OPENAI_BASE_URL=server.base_url, **others).score(QUERY, TEXTS)
    assert [asked.headers.get("authorization") for asked in (*server.asked, *other.asked)] == ["Bearer a-key", None]


# -- order ------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.sampled_from(["bridge", "old", "open", "ferry"]), st.floats(0, 1)), max_size=50),
    st.sampled_from([QUERY, 'the "old" one', 'the "old bridge"', ""]),
)
def test_nothing_is_lost_or_added_and_scores_stay_what_they_were(given: list[tuple[str, float]], query: str) -> None:
    scores = sorted((score for _, score in given), reverse=True)
    passages = [make_passage(text, i, s) for i, ((text, _), s) in enumerate(zip(given, scores, strict=True))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reranker, "score", lambda self, query, texts: [score(query, text) for text in texts])
        ordered = open_at("http://127.0.0.1:9").order(query, passages)
    assert [passage.score for passage in ordered] == scores
    assert sorted(passage.start for passage in ordered) == list(range(len(passages)))
    assert {replace(passage, score=0) for passage in ordered} == {replace(passage, score=0) for passage in passages}


def test_passages_that_hold_a_quoted_phrase_stay_first() -> None:
    texts = ["who said a great failure", "a disgraceful failure", "who said who said what"]
    with ModelServer() as server:
        ordered = open_at(server.base_url).order('who said "a disgraceful failure"', make_passages(texts))
    assert ordered[0].text == texts[1]


# -- in the product ---------------------------------------------------------------------------


def write(folder: Path) -> None:
    for name in ("Ash", "Birch", "Cedar", "Doum", "Elm", "Fir", "Gum", "Holly", "Ivy", "Juniper", "Kapok", "Larch"):
        (folder / f"{name}.md").write_text(f"# {name} hut\n\nThe warden of {name} hut opens the door at six.\n")


def prefer(word: str) -> Any:
    """A reranker that puts what holds a word before all else."""

    def rerank(handler: Any) -> None:
        texts = handler.server.asked[-1].texts
        handler.say({"results": [{"index": i, "relevance_score": float(word in t)} for i, t in enumerate(texts)]})

    return rerank


def test_the_reranker_chooses_among_more_passages_than_are_shown(folder: Path) -> None:
    write(folder)
    with ModelServer(*[prefer("Larch")] * 9) as server:
        settings = settings_for(server.base_url, FOOTNOTE_PASSAGE_COUNT="2")
        library = finish(open_library(folder, settings))
        finish(library.sync())
        plain = library.retrieve("Who opens the door?", 12)
        ordered = library.retrieve("Who opens the door?", None, open_reranker(settings))
        result = answer("Who opens the door at six?", folder, settings=settings)
    assert ordered[0].path == "Larch.md"
    assert len(ordered) == 2
    assert [p.score for p in ordered] == [p.score for p in plain[:2]]
    assert {p.path for p in result.passages} >= {"Larch.md"}
    assert "Larch" in result.text
    assert result.notice == ""
    assert server.asked[0].texts[0].startswith(plain[0].title)
    assert len(server.asked[0].texts) == 12


def test_an_answer_says_that_the_reranker_failed(folder: Path) -> None:
    write(folder)
    plain = answer("Who opens the door at six?", folder, settings=Settings.from_environment())
    with ModelServer(*[refuse(500)] * 9) as server:
        result = answer("Who opens the door at six?", folder, settings=settings_for(server.base_url))
        address = server.base_url
    assert result.notice == (
        f"The reranker did not answer. The reranker 'a-model' at {address} failed with error 500: ask again, or look "
        "into the server's log. The order is that of the search."
    )
    assert replace(result, notice="") == plain
    assert len(server.asked) == 2


def test_llama_index_gets_both(folder: Path) -> None:
    from index.components import FootnoteReranker, FootnoteRetriever

    write(folder)
    with ModelServer(*[prefer("Larch")] * 2, *[refuse(400)] * 9) as server:
        settings = settings_for(server.base_url)
        nodes = FootnoteRetriever(folder, replace(settings, reranker=None)).retrieve("Who opens the door?")
        assert FootnoteRetriever(folder, settings).retrieve("Who opens the door?")[0].metadata["path"] == "Larch.md"
        ordered = FootnoteReranker(settings, top_n=3).postprocess_nodes(nodes[::-1], query_str="Who opens the door?")
        assert len(ordered) == 3
        assert all(node.score in (0.0, 1.0) for node in ordered)
        assert FootnoteReranker(settings).postprocess_nodes([], query_str="x") == []
        for ask in (
            lambda: FootnoteRetriever(folder, settings).retrieve("x"),
            lambda: FootnoteReranker(settings).postprocess_nodes(nodes, query_str="x"),
        ):
            with pytest.raises(ModelError, match="refused the request"):
                ask()
    with pytest.raises(InputError, match="No reranker is named"):
        FootnoteReranker(Settings.from_environment())
    with pytest.raises(InputError, match="There is no query"):
        FootnoteReranker(settings).postprocess_nodes(nodes)
