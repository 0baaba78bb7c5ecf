"""The chat in the browser: a conversation, and beside it the sources of each answer. The only Gradio import."""

import os
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.answers import Answer, Draft, TextDelta
from assistant.chain import stream_answer
from assistant.serving.guard import Guard, Streams
from assistant.serving.markdown import LATEX_DELIMITERS, draft_to_markdown, escape_text, written_to_markdown
from assistant.serving.page import EMPTY_PANEL, SCRIPT, STYLE, to_header, to_markdown, to_panel
from assistant.serving.progress import to_plain
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
MOST_SESSIONS = 1000  # whose conversations are remembered
MOST_TURNS = 100  # of one conversation
LISTENING_SECONDS = 1.0  # a page asks first, and then listens

Messages = list[dict[str, str]]


def open_chat(documents: Path, settings: Settings, *, port: int, browser: bool) -> None:
    """Serve the chat over a synced folder on 127.0.0.1 until it is stopped."""
    from assistant.serving.port import listen, serve

    library = finish(open_library(documents, settings))
    app = build_app(library)
    listening = listen(port)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        # The socket listens already, so that a browser that comes at once is served.
        print(f"Footnote answers at {address} (stop with Ctrl-C)", flush=True)
        threading.Thread(target=read_scans, args=[library], daemon=True).start()
        if browser:
            threading.Timer(1.0, webbrowser.open, [address]).start()
        serve(app, listening)
    except KeyboardInterrupt:
        print("Stopped.")


def read_scans(library: Library) -> None:
    """Read what was left for later, while the page answers from the rest, and say so where there is any."""
    try:
        for progress in library.sync():
            if progress.message.startswith("Reading "):
                print(f"{to_plain(progress.message)} …", flush=True)
    except FootnoteError as error:
        print(to_plain(str(error)), flush=True)
    finally:
        library.store.close()


def build_app(library: Library) -> Guard:
    """The web application: the page and /healthz, behind the guard."""
    # Gradio reads this when it is imported: without it, it would look its makers' servers up.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    streams = Streams()
    page = build_page(library, streams)
    asked = {number: event for number, event in page.fns.items() if event.fn}
    inputs = {number: [_find_check(component) for component in event.inputs] for number, event in asked.items()}
    return Guard(mount(page), streams, inputs, _Questions(page))


def mount(page: Any) -> Any:
    """An application that answers with a page, and at /healthz."""
    import gradio
    from fastapi import FastAPI

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    gradio.mount_gradio_app(
        app,
        page,
        path="/",
        css=STYLE,
        theme=gradio.themes.Default(primary_hue="indigo"),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,  # what Python says of an error is for nobody outside
        max_file_size=0,
    )
    # Gradio checks the paths of files only in an app that was launched, which one that is mounted never counts as.
    page.has_launched = page.is_running = True
    return app


def build_page(library: Library, streams: Streams) -> Any:
    """The page: heading, conversation, question, examples, and the source panel.

    The server keeps each conversation itself, and takes from the page only what was typed and clicked on.
    """
    import gradio

    def panel_of(answer: Answer, selected: int | None = None) -> str:
        return to_panel(answer, library.store.text_of, selected)

    def ask(
        question: str, messages: Messages, answers: list[Answer], request: gradio.Request
    ) -> Iterator[tuple[Any, ...]]:
        # A question that nobody waits for any more is dropped.
        if _is_heard(str(request.session_hash), streams):
            for shown, last, given in converse(question, messages, answers, library):
                yield shown, shown, panel_of(last) if last else gradio.skip(), given, ""

    def show_source(answers: list[Answer], event: gradio.EventData) -> Any:
        details = event._data if isinstance(event._data, dict) else {}
        turn, number = (details.get(name) for name in ("turn", "number"))
        if type(turn) is int and type(number) is int and 0 <= turn < len(answers):
            return panel_of(answers[turn], number)
        return gradio.skip()

    def take(text: str | None) -> tuple[str, Any]:
        return text or "", gradio.Textbox(value="", submit_btn=False, stop_btn="Stop")

    def end(asking: str) -> Any:
        # What was not asked, since too many were waiting, is given back.
        return gradio.Textbox(submit_btn="Ask", stop_btn=False, **({"value": asking} if asking else {}))

    def stop(messages: Messages) -> tuple[Messages, Messages, str, Any]:
        stopped = [*messages, _reply("Stopped.")]
        return stopped, stopped, "", end("")

    with gradio.Blocks(title="Footnote", fill_height=True, analytics_enabled=False) as page:
        answers, messages, asking = gradio.State([]), gradio.State([]), gradio.State("")
        gradio.HTML(to_header(library.folder, len(library.store.lexicon.records()), describe_mode(library.settings)))
        with gradio.Row(equal_height=False):
            with gradio.Column(scale=3, min_width=340):
                conversation = gradio.Chatbot(
                    elem_id="conversation",
                    label="Conversation",
                    show_label=False,
                    height="56vh",
                    latex_delimiters=LATEX_DELIMITERS,
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
        hidden: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        taken = question.submit(take, question, [asking, question], **hidden)
        answered = taken.then(
            ask,
            [asking, messages, answers],
            [conversation, messages, panel, answers, asking],
            show_progress="hidden",
            api_visibility="private",
        )
        answered.then(end, asking, question, **hidden)
        question.stop(stop, messages, [conversation, messages, asking, question], cancels=[answered], **hidden)
        conversation.clear(lambda: (EMPTY_PANEL, [], []), None, [panel, answers, messages], **hidden)
        panel.select(show_source, answers, panel, **hidden)
    page.queue(default_concurrency_limit=AT_ONCE, api_open=False)
    page.state_session_capacity = MOST_SESSIONS
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
    written = certain = ""  # the text so far, and as the page shows it
    if turn >= MOST_TURNS:
        yield (
            [*before, _reply(f"A conversation has {MOST_TURNS} questions at most: clear it, and ask again.")],
            None,
            answers,
        )
        return
    yield [*before, _reply("Reading …")], None, answers
    try:
        for event in stream_answer(question, library.folder, history=answers, settings=library.settings):
            match event:
                case Progress() if not written:
                    yield [*before, _reply(f"{escape_text(event.message)} …")], None, answers
                case Draft():
                    yield [*before, _reply(f"{certain}\n\n{draft_to_markdown(event.text)}")], None, answers
                case TextDelta():
                    written += event.text
                    certain = written_to_markdown(written, turn)
                    yield [*before, _reply(certain)], None, answers
                case Answer():
                    yield [*before, _reply(to_markdown(event, turn))], event, [*answers, event]
    except FootnoteError as error:
        yield [*before, _reply(escape_text(str(error)))], None, answers


def describe_mode(settings: Settings) -> str:
    """One line that says which mode answers."""
    if not settings.uses_language_model:
        return "Answers are quotations; no language model is used"
    from assistant.writing.language_model import LanguageModel

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


def _is_heard(session: str, streams: Streams) -> bool:
    """Whether somebody waits for an answer; a page that has just asked is given time to begin."""
    patience = time.monotonic() + LISTENING_SECONDS
    while not streams.has(session):
        if time.monotonic() > patience:
            return False
        time.sleep(0.02)
    return True


def _find_check(component: Any) -> Callable[[object], bool]:
    """What a component of the page may be given: text that was typed, the number of an example, or nothing."""
    import gradio

    if isinstance(component, gradio.Textbox):
        return lambda value: value is None or isinstance(value, str)
    if isinstance(component, gradio.Dataset):
        return lambda value: type(value) is int and 0 <= value < len(component.samples)
    return lambda value: value is None


class _Questions:
    """What of Gradio's queue the guard asks for."""

    def __init__(self, page: Any) -> None:
        self._queue = page._queue

    def sessions(self) -> list[str]:
        waiting = [event for one in self._queue.event_queue_per_concurrency_id.values() for event in one.queue]
        answered = [event for job in self._queue.active_jobs for event in job or ()]
        return [event.session_hash for event in (*waiting, *answered)]

    def is_known(self, session: str) -> bool:
        return session in self._queue.pending_messages_per_session

    def seconds_each(self) -> float:
        return max((taken.avg_time for taken in self._queue.process_time_per_fn.values()), default=1.0) / AT_ONCE
