"""Does the cited text support the sentence? A pointer that is valid is not yet support.

Without a second model. First, whether there is anything to judge: what claims nothing (`claiming`) is not judged, and
across languages words alone never do. Then what is cited must state something: questions, orders and offers (`orders`)
do not. Then the hard facts, which decide alone: numbers and names must stand in the cited text, what one side denies
the other must not say, opposites must not stand for each other, and nothing may be changed in what is nearly a copy
(`differences`). Then closeness (`closeness`): a small logistic model over how many of the sentence's words the cited
text has and, with an embedding, how near their meanings are. `benchmarks.support` fits its coefficients, which are in
`support.json`.

But: a sentence that the cited text implies by knowledge of the world is not seen to be supported, and one in words of
its own may change who did what to whom without being seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Literal

from assistant.answers import Support
from assistant.citing.bindings import misplaces_number, misreads_record
from assistant.citing.claiming import claims_nothing
from assistant.citing.claims import (
    denies,
    find_opposite,
    is_denied_otherwise,
    is_denied_otherwise_in_copy,
    misses_quotation,
)
from assistant.citing.closeness import describe, part, share
from assistant.citing.differences import changes_limit, compare, turns_comparison
from assistant.citing.names import find_missing_name
from assistant.citing.orders import asks_for_words, does_same, find_command, is_done, is_order, reports_request
from assistant.citing.plain_words import make_plain, make_plain_statement
from assistant.citing.quantities import (
    counts_list,
    find_quantities,
    is_reckoned,
    misses_binding,
    same_quantity,
    write_dates_out,
)
from assistant.citing.sums import estimate, load_sums
from index.embedding.protocol import Embedding
from index.splitting.languages import count_little, find_languages, find_running_language
from index.splitting.sentences import find_sentences
from index.splitting.terms import find_content_terms, find_terms

MODEL_FILE = Path(__file__).with_name("support.json")
NEAR_COPY, MOSTLY = 0.8, 0.5  # shares of a sentence's words
_NEARLY = 0.7  # from there on "down" is no part of another verb
MOST_CITED_CHARACTERS = 20_000  # of what a sentence cites, more of which is not read
CLEARLY = 0.9  # the closeness of what is cited though the model did not cite it
FEWEST_TERMS = 3  # a sentence of fewer, "All agree.", shares them with too much: it must be there as it stands
_FEWEST_ASKED = 2  # content terms of a question that tells what it is about
_FAR = 0.02  # the cosine below which a sentence has nothing to do with a question
TRIED = 8  # candidates that share most words
_BESIDE = 0.3  # the share of a sentence's words in a cited one, from which on what it denies matters
_TOGETHER = 3  # cited sentences that a sentence is laid beside as one
_LONGEST_SHOWN = 60  # characters of what a reason names

# Reasons.
OTHER_NUMBER = "the number is of something else"
MISQUOTED = "the words in quotation marks are not so in what is cited"

Fact = Literal["number", "denial", "opposite", "name", "quotation", "changed"]
CONTRADICTIONS = frozenset({"number", "denial", "opposite", "changed"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check says of a sentence, and why, in a few words for a reader; "" where there is no more to say."""

    support: Support
    reason: str = ""


def check(sentence: str, quotes: Sequence[str], embedding: Embedding | None = None, context: str = "") -> Support:
    """Whether the quotes together support the sentence: what `judge` says, without the reason."""
    return judge(sentence, quotes, embedding, context).support


def judge(
    sentence: str,
    quotes: Sequence[str],
    embedding: Embedding | None = None,
    context: str = "",
    question: str = "",
    place: str = "",
) -> Verdict:
    """Whether the quotes together support the sentence, and why not.

    embedding: tells a paraphrase from another matter; without one, words alone are compared.
    context: what the quotes stand under and beside, a title, a date, headings: names and numbers may stand there too.
    question: what is to be answered; without one, nothing is beside it.
    place: how the sentence stands in its reply, as `claiming.find_place` says.
    """
    quotes = _bound(quotes)
    said, cited = " ".join(sentence.split()), " ".join(" ".join(quotes).split())
    stating = [quote for quote in quotes if quote.strip() and not is_order(quote)]
    copied = " ".join(" ".join(quote for quote in stating if not asks_for_words(quote)).split())
    if place not in ("code", "heading") and said and said in copied and not _is_question(said):
        return Verdict("supported")
    if claims_nothing(sentence, quotes, place):
        return Verdict("no_claim")
    if not cited:
        return Verdict("unsupported")
    if not find_terms(sentence):
        return Verdict("supported")  # nothing is said
    if _speaks_otherwise(said, cited):
        return Verdict("unchecked", "it is in another language than the words cited")
    if not reports_request(said):
        if stating and all(map(_is_question, stating)) and not _presumes(said, stating):
            return Verdict("unsupported", "the words cited are a question, not a statement")
        if not _states(said, stating):
            return Verdict("unsupported", "the words cited are a request, not a statement")
    if not stating:
        return Verdict("unsupported", "the words cited are a request, not a statement")
    system = "with_meaning" if embedding else "words"
    wrong = find_wrong(sentence, stating, context, question)
    closeness = estimate(load_model()[system], describe(sentence, stating, embedding, context))
    support = decide(closeness, frozenset(wrong), load_model()[f"threshold_{system}"])
    if support == "supported":
        if embedding and question and _is_beside(question, [said, *stating], context, embedding):
            return Verdict("off_topic", "it does not answer the question")
        return Verdict("supported")
    worst = sorted(wrong, key=lambda fact: fact not in CONTRADICTIONS)
    return Verdict(support, wrong[worst[0]] if worst else _find_unsaid(sentence, stating))


def find_support(
    sentence: str, candidates: Sequence[str], embedding: Embedding | None = None, context: str = ""
) -> tuple[int, ...]:
    """The places of one or two candidates that clearly support a sentence which cites nothing; none where none do.

    None for what claims nothing, and none that the check would not call supported.
    """
    terms = find_content_terms(make_plain_statement(sentence).text)
    if not terms or _is_question(sentence):
        return ()
    words = " ".join(make_plain(sentence).text.split())
    telling = [i for i, candidate in enumerate(candidates) if not _is_question(candidate) and not is_order(candidate)]
    if len(terms) < FEWEST_TERMS:
        return next(((i,) for i in telling if words in " ".join(candidates[i].split())), ())
    if claims_nothing(sentence):
        return ()
    nearest = sorted(telling, key=lambda i: -share(words, [candidates[i]]))[:TRIED]
    system = "with_meaning" if embedding else "words"
    weights = load_model()[system]
    alone = [(place,) for place in nearest]
    pairs = [tuple(sorted((nearest[0], other))) for other in nearest[1:]]
    for places in (*alone, *pairs):
        quotes = [candidates[place] for place in places]
        # What needs two must say all of it in their words.
        if (len(places) > 1 and share(words, quotes) < NEAR_COPY) or share(words, quotes) < MOSTLY:
            continue
        if estimate(weights, describe(sentence, quotes, embedding, context)) < CLEARLY:
            continue
        if judge(sentence, quotes, embedding, context).support == "supported":
            return places
    return ()


def _bound(quotes: Sequence[str]) -> list[str]:
    """As much of the quotes as is read."""
    ends = accumulate(map(len, quotes))
    return [q[: max(0, len(q) - max(0, end - MOST_CITED_CHARACTERS))] for q, end in zip(quotes, ends, strict=True)]


# -- whether there is something to judge, and something that states ---------------------------


def _is_question(text: str) -> bool:
    """Whether nothing but a question is asked; one in quotation marks at the end may be told of."""
    marks = ("?", "？", "؟")
    return text.rstrip().endswith(marks) and all(text.endswith(marks, 0, span.end) for span in find_sentences(text))


def _presumes(sentence: str, questions: Sequence[str]) -> bool:
    """Whether a question takes for given what the sentence says: "Why was Odden skipped?" of "Odden was skipped"."""
    return any(
        question.strip().lower().startswith(("why ", "how come ")) and share(sentence, [question]) >= 1
        for question in questions
    )


def _states(sentence: str, quotes: Sequence[str]) -> bool:
    """Whether one of the quotes states something, or instructs what the sentence does."""
    for quote in quotes:
        command = find_command(quote)
        if not command:
            return True
        if asks_for_words(quote):
            if sentence not in " ".join(quote.split()) and does_same(sentence, command):
                return True
        elif not is_done(sentence):
            return True
    return False


def _speaks_otherwise(sentence: str, cited: str) -> bool:
    """Whether the sentence is in another language than the words cited, as far as both tell theirs."""
    theirs = find_running_language(cited)
    mine = find_languages(sentence)
    if not theirs or not mine or theirs in mine or count_little(sentence, theirs):
        return bool(theirs and len(mine) == 1 and theirs not in mine and find_running_language(sentence))
    return share(sentence, [cited]) < MOSTLY


def _is_beside(question: str, texts: Sequence[str], context: str, embedding: Embedding) -> bool:
    """Whether neither a sentence nor what it cites has anything to do with the question, in words or in meaning."""
    asked = set(find_content_terms(question))
    if len(asked) < _FEWEST_ASKED or asked.intersection(find_terms(" ".join([*texts, context]))):
        return False
    mine, *theirs = embedding.embed([question, *texts])
    return max(float(mine @ vector) for vector in theirs) < _FAR


# -- the verdict ------------------------------------------------------------------------------


def decide(closeness: float, wrong: frozenset[Fact], limits: Mapping[str, float]) -> Support:
    """The verdict that closeness, from 0 to 1, and the wrong facts give together."""
    if closeness < limits["partial"] or wrong & CONTRADICTIONS:
        return "unsupported"
    return "partial" if wrong or closeness < limits["supported"] else "supported"


def find_wrong_facts(sentence: str, quotes: Sequence[str], context: str = "") -> frozenset[Fact]:
    """The kinds of facts of the sentence that the cited text lacks or contradicts."""
    return frozenset(find_wrong(sentence, quotes, context))


def find_wrong(sentence: str, quotes: Sequence[str], context: str = "", question: str = "") -> dict[Fact, str]:
    """The same, each with what is wrong in a few words.

    question: the sentence may take up its names, where the quotes have no other in their place.
    """
    plain = make_plain_statement(sentence)
    said, prose = write_dates_out(plain.text), write_dates_out(plain.prose)
    parts = sorted(part(quotes), key=lambda part: -share(said, [part]))
    cited = " | ".join(parts)
    wrong: dict[Fact, str] = {}
    if number := _find_wrong_number(prose, write_dates_out(plain.label), parts, context, len(quotes)):
        wrong["number"] = number
    nearest = parts[0] if parts else ""
    shared = share(said, [nearest])
    # In a copy another name is no one's whole name or "he": it was put in another's place.
    names_around = (
        "" if shared >= NEAR_COPY and find_missing_name(nearest, said) else f"{context} {plain.label} {question}"
    )
    if name := find_missing_name(prose, cited, names_around):
        wrong["name"] = f"“{_shorten(name)}” is not in the words cited"
    elif code := next((code for code in plain.codes if not _holds_code(code, quotes, context)), ""):
        wrong["name"] = f"“{_shorten(code)}” is not in the words cited"
    near = " | ".join(each for each in parts[:_TOGETHER] if share(said, [each]) >= _BESIDE) or nearest
    # What no one denies, a sentence in whatever words may not deny either.
    is_near = share(said, [near]) >= MOSTLY or not denies(cited)
    if (is_near and is_denied_otherwise(said, near)) or (
        shared >= NEAR_COPY and is_denied_otherwise_in_copy(said, nearest)
    ):
        wrong["denial"] = "one says “not”, the other does not"
    if shared >= MOSTLY and (opposite := find_opposite(said, nearest, strictly=shared < _NEARLY)):
        wrong["opposite"] = f"the words cited say “{opposite}”"
    if "opposite" in wrong and denies(said) != denies(nearest):
        # "Will not accept" is "refuses".
        del wrong["opposite"]
        wrong.pop("denial", None)
    if misses_quotation(said, cited):
        wrong["quotation"] = MISQUOTED
    if changed := _find_change(said, parts):
        wrong["changed"] = changed
    return wrong


def _find_wrong_number(prose: str, label: str, parts: Sequence[str], context: str, quotes: int) -> str:
    cited = " | ".join(parts)
    there = find_quantities(cited)
    given = [*there, *find_quantities(write_dates_out(context))]
    for text in (prose, label):
        for quantity in find_quantities(text):
            spelled = text[quantity.start : quantity.end].isalpha()
            lists = counts_list(text, quantity) and all(other.loose or other.unit for other in there)
            counts = spelled and (lists or (quotes > 1 and quotes in quantity.values))
            if quantity.loose or counts or any(same_quantity(quantity, other) for other in given):
                continue
            if not is_reckoned(quantity, there):
                like = [other for other in there if not other.loose and other.unit == quantity.unit]
                shown = cited[like[0].start : like[0].end].strip() if len(like) == 1 else ""
                own = text[quantity.start : quantity.end].strip()
                return f"the words cited say “{shown}”" if shown else f"“{own}” is not in the words cited"
    if (
        misses_binding(prose, cited)
        or misplaces_number(prose, parts)
        or any(misreads_record(prose, each) for each in parts)
    ):
        return OTHER_NUMBER
    return ""


def _holds_code(code: str, quotes: Sequence[str], context: str) -> bool:
    """Whether what stands in code stands in the quotes or around them, as a whole or in its words.

    Lines of code, which mark none, do not say what they are part of.
    """
    if not any("`" in quote for quote in quotes):
        return True
    held = " ".join([*quotes, context]).casefold()
    words = re.findall(r"[\w.-]+", code.casefold())
    return code.casefold() in held or sum(word in held for word in words) * 2 > len(words) or not words


def _find_change(said: str, parts: Sequence[str]) -> str:
    """What a sentence changes of the words that it nearly copies, in a few words; or ""."""
    cited = " ".join(parts[:_TOGETHER])
    if turns_comparison(said, cited):
        return "the comparison is turned round"
    difference = compare(said, parts[:_TOGETHER])
    if difference.swapped and share(said, parts[:_TOGETHER]) >= NEAR_COPY:
        return f"“{difference.swapped[0]}” and “{difference.swapped[1]}” have changed places"
    if added := difference.added:
        return f"“{added}” is not in the words cited"
    if limit := changes_limit(said, cited, difference.copied):
        return f"the words cited are narrower: “{limit}”"
    return ""


def _find_unsaid(sentence: str, quotes: Sequence[str]) -> str:
    """The reason where closeness alone decides: a word that the cited text lacks, or that it is of something else."""
    said = set(find_terms(" ".join(quotes)))
    words = re.findall(r"[^\W\d_]{4,}", make_plain_statement(sentence).prose)
    unsaid = [word for word in words if (terms := find_content_terms(word)) and not said.intersection(terms)]
    return (
        f"“{_shorten(max(unsaid, key=len))}” is not in the words cited"
        if 0 < len(unsaid) <= 2
        else "the words cited do not say this"
    )


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


@cache
def load_model() -> dict[str, dict[str, float]]:
    """The coefficients with and without an embedding, by feature name, and the thresholds."""
    return load_sums(MODEL_FILE)
