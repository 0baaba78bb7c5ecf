"""A question that leans on the conversation becomes a query that stands alone.

"Who criticised it?" after "Why was Israel skipped?" is searched as "Who criticised it? Israel skipped".
A question that stands alone is not touched. What only asks the same of
something else takes its place: "What about 2021?" after "What was the revenue in 2020?" is searched as "What was the
revenue in 2021?". "The second one" is what the last answer gave second, and "he" lends the person named last.

But: what else a pronoun means is not worked out; the words of the question before are lent, and the search does the
rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from assistant.answers import Answer, Turn
from assistant.question.leaning import (
    ORDINAL,
    PERSON,
    Length,
    asks_for_length,
    doubts,
    find_asked_sentence,
    find_other,
    leans_on_conversation,
    strip_opening,
)
from assistant.question.mention import find_item, find_items, find_label, find_person
from assistant.question.substitution import substitute, substitute_asked
from index.errors import InputError
from index.library import read_text
from index.splitting.terms import STOP_WORDS, find_content_terms

History = Sequence[Answer | Turn | tuple[str, str] | Mapping[str, Any]] | None

# No question leans on more of a conversation than this.
LAST_TURNS = 20
LAST_MESSAGES = 100  # with those of tools, and what the system said
LONGEST_TURN_CHARACTERS = 2000  # of the question, and of the answer
MOST_ITEM_WORDS = 20  # that are lent of what "the second one" is

_WORD = re.compile(r"[\w’'-]+")
_NOT_LENT = STOP_WORDS | {"much", "many"}


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


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a question becomes in its conversation.

    asked: what is really asked, which its kind is read from: the user's words, or the question that they ask again.
    query: what is searched: the same with the words that are lent to it.
    length: whether the answer before is wanted again, shorter or longer; "" as a rule.
    """

    asked: str
    query: str
    length: Length = ""


def rewrite(question: str, turns: Sequence[Turn]) -> str:
    """The query to search: the question itself, or with what it leans on."""
    return follow_up(question, turns).query


def follow_up(question: str, turns: Sequence[Turn]) -> FollowUp:
    """What a question means after the turns, oldest first; the question itself where it stands alone."""
    known: list[tuple[Turn, FollowUp]] = []
    for turn in turns:
        known.append((turn, _follow(turn.question, known)))
    return _follow(question, known)


def _follow(question: str, known: Sequence[tuple[Turn, FollowUp]]) -> FollowUp:
    alone = FollowUp(question, question)
    if not known or not leans_on_conversation(question):
        return alone
    turn, before = known[-1]
    sentence, _ = find_asked_sentence(question)
    if length := asks_for_length(sentence):
        return FollowUp(before.asked, before.query, length)
    if doubts(sentence):
        return FollowUp(before.asked, before.query)
    picked, item = _pick(question, turn.answer)
    other, rest = find_other(find_asked_sentence(picked)[0]), strip_opening(find_asked_sentence(picked)[0])
    again = substitute(before.asked, other) if other else substitute_asked(before.asked, rest)
    if again:
        lent = before.query.removeprefix(before.asked) if before.query.startswith(before.asked) else ""
        return FollowUp(again, f"{again}{lent}")
    lending = [item, *_find_lenders(picked, known)]
    return FollowUp(picked, _lend(picked, lending))


def _pick(question: str, answer: str) -> tuple[str, str]:
    """The question with what "the second one" is called in its place; or as it is, and the words of the item."""
    ordinal = ORDINAL.search(question)
    if not ordinal:
        return question, ""
    which = next(group for group in ordinal.groups() if group)
    if not (item := find_item(which, find_items(answer))):
        return question, ""
    if label := find_label(item):
        return f"{question[: ordinal.start()]}{label}{question[ordinal.end() :]}", ""
    return question, " ".join(_WORD.findall(item)[:MOST_ITEM_WORDS])


def _find_lenders(question: str, known: Sequence[tuple[Turn, FollowUp]]) -> list[str]:
    """The texts whose words are lent to a question: the query before it, or that of the turn that names the person."""
    if PERSON.search(question):
        for turn, followed in reversed(known):
            if person := find_person(turn):
                return [person, followed.query]
    return [known[-1][1].query]


def _lend(question: str, texts: Sequence[str]) -> str:
    """The question with the words of the texts that carry meaning and that it has not."""
    held = set(find_content_terms(question))
    lent: list[str] = []
    for word in dict.fromkeys(_WORD.findall(" ".join(texts))):
        terms = find_content_terms(word)
        if terms and word.casefold() not in _NOT_LENT and held.isdisjoint(terms):
            lent.append(word)
            held.update(terms)
    return f"{question} {' '.join(lent)}" if lent else question
