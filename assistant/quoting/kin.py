"""What else a label may be asked by: "Present: Ida, Bo" by who attended, "Weight" by how much it weighs. English only.

But: of labels, headings and columns alone, which are single words for what a sentence says in many.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from index.splitting.terms import find_terms

# A line holds words that ask for one thing.
KIN_FILE = Path(__file__).with_name("kin.txt")


def find_kin(terms: Iterable[str]) -> frozenset[str]:
    """The terms that stand on a line of `kin.txt` with one of the given."""
    lines = _lines()
    return frozenset[str]().union(*(lines.get(term, ()) for term in terms))


@cache
def _lines() -> dict[str, frozenset[str]]:
    lines: dict[str, frozenset[str]] = {}
    for line in KIN_FILE.read_text(encoding="utf-8").splitlines():
        terms = frozenset(find_terms(line))
        for term in terms:
            lines[term] = lines.get(term, frozenset()) | terms
    return lines
