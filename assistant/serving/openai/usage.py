"""How many tokens a question and its answer took.

Where a language model was asked, they are those that its server counted, of all that it was asked for this answer.
Otherwise, and where it counts none, they are an estimate, of what was said to us and what we said: nobody is billed
by it.
"""

from __future__ import annotations

from typing import NamedTuple

from assistant.answers import Answer
from assistant.writing.tokens import estimate_tokens


class Tokens(NamedTuple):
    """Tokens that came in and went out."""

    input: int
    output: int


def count_tokens(answer: Answer, asked: str, replied: str) -> Tokens:
    """The tokens of an answer. asked: all that was said to us. replied: the whole message."""
    usage = answer.usage
    told = usage.prompt_tokens if usage else None
    written = usage.completion_tokens if usage else None
    return Tokens(
        estimate_tokens(asked) if told is None else told, estimate_tokens(replied) if written is None else written
    )
