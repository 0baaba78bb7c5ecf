"""A question that leans on the conversation becomes a query that stands alone.

"Who criticised it?" after "Why was Israel skipped?" is searched as "Who criticised it? Israel skipped".
A question that stands alone is not touched. But: what a pronoun means is not worked out; the words of
the question before are carried over, and the search does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.answers import Answer, Turn
from index.errors import InputError
from index.terms import STOP_WORDS, find_content_terms

History = Sequence[Answer | Turn | tuple[str, str] | Mapping[str, str]]

_POINTING = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|these|those|that one|the same|there"
    r"|the (?:former|latter))\b",
    re.IGNORECASE,
)
_GOING_ON = re.compile(
    r"(?:and|but|so|or|then|also|what about|how about|what else|who else|why not|which one)\b", re.IGNORECASE
)
_EMPTY_IT = re.compile(
    r"\b(?:is|was|does|did|has) (?:it|there)\b(?=.*\b(?:that|to|true|any|anyone|anything|enough|a|an)\b)", re.IGNORECASE
)
_DEFINITION = re.compile(r"(?:who|what) (?:is|are|was|were) \w", re.IGNORECASE)
_NAME = re.compile(r"(?<=\s)[A-Z][\w’'-]+")
_WORD = re.compile(r"[\w’'-]+")


def read_history(history: History) -> list[Turn]:
    """Earlier turns, oldest first, from Answers, Turns, (question, answer) pairs or role/content messages.

    Raises InputError where a turn is none of these.
    """
    turns: list[Turn] = []
    for item in history:
        match item:
            case Answer():
                turns.append(Turn(item.question, item.text))
            case Turn():
                turns.append(item)
            case (str(question), str(answer)):
                turns.append(Turn(question, answer))
            case {"role": "user", "content": str(question)}:
                turns.append(Turn(question, ""))
            case {"role": "assistant", "content": str(answer)}:
                if turns:
                    turns[-1] = Turn(turns[-1].question, answer)
            case {"role": str(role)} if role != "user":
                continue
            case _:
                raise InputError(
                    "Each turn of the history is an Answer, a (question, answer) pair, or a message with role and "
                    f"content; got {type(item).__name__}."
                )
    return turns


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
