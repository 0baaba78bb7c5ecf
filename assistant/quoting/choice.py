"""Which of the sentences that might answer are shown: one, a run, or several from different documents.

One sentence answers most questions, with what is nearly as good beside it. A question why or how may need the sentences
that follow; a list is whole where the document has it as one (see lists.py), else a sentence for each thing; a
comparison, one for each side.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from assistant.question.asked import find_names, goes_on, holds, leans, lists, tells_how
from assistant.question.question import Question
from assistant.quoting.candidates import Candidate, Choice
from assistant.quoting.features import CLOSELY_READ
from assistant.quoting.lists import find_list, follow_list, is_beside
from index.splitting.terms import find_content_terms, find_terms
from index.storing.lexicon import Lexicon

MOST_QUOTED = 3
MOST_LISTED = 5
WIDER = 1.5  # times the margin, where a list is asked for
LONGER = 3  # times the margin, where a longer answer is wanted
REPEATED_SHARE = 0.6  # of a sentence's words: fewer of its own, and it says nothing new
_STEP = re.compile(r"\s*(?:\(?(?:\d{1,3}|[a-zA-Z])[.)]|step \d+\b)\s*", re.IGNORECASE)
_ITEM = re.compile(rf"{_STEP.pattern}|\s*[-*+•◦▪‣–]\s", re.IGNORECASE)


def choose(question: Question, ranked: Sequence[Candidate], margin: float, lexicon: Lexicon) -> Choice:
    """The list that is asked for; or the best sentence and what belongs to it, in reading order, then others within
    the margin, best first.
    """
    best = ranked[0]
    asks_for_list = question.asks_for_several and not question.compares
    if question.length == "shorter":
        listed = find_list(question, ranked, lexicon) if asks_for_list else None
        return listed or Choice((best,))
    if announced := _find_announced(best, ranked, lexicon):
        return announced
    if asks_for_list and (listed := find_list(question, ranked, lexicon)):
        return listed
    if question.asks_how and _STEP.match(_line_of(best)):
        # The numbered steps around the best one, which is among them.
        return follow_list(best, lexicon)
    margin *= LONGER if question.length == "longer" else WIDER if asks_for_list else 1
    beside = _find_beside(question, ranked, margin)
    near = [c for c in ranked if c not in beside and c.score >= best.score - margin]
    near = [c for c in near if not c.features["header"] and not is_beside(c, best, question)]
    if best.features["explains"] and question.definition and question.definition.expands:
        # Who asks what letters stand for wants nothing else of them.
        near = [c for c in near if c.features["explains"]]
    if asks_for_list:
        nearest = [c for c in near if c.score >= best.score - margin / 2]
        # A sentence that counts several things up is the list.
        return Choice((*beside, *_choose_several(question, beside, nearest, [] if lists(best.words) else near)))
    others = _choose_near(beside, near, MOST_LISTED if question.length == "longer" else MOST_QUOTED)
    if question.asks_how:
        # What is told in a row is read in a row.
        others.sort(key=lambda c: (c.passage is not best.passage, c.position if c.passage is best.passage else 0))
    return Choice((*beside, *others))


# -- what belongs to the best sentence --------------------------------------------------------


def _find_announced(best: Candidate, ranked: Sequence[Candidate], lexicon: Lexicon) -> Choice | None:
    """The best sentence, which ends in a colon, and the list that it announces."""
    place = best.position + 1
    following = next((c for c in ranked if c.passage is best.passage and c.position == place), None)
    if not best.words.endswith(":") or following is None or not _is_item(following):
        return None
    listed = follow_list(following, lexicon)
    return Choice((best, *listed.shown), listed.count, listed.share, before=1)


def _find_beside(question: Question, ranked: Sequence[Candidate], margin: float) -> list[Candidate]:
    """The best sentence, and those that it cannot do without."""
    best, close = ranked[0], ranked[:CLOSELY_READ]
    passage = {c.position: c for c in ranked if c.passage is best.passage}
    if question.kind == "reason":
        return _find_reason(best, [c for c in close if c.passage is best.passage or c.score >= best.score - margin])
    before = passage.get(best.position - 1)
    beside = [before, best] if before and before in close and leans(best.words) else [best]
    if question.asks_how and not tells_how(best.words):
        # How it went on, up to a sentence that begins anew.
        after = [passage[i] for i in range(best.position + 1, best.position + MOST_LISTED) if i in passage]
        return [*beside, *takewhile(lambda c: goes_on(c.words), after)][:MOST_QUOTED]
    return beside


def _find_reason(best: Candidate, close: Sequence[Candidate]) -> list[Candidate]:
    """The best sentence up to the first that gives a reason, which often stands after the one that names the matter."""
    near = [c for c in close if c.passage is best.passage and 0 <= c.position - best.position < MOST_QUOTED]
    run = sorted(near, key=lambda c: c.position)
    reasons = [i for i, candidate in enumerate(run) if holds("reason", candidate.words, "")]
    if reasons:
        return run[: reasons[0] + 1]
    # "It was not on the way." is no answer to why it was not.
    reason = [c for c in close if holds("reason", c.words, "")][:1]
    before = bool(reason) and reason[0].passage is best.passage and reason[0].position < best.position
    return [*reason, best] if before else [best, *reason]


def _is_item(candidate: Candidate) -> bool:
    """Whether a sentence stands in a list."""
    return _ITEM.match(_line_of(candidate)) is not None


def _line_of(candidate: Candidate) -> str:
    """The line on which a sentence begins, and what comes after it."""
    passage, place = candidate.passage, candidate.sentence.start - candidate.passage.start
    return passage.text[passage.text.rfind("\n", 0, place) + 1 :]


# -- what stands beside it --------------------------------------------------------------------


def _choose_near(beside: Sequence[Candidate], near: Sequence[Candidate], most: int) -> list[Candidate]:
    """The next best, none in the very words of another."""
    chosen: list[Candidate] = []
    for candidate in near:
        if len(beside) + len(chosen) >= most:
            break
        if not any(find_terms(candidate.words) == find_terms(other.words) for other in (*beside, *chosen)):
            chosen.append(candidate)
    return chosen


def _choose_several(
    question: Question, beside: Sequence[Candidate], nearest: Sequence[Candidate], near: Sequence[Candidate]
) -> list[Candidate]:
    """Of the nearest, then of the near, those that add something, from documents that are less quoted before others."""
    chosen = list(beside)
    for most, pool in ((MOST_QUOTED, nearest), (MOST_QUOTED, near), (MOST_LISTED, nearest)):
        while len(chosen) < most:
            quoted = Counter(c.passage.document_id for c in chosen)
            new = [
                c
                for c in pool
                # More than usual are shown only where every further one has a document of its own.
                if (most == MOST_QUOTED or not quoted[c.passage.document_id])
                and c not in chosen
                and not any(repeats(c, other, question) for other in chosen)
            ]
            if not new:
                break
            chosen.append(min(new, key=lambda c: (quoted[c.passage.document_id], -c.score)))
    return chosen[len(beside) :]


def repeats(candidate: Candidate, other: Candidate, question: Question) -> bool:
    """Whether a sentence says nearly only what another says too, apart from the words of the question.

    A name or a number that the other has not is never a repetition.
    """
    said = set(find_content_terms(f"{other.words} {other.context}"))
    names = [find_content_terms(name) for name in find_names(candidate.words)]
    if any(terms and not said.union(question.content).intersection(terms) for terms in names):
        return False
    own = set(find_content_terms(candidate.words)) - question.content
    return len(own & said) >= REPEATED_SHARE * len(own)
