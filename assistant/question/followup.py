"""A question that leans on the conversation becomes a query that stands alone.

"Who criticised it?" after "Why was Israel skipped?" is searched as "Who criticised it? Israel skipped".
A question that stands alone is not touched. What only asks the same of
something else takes its place: "What about 2021?" after "What was the revenue in 2020?" is searched as "What was the
revenue in 2021?". "The second one" is what the last answer gave second, and "he" lends the person named last.

Where a language model can work on the last answer itself, "as a table" or "explain the second point" wants it reworked.

But: what else a pronoun means is not worked out; the words of the question before are lent, and the search does the
rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

from assistant.answers import NOT_FOUND, Answer, Citation, Turn
from assistant.question.about import read_about
from assistant.question.again import Length, asks_for_length, doubts, find_other
from assistant.question.leaning import ORDINAL, PERSON, find_language, leans_on_conversation
from assistant.question.mention import find_item, find_items, find_label, find_list, find_person
from assistant.question.opening import WORD, find_asked_sentence, strip_greeting, strip_opening
from assistant.question.reworking import Reworking, find_point, find_reworking
from assistant.question.substitution import replace_pronoun, substitute, substitute_asked
from assistant.question.vocabulary import LANGUAGES
from index.errors import InputError
from index.library import read_text
from index.splitting.terms import STOP_WORDS, find_content_terms
from index.steps import step

History = Sequence[Answer | Turn | tuple[str, str] | Mapping[str, Any]] | None

# No question leans on more of a conversation than this.
LAST_TURNS = 20
LAST_MESSAGES = 100  # with those of tools, and what the system said
LONGEST_TURN_CHARACTERS = 6000  # of the last question, and of its answer
LONGEST_EARLIER_CHARACTERS = 2000  # of those before
MOST_CITATIONS = 60  # of a turn
MOST_OFFSET = 2**40
LONGEST_QUOTE_CHARACTERS = 20_000
MOST_LENT_WORDS = 8  # but for those of the question before, which may be more
MOST_ITEM_WORDS = 20  # that are lent of what "the second one" is

# What is said to be kind, or of the talk itself, is no matter of anything.
_NOT_LENT = STOP_WORDS | frozenset(
    "much many okay ok wow hmm cool great thanks really just please want know give example examples mean meant heard "
    "saw like interesting sounds think thought never mind mentioned i’m i’d i’ve i'm i'd i've that’s that's didn’t "
    "didn't what’s what's tell else other others one ones try going".split()
)

COURTESIES = ("greeting", "thanks", "assent")

_LITTLE_WORDS = frozenset(chain.from_iterable(language.asking | language.light for language in LANGUAGES.values()))


def read_history(history: object) -> list[Turn]:
    """The last turns, oldest first, from Answers, Turns, (question, answer) pairs or role/content messages.

    What stands before the last twenty turns is not looked at, and of long texts only their beginnings are kept. An
    Answer's citations and query come along.

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
                query = item.query if isinstance(item.query, str) and item.query != question else ""
                query = read_text(query[:LONGEST_EARLIER_CHARACTERS], "A turn")
                turns.append(replace(_cut(question, answer), citations=_read_citations(item.citations), query=query))
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
    earlier, last = turns[-LAST_TURNS:-1], turns[-1:]
    most = LONGEST_EARLIER_CHARACTERS
    return [*(replace(turn, question=turn.question[:most], answer=turn.answer[:most]) for turn in earlier), *last]


def _read_citations(given: object) -> tuple[Citation, ...]:
    """The citations of words that may be looked up again; whoever gives a history may have made them up."""
    citations = given[:MOST_CITATIONS] if isinstance(given, list | tuple) else ()
    return tuple(citation for citation in citations if _may_be_looked_up(citation))


def _may_be_looked_up(citation: object) -> bool:
    match citation:
        case Citation(number=int(), document_id=str(), start=int(start), end=int(end), quote=str(quote)):
            return 0 <= start < end <= MOST_OFFSET and end - start == len(quote) <= LONGEST_QUOTE_CHARACTERS
    return False


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
    question, answer = (read_text(text[:LONGEST_TURN_CHARACTERS], "A turn") for text in (question, answer))
    return Turn(question, answer)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a question becomes in its conversation.

    asked: what is really asked, which its kind is read from: the user's words, or the question that they ask again.
    query: what is searched: the same with the words that are lent to it.
    length: whether the answer before is wanted again, shorter or longer; "" as a rule.
    reworks: whether the last answer itself is wanted, "restates" it in another form or "extends" it; "" as a rule.
        `asked` is then the question that it answers.
    """

    asked: str
    query: str
    length: Length = ""
    reworks: Reworking = ""

    @property
    def lent(self) -> str:
        """The words that are lent to what is asked."""
        return self.query.removeprefix(self.asked).strip()


def rewrite(question: str, turns: Sequence[Turn]) -> str:
    """The query to search: the question itself, or with what it leans on."""
    return follow_up(question, turns).query


@step("follow_up")
def follow_up(question: str, turns: Sequence[Turn], *, for_model: bool = False) -> FollowUp:
    """What a question means after the turns, oldest first; the question itself where it stands alone.

    for_model: whether a language model answers, which can rework the last answer.
    """
    known: list[tuple[Turn, FollowUp]] = []
    for turn in turns:
        followed = (for_model and _rework(turn.question, known)) or _follow(turn.question, known)
        if for_model and turn.query not in ("", followed.query):  # as the model rewrote it
            followed = FollowUp(turn.query, turn.query)
        known.append((turn, followed))
    return (for_model and _rework(question, known)) or _follow(question, known)


def drop_courtesies(turns: Sequence[Turn]) -> list[Turn]:
    """The turns without those that only greet, thank or assent, after which "shorter" means the answer before."""
    asked = [read_about(turn.question) for turn in turns]
    return [t for t, about in zip(turns, asked, strict=True) if not about or about.asks not in COURTESIES]


def _rework(question: str, known: Sequence[tuple[Turn, FollowUp]]) -> FollowUp | None:
    """The question that the last answer answers, where a question wants that answer reworked; else None."""
    if not known or not known[-1][0].answer.strip() or known[-1][0].answer.startswith(NOT_FOUND):
        return None
    sentence, before = find_asked_sentence(strip_greeting(question))
    reworks = "" if before else find_reworking(sentence)
    if not reworks:
        return None
    last, answered = known[-1]
    which = find_point(sentence)
    items = (_find_list(known) or find_items(last.answer)) if which else []
    point = find_item(which, items, answered.asked) if which else ""
    query = " ".join([answered.query, *WORD.findall(point)[:MOST_ITEM_WORDS]])
    return FollowUp(answered.asked, query, asks_for_length(sentence), reworks)


def _follow(question: str, known: Sequence[tuple[Turn, FollowUp]]) -> FollowUp:
    question = strip_greeting(question)
    alone = FollowUp(question, question)
    if not known or not leans_on_conversation(question):
        return alone
    before = known[-1][1]
    sentence, _ = find_asked_sentence(question)
    if length := asks_for_length(sentence):
        return FollowUp(before.asked, before.query, length)
    if doubts(sentence):
        return FollowUp(before.asked, before.query)
    picked, item = _pick(question, known)
    sentence, _ = find_asked_sentence(picked)
    other = find_other(sentence)
    again = substitute(before.asked, other) if other else substitute_asked(before.asked, strip_opening(sentence))
    if again:
        return FollowUp(again, _lend(again, "", before.lent))
    if again := replace_pronoun(before.asked, other):
        return FollowUp(again, again)
    person, lender = _find_person(picked, known)
    return FollowUp(picked, _lend(picked, f"{item} {person} {lender.asked}", lender.lent))


def _pick(question: str, known: Sequence[tuple[Turn, FollowUp]]) -> tuple[str, str]:
    """The question with what "the second one" is called in its place; or as it is, and the words of the item."""
    ordinal = ORDINAL.search(question)
    if not ordinal:
        return question, ""
    which = next(group for group in ordinal.groups() if group)
    before = known[-1][1].asked
    listed = find_item(which, _find_list(known), before)
    if label := find_label(listed):
        return f"{question[: ordinal.start()]}{label}{question[ordinal.end() :]}", ""
    item = listed or find_item(which, find_items(known[-1][0].answer), before)
    return question, " ".join(WORD.findall(item)[:MOST_ITEM_WORDS])


def _find_list(known: Sequence[tuple[Turn, FollowUp]]) -> list[str]:
    """The items of the last answer that counts some up, as far back as the questions lean; none where none does."""
    for turn, followed in reversed(known):
        if items := find_list(turn.answer):
            return items
        if followed.query == turn.question:
            break
    return []


def _find_person(question: str, known: Sequence[tuple[Turn, FollowUp]]) -> tuple[str, FollowUp]:
    """Whom "he" means, "" where it stands for nobody named, and the question that lends its words: the last, or his."""
    if PERSON.search(question):
        # In other languages "er" and "sie" are oftener things.
        for is_plain in (True,) if find_language(strip_opening(question)) else (True, False):
            for turn, followed in reversed(known):
                if person := find_person(followed.asked, turn.answer, is_plain=is_plain):
                    return person, followed
    return "", known[-1][1]


def _lend(question: str, near: str, far: str) -> str:
    """The question with the words of texts that carry meaning and that it has not, those of the nearer one first."""
    held = set(find_content_terms(question))
    lent: list[str] = []
    for text, most in ((near, len(near)), (far, MOST_LENT_WORDS)):
        not_lent = _NOT_LENT | _LITTLE_WORDS if find_language(text) else _NOT_LENT
        for word in WORD.findall(text):
            terms = find_content_terms(word)
            if len(lent) >= most:
                break
            if terms and word.casefold() not in not_lent and held.isdisjoint(terms):
                lent.append(word)
                held.update(terms)
    return " ".join([question, *lent])
