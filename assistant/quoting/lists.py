"""The list that a question asks for, whole and in order: items under one heading, rows of a table, fields of a record.

A list is found by what it stands under and by what its members are called: "What are the ingredients?" is answered by
what stands under "Ingredients", "Which boats are there?" by the rows that each begin "Boat:". It may go on over several
chunks of its document, which are read from the lexicon.

But: of a table or a record only those members are shown that hold the words of the question that the others have not,
and a list that is named by other words than the question's is not seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import accumulate

from assistant.question.question import Question
from assistant.quoting.candidates import Candidate, Choice
from assistant.quoting.content import find_content, find_label
from assistant.quoting.kin import find_kin
from index.searching.retriever import to_passage
from index.splitting.outline import to_line
from index.splitting.sentences import Kind
from index.splitting.terms import find_content_terms, find_terms
from index.storing.lexicon import Lexicon

MOST_SHOWN = 20  # members of a list
MOST_CHARACTERS = 6000  # of these
_SHORTEST = 2  # members
_SHORTEST_PROSE = 3  # sentences that say the same of one thing after the other
_NAMED_SHARE = 0.5  # of the question's words, that a list must be called by
_BEHIND = 0.3  # the share by which a list may fall short of the best sentence
_ALIKE_SHARE = 0.8  # of the members, that hold what they have in common
_LONGEST_PROSE_CHARACTERS = 120
_LONGEST_ITEM_CHARACTERS = 50
_REACH_CHARACTERS = 30_000  # on either side of a passage, as far as its list is followed
_ASKING = frozenset(
    find_terms("list name show give tell mention enumerate identify please all every complete full whole")
)
_STEPS = frozenset(find_terms("steps step instructions procedure order method directions"))
_STEP = re.compile(r"\W*(?:\d{1,3}[.)]|step \d)", re.IGNORECASE)


def find_list(question: Question, ranked: Sequence[Candidate], lexicon: Lexicon) -> Choice | None:
    """The list that answers, or None where a sentence answers as well."""
    asked = [term for term in question.terms if term in question.content - _ASKING]
    rarity = lexicon.rarity(asked)
    shares = [(_rate(asked, rarity, run, ranked), run) for run in _find_runs(ranked)]
    share, best = max(shares, key=lambda rated: (rated[0], max(c.score for c in rated[1])), default=(0.0, []))
    if not share:
        return None
    run = _complete(best, lexicon)
    members = _choose_members(set(asked) - _find_names(run), run)
    return _show(members, share) if len(members) >= _SHORTEST else None


def is_beside(candidate: Candidate, best: Candidate, question: Question) -> bool:
    """Whether a candidate stands in one list with the best, as its neighbour, and holds less of what is asked."""
    kinds = {candidate.sentence.kind, best.sentence.kind}
    if len(kinds) > 1 or kinds.isdisjoint(("row", "field", "item")):
        return False
    if "item" in kinds and len(candidate.words) > _LONGEST_ITEM_CHARACTERS:
        return False  # which says more than that it is there
    if candidate.passage.document_id != best.passage.document_id or candidate.above != best.above:
        return False
    held, most = (question.content & set(find_terms(c.words)) for c in (candidate, best))
    return held < most


def follow_list(member: Candidate, lexicon: Lexicon) -> Choice:
    """The list that a candidate is a member of."""
    return _show(_complete([member], lexicon), 1.0)


def _show(members: Sequence[Candidate], share: float) -> Choice:
    """As many of the members as a reader can take in."""
    characters = accumulate(len(member.words) for member in members)
    fitting = [member for member, sum_ in zip(members, characters, strict=True) if sum_ <= MOST_CHARACTERS]
    return Choice(tuple(fitting[:MOST_SHOWN] or members[:1]), len(members), share)


# -- which list is asked for ------------------------------------------------------------------


def _find_runs(ranked: Sequence[Candidate]) -> Iterator[list[Candidate]]:
    """The lists of the passages, as far as the passages hold them."""
    run: list[Candidate] = []
    for candidate in sorted(ranked, key=lambda c: (c.passage.document_id, c.sentence.start)):
        if run and not _goes_on(run, candidate):
            yield run
            run = []
        run.append(candidate)
    if run:
        yield run


def _goes_on(run: Sequence[Candidate], candidate: Candidate) -> bool:
    """Whether a candidate is a further member of a list, or stands below a member."""
    first, one, other = run[0], run[-1].passage, candidate.passage
    if one.document_id != other.document_id or (one.start != other.start and one.end != other.start):
        return False
    is_same, depth = _kind_of(first) == _kind_of(candidate), len(first.above)
    if first.sentence.kind == "row":
        # The names of columns that have nothing above a row are left out of what it stands under.
        return is_same and first.above[:-1] == candidate.above[:-1] and depth == len(candidate.above)
    if candidate.above[:depth] != first.above:
        return False
    if len(candidate.above) == depth or first.sentence.kind == "prose":
        return is_same and len(candidate.above) == depth
    return any(to_line(member.words, member.sentence.kind) == candidate.above[depth] for member in reversed(run))


def _kind_of(candidate: Candidate) -> Kind:
    """What a candidate is in a list: a short line that could be a heading is an item."""
    return "item" if candidate.sentence.kind == "heading" else candidate.sentence.kind


def _rate(
    asked: Sequence[str], rarity: Mapping[str, float], run: Sequence[Candidate], ranked: Sequence[Candidate]
) -> float:
    """The share of the question's words that a run is called by; 0 where it is not the list that is asked for."""
    kind, leads = run[0].sentence.kind, _leads(run, ranked)
    if len(run) < _SHORTEST or (kind in ("prose", "quotation") and not _are_alike(run)):
        return 0.0
    names, first = _find_names(run), run[0]
    if names.isdisjoint(asked) and not leads:
        return 0.0
    outer = set(find_terms(" ".join((first.passage.title, first.passage.path, *first.above))))
    # What rows and fields hold tells which of them are meant.
    held = set(find_terms(" ".join(c.words for c in run))) if kind in ("row", "field") else set()
    total = sum(rarity[term] for term in asked)
    share = sum(rarity[term] for term in asked if term in names | outer | held) / total if total else 0.0
    # What is asked for is mostly named first: "Which languages does she speak?"
    share = max(share, _NAMED_SHARE if leads or asked[0] in names else 0.0)
    return share if share >= max(_NAMED_SHARE, ranked[0].features["coverage"] - _BEHIND) else 0.0


def _find_names(run: Sequence[Candidate]) -> set[str]:
    """The terms of what a list is called: the head right above it, its columns, the labels that its members share."""
    first = run[0]
    heads = first.above[-2:] if first.sentence.kind == "row" else first.above[-1:]
    labels = Counter(label for candidate in run for label in set(_find_labels(candidate)))
    shared = [label for label, number in labels.items() if number >= _ALIKE_SHARE * len(run)]
    names = set(find_terms(" ".join((*heads, *shared))))
    names |= find_kin(names)
    return names | _STEPS if all(_STEP.match(candidate.words) for candidate in run) else names


def _find_labels(candidate: Candidate) -> list[str]:
    if candidate.sentence.kind == "row":
        return [find_label(part) for part in candidate.words.split("; ")]
    return []


def _leads(run: Sequence[Candidate], ranked: Sequence[Candidate]) -> bool:
    """Whether the two best sentences are both items of a list."""
    best = list(ranked[:2])
    return _kind_of(run[0]) == "item" and len(best) > 1 and all(candidate in run for candidate in best)


def _choose_members(asked: Set[str], run: Sequence[Candidate]) -> list[Candidate]:
    """Of a table's rows and a record's fields those that hold most of what only some of them hold; else all."""
    if run[0].sentence.kind not in ("row", "field"):
        return list(run)
    held = [len(asked & set(find_terms(candidate.words))) for candidate in run]
    return [candidate for candidate, number in zip(run, held, strict=True) if number == max(held)]


def _are_alike(run: Sequence[Candidate]) -> bool:
    """Whether sentences say the same of one thing after the other: short ones, most with a word in common."""
    counted = Counter(term for candidate in run for term in find_content_terms(candidate.words))
    is_short = all(len(candidate.words) <= _LONGEST_PROSE_CHARACTERS for candidate in run)
    return is_short and len(run) >= _SHORTEST_PROSE and max(counted.values()) >= _ALIKE_SHARE * len(run)


# -- the whole of it --------------------------------------------------------------------------


def _complete(members: Sequence[Candidate], lexicon: Lexicon) -> list[Candidate]:
    """The run that some candidates are of, as far as it goes in their document."""
    known = {candidate.sentence.start: candidate for candidate in members}
    for run in _find_runs(_read_around(members[0], lexicon)):
        if any(candidate.sentence.start in known for candidate in run):
            return [known.get(candidate.sentence.start, candidate) for candidate in run]
    return list(members)


def _read_around(candidate: Candidate, lexicon: Lexicon) -> list[Candidate]:
    """What may answer in the passage of a candidate and in those around it, each with the features of that one."""
    passage = candidate.passage
    record = lexicon.record(passage.document_id)
    start, end = max(0, passage.start - _REACH_CHARACTERS), passage.end + _REACH_CHARACTERS
    if record is None:
        return []
    passages = [
        passage if chunk.start == passage.start else to_passage(chunk, record, passage.score)
        for chunk in lexicon.chunks_of(passage.document_id, start, end)
    ]
    return [
        replace(
            candidate,
            passage=each,
            sentence=content.sentence,
            position=position,
            words=each.line_of(content.sentence),
            above=content.above,
        )
        for each in passages
        for position, content in enumerate(find_content(each))
    ]
