"""A question becomes an Answer, every sentence of which cites the exact words that support it.

    from assistant import answer
    print(answer("why was Israel skipped?").text)

Nothing heavy is imported until a question is asked.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # without `typing`, which the command `footnote` would wait for before it can be stopped
if TYPE_CHECKING:
    from typing import Any

    from assistant.answers import NOT_FOUND, Answer, AnswerSentence, Citation, Draft, TextDelta, Turn, Usage
    from assistant.chain import answer, stream_answer
    from assistant.footnote import AsyncFootnote, Footnote
    from assistant.serving.query_engine import FootnoteQueryEngine
    from assistant.verifying import Verification, VerifiedCitation
    from index.documents import Passage, Progress
    from index.errors import FolderError, FootnoteError, InputError, ModelError, StoreError, WeightsError
    from index.listing import ListedDocument
    from index.plan import SyncReport
    from index.searching.quotations import QuotePlace
    from index.settings import Settings

_HOMES = {
    "assistant.chain": ("answer", "stream_answer"),
    "assistant.answers": ("NOT_FOUND", "Answer", "AnswerSentence", "Citation", "Draft", "TextDelta", "Turn", "Usage"),
    "assistant.footnote": ("AsyncFootnote", "Footnote"),
    "assistant.serving.query_engine": ("FootnoteQueryEngine",),
    "assistant.verifying": ("Verification", "VerifiedCitation"),
    "index.documents": ("Passage", "Progress"),
    "index.errors": ("FolderError", "FootnoteError", "InputError", "ModelError", "StoreError", "WeightsError"),
    "index.listing": ("ListedDocument",),
    "index.plan": ("SyncReport",),
    "index.searching.quotations": ("QuotePlace",),
    "index.settings": ("Settings",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "NOT_FOUND",
    "Answer",
    "AnswerSentence",
    "AsyncFootnote",
    "Citation",
    "Draft",
    "FolderError",
    "Footnote",
    "FootnoteError",
    "FootnoteQueryEngine",
    "InputError",
    "ListedDocument",
    "ModelError",
    "Passage",
    "Progress",
    "QuotePlace",
    "Settings",
    "StoreError",
    "SyncReport",
    "TextDelta",
    "Turn",
    "Usage",
    "Verification",
    "VerifiedCitation",
    "WeightsError",
    "answer",
    "stream_answer",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
