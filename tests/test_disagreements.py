"""Where documents say the same but for a date or a number."""

import pytest

from assistant.answers import Citation
from assistant.citing.disagreements import find_disagreements


def cite(*quotes: str, documents: str = "abcdef") -> list[Citation]:
    return [
        Citation(number, document, f"{document}.md", "", None, 0, len(quote), quote)
        for number, (quote, document) in enumerate(zip(quotes, documents, strict=False), start=1)
    ]


def find(citations: list[Citation]) -> list[list[tuple[str, int]]]:
    return [[(value, citation.number) for value, citation in values] for values in find_disagreements(citations)]


@pytest.mark.parametrize(
    ("quotes", "values"),
    [
        (["The bridge at Odden opened in 2020.", "The bridge at Odden opened in 2021."], ["2020", "2021"]),
        (["The bridge at Odden opened on 5 May 2020.", "The bridge at Odden opened on 7 May 2021."],
         ["5 May 2020", "7 May 2021"]),
        (["The harbour fee is $5 per boat.", "The harbour fee is $6.50 per boat."], ["$5", "$6.50"]),
        (["The harbour of Odden has three piers.", "Odden's view: it pays.", "The harbour of Odden has four piers."],
         ["three", "four"]),
    ],
)  # fmt: skip
def test_two_values_of_one_statement_differ(quotes: list[str], values: list[str]) -> None:
    [found] = find(cite(*quotes))
    assert [value for value, _ in found] == values


@pytest.mark.parametrize(
    "quotes",
    [
        ["The bridge at Odden opened in 2020.", "The bridge at Odden was opened in 2020."],
        ["The bridge at Odden did not open in 2020.", "The bridge at Odden opened in 2021."],
        ["Saudi Arabia pledged $600bn to America.", "Qatar pledged $1.2 trillion to America."],
        ["Odden Ferries carried 5 million people in 2020.", "Odden Ferries carried 6 million people in 2021."],
        ["The harbour of Odden is 30 metres deep.", "The harbour of Odden is 30 feet deep."],
        ["The harbour of Odden is about 30 metres deep.", "The harbour of Odden is 31 metres deep."],
        ["Members: 30", "Members: 31"],
        [],
    ],
)
def test_what_may_be_two_matters_does_not_differ(quotes: list[str]) -> None:
    assert find(cite(*quotes)) == []


def test_one_document_does_not_differ_from_itself_and_a_value_is_told_once() -> None:
    one, two = "The bridge at Odden opened in 2020.", "The bridge at Odden opened in 2021."
    assert find(cite(one, two, documents="aa")) == []
    assert find(cite(one, two, two, one)) == [[("2020", 1), ("2021", 2)]]
