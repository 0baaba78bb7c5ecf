"""Two runs compared, question by question: what got better, what worse, and what cannot be told apart.

    print(show(compare(read_run(earlier), [to_asked(outcome) for outcome in outcomes])))

Only questions that both asked, and of which both expected the same, are compared. A figure counts as better or worse
where its 95 % interval leaves out no difference and the sign test agrees (see intervals.py): that takes at least six
questions that differ, all in one direction.
"""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.serving.evaluating.figures import lay_out
from assistant.serving.evaluating.intervals import compare_pairs, is_sure
from assistant.serving.evaluating.judging import SHARES
from assistant.serving.evaluating.runs import Asked

_MORE_IS_BETTER = {
    "right",
    "retrieval_hit",
    "evidence_recall",
    "citation_precision",
    "citation_recall",
    "answer_correct",
    "sentences_supported",
}
_NEITHER = {"sentences_partial", "nearest_answerable", "nearest_unanswerable"}
_MOST_SHOWN, _LONGEST_SHOWN = 30, 110


@dataclass(frozen=True, slots=True)
class Difference:
    """How a figure differs, over so many questions. verdict: "better", "worse", "more", "less", "the same", or "" where
    it cannot be told.
    """

    then: float
    now: float
    interval: tuple[float, float]
    questions: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """pairs: of the questions that are compared, then and now. only_then, only_now: how many one run alone asked.

    otherwise: how many both asked, and expected another answer of.
    """

    pairs: Sequence[tuple[Asked, Asked]]
    differences: Mapping[str, Difference]
    only_then: int
    only_now: int
    otherwise: int

    @property
    def is_worse(self) -> bool:
        """Whether a figure is worse, and hardly by chance; that an answer takes longer is not counted."""
        return any(one.verdict == "worse" for name, one in self.differences.items() if name != "seconds")


def compare(then: Sequence[Asked], now: Sequence[Asked]) -> Comparison:
    """Compare two runs. Where one asks the same several times, the first of one goes with the first of the other."""
    waiting: defaultdict[tuple[str, str], deque[Asked]] = defaultdict(deque)
    for earlier in then:
        waiting[earlier.asked, earlier.expected].append(earlier)
    pairs: list[tuple[Asked, Asked]] = []
    only_now: Counter[str] = Counter()
    for later in now:
        if same := waiting[later.asked, later.expected]:
            pairs.append((same.popleft(), later))
        else:
            only_now[later.asked] += 1
    only_then = Counter(earlier.asked for left in waiting.values() for earlier in left)
    otherwise = (only_then & only_now).total()
    differences = _find_differences(pairs)
    return Comparison(pairs, differences, only_then.total() - otherwise, only_now.total() - otherwise, otherwise)


def _find_differences(pairs: Sequence[tuple[Asked, Asked]]) -> dict[str, Difference]:
    both = {
        name: [
            (then.shares[name], now.shares[name]) for then, now in pairs if name in then.shares and name in now.shares
        ]
        for name in SHARES
    }
    both["seconds"] = [(then.seconds, now.seconds) for then, now in pairs]
    both = {"right": [(float(not then.wrong), float(not now.wrong)) for then, now in pairs]} | both
    return {name: _differ(name, values) for name, values in both.items() if values}


def _differ(name: str, values: Sequence[tuple[float, float]]) -> Difference:
    then, now = zip(*values, strict=True)
    interval = compare_pairs(then, now)
    old, new = sum(then) / len(then), sum(now) / len(now)
    if then == now:
        verdict = "the same"
    elif not is_sure(then, now, interval):
        verdict = ""
    elif name in _NEITHER:
        verdict = "more" if new > old else "less"
    else:
        verdict = "better" if (new > old) is (name in _MORE_IS_BETTER) else "worse"
    return Difference(old, new, interval, len(values), verdict)


# -- as it is printed -------------------------------------------------------------------------


def show(comparison: Comparison, name: str) -> str:
    """What differs, in a table and in words; name: of the earlier run."""
    pairs = comparison.pairs
    left_out = [
        f"{count} {what}"
        for count, what in (
            (comparison.only_then, "asked only then"),
            (comparison.only_now, "asked only now"),
            (comparison.otherwise, "of which another answer is expected now"),
        )
        if count
    ]
    told = f"Against {name}: {len(pairs)} questions of both"
    lines = [f"{told}; left out: {', '.join(left_out)}." if left_out else f"{told}."]
    if not pairs:
        return f"{lines[0]} There is nothing to compare."
    models = [" and ".join(sorted({asked.model or "quotations" for asked in run})) for run in zip(*pairs, strict=True)]
    if models[0] != models[1]:
        lines.append(f"Answered then by {models[0]}, now by {models[1]}.")
    lines += ["", _lay_out_differences(comparison.differences), "", _say(comparison.differences), *_list(pairs)]
    return "\n".join(lines)


def _lay_out_differences(differences: Mapping[str, Difference]) -> str:
    rows = [("", "then", "now", "difference", "95 %", "asked", "")]
    for name, one in differences.items():
        low, high = one.interval
        values = f"{one.then:.3f}", f"{one.now:.3f}", f"{one.now - one.then:+.3f}", f"{low:+.2f} to {high:+.2f}"
        rows.append((name.replace("_", " "), *values, str(one.questions), one.verdict or "unclear"))
    return lay_out(rows)


def _say(differences: Mapping[str, Difference]) -> str:
    said = []
    for verdict, words in (
        ("better", "Better"),
        ("worse", "Worse"),
        ("more", "More, which is neither"),
        ("less", "Less, which is neither"),
        ("", "Unclear, for the interval holds 0 or too few questions differ"),
        ("the same", "The same"),
    ):
        if names := [name.replace("_", " ") for name, one in differences.items() if one.verdict == verdict]:
            said.append(f"{words}: {', '.join(names)}.")
        elif verdict in ("better", "worse"):
            said.append(f"{words}: nothing.")
    return "\n".join(said)


def _list(pairs: Sequence[tuple[Asked, Asked]]) -> list[str]:
    """The questions that went wrong in one run alone, those wrong in another way, and how many read otherwise."""
    fixed = [f"{_quote(now)}: was {_cut(then.wrong)}" for then, now in pairs if then.wrong and not now.wrong]
    broken = [
        f"{_quote(now)}: {_cut(now.wrong)}{_say_text(then, now)}" for then, now in pairs if now.wrong and not then.wrong
    ]
    otherwise = [
        f"{_quote(now)}: was {_cut(then.wrong)}; is {_cut(now.wrong)}"
        for then, now in pairs
        if then.wrong and now.wrong and then.wrong != now.wrong
    ]
    lines = []
    for words, found in (("Fixed", fixed), ("Broken", broken), ("Wrong in another way", otherwise)):
        if found:
            lines += ["", f"{words} ({len(found)}):", *(f"- {line}" for line in found[:_MOST_SHOWN])]
            if len(found) > _MOST_SHOWN:
                lines.append(f"- and {len(found) - _MOST_SHOWN} more")
    changed = sum(then.text != now.text and then.wrong == now.wrong for then, now in pairs)
    if changed:
        lines += ["", f"{changed} more answered in other words, neither fixed nor broken by it."]
    elif not lines:
        lines += ["", "Every question is answered as it was."]
    return lines


def _say_text(then: Asked, now: Asked) -> str:
    return f"; was: {_cut(then.text)}" if then.text != now.text else ""


def _quote(asked: Asked) -> str:
    return f"“{_cut(asked.question)}”"


def _cut(text: str) -> str:
    return textwrap.shorten(text, _LONGEST_SHOWN, placeholder=" ...")
