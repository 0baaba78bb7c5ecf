"""What an entailment model makes of an answer's sentences (FOOTNOTE_CHECK=nli:...): a verdict on each that is a claim.

The premise is what a sentence cites, with what that stands under; the hypothesis is the sentence in plain words. A
sentence is supported where the model finds it entailed with a probability of a half at least, the threshold at which
such models are published (MiniCheck, Tang et al. 2024, arXiv:2404.10774), and unsupported where it finds a
contradiction likelier than all else. What is left open is partly supported, unless words too find it unsupported.

Our check by words overrules the model only where a number or a quoted phrase differs, which such models pass over.

But: the models were taught single sentences, mostly in English. A list, a table, a sum, another language may be beyond
the one that the user names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from assistant.answers import AnswerSentence, Citation, Support
from assistant.citing.plain_words import make_plain
from assistant.citing.second_opinion import combine
from assistant.citing.support import FEWEST_TERMS, Verdict
from index.embedding.protocol import Entailed, Entailment
from index.splitting.terms import find_content_terms

ENTAILS = 0.5
_JUDGED: frozenset[Support] = frozenset({"supported", "partial", "unsupported", "unchecked"})


def judge_with(
    entailment: Entailment, sentences: Sequence[AnswerSentence], citations: Sequence[Citation], question: str
) -> tuple[AnswerSentence, ...]:
    """The sentences with the model's verdict on each claim that cites words, all others as they are.

    question: what is asked, before which a sentence of a word or two, "In 1931.", cannot be understood.
    """
    by_number = {citation.number: citation for citation in citations}
    cited = [[by_number[number] for number in sentence.citations] for sentence in sentences]
    judged = list(sentences)
    places = [
        place
        for place, sentence in enumerate(sentences)
        if sentence.support in _JUDGED and any(citation.quote.strip() for citation in cited[place])
    ]
    found = entailment.entail(
        [make_premise(cited[place]) for place in places],
        [make_hypothesis(sentences[place].text, question) for place in places],
    )
    for place, entailed in zip(places, found, strict=True):
        judged[place] = combine(sentences[place], _judge(sentences[place], entailed), cited[place])
    return tuple(judged)


def make_premise(citations: Iterable[Citation]) -> str:
    """What is cited, each run of quotations behind what it stands under: the document's title, headings, columns."""
    return " ".join(
        f"{above}: {quotes}" if above else quotes
        for above, run in groupby(citations, key=_find_above)
        for quotes in [" ".join(" ".join(citation.quote.split()) for citation in run)]
    )


def make_hypothesis(sentence: str, question: str = "") -> str:
    """A sentence without what numbers or emphasises it; behind the question where it has too few words alone."""
    words = make_plain(sentence)
    plain = (f"{words.label}: {words.text}" if words.label else words.text).replace("`", "")
    is_short = len(find_content_terms(plain)) < FEWEST_TERMS
    return f"{' '.join(question.split())} {plain}" if question and is_short else plain


def _find_above(citation: Citation) -> str:
    return " › ".join(dict.fromkeys(" ".join(part.split()) for part in (citation.title, *citation.context) if part))


def _judge(sentence: AnswerSentence, entailed: Entailed) -> Verdict:
    """What the model's probabilities say of a sentence that words have judged."""
    if entailed.entailment >= ENTAILS:
        return Verdict("supported")
    if entailed.contradiction == max(entailed):
        return Verdict("unsupported", "what is cited contradicts it")
    if sentence.support == "unsupported":
        return Verdict("unsupported", sentence.reason or "what is cited does not say it")
    own = sentence.reason if sentence.support == "partial" else ""
    return Verdict("partial", own or "what is cited does not say all of it")
