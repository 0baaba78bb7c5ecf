"""What a question gets: an Answer, frozen and typed, which shows itself and turns into JSON and back without loss."""

from assistant.answers.answer import (
    NEAREST,
    NOT_FOUND,
    Answer,
    AnswerSentence,
    Citation,
    Cited,
    Draft,
    Status,
    Support,
    TextDelta,
    Turn,
    Usage,
)

__all__ = [
    "NEAREST",
    "NOT_FOUND",
    "Answer",
    "AnswerSentence",
    "Citation",
    "Cited",
    "Draft",
    "Status",
    "Support",
    "TextDelta",
    "Turn",
    "Usage",
]
