"""How sure a figure of few questions is: 95 % intervals, and whether a difference may be chance.

But: an interval speaks for questions like those of the file, asked of these documents; of other ones it says nothing.
And one difference in twenty that looks sure is none: of many figures, one may be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Z = 1.959964  # of the normal distribution, within which 95 % lie
RESAMPLES, SEED = 4000, 20
MOST_CHANCE = 0.05


def find_interval(mean: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a proportion, from 0 to 1: the score interval of E. B. Wilson, Probable inference, the law
    of succession, and statistical inference, JASA 22 (1927).

    Of the mean of shares between 0 and 1 it is rather too wide: such vary no more than a proportion of the same mean.
    """
    centre = (mean + Z * Z / (2 * count)) / (1 + Z * Z / count)
    half = Z * math.sqrt(mean * (1 - mean) / count + Z * Z / (4 * count * count)) / (1 + Z * Z / count)
    return max(0.0, centre - half), min(1.0, centre + half)


def compare_pairs(then: Sequence[float], now: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean of `now` less that of `then`, over the same questions in the same order.

    Where all are 0 or 1: method 10 of R. G. Newcombe, Improved confidence intervals for the difference between
    binomial proportions based on paired data, Statistics in Medicine 17 (1998), 2635-2650. Else the percentiles of
    paired resamples, always the same ones: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993).
    """
    if {*then, *now} <= {0, 1}:
        return _compare_proportions(then, now)
    import numpy as np

    differences = np.subtract(now, then)
    chance = np.random.default_rng(SEED)
    # By hundreds, so that many questions take little memory.
    drawn = (differences[chance.integers(0, len(now), (100, len(now)))].mean(axis=1) for _ in range(RESAMPLES // 100))
    low, high = np.percentile(np.concatenate(list(drawn)), [2.5, 97.5])
    return float(low), float(high)


def _compare_proportions(then: Sequence[float], now: Sequence[float]) -> tuple[float, float]:
    count = len(now)
    pairs = list(zip(now, then, strict=True))
    both, only_now, only_then, neither = (pairs.count(pair) for pair in ((1, 1), (1, 0), (0, 1), (0, 0)))
    new, old = (both + only_now) / count, (both + only_then) / count
    (new_low, new_high), (old_low, old_high) = find_interval(new, count), find_interval(old, count)
    spread = (both + only_now) * (only_then + neither) * (both + only_then) * (only_now + neither)
    together = float(both * neither - only_now * only_then)
    if together > 0:
        together = max(together - count / 2, 0.0)
    correlation = together / math.sqrt(spread) if spread else 0.0

    def add(first: float, second: float) -> float:
        return math.sqrt(max(0.0, first * first - 2 * correlation * first * second + second * second))

    return new - old - add(new - new_low, old_high - old), new - old + add(new_high - new, old - old_low)


def find_chance(then: Sequence[float], now: Sequence[float]) -> float:
    """How probable it is that chance alone parts those that differ so unevenly into more and less, or more so: the
    exact sign test, which for proportions is McNemar's, both ways.
    """
    more = sum(new > old for old, new in zip(then, now, strict=True))
    less = sum(new < old for old, new in zip(then, now, strict=True))
    count = more + less
    tail = sum(math.comb(count, fewer) for fewer in range(min(more, less) + 1))
    return min(1.0, tail / 2 ** (count - 1)) if count else 1.0


def is_sure(then: Sequence[float], now: Sequence[float], interval: tuple[float, float]) -> bool:
    """Whether a difference is hardly chance: by its interval, and by the sign test, since of few pairs intervals are
    too narrow.
    """
    return not interval[0] <= 0 <= interval[1] and find_chance(then, now) <= MOST_CHANCE
