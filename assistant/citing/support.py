"""Does the cited text support the sentence? A pointer that is valid is not yet support.

Without a second model. First the hard facts, which decide alone (`assistant.citing.claims`): the sentence's numbers and
names must stand in the cited text, what one side denies the other must not say, opposites must not stand for each
other. A question states nothing: questions alone support no words but their own. Then closeness: a small logistic model
over how many of the sentence's words the cited text has and, with an embedding, how near their meanings are.
`benchmarks.support` fits its coefficients, which are in `support.json`.

But: a sentence that the cited text implies by reckoning or by knowledge of the world is not seen to be supported, nor
is one in another language than the cited text. And an order is not told from a statement: "Add a line about ..."
supports a sentence in its words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

from assistant.answers import Support
from assistant.citing.claims import (
    find_quantities,
    has_opposite,
    is_denied_otherwise,
    is_denied_otherwise_in_copy,
    misses_binding,
    misses_name,
    misses_quotation,
    same_quantity,
    write_dates_out,
)
from assistant.citing.sums import estimate, load_sums
from index.embedding.protocol import Embedding
from index.splitting.sentences import find_sentences
from index.splitting.terms import find_content_terms, find_terms

MODEL_FILE = Path(__file__).with_name("support.json")
CLOSELY_READ = 24  # cited sentences, those that share most words, where more are cited
NEAR_COPY, MOSTLY = 0.8, 0.5  # shares of a sentence's words
CLEARLY = 0.9  # the closeness of what is cited though the model did not cite it
FEWEST_TERMS = 3  # a sentence of fewer, "All agree.", shares them with too much: it must be there as it stands
TRIED = 8  # candidates that share most words
TOGETHER = 3  # cited sentences that a sentence is compared with as one

Fact = Literal["number", "denial", "opposite", "name", "quotation"]
CONTRADICTIONS = frozenset({"number", "denial", "opposite"})


def check(sentence: str, quotes: Sequence[str], embedding: Embedding | None = None, context: str = "") -> Support:
    """Whether the quotes together support the sentence.

    embedding: tells a paraphrase from another matter; without one, words alone are compared.
    context: where the quotes come from, a title and a date: the sentence's names and numbers may stand there too.
    """
    cited = " ".join(quotes)
    if not cited.strip():
        return "unsupported"
    if " ".join(sentence.split()) in " ".join(cited.split()):
        return "supported"
    if not find_terms(sentence):
        return "supported"  # nothing is said
    if all(map(_is_question, quotes)):
        return "unsupported"
    system = "with_meaning" if embedding else "words"
    closeness = estimate(load_model()[system], describe(sentence, quotes, embedding))
    return decide(closeness, find_wrong_facts(sentence, quotes, context), load_model()[f"threshold_{system}"])


def find_support(
    sentence: str, candidates: Sequence[str], embedding: Embedding | None = None, context: str = ""
) -> tuple[int, ...]:
    """The places of one or two candidates that clearly support a sentence which cites nothing; none where none do."""
    terms = find_content_terms(sentence)
    if not terms or _is_question(sentence):
        return ()
    if len(terms) < FEWEST_TERMS:
        words = " ".join(sentence.split())
        return next(((place,) for place, text in enumerate(candidates) if words in " ".join(text.split())), ())
    telling = [i for i, candidate in enumerate(candidates) if not _is_question(candidate)]
    nearest = sorted(telling, key=lambda i: -_share(sentence, [candidates[i]]))[:TRIED]
    system = "with_meaning" if embedding else "words"
    weights = load_model()[system]
    alone = [(place,) for place in nearest]
    pairs = [tuple(sorted((nearest[0], other))) for other in nearest[1:]]
    for places in (*alone, *pairs):
        quotes = [candidates[place] for place in places]
        # What needs two must say all of it in their words.
        if find_wrong_facts(sentence, quotes, context) or (len(places) > 1 and _share(sentence, quotes) < NEAR_COPY):
            continue
        if estimate(weights, describe(sentence, quotes, embedding)) >= CLEARLY:
            return places
    return ()


def _is_question(text: str) -> bool:
    """Whether nothing but a question is asked; one in quotation marks at the end may be told of."""
    marks = ("?", "？", "؟")
    return text.rstrip().endswith(marks) and all(text.endswith(marks, 0, span.end) for span in find_sentences(text))


def decide(closeness: float, wrong: frozenset[Fact], limits: Mapping[str, float]) -> Support:
    """The verdict that closeness, from 0 to 1, and the wrong facts give together."""
    if closeness < limits["partial"] or wrong & CONTRADICTIONS:
        return "unsupported"
    return "partial" if wrong or closeness < limits["supported"] else "supported"


def find_wrong_facts(sentence: str, quotes: Sequence[str], context: str = "") -> frozenset[Fact]:
    """The kinds of facts of the sentence that the cited text lacks or contradicts."""
    sentence, cited = write_dates_out(sentence), write_dates_out(" ".join(quotes))
    given = find_quantities(f"{cited} {write_dates_out(context)}")
    wrong: set[Fact] = set()
    for quantity in find_quantities(sentence):
        if not quantity.loose and not any(same_quantity(quantity, other) for other in given):
            wrong.add("number")
    if misses_binding(sentence, cited):
        wrong.add("number")
    if misses_name(sentence, cited, context):
        wrong.add("name")
    if is_denied_otherwise(sentence, cited):
        wrong.add("denial")
    nearest = max(_part(quotes), key=lambda part: _share(sentence, [part]), default="")
    shared = _share(sentence, [nearest])
    if shared >= NEAR_COPY and is_denied_otherwise_in_copy(sentence, nearest):
        wrong.add("denial")
    if shared >= MOSTLY and has_opposite(sentence, nearest):
        wrong.add("opposite")
    if misses_quotation(sentence, cited):
        wrong.add("quotation")
    return frozenset(wrong)


# -- closeness --------------------------------------------------------------------------------


def describe(sentence: str, quotes: Sequence[str], embedding: Embedding | None = None) -> dict[str, float]:
    """The features of the logistic model, each from 0 to 1."""
    sentence = write_dates_out(sentence)
    parts = sorted(_part(quotes), key=lambda part: -_share(sentence, [part]))[:CLOSELY_READ]
    features = {
        "words": _share(sentence, parts[:TOGETHER]),
        "words_of_best": _share(sentence, parts[:1]),
        "pairs": _share_pairs(sentence, parts[:TOGETHER]),
    }
    if embedding and parts:
        mine, *theirs = embedding.embed([sentence, *parts])
        near = sorted((max(0.0, float(mine @ vector)) for vector in theirs), reverse=True)
        features["similarity"] = near[0]
        together = sum(theirs[:TOGETHER])
        features["similarity_together"] = max(0.0, float(mine @ together) / float((together @ together) ** 0.5))
    elif embedding:
        features |= {"similarity": 0.0, "similarity_together": 0.0}
    return features


def _part(quotes: Sequence[str]) -> list[str]:
    """The sentences of the quotes; most quotes are one."""
    return [
        write_dates_out(" ".join(quote[span.start : span.end].split()))
        for quote in quotes
        for span in find_sentences(quote)
    ]


def _share(sentence: str, parts: Sequence[str]) -> float:
    """The share of the sentence's content terms that the parts hold."""
    said = set(find_terms(" ".join(parts)))
    terms = find_content_terms(sentence)
    return sum(term in said for term in terms) / len(terms) if terms else 1.0


def _share_pairs(sentence: str, parts: Sequence[str]) -> float:
    """The share of the sentence's neighbouring content terms that are near each other in the parts too."""
    places: dict[str, set[int]] = {}
    for place, term in enumerate(find_terms(" | ".join(parts))):
        places.setdefault(term, set()).add(place)
    pairs = list(pairwise(find_content_terms(sentence)))
    near = sum(
        any(place + step in places.get(other, ()) for place in places.get(one, ()) for step in range(-4, 5))
        for one, other in pairs
    )
    return near / len(pairs) if pairs else 1.0


@cache
def load_model() -> dict[str, dict[str, float]]:
    """The coefficients with and without an embedding, by feature name, and the thresholds."""
    return load_sums(MODEL_FILE)
