"""The figures of a run: of all its questions together, and of each group of them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assistant.serving.evaluating.intervals import find_interval
from assistant.serving.evaluating.judging import SHARES, Outcome

KINDS = ("answerable", "follow-up", "unanswerable", "rejected")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, and over how many questions it was measured."""

    value: float
    questions: int


def summarise(
    outcomes: Sequence[Outcome], input_price: float | None = None, output_price: float | None = None
) -> dict[str, Figure]:
    """The figures of all questions together, by name; those that apply to none are left out.

    Shares are means over the questions that they apply to. seconds_*: until the answer was whole, and until its first
    text. prompt_tokens, completion_tokens: the sums over the questions for which the server counts them; cost: the
    same, in the prices' currency. Prices: for a million tokens.
    """
    figures: dict[str, Figure] = {}
    for name in SHARES:
        if values := [outcome.shares[name] for outcome in outcomes if name in outcome.shares]:
            figures[name] = Figure(sum(values) / len(values), len(values))
    if seconds := sorted(outcome.seconds for outcome in outcomes):
        figures["seconds_median"] = Figure(_quantile(seconds, 0.5), len(seconds))
        figures["seconds_p95"] = Figure(_quantile(seconds, 0.95), len(seconds))
    if first := sorted(o.first_text_seconds for o in outcomes if o.first_text_seconds is not None):
        figures["first_text_seconds_median"] = Figure(_quantile(first, 0.5), len(first))
    tokens = [
        (usage.prompt_tokens, usage.completion_tokens)
        for usage in (outcome.answer.usage for outcome in outcomes)
        if usage and usage.prompt_tokens is not None and usage.completion_tokens is not None
    ]
    if tokens:
        prompt, completion = map(sum, zip(*tokens, strict=True))
        figures["prompt_tokens"] = Figure(prompt, len(tokens))
        figures["completion_tokens"] = Figure(completion, len(tokens))
        if input_price is not None and output_price is not None:
            figures["cost"] = Figure((prompt * input_price + completion * output_price) / 1e6, len(tokens))
    return figures


def _quantile(values: Sequence[float], share: float) -> float:
    """The least of the sorted values that so large a share of them does not exceed."""
    return values[math.ceil(share * len(values)) - 1]


def summarise_kinds(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Figure]]:
    """Of each group of questions that there is: the share with which nothing went wrong, and the time."""
    found = {}
    for kind in KINDS:
        if group := [outcome for outcome in outcomes if outcome.case.kind == kind]:
            seconds = sorted(outcome.seconds for outcome in group)
            found[kind] = {
                "right": Figure(sum(not outcome.wrong for outcome in group) / len(group), len(group)),
                "seconds_median": Figure(_quantile(seconds, 0.5), len(group)),
                "seconds_p95": Figure(_quantile(seconds, 0.95), len(group)),
            }
    return found


# -- as they are printed ----------------------------------------------------------------------


def to_table(name: str, figures: Mapping[str, Figure]) -> str:
    """The figures as a Markdown table; beside a share the interval in which 95 % of such sets would have it."""
    rows = [(name, "product", "95 %", "questions")]
    for key, figure in figures.items():
        value = f"{figure.value:,}" if key.endswith("_tokens") else f"{figure.value:.{4 if key == 'cost' else 3}f}"
        rows.append((key.replace("_", " "), value, _show_interval(key, figure), str(figure.questions)))
    return lay_out(rows)


def to_kinds_table(kinds: Mapping[str, Mapping[str, Figure]]) -> str:
    """The groups as a Markdown table."""
    rows = [("group", "right", "95 %", "questions", "seconds median", "seconds p95")]
    for kind, figures in kinds.items():
        right, median, p95 = figures.values()
        shown = f"{right.value:.3f}", _show_interval("right", right), str(right.questions)
        rows.append((kind, *shown, f"{median.value:.3f}", f"{p95.value:.3f}"))
    return lay_out(rows)


def lay_out(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns stand below each other; the first row is the head."""
    widths = [max(map(_count_columns, column)) for column in zip(*rows, strict=True)]

    def line(cells: Iterable[str]) -> str:
        padded = (cell + " " * (width - _count_columns(cell)) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([line(rows[0]), rule, *map(line, rows[1:])])


def _count_columns(cell: str) -> int:
    """How many columns of a terminal a cell takes: signs of East Asia take two."""
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in cell)


def _show_interval(key: str, figure: Figure) -> str:
    if key not in (*SHARES, "right"):
        return ""
    low, high = find_interval(figure.value, figure.questions)
    return f"{low:.2f} to {high:.2f}"
