"""A question that leans on the conversation becomes a query that stands alone.

"Who criticised it?" after "Why was Israel skipped?" is searched as "Who criticised it? Israel skipped".
A question that stands alone is not touched. But: what a pronoun means is not worked out; the words of
the question before are carried over, and the search does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from assistant.answers import Answer, Turn
from index.errors import InputError
from index.library import read_text
from index.splitting.terms import STOP_WORDS, find_content_terms

History = Sequence[Answer | Turn | tuple[str, str] | Mapping[str, Any]] | None

# No question leans on more of a conversation than this.
LAST_TURNS = 20
LAST_MESSAGES = 100  # with those of tools, and what the system said
LONGEST_TURN_CHARACTERS = 2000  # of the question, and of the answer

_POINTING = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|these|those|that one|the same|there"
    r"|the (?:former|latter))\b",
    re.IGNORECASE,
)
_GOING_ON = re.compile(
    r"(?:and|but|so|or|then|also|what about|how about|what else|who else|why not|which one)\b", re.IGNORECASE
)
_EMPTY_IT = re.compile(
    r"(?m:^)(?>.*?\b(?:is|was|does|did|has) (?:it|there)\b).*\b(?:that|to|true|any|anyone|anything|enough|a|an)\b",
    re.IGNORECASE,
)
_DEFINITION = re.compile(r"(?:who|what) (?:is|are|was|were) \w", re.IGNORECASE)
_NAME = re.compile(r"(?<=\s)[A-Z][\w’'-]+")
_WORD = re.compile(r"[\w’'-]+")


def read_history(history: object) -> list[Turn]:
    """The last turns, oldest first, from Answers, Turns, (question, answer) pairs or role/content messages.

    What stands before the last twenty turns is not looked at, and of long texts only their beginnings are kept.

    Raises InputError where it is no list, or a turn is none of these.
    """
    if history is None:
        return []
    if not isinstance(history, Sequence) or isinstance(history, str | bytes):
        raise InputError(f"The history is of type {type(history).__name__}: give a list of turns, oldest first.")
    turns: list[Turn] = []
    for item in [*islice(reversed(history), LAST_MESSAGES)][::-1]:
        match item:
            case Answer(question=str(question), text=str(answer)) | Turn(question=str(question), answer=str(answer)):
                turns.append(_cut(question, answer))
            case (str(question), str(answer)) | {"question": str(question), "text": str(answer)}:
                turns.append(_cut(question, answer))
            case {"role": "user", "content": content} if (text := _join(content)) is not None:
                turns.append(_cut(text, ""))
            case {"role": "assistant", "content": content} if (text := _join(content)) is not None:
                if turns:
                    turns[-1] = _cut(turns[-1].question, text)
            case {"role": str(role)} if role != "user":
                continue
            case _:
                raise InputError(
                    "Each turn of the history is an Answer, a (question, answer) pair, or a message with role and "
                    f"content; got {type(item).__name__}."
                )
    return turns[-LAST_TURNS:]


def _join(content: object) -> str | None:
    """A message's text, which some programs give in parts; None where it is neither."""
    if isinstance(content, str):
        return content
    parts = content[:LAST_MESSAGES] if isinstance(content, list | tuple) else [None]
    texts = [part.get("text", "") if isinstance(part, Mapping) else None for part in parts]
    if None in texts:
        return None
    return " ".join(text[:LONGEST_TURN_CHARACTERS] for text in texts if isinstance(text, str))


def _cut(question: str, answer: str) -> Turn:
    return Turn(*(read_text(text[:LONGEST_TURN_CHARACTERS], "A turn") for text in (question, answer)))


def rewrite(question: str, turns: Sequence[Turn]) -> str:
    """The query to search: the question itself, or with the words that it leans on carried over."""
    if not turns or not leans_on_conversation(question):
        return question
    before = rewrite(turns[-1].question, turns[:-1])
    held = set(find_content_terms(question))
    carried = [
        word
        for word in dict.fromkeys(_WORD.findall(before))
        if word.casefold() not in STOP_WORDS
        and not held.intersection(find_content_terms(word))
        and find_content_terms(word)
    ]
    return f"{question} {' '.join(carried)}" if carried else question


def leans_on_conversation(question: str) -> bool:
    """Whether a question cannot be understood alone: it points back, goes on, or hardly says anything."""
    if _GOING_ON.match(question):
        return True
    pointing = _POINTING.search(question)
    if pointing and not _EMPTY_IT.search(question):
        # A name that stands before the pronoun is what it means: "What did Lapid say of his party?"
        return not _NAME.search(question[: pointing.start()])
    return len(find_content_terms(question)) < 2 and not _NAME.search(question) and not _DEFINITION.match(question)
