"""What the browser keeps of a conversation, and what becomes of what it gives back: nothing of it is believed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hashed import HashEmbedding, open_store, put
from hypothesis import given
from hypothesis import strategies as st

from assistant.answers import NOT_FOUND, Answer, AnswerSentence, Citation
from assistant.serving.page import keeping
from assistant.serving.page.conversing import MOST_TURNS, Exchange
from assistant.serving.page.keeping import LARGEST_SAVED_BYTES, restore, save_turn, to_saved
from assistant.serving.page.messages import to_markdown
from assistant.serving.page.strings import say
from assistant.serving.served import Served
from benchmarks.injection import find_live
from index.documents import Passage, identify
from index.errors import InputError
from index.library import Library
from index.settings import Settings

TEXT = "The bridge was opened in 1911. It is green. Ünder it 🚣 boats go. It is green.\n\nIt was painted <b>twice</b>."
UNREADABLE = say("keeping.unreadable")


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """What is served: one library of one document, which stands as TEXT says."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "bridge.txt").write_text(TEXT, encoding="utf-8")
    store = open_store(folder, tmp_path_factory.mktemp("stores"))
    with store.writing():
        put(store, folder / "bridge.txt")
    settings = Settings.from_environment({})
    yield Served({"bridges": Library(folder, store, HashEmbedding(), settings)}, settings)
    store.close()


def cite(start: int, end: int, number: int = 1, **fields: Any) -> Citation:
    citation = Citation(
        number, identify("bridge.txt"), "bridge.txt", "bridge", None, start, end, TEXT[start:end], ("Parts", "Bridge")
    )
    return replace(citation, **fields)


def find(words: str) -> Citation:
    start = TEXT.index(words)
    return cite(start, start + len(words))


def make_answer(*citations: Citation, **fields: Any) -> Answer:
    sentences = tuple(AnswerSentence(c.quote, (c.number,), "supported") for c in citations)
    text = "\n".join(f"“{c.quote}” [{c.number}]" for c in citations)
    answer = Answer("q?", "q? bridge", text, "answered", 0.9, None, None, sentences, citations, ())
    return replace(answer, **fields)


def make_turn(answer: Answer, turn: int = 0) -> Exchange:
    return Exchange(answer.question, to_markdown(answer, turn), answer)


def restore_one(served: Served, answer: Answer) -> Exchange:
    (exchange,) = restore(to_saved([make_turn(answer)]), served)
    return exchange


# -- what stands ------------------------------------------------------------------------------

SPANS = st.tuples(st.integers(0, len(TEXT) - 1), st.integers(1, len(TEXT))).filter(lambda span: span[0] < span[1])
ANSWERS = st.lists(SPANS, min_size=1, max_size=4).map(
    lambda spans: make_answer(*(cite(start, end, number) for number, (start, end) in enumerate(spans, start=1)))
)


@given(answers=st.lists(ANSWERS, max_size=4))
def test_what_stands_comes_back_as_it_was(bridge: Served, answers: list[Answer]) -> None:
    conversation = tuple(make_turn(answer, turn) for turn, answer in enumerate(answers))
    assert restore(to_saved(conversation), bridge) == conversation


def test_a_whole_document_is_cited_as_before(bridge: Served) -> None:
    whole = cite(0, 0, kind="document", context=())
    turn = make_turn(make_answer(whole))
    assert restore(to_saved([turn]), bridge) == (turn,)


def test_of_the_passages_stays_what_is_shown(bridge: Served) -> None:
    passage = Passage(identify("bridge.txt"), "bridge.txt", "bridge", None, 0, 30, TEXT[:30], 0.5, (), context=("A",))
    refused = make_answer(status="not_found", text=NOT_FOUND, passages=(passage,) * 8)
    answer = restore_one(bridge, refused).answer
    assert answer is not None
    assert answer.passages == (passage,) * keeping.MOST_PASSAGES_KEPT
    forged = replace(passage, text="Made up, and as long as so.."[:30].ljust(30), path="/etc/passwd")
    answer = restore_one(bridge, replace(refused, passages=(forged,))).answer
    assert answer is not None
    assert answer.passages == ()
    assert json.loads(save_turn(make_turn(make_answer(find("It is"), passages=(passage,)))))["answer"]["passages"] == []


def test_a_question_without_an_answer_is_kept(bridge: Served) -> None:
    (exchange,) = restore(to_saved([Exchange("why " * 25_000, "**any** <b>reply</b>")]), bridge)
    assert exchange.question == ("why " * 25_000)[:10_000]
    assert exchange.reply == say("keeping.unanswered")


# -- what has changed -------------------------------------------------------------------------


def test_words_that_moved_are_cited_where_they_stand(bridge: Served) -> None:
    right = find("Ünder it 🚣 boats go.")
    for moved in (replace(right, start=0, end=len(right.quote)), replace(right, start=10**30, end=-5, page=7)):
        answer = restore_one(bridge, make_answer(moved)).answer
        assert answer is not None
        assert answer.citations == (replace(right, context=()),)


@pytest.mark.parametrize(
    "lost",
    [
        cite(0, 20, quote="The bridge was burnt"),
        cite(1, 13, quote="It is green."),  # stands twice, and not there
        cite(0, 9, document_id="0000000000000000"),
        cite(0, 9, document_id="../../etc/passwd"),
        cite(0, 0, quote="   "),
        cite(5, 5, quote=""),
        cite(0, 0, kind="document", document_id="gone"),
    ],
)
def test_words_that_are_gone_are_text_without_a_link(bridge: Served, lost: Citation) -> None:
    exchange = restore_one(bridge, make_answer(lost))
    assert exchange.answer is not None
    assert exchange.answer.citations[0].document_id == ""
    assert "#cite-" not in exchange.reply
    assert 'class="chip gone"' in exchange.reply
    assert "no longer found in the documents" in exchange.reply


def test_only_the_link_to_what_is_gone_is_taken_away(bridge: Served) -> None:
    hostile = cite(0, 5, 2, quote='"><img src=x onerror=alert(1)> `a` [b](c) $d$')
    reply = restore_one(bridge, make_answer(find("opened in 1911"), hostile)).reply
    assert "#cite-0-1" in reply
    assert "#cite-0-2" not in reply
    assert "<img" not in reply
    span = reply[reply.index("<span") : reply.index("</span>")]
    assert not set("`[]$*\\") & set(span)


def test_a_title_and_a_path_are_those_of_the_document(bridge: Served) -> None:
    answer = restore_one(bridge, make_answer(cite(0, 9, path="<b>/x.md", title="Trust me", page=3))).answer
    assert answer is not None
    assert answer.citations == (cite(0, 9),)


def test_each_turn_is_looked_up_in_its_own_library(bridge: Served) -> None:
    turn = replace(make_turn(make_answer(find("opened in 1911"))), library="bridges")
    assert restore(to_saved([turn]), bridge) == (turn,)
    (lost,) = restore(to_saved([replace(turn, library="ferries")]), bridge)
    assert lost.library is None
    assert lost.answer is not None
    assert lost.answer.citations[0].document_id == ""


def test_a_search_costs_only_so_much(bridge: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_SEARCHED_CHARACTERS", 2 * len(TEXT))
    moved = [replace(find("opened in 1911"), number=number, start=0, end=14) for number in (1, 2, 3)]
    answer = restore_one(bridge, make_answer(*moved)).answer
    assert answer is not None
    assert [bool(citation.document_id) for citation in answer.citations] == [True, True, False]
    monkeypatch.setattr(keeping, "MOST_LOOKED_UP", 2)
    with pytest.raises(InputError, match="too large"):
        restore_one(bridge, make_answer(*moved))


# -- what is hostile --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "null",
        "{}",
        "[1]",
        "[[]]",
        "[null]",
        '[{"question": "a"}]',
        '[{"question": 1, "library": null, "answer": null}]',
        '[{"question": "a", "library": null, "answer": "b"}]',
        '[{"question": "a", "library": null, "answer": NaN}]',
        '[{"question": "\\ud800", "library": null, "answer": null}]',
        "[" * 100_000,
        '[{"question": "a", "library": null, "answer": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}]",
        f'[{{"question": "{"a" * 10_001}", "library": null, "answer": null}}]',
        f'[{{"question": "a", "library": null, "answer": {"9" * 5_000}}}]',
        json.dumps([{"question": "a", "library": None, "answer": None}] * (MOST_TURNS + 1)),
    ],
)
def test_what_is_no_conversation_is_refused(bridge: Served, text: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        restore(text, bridge)


def test_what_is_too_large_is_refused(bridge: Served) -> None:
    with pytest.raises(InputError, match="too large"):
        restore(" " * (LARGEST_SAVED_BYTES + 1), bridge)
    with pytest.raises(InputError, match="too large"):
        restore("é" * (LARGEST_SAVED_BYTES // 2 + 1), bridge)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "certain"},
        {"found": False},
        {"citations": 5},
        {"citations": [{}]},
        {"confidence": 9},
        {"more": 1},
        {"passages": None},
        {"sentences": [{"text": "x", "citations": [2], "support": "supported"}]},
    ],
)
def test_an_answer_that_is_none_is_shown_as_text(bridge: Served, change: dict[str, Any]) -> None:
    (given,) = json.loads(to_saved([make_turn(make_answer(find("It is green"), text="<b>Bold</b> ![x](http://a/b)"))]))
    given["answer"] |= change
    (exchange,) = restore(json.dumps([given]), bridge)
    assert exchange.answer is None
    assert "&lt;b&gt;Bold" in exchange.reply
    assert say("keeping.as_text") in exchange.reply
    assert not find_live(exchange.reply.replace("<small>", "").replace("</small>", ""))


@pytest.mark.parametrize("numbers", [[2], [1, 1], [0], [-1], [10**12], [2, 1]])
def test_numbers_rise_from_one(bridge: Served, numbers: list[int]) -> None:
    cited = find("It is green")
    answer = make_answer(*(replace(cited, number=number) for number in numbers))
    assert restore_one(bridge, answer).answer is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data())
def test_whatever_is_put_into_an_answer_is_refused_or_shown_safely(bridge: Served, data: st.DataObject) -> None:
    (given,) = json.loads(to_saved([make_turn(make_answer(find("It is green"), find("1911.")))]))
    place: Any = given
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(JSON)
    try:
        (exchange,) = restore(json.dumps([given]), bridge)
    except InputError as refused:
        assert str(refused) in (UNREADABLE, say("keeping.too_large"))
        return
    exchange.reply.encode()
    for citation in exchange.answer.citations if exchange.answer else ():
        if citation.document_id and citation.kind == "words":
            assert citation.document_id == identify("bridge.txt")
            assert TEXT[citation.start : citation.end] == citation.quote
            assert citation.path == "bridge.txt"


def test_nothing_of_a_forged_answer_is_live(bridge: Served, tmp_path: Path) -> None:
    hostile = (
        "<script>alert(1)</script> <img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](http://127.0.0.1:9/x)"
    )
    for model in (None, "<b>m</b>"):
        answer = make_answer(
            find("It is green"), question=hostile, query=hostile, notice=hostile, model=model, text=f"{hostile} [1]"
        )
        answer = replace(
            answer, sentences=tuple(replace(s, text=hostile, lead=hostile, reason=hostile) for s in answer.sentences)
        )
        reply = restore_one(bridge, answer).reply
        assert not find_live(reply.replace("<small>", "").replace("</small>", "")), reply
