"""The page: which components stand where, and which event does what.

Its annotations are real ones: Gradio reads them, and hands an event and its request to who asks for them.

The server keeps each conversation itself, and takes from the page only what was typed and clicked on.
"""

import time
from collections.abc import Iterator
from typing import Any

from assistant.serving.limits import Streams
from assistant.serving.markdown import LATEX_DELIMITERS
from assistant.serving.page.assets import read_asset
from assistant.serving.page.conversing import (
    Conversation,
    Messages,
    converse,
    cut,
    list_answers,
    stop,
    to_messages,
)
from assistant.serving.page.exporting import export_kind
from assistant.serving.page.header import to_header, to_user
from assistant.serving.page.scope import Scope, read_scope
from assistant.serving.page.settings_panel import build_settings
from assistant.serving.page.showing import show
from assistant.serving.page.strings import say
from assistant.serving.served import Served
from index.settings import sample_folder

AT_ONCE = 4  # questions answered at the same time; more wait their turn
MOST_SESSIONS = 1000  # whose conversations are remembered
LISTENING_SECONDS = 1.0  # a page asks first, and then listens

SAMPLE_QUESTIONS = (
    "Why was Israel skipped?",
    "What did Amit Segal say?",
    "How much did Saudi Arabia pledge to invest?",
    "What is the population of Qatar?",
)


def build_page(served: Served, streams: Streams) -> Any:
    """The page, as Gradio's Blocks."""
    import gradio

    with gradio.Blocks(title="Footnote", fill_height=True, analytics_enabled=False) as page:
        conversation, asking, scope = gradio.State(()), gradio.State(""), gradio.State(Scope())
        editing = gradio.State(None)  # the turn that is to be asked anew
        header = gradio.HTML(elem_id="header")
        user = gradio.HTML(elem_id="user")
        hidden: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        with gradio.Tabs(elem_id="tabs"):
            with gradio.Tab(say("tabs.conversation"), id="conversation"), gradio.Row(equal_height=False):
                with gradio.Column(scale=3, min_width=340, elem_id="talk"):
                    chatbot = gradio.Chatbot(
                        elem_id="conversation",
                        label=say("conversation.label"),
                        show_label=False,
                        height="56vh",
                        latex_delimiters=LATEX_DELIMITERS,
                        allow_tags=False,
                        sanitize_html=True,
                        feedback_options=None,
                        buttons=[],
                        placeholder=say("conversation.empty"),
                    )
                    acts = gradio.HTML(
                        None, html_template="", js_on_load=read_asset("acts.js"), elem_id="acts", padding=False
                    )
                    question = gradio.Textbox(
                        label=say("asking.label"),
                        placeholder=say("asking.placeholder"),
                        lines=1,
                        max_lines=6,
                        autofocus=True,
                        submit_btn=say("asking.ask"),
                        elem_id="question",
                    )
                    picker = gradio.HTML(
                        None, html_template="", js_on_load=read_asset("scope.js"), elem_id="scope", padding=False
                    )
                    suggestions = gradio.HTML(
                        {"questions": suggest_questions(served)},
                        html_template="",
                        js_on_load=read_asset("suggestions.js"),
                        elem_id="suggestions",
                    )
                with gradio.Column(scale=2, min_width=320, elem_id="proof"):
                    viewer = gradio.HTML(
                        None,
                        html_template="",
                        js_on_load=read_asset("viewer.js"),
                        apply_default_css=False,
                        elem_id="viewer",
                    )
            with gradio.Tab(say("tabs.documents"), id="documents"):
                gradio.HTML(None, html_template="", js_on_load=read_asset("documents.js"), elem_id="documents-tab")
            if served.is_local:
                with gradio.Tab(say("tabs.settings"), id="settings") as settings:
                    build_settings(served, header, settings, hidden)

        def take(text: str | None, talk: Conversation, turn: int | None = None) -> tuple[Any, ...]:
            kept, _ = cut(talk, turn)
            box = gradio.Textbox(
                value="", label=say("asking.label"), submit_btn=False, stop_btn=say("asking.stop"), autofocus=True
            )
            return text or "", kept, None, box

        def take_suggested(talk: Conversation, event: gradio.EventData) -> tuple[Any, ...]:
            return take(_read_details(event, "question", str), talk)

        def take_again(talk: Conversation, event: gradio.EventData) -> tuple[Any, ...]:
            turn = _read_details(event, "turn", int)
            _, text = cut(talk, turn)
            return take(text, talk, turn) if text else (gradio.skip(),) * 4

        def edit(talk: Conversation, event: gradio.EventData) -> tuple[int | None, Any]:
            turn = _read_details(event, "turn", int)
            _, text = cut(talk, turn)
            label = say("acts.editing", number=turn + 1) if text else say("asking.label")
            return turn if text else None, gradio.Textbox(value=text, label=label)

        def undo(talk: Conversation, event: gradio.EventData) -> tuple[Any, ...]:
            kept, text = cut(talk, _read_details(event, "turn", int))
            return (
                to_messages(kept),
                kept,
                None,
                gradio.Textbox(value=text, label=say("asking.label")) if text else gradio.skip(),
            )

        def export(talk: Conversation, chosen: Scope, event: gradio.EventData) -> dict[str, Any]:
            turn, kind, key = (
                _read_details(event, name, of) for name, of in (("turn", int), ("kind", str), ("key", str))
            )
            records = served.library(chosen.library).store.lexicon.records()
            answers = list_answers(talk, turn if turn is not None and turn >= 0 else None)
            return {"key": key, **export_kind(kind, answers, {r.document_id: r.content_hash for r in records})}

        def choose_scope(event: gradio.EventData) -> Scope:
            return read_scope(_read_details(event, "library", str), _read_details(event, "only", str), served)

        def ask(text: str, before: Conversation, chosen: Scope, request: gradio.Request) -> Iterator[tuple[Any, ...]]:
            # A question that nobody waits for any more is dropped.
            if not _is_heard(str(request.session_hash), streams):
                return
            library = served.library(chosen.library)
            for talk in converse(text, before, library, chosen):
                yield to_messages(talk), talk, show_turn(talk, len(talk) - 1, None), ""

        def show_turn(talk: Conversation, turn: int, number: int | None) -> Any:
            exchange = talk[turn] if 0 <= turn < len(talk) else None
            answer = exchange.answer if exchange else None
            return show(answer, turn, number, exchange.library, served) if exchange and answer else gradio.skip()

        def end(asking: str) -> Any:
            # What was not asked, since too many were waiting, is given back.
            return gradio.Textbox(submit_btn=say("asking.ask"), stop_btn=False, **({"value": asking} if asking else {}))

        def stop_asking(talk: Conversation) -> tuple[Messages, Conversation, str, Any]:
            stopped = stop(talk)
            return to_messages(stopped), stopped, "", end("")

        def show_source(talk: Conversation, event: gradio.EventData) -> Any:
            turn, number = (_read_details(event, name, int) for name in ("turn", "number"))
            return show_turn(talk, -1 if turn is None else turn, number)

        def show_user(request: gradio.Request) -> str:
            return to_user(str(request.username or ""))

        page.load(lambda: to_header(served.library()), None, header, **hidden)
        page.load(show_user, None, user, **hidden)
        taking = [asking, conversation, editing, question]
        for taken in (
            question.submit(take, [question, conversation, editing], taking, **hidden),
            suggestions.select(take_suggested, conversation, taking, **hidden),
            acts.retry(take_again, conversation, taking, **hidden),
        ):
            answered = taken.then(
                ask,
                [asking, conversation, scope],
                [chatbot, conversation, viewer, asking],
                show_progress="hidden",
                api_visibility="private",
                concurrency_id="ask",
                concurrency_limit=AT_ONCE,
            )
            answered.then(end, asking, question, **hidden)
            question.stop(
                stop_asking,
                conversation,
                [chatbot, conversation, asking, question],
                cancels=[answered],
                **hidden,
            )
        acts.edit(edit, conversation, [editing, question], **hidden)
        acts.undo(undo, conversation, [chatbot, conversation, editing, question], **hidden)
        acts.select(export, [conversation, scope], acts, **hidden)
        picker.select(choose_scope, None, scope, **hidden)
        chatbot.clear(lambda: (None, (), None), None, [viewer, conversation, editing], **hidden)
        viewer.select(show_source, conversation, viewer, **hidden)
    page.queue(default_concurrency_limit=AT_ONCE, api_open=False)
    page.state_session_capacity = MOST_SESSIONS
    return page


def suggest_questions(served: Served) -> list[str]:
    """Questions to begin with: those of the sample folder, or one for each of the first documents."""
    library = served.library()
    if library.folder == sample_folder().resolve():
        return list(SAMPLE_QUESTIONS)
    return [f"What does “{record.title}” say?" for record in library.store.lexicon.records()[:4]]


def _read_details(event: Any, name: str, kind: type) -> Any:
    """What the page tells with an event, where it is of the right kind; else None."""
    details = event._data if isinstance(event._data, dict) else {}
    value = details.get(name)
    return value if type(value) is kind else None


def _is_heard(session: str, streams: Streams) -> bool:
    """Whether somebody waits for an answer; a page that has just asked is given time to begin."""
    patience = time.monotonic() + LISTENING_SECONDS
    while not streams.has(session):
        if time.monotonic() > patience:
            return False
        time.sleep(0.02)
    return True
