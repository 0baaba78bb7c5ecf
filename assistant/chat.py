"""The chat in the browser: a conversation, and beside it the sources of each answer. The only Gradio import."""

import os
import socket
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.answers import Answer, TextDelta
from assistant.chain import stream_answer
from assistant.page import (
    EMPTY_PANEL,
    SCRIPT,
    STYLE,
    escape_text,
    to_header,
    to_markdown,
    to_panel,
    written_to_markdown,
)
from index.documents import Progress
from index.errors import FootnoteError, ModelError
from index.library import Library, finish, open_library
from index.settings import Settings, sample_folder

SAMPLE_QUESTIONS = (
    "Why was Israel skipped?",
    "What did Amit Segal say?",
    "How much did Saudi Arabia pledge to invest?",
    "What is the population of Qatar?",
)
AT_ONCE = 4  # questions answered at the same time; more wait their turn

# Documents and models may hold anything: the page loads nothing from elsewhere, whatever they say.
_CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; "
    "object-src 'none'"
)

Messages = list[dict[str, str]]


def open_chat(documents: Path, settings: Settings, *, port: int, browser: bool) -> None:
    """Serve the chat over a synced folder on 127.0.0.1 until it is stopped."""
    import uvicorn

    library = finish(open_library(documents, settings))
    app = build_app(library)
    listening = _listen(port)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    try:
        # The socket listens already, so that a browser that comes at once is served.
        print(f"Footnote answers at {address} (stop with Ctrl-C)", flush=True)
        if browser:
            threading.Timer(1.0, webbrowser.open, [address]).start()
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        print("Stopped.")


def build_app(library: Library) -> Any:
    """The web application: the page, its headers, and /healthz."""
    # Gradio reads this when it is imported: without it, it would look its makers' servers up.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio
    from fastapi import FastAPI, Request, Response

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def add_headers(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["Content-Security-Policy"] = _CONTENT_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return gradio.mount_gradio_app(
        app,
        build_page(library),
        path="/",
        css=STYLE,
        theme=gradio.themes.Default(primary_hue="indigo"),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=True,
    )


def build_page(library: Library) -> Any:
    """The page: heading, conversation, question, examples, and the source panel."""
    import gradio

    def panel_of(answer: Answer, selected: int | None = None) -> str:
        texts = {citation.document_id: library.store.text_of(citation.document_id) for citation in answer.citations}
        return to_panel(answer, texts, selected)

    def ask(question: str, messages: Messages, answers: list[Answer]) -> Iterator[tuple[Any, ...]]:
        yield from (
            (messages_now, panel_of(last) if last else gradio.skip(), now)
            for messages_now, last, now in converse(question, messages, answers, library)
        )

    def show_source(answers: list[Answer], event: gradio.EventData) -> str:
        turn, number = int(event._data["turn"]), int(event._data["number"])
        return panel_of(answers[turn], number) if 0 <= turn < len(answers) else EMPTY_PANEL

    def take(text: str) -> tuple[str, Any]:
        return text, gradio.Textbox(value="", submit_btn=False, stop_btn="Stop")

    def stop(messages: Messages) -> tuple[Messages, Any]:
        return [*messages, _reply("Stopped.")], ready

    ready = gradio.Textbox(submit_btn="Ask", stop_btn=False, render=False)
    with gradio.Blocks(title="Footnote", fill_height=True, analytics_enabled=False) as page:
        answers = gradio.State([])
        gradio.HTML(to_header(library.folder, len(library.store.lexicon.records()), describe_mode(library.settings)))
        with gradio.Row(equal_height=False):
            with gradio.Column(scale=3, min_width=340):
                conversation = gradio.Chatbot(
                    elem_id="conversation",
                    label="Conversation",
                    show_label=False,
                    height="56vh",
                    latex_delimiters=[],
                    allow_tags=False,
                    sanitize_html=True,
                    feedback_options=None,
                    buttons=["copy"],
                    placeholder="Ask your documents. Every sentence of the answer shows the words it rests on.",
                )
                question = gradio.Textbox(
                    label="Your question",
                    placeholder="Ask a question and press Enter",
                    lines=1,
                    max_lines=6,
                    autofocus=True,
                    submit_btn="Ask",
                    elem_id="question",
                )
                gradio.Examples([[example] for example in suggest_questions(library)], question, label="For example")
            with gradio.Column(scale=2, min_width=320):
                panel = gradio.HTML(EMPTY_PANEL, elem_id="sources", js_on_load=SCRIPT)
        asking = gradio.State("")
        hidden: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        taken = question.submit(take, question, [asking, question], **hidden)
        answered = taken.then(
            ask,
            [asking, conversation, answers],
            [conversation, panel, answers],
            show_progress="hidden",
            api_visibility="private",
        )
        answered.then(lambda: ready, None, question, **hidden)
        question.stop(stop, conversation, [conversation, question], cancels=[answered], **hidden)
        conversation.clear(lambda: (EMPTY_PANEL, []), None, [panel, answers], **hidden)
        panel.select(show_source, answers, panel, **hidden)
    page.queue(default_concurrency_limit=AT_ONCE)
    return page


def converse(
    question: str, messages: Messages, answers: list[Answer], library: Library
) -> Iterator[tuple[Messages, Answer | None, list[Answer]]]:
    """One turn: the conversation as it grows, the Answer once it is there, and the answers so far.

    What a user did wrong is told in the conversation; the chat goes on.
    """
    if not question.strip():
        yield messages, None, answers
        return
    shown = question.strip()
    shown = shown if len(shown) <= 1000 else f"{shown[:1000]} … ({len(shown):,} characters)"
    before = [*messages, {"role": "user", "content": escape_text(shown)}]
    turn = len(answers)
    written = ""
    yield [*before, _reply("Reading …")], None, answers
    try:
        for event in stream_answer(question, library.folder, history=answers, settings=library.settings):
            match event:
                case Progress():
                    yield [*before, _reply(f"{escape_text(event.message)} …")], None, answers
                case TextDelta():
                    written += event.text
                    yield [*before, _reply(written_to_markdown(written, turn))], None, answers
                case Answer():
                    yield [*before, _reply(to_markdown(event, turn))], event, [*answers, event]
    except FootnoteError as error:
        yield [*before, _reply(escape_text(str(error)))], None, answers


def describe_mode(settings: Settings) -> str:
    """One line that says which mode answers."""
    if not settings.uses_language_model:
        return "Answers are quotations; no language model is used"
    from assistant.language_model import LanguageModel

    try:
        return f"Answers are written by {LanguageModel(settings).name}"
    except ModelError as error:
        return f"Answers are quotations for now. {error}"


def suggest_questions(library: Library) -> Sequence[str]:
    """Questions to begin with: those of the sample folder, or one for each of the first documents."""
    if library.folder == sample_folder().resolve():
        return SAMPLE_QUESTIONS
    return [f"What does “{record.title}” say?" for record in library.store.lexicon.records()[:4]]


def _reply(content: str) -> dict[str, str]:
    return {"role": "assistant", "content": content}


def _listen(port: int) -> socket.socket:
    """A socket that listens on 127.0.0.1: on the port asked for, else the next free one."""
    for candidate in (*range(port, min(port + 100, 65536)), 0):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", candidate))
        except OSError:
            listening.close()
            continue
        listening.listen(128)
        return listening
    raise FootnoteError("No port on 127.0.0.1 is free: close another program, or choose one with --port.")
