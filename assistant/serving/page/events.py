"""What happens on the page when something is typed or clicked on.

The server keeps each conversation itself, and takes from the page only what was typed and clicked on. Annotations are
real ones here: Gradio reads them, and hands an event and its request to who asks for them.
"""

import time
from collections.abc import Iterator
from typing import Any

from assistant.serving.feedback import Thumbs
from assistant.serving.limits import Rates, Streams
from assistant.serving.page.conversing import (
    MOST_TURNS,
    Conversation,
    Messages,
    converse,
    cut,
    list_answers,
    stop,
    to_messages,
)
from assistant.serving.page.examples import Examples
from assistant.serving.page.exporting import export_kind
from assistant.serving.page.header import to_header, to_user
from assistant.serving.page.keeping import restore, save_turn
from assistant.serving.page.scope import Scope, read_scope
from assistant.serving.page.showing import show
from assistant.serving.page.strings import say
from assistant.serving.page.waiting import AT_ONCE, Questions
from assistant.serving.served import Served
from index.errors import FootnoteError
from index.steps import Step, go_on

LISTENING_SECONDS = 1.0  # a page asks first, and then listens
THUMBS_PER_SECOND, THUMBS_AT_ONCE = 1.0, 30  # of one user
HIDDEN: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def connect(page: Any, at: Any, served: Served, streams: Streams) -> None:
    """Have the components of the page do what they are for.

    at: the components, by name; see layout.py.
    """
    import gradio

    examples = Examples(served)
    served.closers.append(examples.close)
    judging = Rates(THUMBS_PER_SECOND, THUMBS_AT_ONCE)

    # -- asking -------------------------------------------------------------------------------

    questions = Questions(page)

    def count_asked(request: gradio.Request) -> int:
        """The questions of a page that wait or are being answered."""
        return questions.sessions().count(str(request.session_hash))

    def take(text: str | None, talk: Conversation, turn: int | None, request: gradio.Request) -> tuple[Any, ...]:
        if count_asked(request):
            return (gradio.skip(),) * 4  # it stays in its box until the one before is answered
        kept, _ = cut(talk, turn)
        box = gradio.Textbox(
            value="", label=say("asking.label"), submit_btn=False, stop_btn=say("asking.stop"), autofocus=True
        )
        return text or "", kept, None, box

    def take_suggested(talk: Conversation, event: gradio.EventData, request: gradio.Request) -> tuple[Any, ...]:
        return take(_read_details(event, "question", str), talk, None, request)

    def take_again(talk: Conversation, event: gradio.EventData, request: gradio.Request) -> tuple[Any, ...]:
        turn = _read_details(event, "turn", int)
        _, text = cut(talk, turn)
        return take(text, talk, turn, request) if text else (gradio.skip(),) * 4

    def ask(text: str, before: Conversation, chosen: Scope, request: gradio.Request) -> Iterator[tuple[Any, ...]]:
        # A question that nobody waits for any more is dropped, and so is one beside another of the same page.
        if not text.strip() or count_asked(request) > 1 or not _is_heard(str(request.session_hash), streams):
            return
        library = served.library(chosen.library)
        name = (chosen.library or next(iter(served.libraries))) if len(served.libraries) > 1 else ""
        with examples.asking():
            for talk in go_on(_read_step(request), converse(text, before, library, chosen, name)):
                yield to_messages(talk), talk, show_turn(talk, len(talk) - 1, None), ""

    def end(asking: str, request: gradio.Request) -> Any:
        return gradio.skip() if count_asked(request) else open_box(asking)

    def open_box(asking: str = "") -> Any:
        # What was not asked, since too many were waiting, is given back.
        return gradio.Textbox(submit_btn=say("asking.ask"), stop_btn=False, **({"value": asking} if asking else {}))

    def stop_asking(talk: Conversation) -> tuple[Messages, Conversation, str, Any]:
        stopped = stop(talk)
        return to_messages(stopped), stopped, "", open_box()

    def choose_scope(event: gradio.EventData) -> Scope:
        return read_scope(_read_details(event, "library", str), _read_details(event, "only", str), served)

    # -- proof --------------------------------------------------------------------------------

    def show_turn(talk: Conversation, turn: int, number: int | None) -> Any:
        exchange = talk[turn] if 0 <= turn < len(talk) else None
        answer = exchange.answer if exchange else None
        return show(answer, turn, number, exchange.library, served) if exchange and answer else gradio.skip()

    def show_source(talk: Conversation, event: gradio.EventData) -> Any:
        turn, number = (_read_details(event, name, int) for name in ("turn", "number"))
        return show_turn(talk, -1 if turn is None else turn, number)

    # -- what is done with answers ------------------------------------------------------------

    def edit(talk: Conversation, event: gradio.EventData) -> tuple[int | None, Any]:
        turn = _read_details(event, "turn", int)
        _, text = cut(talk, turn)
        label = _label_editing(turn + 1, len(talk)) if text else say("asking.label")
        return turn if text else None, gradio.Textbox(value=text, label=label)

    def undo(talk: Conversation, event: gradio.EventData) -> tuple[Any, ...]:
        kept, text = cut(talk, _read_details(event, "turn", int))
        box = gradio.Textbox(value=text, label=say("asking.label")) if text else gradio.skip()
        return to_messages(kept), kept, None, box

    def export(talk: Conversation, event: gradio.EventData) -> dict[str, Any]:
        turn, kind, key = (_read_details(event, name, of) for name, of in (("turn", int), ("kind", str), ("key", str)))
        answers = list_answers(talk, turn if turn is not None and turn >= 0 else None)
        return {"key": key, **export_kind(kind, answers, _find_hashes(talk, served))}

    def judge(talk: Conversation, event: gradio.EventData, request: gradio.Request) -> Any:
        index, liked = _read_details(event, "index", int), _read_details(event, "liked", bool)
        if judging.take(_read_owner(request)):
            return {"told": say("feedback.too_many")}
        if index is None or not 0 <= index < 2 * len(talk) or not talk[index // 2].answer:
            return {"told": say("feedback.none")}
        answers = [exchange.answer for exchange in talk[: index // 2 + 1] if exchange.answer]
        thumbs = Thumbs(served.settings.store_folder, served.library(talk[index // 2].library).origin)
        try:
            thumbs.give(answers[-1], liked, answers[:-1], _read_owner(request))
        except FootnoteError as error:
            return {"told": str(error)}
        return gradio.skip()

    # -- conversations that the browser keeps -------------------------------------------------

    def show_user(request: gradio.Request) -> str:
        return to_user(_read_owner(request))

    def begin(request: gradio.Request) -> Any:
        return {"begin": {"owner": _read_owner(request), "library": served.library().store.place.name}}

    def take_up(talk: Conversation, event: gradio.EventData) -> tuple[Any, ...]:
        mark = {"mark": _read_details(event, "mark", int), "told": ""}
        told = {"restored": mark, **keep(talk)}
        try:
            taken = restore(_read_details(event, "turns", str) or "[]", served)
        except FootnoteError as error:
            mark["told"] = str(error)
            return to_messages(stop(talk)), stop(talk), gradio.skip(), "", None, open_box(), told
        shown = show_turn(taken, len(taken) - 1, None) if taken and taken[-1].answer else None
        return to_messages(taken), taken, shown, "", None, open_box(), told

    # -- the wiring ---------------------------------------------------------------------------

    page.load(lambda: to_header(served), None, at.header, **HIDDEN)
    page.load(show_user, None, at.user, **HIDDEN)
    page.load(begin, None, at.conversations, **HIDDEN)
    page.load(examples.begin, at.scope, at.suggestions, **HIDDEN)

    answering = []
    taking = [at.asking, at.conversation, at.editing, at.question]
    for taken in (
        at.question.submit(take, [at.question, at.conversation, at.editing], taking, **HIDDEN),
        at.suggestions.select(take_suggested, at.conversation, taking, **HIDDEN),
        at.acts.retry(take_again, at.conversation, taking, **HIDDEN),
    ):
        answered = taken.then(
            ask,
            [at.asking, at.conversation, at.scope],
            [at.chatbot, at.conversation, at.viewer, at.asking],
            show_progress="hidden",
            api_visibility="private",
            concurrency_id="ask",
            concurrency_limit=AT_ONCE,
        )
        answering.append(answered)
        answered.then(end, at.asking, at.question, **HIDDEN).then(keep, at.conversation, at.conversations, **HIDDEN)
        answered.then(examples.go_on, [at.conversation, at.scope], at.suggestions, **HIDDEN)
        at.question.stop(
            stop_asking,
            at.conversation,
            [at.chatbot, at.conversation, at.asking, at.question],
            cancels=[answered],
            **HIDDEN,
        ).then(keep, at.conversation, at.conversations, **HIDDEN)

    at.suggestions.input(examples.begin, at.scope, at.suggestions, **HIDDEN)
    at.picker.select(choose_scope, None, at.scope, **HIDDEN).then(examples.begin, at.scope, at.suggestions, **HIDDEN)
    at.viewer.select(show_source, at.conversation, at.viewer, **HIDDEN)
    at.acts.edit(edit, at.conversation, [at.editing, at.question], **HIDDEN)
    at.acts.undo(undo, at.conversation, [at.chatbot, at.conversation, at.editing, at.question], **HIDDEN).then(
        keep, at.conversation, at.conversations, **HIDDEN
    )
    at.acts.select(export, at.conversation, at.acts, **HIDDEN)
    at.chatbot.like(judge, at.conversation, at.conversations, **HIDDEN)
    at.chatbot.clear(
        lambda: (None, (), None, keep(())), None, [at.viewer, at.conversation, at.editing, at.conversations], **HIDDEN
    )
    at.conversations.select(
        take_up,
        at.conversation,
        [at.chatbot, at.conversation, at.viewer, at.asking, at.editing, at.question, at.conversations],
        cancels=answering,
        **HIDDEN,
    )


def keep(talk: Conversation) -> dict[str, Any]:
    """What the browser is told to keep of a conversation: its last turn, and how many there are."""
    talk = talk[:MOST_TURNS]  # a question beyond these is refused
    return {"saved": {"count": len(talk), "turn": save_turn(talk[-1]) if talk else ""}}


def _find_hashes(talk: Conversation, served: Served) -> dict[str, str]:
    """The hashes of the files that are cited, by document, as they are on record now."""
    hashes: dict[str, str] = {}
    for exchange in talk:
        cited = {citation.document_id for citation in exchange.answer.citations} if exchange.answer else ()
        try:
            lexicon = served.library(exchange.library).store.lexicon
            hashes |= {document: record.content_hash for document in cited if (record := lexicon.record(document))}
        except FootnoteError:
            continue  # the library is no longer served, or cannot be read
    return hashes


def _label_editing(number: int, count: int) -> str:
    """What stands above a question that is asked anew: how many after it go."""
    if number == count:
        return say("acts.editing", number=number)
    if number == count - 1:
        return say("acts.editing_one_goes", number=number)
    return say("acts.editing_many_go", number=number, count=count - number)


def _read_owner(request: Any) -> str:
    """Who is logged in, "" where nobody needs to."""
    return str(request.request.scope.get("user") or "")


def _read_step(request: Any) -> Step | None:
    """The request that asked, where that is observed: what is done for it goes on after it."""
    step = request.request.scope.get("step")
    return step if isinstance(step, Step) else None


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
