"""Means over queries, their intervals, and the tables of systems beside each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

RESAMPLES = 1000


def average(
    rows: Sequence[Mapping[str, float]], measures: Iterable[str], with_interval: Collection[str] = ()
) -> dict[str, Any]:
    """Each measure's mean over the rows, by its name in small letters; and NAME_interval for those `with_interval`."""
    figures: dict[str, Any] = {}
    for measure in measures:
        values = np.array([row[measure] for row in rows])
        figures[measure.lower()] = float(values.mean())
        if measure in with_interval:
            figures[f"{measure.lower()}_interval"] = resample(values)
    return figures


def resample(values: Any) -> list[float]:
    """The 95 % bootstrap interval of a mean (Efron 1979, percentiles), the same at every run."""
    chance = np.random.default_rng(0)
    means = [float(chance.choice(values, len(values)).mean()) for _ in range(RESAMPLES)]
    return [float(bound) for bound in np.quantile(means, (0.025, 0.975))]


def print_table(title: str, columns: Sequence[str], rows: Mapping[str, Mapping[str, float]]) -> None:
    """A Markdown table of figures. rows: the figure of each column, by its name in small letters, and by the row's."""
    print(f"| {' | '.join([title, *columns])} |\n|{'---|' * (len(columns) + 1)}")
    for name, figures in rows.items():
        print(f"| {' | '.join([name, *(f'{figures[column.lower()]:.3f}' for column in columns)])} |")


def print_intervals(systems: Mapping[str, Mapping[str, Any]], measures: Iterable[str]) -> None:
    """The product's intervals, where it was measured."""
    if product := systems.get("product"):
        bounds = (f"{m} {'{:.3f} to {:.3f}'.format(*product[f'{m.lower()}_interval'])}" for m in measures)
        print(f"\nThe product's 95 % intervals: {', '.join(bounds)}.")


def print_missing(missing: Mapping[str, str]) -> None:
    """Which peers have no figures, and why."""
    for name, reason in missing.items():
        print(f"{name}: {reason}.")
