"""Sums fitted to examples: features, each times its weight; and the probability that such a sum stands for.

A module that uses such sums has their weights beside it, as readable numbers in a JSON file, which a benchmark fits.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path


def load_sums(file: Path) -> dict[str, dict[str, float]]:
    """The weights of each sum, by the names of what they weigh, and the thresholds."""
    sums: dict[str, dict[str, float]] = json.loads(file.read_text(encoding="utf-8"))
    return sums


def weigh(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    """The weighted sum of those features that have a weight."""
    intercept = weights.get("intercept", 0.0)
    return intercept + sum(weight * features[name] for name, weight in weights.items() if name != "intercept")


def estimate(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    """The probability, from 0 to 1, whose log odds are the weighted sum."""
    return 1 / (1 + math.exp(-weigh(weights, features)))
