"""The labelled sentences of benchmarks/replies: their fields, their labels, and that their quotes are exact."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from index.loading.loader import load

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
NAMES = ("fit", "held", "orders", "orders_held")
LABELS = {"supported", "partial", "unsupported", "no_claim"}
NEEDED = {"document", "question", "label", "kind", "sentence", "quotes"}


def read_rows(name: str) -> list[dict[str, Any]]:
    lines = (BENCHMARKS / "replies" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@cache
def text_of(document: str) -> str:
    """A document's text as the product loads it, with all white space folded: a quote may span lines."""
    return fold(load(BENCHMARKS / document, Path(document).name).text)


def fold(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", NAMES)
def test_rows_have_their_fields_and_known_labels(name: str) -> None:
    rows = read_rows(name)
    assert len(rows) > 50
    for row in rows:
        assert NEEDED <= row.keys() <= NEEDED | {"context"}, row
        assert row["label"] in LABELS, row
        for field in NEEDED - {"quotes"} | row.keys() & {"context"}:
            assert isinstance(row[field], str), row
            assert row[field].strip(), row
        # Only what claims nothing may cite nothing.
        assert len(row["quotes"]) in range(row["label"] != "no_claim", 4), row


@pytest.mark.parametrize("name", NAMES)
def test_quotes_stand_in_their_documents(name: str) -> None:
    for row in read_rows(name):
        for quote in row["quotes"]:
            assert quote.strip(), row
            assert fold(quote) in text_of(row["document"]), (row["document"], quote)


def test_no_sentence_is_there_twice() -> None:
    sentences = [row["sentence"] for name in NAMES for row in read_rows(name)]
    assert len(set(sentences)) == len(sentences)
