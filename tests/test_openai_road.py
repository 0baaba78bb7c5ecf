"""Footnote as a model that OpenAI's clients ask: real clients, over a real port, behind the guard."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from fastapi import FastAPI
from guarded_server import Nothing, listening
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response
from openai_server import OpenAIServer

from assistant.answers import NOT_FOUND, Answer, AnswerSentence, Citation, Draft
from assistant.chain import answer
from assistant.serving.guard import Guard
from assistant.serving.limits import Streams
from assistant.serving.login import LogIn
from assistant.serving.openai import chat, following
from assistant.serving.openai.annotations import find_spans
from assistant.serving.openai.footnotes import Links, Taken, compose, take_off
from assistant.serving.openai.history import recall
from assistant.serving.openai.requests import Message
from assistant.serving.openai.wire import write_json
from assistant.serving.routes import documents as documents_room
from assistant.serving.routes import openai as room
from assistant.serving.served import Served
from index.library import finish, open_library
from index.settings import Settings

OPENAI_3 = Path(sys.prefix) / "openai-3"
TOKEN = "a-token-that-nobody-guesses-0123456789"
QUESTION = "Who keeps the keys of the mill?"
FILES = {
    "mill.md": "# The mill\n\nMara Oduya keeps the keys of the mill. The mill was opened in 1911.\n\n"
    "The mill has three rooms:\n\n- the grinding room\n- the drying room\n- the storage room\n",
    "staff [old]_(1).txt": "The head of sales is Karl Aster. Karl Aster joined the company in 2019.\n",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, cache_folder: Path, embedding: Any) -> Served:
    place = tmp_path_factory.mktemp("openai")
    settings = Settings.from_environment(
        {"FOOTNOTE_STORE": str(place / "stores"), "FOOTNOTE_CACHE": str(cache_folder), "FOOTNOTE_CHECK": "words"}
    )
    libraries = {}
    for name, files in (("docs", FILES), ("other docs", {"tea.txt": "The tea is kept in the blue tin.\n"})):
        folder = place / name
        folder.mkdir()
        for path, text in files.items():
            (folder / path).write_text(text, encoding="utf-8")
        libraries[name] = finish(open_library(folder, settings))
    return Served(libraries, settings)


@contextmanager
def serving(served: Served, token: str | None = None) -> Iterator[str]:
    """A server with these routes alone, behind the guard; gives its address."""

    app = FastAPI()
    for each in (room, documents_room):
        app.include_router(each.make_router(served))
    door = LogIn(None, token) if token else None
    guard = Guard(app, Streams(), {}, Nothing(), own=(*room.OPEN, *documents_room.OPEN), door=door)
    with listening(guard) as address:
        yield address


@pytest.fixture(scope="module")
def address(served: Served) -> Iterator[str]:
    with serving(served) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=60) as client:
        yield client


@contextmanager
def writing(served: Served, *scripts: Any, **options: Any) -> Iterator[tuple[OpenAIServer, openai.OpenAI]]:
    """The same over a scripted language model, on a server that has seen none yet."""
    before = served.settings
    with OpenAIServer(*scripts, **options) as model:
        served.settings = replace(model.reach(before), model="scripted-model")
        try:
            with (
                serving(served) as address,
                openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=60) as client,
            ):
                yield model, client
        finally:
            served.settings = before


def ask_python(served: Served, question: str, history: Any = (), library: str = "docs") -> Answer:
    return answer(question, served.libraries[library].folder, history=history, settings=served.settings)


def ask(client: openai.OpenAI, *messages: str, **options: Any) -> ChatCompletion:
    """Ask with messages of a user and of Footnote, in turn."""
    given = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(messages)]
    return client.chat.completions.create(model="footnote", messages=given, **options)  # type: ignore[call-overload, no-any-return]


def text_of(reply: ChatCompletion) -> str:
    return reply.choices[0].message.content or ""


def without_times(fields: dict[str, Any]) -> dict[str, Any]:
    usage = fields["usage"] and {k: v for k, v in fields["usage"].items() if not k.endswith("seconds")}
    return {**fields, "usage": usage}


def answer_of(fields: Any) -> Answer:
    return Answer.from_json(json.dumps(fields))


def join(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def cite_keys(request: Any) -> str:
    """A model's reply that cites the sentence that tells of the keys."""
    line = next(line for line in request.user.splitlines() if "keeps the keys" in line and line.lstrip()[:1] == "[")
    marker = f"{line.lstrip().split(']')[0]}]"
    return f"Mara Oduya keeps the keys of the mill {marker}. It is she who keeps the keys of it {marker}."


def cite_first(request: Any) -> str:
    """A model's reply that cites two sentences, in two points."""
    numbers = re.findall(r"^\[(\d+)\]", request.user, re.MULTILINE)
    return "".join(f"- The mill has rooms and keys [{number}].\n" for number in numbers[:2])


# -- models -------------------------------------------------------------------------------------


def test_each_library_is_a_model(client: openai.OpenAI) -> None:
    names = ["footnote", "footnote/docs", "footnote/other docs"]
    assert [model.id for model in client.models.list()] == names
    for name in names:
        assert client.models.retrieve(name).id == name
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("footnote/none")
    assert refused.value.code == "model_not_found"
    asked = client.chat.completions.create(
        model="footnote/other docs", messages=[{"role": "user", "content": "Where is the tea kept?"}]
    )
    assert "blue tin" in text_of(asked)
    for name in ("gpt-4o", "footnote/", "footnote/none", "footnote/docs/"):
        with pytest.raises(openai.NotFoundError) as refused:
            client.chat.completions.create(model=name, messages=[{"role": "user", "content": QUESTION}])
        assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


# -- chat ---------------------------------------------------------------------------------------


def test_a_chat_gives_what_python_gives(served: Served, client: openai.OpenAI, address: str) -> None:
    expected = ask_python(served, QUESTION)
    reply = ask(client, QUESTION, temperature=0.3, max_tokens=5, tools=[], seed=7)
    ChatCompletion.model_validate(reply.model_dump(), strict=True)
    message = reply.choices[0].message
    assert answer_of(message.model_extra["footnote"]) == expected  # type: ignore[index]
    assert (reply.choices[0].finish_reason, reply.model) == ("stop", "footnote")
    text = text_of(reply)
    assert text == compose(expected, Links(address))
    assert text.startswith(f"{expected.text}\n\n---\n- [1]({address}/api/documents/")
    assert "mill.md, characters 12-50: “Mara Oduya keeps the keys of the mill.”" in text
    assert reply.usage and reply.usage.prompt_tokens > 0 < reply.usage.completion_tokens
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    # An annotation is the sentence with its markers, and leads to its words.
    [annotation, *_] = message.annotations or []
    place = annotation.url_citation
    assert text[place.start_index : place.end_index] == "“Mara Oduya keeps the keys of the mill.” [1]"
    shown = httpx.get(place.url).text
    assert ">Mara Oduya keeps the keys of the mill.</mark>" in shown


@pytest.mark.parametrize(
    "question",
    [QUESTION, "What is the population of Qatar?", "hello", "Which documents are there?", "When did Karl join?"],
)
def test_a_stream_is_the_same_to_the_letter(served: Served, client: openai.OpenAI, question: str) -> None:
    whole = ask(client, question)
    chunks: list[ChatCompletionChunk] = [*ask(client, question, stream=True, stream_options={"include_usage": True})]  # type: ignore[arg-type]
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.model_dump(), strict=True)
    assert join(chunks) == text_of(whole)
    assert chunks[0].choices[0].delta.role == "assistant"
    *before, last, counted = chunks
    assert (last.choices[0].finish_reason, counted.choices) == ("stop", [])
    assert all(chunk.choices[0].finish_reason is None and chunk.usage is None for chunk in before)
    assert counted.usage == whole.usage
    assert last.model_extra["footnote"] == whole.choices[0].message.model_extra["footnote"]  # type: ignore[index]
    annotations = [a for c in before for a in (c.choices[0].delta.model_extra or {}).get("annotations", ())]
    assert annotations == [a.model_dump() for a in whole.choices[0].message.annotations or ()]
    sources = [chunk.model_extra["event"]["data"] for chunk in before if "event" in (chunk.model_extra or {})]  # type: ignore[index]
    citations = ask_python(served, question).citations
    assert [source["document"] for source in sources] == [[c.quote or c.title] for c in citations]
    assert len({source["metadata"][0]["source"] for source in sources}) == len(citations)


def test_a_stream_without_options_ends_as_openais(address: str) -> None:
    body = {"model": "footnote", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    reply = httpx.post(f"{address}/v1/chat/completions", json=body, timeout=60)
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = reply.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(json.loads(event.removeprefix("data: "))["choices"] for event in events[:-2])


def test_what_is_not_found_shows_the_nearest(client: openai.OpenAI, served: Served) -> None:
    text = text_of(ask(client, "What is the population of Qatar?"))
    assert text.startswith("The documents do not say.\n\n---\n- *Near:* [")
    assert take_off(text).text == "The documents do not say."
    assert text.endswith("\n- *Note:* Looked in the library “docs”; the models of others: footnote/other docs")
    # A name that holds markup does no harm.
    text = text_of(ask(client, "Who is the head of sales?"))
    assert "staff \\[old\\]\\_(1).txt, characters 0-32" in text


def test_only_some_documents_can_be_asked(client: openai.OpenAI) -> None:
    reply = ask(client, QUESTION, extra_body={"footnote": {"only": ["staff*"]}})
    assert "Mara" not in text_of(reply).partition("---")[0]
    with pytest.raises(openai.BadRequestError, match="footnote"):
        ask(client, QUESTION, extra_body={"footnote": {"only": "staff"}})


def test_a_large_answer_is_streamed_in_pieces(
    served: Served, client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "LARGEST_ANSWER_BYTES", 100)
    chunks: list[Any] = [*ask(client, QUESTION, stream=True)]  # type: ignore[arg-type]
    passages = [passage for chunk in chunks for passage in (chunk.model_extra or {}).get("footnote_passages", ())]
    assert answer_of({**chunks[-1].model_extra["footnote"], "passages": passages}) == ask_python(served, QUESTION)


@given(st.text())
def test_what_goes_over_the_wire_is_one_line(text: str) -> None:
    written = write_json({text: text})
    assert len(written.splitlines()) == 1
    kept = text.encode(errors="replace").decode()
    assert json.loads(written.encode()) == {kept: kept}


# -- a conversation -----------------------------------------------------------------------------


@pytest.mark.parametrize("streams", [False, True])
def test_a_follow_up_means_what_it_means_in_python(served: Served, client: openai.OpenAI, streams: bool) -> None:
    said: list[str] = []
    answers: list[Answer] = []
    for question in (
        "Which rooms does the mill have?",
        "What is the second one?",
        "Who keeps its keys?",
        "Make that shorter",
        "Which documents are there?",
        "Summarise it",
    ):
        expected = ask_python(served, question, answers)
        if streams:
            chunks: list[Any] = [*ask(client, *said, question, stream=True)]  # type: ignore[arg-type]
            text, fields = join(chunks), chunks[-1].model_extra["footnote"]
        else:
            reply = ask(client, *said, question)
            text, fields = text_of(reply), reply.choices[0].message.model_extra["footnote"]  # type: ignore[index]
        assert answer_of(fields) == expected
        answers.append(expected)
        said += [question, text]


def test_footnotes_are_citations_again(served: Served, client: openai.OpenAI) -> None:
    expected = ask_python(served, QUESTION)
    text = text_of(ask(client, QUESTION))
    [back] = recall([Message("user", QUESTION), Message("assistant", text)], served.library())
    assert (back.question, back.query, back.text) == (expected.question, expected.query, expected.text)
    assert back.citations == tuple(replace(citation, context=()) for citation in expected.citations)
    # What is forged, or does not stand any more, is none.
    first = expected.citations[0]
    for old, new in (
        (f"={first.start}-{first.end}", f"={first.start + 1}-{first.end + 1}"),
        (f"={first.start}-{first.end}", f"={first.end}-{first.start}"),
        (f"={first.start}-{first.end}", "=0-99999999999999"),
        (first.document_id, "0" * 16),
        ("Mara", "Nora"),
    ):
        assert old in text
        [back] = recall([Message("user", QUESTION), Message("assistant", text.replace(old, new))], served.library())
        assert [citation.number for citation in back.citations] == [c.number for c in expected.citations[1:]]


def test_messages_are_read_as_they_come(served: Served, client: openai.OpenAI) -> None:
    expected = ask_python(served, QUESTION)
    messages: list[Any] = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "tool_call_id": "1", "content": "42"},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
        {"role": "assistant", "content": "It is"},
    ]
    reply = client.chat.completions.create(model="footnote", messages=messages)
    assert reply.choices[0].message.model_extra["footnote"]["text"] == expected.text  # type: ignore[index]


# -- text and back ------------------------------------------------------------------------------

ANY_TEXT = st.text() | st.sampled_from(
    ["", "\n\n---\n", "a [1].\n\n---\n- *Note:* b", "\n\n---\n\n---\n", "- [1](", "a\\&#10;*b*\r\n\u2028c ", "\ud800"]
)
SENTENCES = st.builds(AnswerSentence, ANY_TEXT, st.just(()), st.sampled_from(["supported", "unsupported", "unchecked"]))


LINKS = [
    Links("http://127.0.0.1:7860"),
    Links("https://a.example", "ä (b)/c"),
    Links("https://a.example", "", "Looked in “a\n*b*”; the models of others: footnote/[1](c)"),
]


@st.composite
def citations(draw: st.DrawFn, number: int) -> Citation:
    start, length = draw(st.integers(0, 10**9)), draw(st.integers(0, 10**4))
    places = (start, start + length, draw(ANY_TEXT), (), "words") if length else (0, 0, "", (), "document")
    document = draw(st.text("0123456789abcdef", min_size=16, max_size=16))
    page = draw(st.none() | st.integers(1, 10**6))
    return Citation(number, document, draw(ANY_TEXT), draw(ANY_TEXT), page, *places)  # type: ignore[arg-type]


@st.composite
def made_up_answers(draw: st.DrawFn) -> Answer:
    count = draw(st.integers(0, 3))
    return Answer(
        question=draw(ANY_TEXT),
        query=draw(ANY_TEXT.filter(bool)),
        text=draw(st.sampled_from(["", NOT_FOUND])) + "".join(draw(st.lists(ANY_TEXT, max_size=4))),
        status=draw(st.sampled_from(["answered", "not_found"])),
        confidence=1.0,
        model=None,
        usage=None,
        sentences=tuple(draw(st.lists(SENTENCES, max_size=2))),
        citations=tuple(draw(citations(number)) for number in range(1, count + 1)),
        passages=(),
        notice=draw(ANY_TEXT),
    )


@given(made_up_answers(), st.sampled_from(LINKS))
def test_taking_off_undoes_composing(made_up: Answer, links: Links) -> None:
    taken = take_off(compose(made_up, links))
    assert taken.text == made_up.text
    assert taken.query == ("" if made_up.query == made_up.question else made_up.query)
    assert [(f.number, f.document_id, f.start, f.end, f.kind) for f in taken.footnotes] == [
        (c.number, c.document_id, c.start, c.end, c.kind) for c in made_up.citations
    ]


@given(st.text().map(lambda text: f"A rule stands here\n\n---\nand then {text}"))
def test_what_is_not_ours_stays(text: str) -> None:
    assert take_off(text) == Taken(text)


@given(made_up_answers(), st.data())
def test_spans_lie_in_the_text(made_up: Answer, data: st.DataObject) -> None:
    numbers = st.sampled_from([(), (1,), (1, 2), (7,)])
    cut = [part for part in made_up.text.split(".") if part]
    sentences = tuple(AnswerSentence(part, data.draw(numbers), "supported") for part in cut)
    spans = [*find_spans(replace(made_up, sentences=sentences))]
    assert all(0 <= span.start <= span.end <= len(made_up.text) for span in spans)
    assert [span.start for span in spans] == sorted(span.start for span in spans)


@pytest.mark.parametrize(
    ("text", "sentences", "spans"),
    [
        (
            "It is so [1]. It is not [2][1].",
            [("It is so.", (1,)), ("It is not.", (2, 1))],
            ["It is so [1].", "It is not [2][1]."],
        ),
        ("- **So** [1]\n- *Not* so. [2]", [("So", (1,)), ("Not so.", (2,))], ["**So** [1]", "*Not* so. [2]"]),
        ("“One” [1]\n\nTwo: “Three.” [2]", [("One", (1,)), ("Three.", (2,))], ["“One” [1]", "“Three.” [2]"]),
        ("No.\n\nYes. [1]", [("No.", ()), ("Yes.", (1,))], ["Yes. [1]"]),
    ],
)
def test_a_span_is_a_sentence_with_its_markers(text: str, sentences: list[Any], spans: list[str]) -> None:
    cited = tuple(Citation(number, "0" * 16, "a.txt", "A", None, 0, 1, "x") for number in (1, 2))
    made_up = Answer("q", "q", text, "answered", 1.0, None, None, (), cited, ())
    made_up = replace(made_up, sentences=tuple(AnswerSentence(*one, "supported") for one in sentences))
    assert [*dict.fromkeys(text[span.start : span.end] for span in find_spans(made_up))] == spans


# -- with a language model ----------------------------------------------------------------------


def test_a_model_is_streamed_once_it_has_shown_that_its_words_stay(served: Served) -> None:
    with writing(served, cite_keys) as (_, client):
        expected = ask_python(served, QUESTION)
        assert expected.model == "scripted-model"
        assert expected.citations
        pieces = []
        for _ in range(2):
            chunks: list[Any] = [*ask(client, QUESTION, stream=True, stream_options={"include_usage": True})]  # type: ignore[arg-type]
            assert take_off(join(chunks)).text == expected.text
            assert without_times(chunks[-2].model_extra["footnote"]) == without_times(json.loads(expected.to_json()))
            assert chunks[-1].usage.prompt_tokens == expected.usage.prompt_tokens == 321
            pieces.append(sum(bool(chunk.choices and chunk.choices[0].delta.content) for chunk in chunks))
        held, live = pieces
        assert (held, live > held) == (2, True)
        assert text_of(ask(client, QUESTION)) == join(chunks)


def test_thoughts_whose_end_alone_tells_them_are_never_streamed(served: Served) -> None:
    def think_first(request: Any) -> str:
        return f"Hm. {cite_keys(request)} Or is it so?\n</think>\n{cite_keys(request)}"

    with writing(served, think_first) as (_, client):
        expected = text_of(ask(client, QUESTION))
        for _ in range(2):
            chunks: list[Any] = [*ask(client, QUESTION, stream=True)]  # type: ignore[arg-type]
            assert join(chunks) == expected
            assert "Hm" not in expected
    with writing(served, cite_keys, think_first) as (_, client):
        for _ in range(2):  # whole, nothing is taken back
            assert take_off(text_of(ask(client, QUESTION))) == take_off(expected)
    # Where the model has not done so before, the stream ends in an error, and is the last to do so.
    with writing(served, cite_keys, think_first) as (_, client):
        ask(client, QUESTION)
        with pytest.raises(openai.APIError, match="thought aloud"):
            list(ask(client, QUESTION, stream=True))
        chunks = [*ask(client, QUESTION, stream=True)]  # type: ignore[arg-type]
        assert take_off(join(chunks)) == take_off(expected)


def test_a_model_is_told_of_a_conversation_what_it_is_told_in_python(served: Served) -> None:
    questions = (QUESTION, "Put that into a table", "Which rooms does it have?", "Explain the second point")
    answers: list[Answer] = []
    said: list[str] = []
    with writing(served, cite_first) as (model, client):
        for question in questions:
            model.requests.clear()
            expected = ask_python(served, question, answers)
            count = len(model.chats)
            reply = ask(client, *said, question)
            # But for the fences, which nobody can guess.
            told = [re.sub(r"=== \w{16} ===", "", request.system + request.user) for request in model.chats]
            assert told[:count] == told[count:] != []
            fields = reply.choices[0].message.model_extra["footnote"]  # type: ignore[index]
            assert without_times(fields) == without_times(json.loads(expected.to_json()))
            answers.append(expected)
            said += [question, text_of(reply)]


def test_a_model_that_fails_is_told_of_in_a_note(served: Served) -> None:
    with writing(served, 503) as (_, client):
        text = text_of(ask(client, QUESTION))
        assert "- *Note:* The language model did not answer." in text
        assert join([*ask(client, QUESTION, stream=True)]) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("streams", [True, False])
def test_who_leaves_stops_the_work(served: Served, monkeypatch: pytest.MonkeyPatch, streams: bool) -> None:
    is_over = threading.Event()

    def think_for_ever(*_: Any, **__: Any) -> Iterator[Any]:
        try:
            while True:
                yield Draft("and so on")
                time.sleep(0.02)
        finally:
            is_over.set()

    monkeypatch.setattr(following, "PULSE_SECONDS", 0.1)
    monkeypatch.setattr(room, "stream_answer", think_for_ever)
    body = {"messages": [{"role": "user", "content": QUESTION}], "stream": streams}
    with serving(served) as address:
        url = f"{address}/v1/chat/completions"
        if streams:
            with httpx.stream("POST", url, json=body) as reply:
                assert any(line.startswith(": the answer is being worked on") for line in reply.iter_lines())
                assert not is_over.is_set()
        else:
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(url, json=body, timeout=1)
        assert is_over.wait(30)


# -- responses ----------------------------------------------------------------------------------


def test_a_response_is_the_same(served: Served, client: openai.OpenAI, address: str) -> None:
    expected = ask_python(served, QUESTION)
    reply = client.responses.create(model="footnote", input=QUESTION, instructions="Be brief.", store=True)
    Response.model_validate(reply.model_dump(), strict=True)
    assert reply.output_text == compose(expected, Links(address))
    assert (reply.status, reply.store) == ("completed", False)  # type: ignore[attr-defined]
    assert answer_of(reply.model_extra["footnote"]) == expected  # type: ignore[index]
    reply_of_chat = ask(client, QUESTION)
    [part] = reply.output[0].content  # type: ignore[union-attr]
    assert [a.url for a in part.annotations] == [
        a.url_citation.url for a in reply_of_chat.choices[0].message.annotations or ()
    ]  # type: ignore[union-attr]
    assert reply.usage and reply.usage.output_tokens == reply_of_chat.usage.completion_tokens  # type: ignore[union-attr]

    follow_up: list[Any] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": QUESTION}]},
        {"type": "reasoning", "id": "r", "summary": []},
        reply.output[0].model_dump(),
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Make that shorter"}]},
    ]
    shorter = client.responses.create(model="footnote", input=follow_up)
    assert answer_of(shorter.model_extra["footnote"]) == ask_python(served, "Make that shorter", [expected])  # type: ignore[index]


def test_a_streamed_response_is_the_same(client: openai.OpenAI) -> None:
    whole = client.responses.create(model="footnote", input=QUESTION)
    events = [*client.responses.create(model="footnote", input=QUESTION, stream=True)]
    assert [event.sequence_number for event in events] == [*range(len(events))]
    kinds = [event.type.removeprefix("response.") for event in events]
    assert [*dict.fromkeys(kinds)] == (
        "created in_progress output_item.added content_part.added output_text.delta output_text.annotation.added "
        "output_text.done content_part.done output_item.done completed"
    ).split()
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == whole.output_text
    completed = events[-1].response  # type: ignore[union-attr]
    assert completed.output_text == whole.output_text
    assert completed.model_extra == whole.model_extra
    with client.responses.stream(model="footnote", input=QUESTION) as stream:
        assert stream.get_final_response().output_text == whole.output_text


def test_nothing_is_stored(client: openai.OpenAI) -> None:
    for field in ({"previous_response_id": "resp_1"}, {"conversation": "conv_1"}, {"background": True}):
        with pytest.raises(openai.BadRequestError) as refused:
            client.responses.create(model="footnote", input=QUESTION, **field)  # type: ignore[call-overload]
        assert refused.value.param == next(iter(field))
    with pytest.raises(openai.BadRequestError, match="Nothing is stored"):
        client.responses.create(model="footnote", input=[{"type": "item_reference", "id": "x"}])


# -- what goes wrong ----------------------------------------------------------------------------

USER = {"role": "user", "content": QUESTION}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "x"}, "messages"),
        ({"messages": [1]}, "messages[0]"),
        ({"messages": [{"content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content"),
        ({"messages": [USER] * 2001}, "messages"),
        ({"n": 2}, "n"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": 1}, "stream_options"),
        ({"model": 1}, "model"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice"),
        ({"messages": [{"role": "user", "content": " "}]}, None),
        ({"messages": [{"role": "user", "content": "long " * 10_000}]}, None),
    ],
)
@pytest.mark.parametrize("streams", [False, True])
def test_a_request_that_cannot_be_answered_is_told_why(
    address: str, fields: dict[str, Any], param: str | None, streams: bool
) -> None:
    body = {"messages": [USER], "stream": streams, **fields}
    reply = httpx.post(f"{address}/v1/chat/completions", json=body, timeout=60)
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert error["message"].endswith((".", "documents folder and ask about it."))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe{}", 400),
        (b"[" * 200_000, 400),
        (b'{"a":' * 200_000, 400),
        (b'{"n": ' + b"9" * 100_000 + b"}", 400),
        (b'{"messages": [{"role": "user", "content": "' + b"x" * 2_000_000 + b'"}]}', 413),
    ],
)
@pytest.mark.parametrize("path", ["chat/completions", "responses"])
def test_a_body_that_is_none_is_refused(address: str, path: str, content: bytes, status: int) -> None:
    reply = httpx.post(f"{address}/v1/{path}", content=content, timeout=60)
    assert reply.status_code == status
    assert reply.json()["error"]["type"] == "invalid_request_error"


def test_half_a_character_breaks_nothing(address: str) -> None:
    for streams in (False, True):
        content = json.dumps({"messages": [{"role": "user", "content": f"{QUESTION} \ud83d"}], "stream": streams})
        reply = httpx.post(f"{address}/v1/chat/completions", content=content, timeout=60)
        assert (reply.status_code, "Mara Oduya" in reply.text) == (200, True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.fixed_dictionaries(
    {}, optional={"type": st.sampled_from(["text", "input_text", "image_url"]) | JSON, "text": JSON}
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["user", "assistant", "system", "tool"]) | JSON,
        "content": JSON | st.lists(PARTS | JSON, max_size=3),
        "type": st.sampled_from(["message", "item_reference", "reasoning"]) | JSON,
    },
)
NAMES = "model stream n stream_options tool_choice footnote background conversation instructions tools".split()
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(MESSAGES | JSON, max_size=4) | JSON,
        "input": st.lists(MESSAGES | JSON, max_size=4) | JSON,
        **dict.fromkeys(NAMES, JSON),
    },
)


@trying(max_examples=40)
@given(BODIES | JSON, st.sampled_from(["chat/completions", "responses"]))
def test_no_request_is_too_strange(address: str, body: object, path: str) -> None:
    reply = httpx.post(f"{address}/v1/{path}", content=json.dumps(body), timeout=60)
    assert reply.status_code in (200, 400, 404)
    if reply.status_code != 200:
        assert isinstance(reply.json()["error"]["message"], str)


def test_too_much_at_once_is_told_when_to_come_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.serving import answering

    monkeypatch.setattr(answering, "MOST_WAITING", 0)
    crowded = Served(served.libraries, served.settings)
    with serving(crowded) as address, openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client:
        for streams in (False, True):
            with pytest.raises(openai.RateLimitError) as refused:
                ask(client, QUESTION, stream=streams)
            assert (refused.value.type, refused.value.response.headers["retry-after"] > "0") == (
                "rate_limit_error",
                True,
            )


def test_a_folder_that_is_gone_is_no_fault_of_who_asks(served: Served, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    library = finish(open_library(gone, served.settings))
    gone.rmdir()
    lost = Served({"gone": library}, served.settings)
    with serving(lost) as address, openai.OpenAI(base_url=f"{address}/v1", api_key="x") as client:
        for streams in (False, True):
            with pytest.raises(openai.InternalServerError, match="does not exist") as refused:
                ask(client, QUESTION, stream=streams)
            assert (refused.value.status_code, refused.value.type) == (503, "server_error")
        with pytest.raises(openai.InternalServerError):
            client.responses.create(model="footnote", input=QUESTION)


def test_the_key_is_the_servers_token(served: Served) -> None:
    with serving(served, TOKEN) as address:
        with openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN) as client:
            assert "Mara Oduya" in text_of(ask(client, QUESTION))
        with openai.OpenAI(base_url=f"{address}/v1", api_key="another") as client:
            for refuse in (client.models.list, lambda: ask(client, QUESTION)):
                with pytest.raises(openai.AuthenticationError) as refused:
                    refuse()
                assert (refused.value.type, refused.value.param) == ("authentication_error", None)


# -- other clients ------------------------------------------------------------------------------


def test_llama_index_asks_footnote_as_a_model(address: str, served: Served) -> None:
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai_like import OpenAILike

    model = OpenAILike(model="footnote", api_base=f"{address}/v1", api_key="none", is_chat_model=True)
    expected = ask_python(served, QUESTION)
    reply = model.chat([ChatMessage(role="user", content=QUESTION)])
    assert take_off(reply.message.content or "").text == expected.text
    assert answer_of(reply.raw.choices[0].message.footnote) == expected  # type: ignore[union-attr]
    *_, last = model.stream_chat([ChatMessage(role="user", content=QUESTION)])
    assert last.message.content == reply.message.content


ASK_WITH_3 = """
import sys, openai
assert openai.__version__.startswith("3."), openai.__version__
address, question = sys.argv[1:]
client = openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
assert [model.id for model in client.models.list()][0] == "footnote"
messages = [{"role": "user", "content": question}]
whole = client.chat.completions.create(model="footnote", messages=messages)
openai.types.chat.ChatCompletion.model_validate(whole.model_dump(), strict=True)
assert whole.choices[0].message.annotations[0].url_citation.url.startswith(address)
assert whole.choices[0].message.footnote["question"] == question
text = whole.choices[0].message.content
chunks = [*client.chat.completions.create(model="footnote", messages=messages, stream=True)]
for chunk in chunks:
    openai.types.chat.ChatCompletionChunk.model_validate(chunk.model_dump(), strict=True)
assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text
response = client.responses.create(model="footnote", input=question)
openai.types.responses.Response.model_validate(response.model_dump(), strict=True)
assert response.output_text == text
with client.responses.stream(model="footnote", input=question) as stream:
    assert stream.get_final_response().output_text == text
try:
    client.chat.completions.create(model="none", messages=messages)
except openai.NotFoundError as error:
    assert error.code == "model_not_found"
print(text.encode())
"""


@pytest.mark.skipif(not OPENAI_3.is_dir(), reason="openai 3 is not installed: make test puts it into .venv/openai-3")
def test_the_client_of_version_3_is_served_too(address: str, served: Served) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ASK_WITH_3, address, QUESTION],
        env={**os.environ, "PYTHONPATH": str(OPENAI_3)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(compose(ask_python(served, QUESTION), Links(address)).encode())
