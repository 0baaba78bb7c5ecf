"""What programs may call through Gradio's own client: `answer` and `search`, which give what the routes under /api/ do.

    Answer.from_json(Client(address).predict("why was Israel skipped?", api_name="/answer"))

They give JSON as text: that client takes whatever has a `path` for a file to fetch, and a citation has one.

Annotations are real ones here: Gradio reads them, describes the parameters by them, and hands over the request.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from assistant.serving.page.waiting import AT_ONCE
from assistant.serving.served import Served


def offer(served: Served) -> None:
    """Add the two to the page that is being built."""
    import gradio

    from assistant.serving.routes.answers import Asked, Sought, find_answer, find_passages
    from assistant.serving.routes.refusals import EXPECTED, describe

    async def answer(
        request: gradio.Request,
        question: str,
        history: list[Any] | None = None,
        only: list[str] | None = None,
        library: str | None = None,
    ) -> str:
        """Answer a question: the Answer as POST /api/answer gives it, as JSON text.

        history: earlier turns, oldest first, as pairs of question and answer, or as messages with role and content.
        """
        try:
            asked = Asked(question=question, history=history or [], only=only or [], library=library)
            return (await find_answer(served, asked, _read_client(request))).to_json()
        except EXPECTED as error:
            raise gradio.Error(describe(error), print_exception=False) from error

    async def search(
        request: gradio.Request,
        query: str,
        count: int | None = None,
        only: list[str] | None = None,
        library: str | None = None,
    ) -> str:
        """Search for passages: what POST /api/search gives, as JSON text."""
        try:
            sought = Sought(query=query, count=count, only=only or [], library=library)
            found = await find_passages(served, sought, _read_client(request))
            return json.dumps(asdict(found), ensure_ascii=False)
        except EXPECTED as error:
            raise gradio.Error(describe(error), print_exception=False) from error

    for work in (answer, search):
        gradio.api(work, api_name=work.__name__, concurrency_id="programs", concurrency_limit=AT_ONCE)


def _read_client(request: Any) -> str:
    """As whom the guard counts who asks."""
    return str(request.request.scope.get("counted_as", ""))


# -- what the guard lets in -------------------------------------------------------------------


def _may_be_text(value: object) -> bool:
    return isinstance(value, str)


def _may_be_name(value: object) -> bool:
    return value is None or isinstance(value, str)


def _may_be_count(value: object) -> bool:
    return value is None or type(value) is int


def _may_be_names(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(name, str) for name in value))


def _may_be_history(value: object) -> bool:
    """Pairs and messages alone, so that nothing in them can pass for a file."""
    return value is None or (isinstance(value, list) and all(map(_may_be_turn, value)))


def _may_be_turn(turn: object) -> bool:
    if isinstance(turn, dict):
        return turn.keys() == {"role", "content"} and all(isinstance(text, str) for text in turn.values())
    return isinstance(turn, list) and len(turn) == 2 and all(isinstance(text, str) for text in turn)


CHECKS: dict[str, Sequence[Callable[[object], bool]]] = {
    "answer": (_may_be_text, _may_be_history, _may_be_names, _may_be_name),
    "search": (_may_be_text, _may_be_count, _may_be_names, _may_be_name),
}
