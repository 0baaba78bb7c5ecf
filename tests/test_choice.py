"""Which parts of documents are chosen and shown: fields, rows, lists, answers below questions, several at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from test_reader import open_synced

from assistant.answers import Answer
from assistant.chain import answer, retrieve_passages
from assistant.question.definition import Definition, explains, find_definition
from assistant.question.parts import find_parts
from assistant.question.question import read_question
from assistant.quoting.lists import MOST_SHOWN
from assistant.quoting.quotations import quote
from assistant.quoting.reader import Reading, read
from index.settings import Settings

MEMBERS = [f"Member {letter}{other}" for letter in "ABCDEFGH" for other in "xyz"]
FILES = {
    "rota.md": """# Night desk rota

| Day | Morning | Evening | Night |
|---|---|---|---|
| Monday | Ines | Otto | Pia |
| Tuesday | Otto | Pia | Ravi |
| Wednesday | Ines | Ravi | Suri |

## On call

- Electrical faults: Bram Tol, extension 411
- Lifts: the hotline, 0800 112
""",
    "prices.csv": "Boat,Half day,Full day,Week\nSkiff,35,60,280\nCanoe,20,32,150\nDinghy,40,70,320\n",
    "faq.md": """# Questions that members ask

**Can I bring a guest?**

Yes, one guest a visit.

**What does a locker cost?**

£4

**On which day is the pool closed?**

Monday

### Is there parking?

No.
""",
    "help.txt": "Q: Where do I hand in the keys?\nA: At the lodge.\n\nQ: How much is a duplicate key?\nA: 12 crowns\n",
    "soup.md": """# Fish soup

## Ingredients

- 600 g cod fillet
- 4 potatoes
- 2 carrots
- 1 leek
- 1 litre fish stock
- 2 dl cream
- chives

## Method

1. Peel and dice the potatoes.
2. Soften the leek in butter.
3. Add the stock and boil for ten minutes.
4. Lay the cod in the pot.
5. Strew chives over it.
""",
    "app.yaml": "server:\n  host: 10.2.0.5\n  port: 9443\ndatabase:\n  host: db.internal\n  port: 5433\n",
    "order.eml": """From: Ida Voss <ida@voss.example>
To: Orders <orders@lumber.example>
Date: Tue, 12 Mar 2024 09:14:00 +0100
Subject: Order of larch boards
Content-Type: text/plain; charset=utf-8

Dear all,

please send us 40 larch boards. Your lorry brings them on 21 March to the yard in Tolne.

Gate code: 7731

Kind regards, Ida Voss
""",
    "talk.txt": """Talk with a lighthouse keeper

Interviewer: Is the light still lit by hand?
Keeper: No.
Interviewer: How many visitors come in a summer?
Keeper: About four hundred.
""",
    "minutes.md": """---
author: Petra Lund
date: 2023-09-18
---

# Minutes of the allotment board

Present: Petra Lund, Aksel Brun, Theo Grant
Absent: Rolf Ness
Chair: Aksel Brun

## Next meeting

The board meets on the third Monday of each month in the hut.

## Plots

In 2022 there were 61 plots in use. In 2023 there were 68 plots in use. The hedge was cut on 12 May 2023.
""",
    "terms.md": """# Terms

The BCP names a crisis team of five people. RTO stands for recovery time objective. The Business Continuity Plan (BCP)
is tested every March. A sluice is a gate that holds back water. Every sluice is greased in spring.
""",
    "suppliers.md": "# Suppliers\n\nNordlys AS supplies lamps. Kestrel Ltd supplies cables. Orrin GmbH supplies "
    "switches. Vela SRL supplies sockets. Quill Inc supplies labels. Tamsin Oy supplies fuses. Baldur ApS supplies "
    "meters.\n",
    "union.md": "# Members of the union\n\n" + "".join(f"- {member}\n" for member in MEMBERS) + "\nIt is old.\n",
}

Ask = Callable[[str, str], tuple[Reading, Answer]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, samples: Settings) -> Ask:
    settings, libraries = replace(samples, chunk_tokens=64), {}
    for name, text in FILES.items():
        folder: Path = tmp_path_factory.mktemp("documents")
        (folder / name).write_text(text, encoding="utf-8")
        libraries[name] = open_synced(folder, settings)

    def ask_it(name: str, words: str) -> tuple[Reading, Answer]:
        library, question = libraries[name], read_question(words)
        passages = retrieve_passages(question, library)
        reading = read(question, passages, library.embedding, library.store.lexicon)
        shown = replace(reading, status="answered")
        return reading, quote(question, passages, shown)

    return ask_it


@pytest.mark.parametrize(
    ("name", "question", "first"),
    [
        ("rota.md", "Who works on Tuesday night?", "Day: Tuesday; Night: Ravi — “Tuesday | Otto | Pia | Ravi |” [1]"),
        ("rota.md", "Who is on call for lifts?", "On call: “Lifts: the hotline, 0800 112” [1]"),
        (
            "prices.csv",
            "What does a skiff cost for a full day?",
            "Boat: Skiff; Full day: 60 — “Boat: Skiff; Half day: 35; Full day: 60; Week: 280” [1]",
        ),
        ("faq.md", "Can I bring a guest?", "Can I bring a guest? “Yes, one guest a visit.” [1]"),
        ("faq.md", "What does a locker cost?", "What does a locker cost? “£4” [1]"),
        ("faq.md", "On which day is the pool closed?", "On which day is the pool closed? “Monday” [1]"),
        ("faq.md", "Is there parking?", "Is there parking? “No.” [1]"),
        ("help.txt", "How much is a duplicate key?", "Q: How much is a duplicate key? “A: 12 crowns” [1]"),
        ("app.yaml", "Which port does the database use?", "database: “port: 5433” [1]"),
        (
            "talk.txt",
            "Is the light still lit by hand?",
            "Interviewer: Is the light still lit by hand? “Keeper: No.” [1]",
        ),
        ("order.eml", "When was the mail sent?", "“Date: Tue, 12 Mar 2024 09:14:00 +0100” [1]"),
        ("order.eml", "What is the subject of the mail?", "“Order of larch boards” [1]"),
        ("minutes.md", "Who wrote the minutes?", "“author: Petra Lund” [1]"),
        ("minutes.md", "Who attended?", "“Present: Petra Lund, Aksel Brun, Theo Grant” [1]"),
        ("minutes.md", "What happened on 2023-05-12?", "“The hedge was cut on 12 May 2023.” [1]"),
        ("terms.md", "What does BCP stand for?", "“The Business Continuity Plan (BCP) is tested every March.” [1]"),
        ("terms.md", "What is a sluice?", "“A sluice is a gate that holds back water.” [1]"),
    ],
)
def test_what_is_shown_first_stands_with_its_context(ask: Ask, name: str, question: str, first: str) -> None:
    assert ask(name, question)[1].text.split("\n\n")[0] == first


@pytest.mark.parametrize("question", ["Who sends kind regards?", "What does Ida Voss say?", "Who is dear to Ida Voss?"])
def test_how_a_letter_begins_and_ends_is_no_answer(ask: Ask, question: str) -> None:
    _, answer = ask("order.eml", question)
    assert not any(citation.quote.startswith(("Dear", "Kind regards")) for citation in answer.citations)


@pytest.mark.parametrize(
    ("name", "question", "value"),
    [
        ("rota.md", "Who works on Tuesday night?", "Ravi"),
        ("prices.csv", "What does a skiff cost for a full day?", "60"),
        ("app.yaml", "Which port does the database use?", "5433"),
        ("minutes.md", "Who is the chair?", "Aksel Brun"),
    ],
)
def test_the_value_that_is_asked_for_is_marked(ask: Ask, name: str, question: str, value: str) -> None:
    sentence = ask(name, question)[1].sentences[0]
    assert sentence.answer_words and sentence.text[slice(*sentence.answer_words)] == value


def test_an_empty_cell_is_not_marked(folder: Path, settings: Settings) -> None:
    table = "# Rota\n\n| Name | Monday | Tuesday |\n|---|---|---|\n| Karl | Lift | |\n| Jane | Bar | Desk |\n"
    (folder / "rota.md").write_text(table, encoding="utf-8")
    for sentence in answer("What does Karl do on Tuesday?", folder, settings=settings).sentences:
        assert sentence.answer_words is None or sentence.text[slice(*sentence.answer_words)].strip()


@pytest.fixture
def club(folder: Path) -> Path:
    boats = "\n".join(f"- Boat {letter}ster" for letter in "ABCDEFGHIJKLMNOPQRSTU")
    rows = "\n".join(f"thing{number},{number}" for number in range(60))
    (folder / "fleet.md").write_text(
        f"# Fleet\n\nThe harbour was built in 1884 by Erik Holm.\n\nThe boats of the fleet are:\n\n{boats}\n",
        encoding="utf-8",
    )
    (folder / "products.csv").write_text(f"product,price\n{rows}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("question", "told", "sentences"),
    [
        ("What are the boats of the fleet?", "20 of 21 shown", 21),
        ("List all products and their prices", "20 of 60 shown", 20),
        ("Which products are there and when was the harbour built?", "20 of 60 shown", 21),
    ],
)
def test_a_list_that_is_not_whole_says_so(
    club: Path, settings: Settings, question: str, told: str, sentences: int
) -> None:
    result = answer(question, club, settings=settings)
    assert told in result.text and len(result.sentences) == sentences


def test_a_shorter_list_is_its_beginning_and_says_so(club: Path, settings: Settings) -> None:
    whole = answer("List all products and their prices", club, settings=settings)
    shorter = answer("Make that shorter", club, history=[whole], settings=settings)
    assert "3 of 60 shown" in shorter.text
    assert shorter.sentences == (replace(shorter.sentences[0], lead="3 of 60 shown"), *whole.sentences[1:3])


def test_no_document_answers_with_its_own_question(ask: Ask) -> None:
    for name in ("faq.md", "help.txt", "talk.txt"):
        for line in FILES[name].splitlines():
            if "?" in line:
                _, answer = ask(name, line.strip("*# ").removeprefix("Q: ").removeprefix("Interviewer: "))
                assert answer.citations and not any("?" in citation.quote for citation in answer.citations)


def test_the_date_of_a_mail_is_not_that_of_the_delivery(ask: Ask) -> None:
    _, answer = ask("order.eml", "When will it be delivered?")
    assert answer.citations[0].quote.startswith("Your lorry brings them on 21 March")
    assert not any(citation.quote.startswith(("Date:", "Subject:")) for citation in answer.citations)


@pytest.mark.parametrize(
    ("name", "question", "count"),
    [
        ("soup.md", "What are the ingredients?", 7),
        ("soup.md", "List the steps", 5),
        ("prices.csv", "Which boats are there?", 3),
        ("suppliers.md", "List all suppliers", 7),
    ],
)
def test_a_list_is_whole_and_in_order(ask: Ask, name: str, question: str, count: int) -> None:
    reading, answer = ask(name, question)
    places = [citation.start for citation in answer.citations]
    assert len(places) == count == reading.count
    assert places == sorted(places)


def test_of_a_list_over_several_chunks_as_many_are_shown_as_is_said(ask: Ask) -> None:
    reading, answer = ask("union.md", "Which members are there?")
    assert len({candidate.passage.start for candidate in reading.chosen}) > 1
    assert [sentence.text for sentence in answer.sentences] == MEMBERS[:MOST_SHOWN]
    assert answer.text.startswith(f"{MOST_SHOWN} of {len(MEMBERS)} shown: “Member Ax” [1]")


@pytest.mark.parametrize(
    ("question", "quotes"),
    [
        (
            "Who is the chair and when do they meet?",
            ["Chair: Aksel Brun", "The board meets on the third"],
        ),
        ("Who was absent? Who is the chair?", ["Absent: Rolf Ness", "Chair: Aksel Brun"]),
        ("How many plots were there in 2022 and in 2023?", ["In 2022 there were 61", "In 2023 there were 68"]),
    ],
)
def test_each_part_of_a_question_is_answered(ask: Ask, question: str, quotes: list[str]) -> None:
    found = [citation.quote for citation in ask("minutes.md", question)[1].citations]
    assert [quote for quote, start in zip(found, quotes, strict=False) if quote.startswith(start)] == found[
        : len(quotes)
    ]
    assert len(found) >= len(quotes)


@pytest.mark.parametrize("name", FILES)
def test_every_quotation_is_exact_and_its_context_is_no_part_of_it(ask: Ask, name: str) -> None:
    for question in ("What are they?", "Which are there?", "Who is it and when?"):
        reading, answer = ask(name, question)
        for citation, candidate, sentence in zip(answer.citations, reading.chosen, answer.sentences, strict=True):
            start = candidate.passage.start
            assert candidate.passage.text[citation.start - start : citation.end - start] == citation.quote
            assert sentence.text == candidate.words


@pytest.mark.parametrize(
    "question",
    [
        "Who founded the company?",
        "What happened between 2010 and 2012?",
        "What is research and development?",
        "Which teams does People Operations and Total Rewards have?",
    ],
)
def test_one_question_has_no_parts(question: str) -> None:
    assert find_parts(question) is None


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("What are the price and the weight of it?", ("What are the price of it?", "What are the weight of it?")),
        ("What do Anna and Bert earn?", ("What do Anna earn?", "What do Bert earn?")),
        ("Who chairs the board, and where do they meet?", ("Who chairs the board", "where do they meet?")),
    ],
)
def test_a_question_is_parted(question: str, parts: tuple[str, ...]) -> None:
    several = find_parts(question)
    assert several and several.questions == parts


@pytest.mark.parametrize(
    ("words", "term", "explained"),
    [
        ("BCP: Business Continuity Plan", "BCP", True),
        ("BCP (Business Continuity Plan) is tested", "BCP", True),
        ("The Business Continuity Plan (BCP) is tested", "BCP", True),
        ("The Bank of Commerce (BCP) is open", "BCP", False),
        ("The BCP names five people.", "BCP", False),
        ("MAX_RETRIES = 7", "MAX_RETRIES", True),
        ("**Freeboard**: the height of the side", "freeboard", True),
        ("Every sluice is greased.", "sluice", False),
    ],
)
def test_what_explains_a_term(words: str, term: str, explained: bool) -> None:
    assert (explains(words, Definition(term, term.isupper())) == 1) is explained


def test_what_the_conversation_lends_is_no_further_question() -> None:
    assert not read_question("And in 2021?", "And in 2021? How many plots were in use").parts


def test_what_is_to_be_explained() -> None:
    assert find_definition("What does BCP stand for?") == Definition("BCP", expands=True)
    assert find_definition("What is the gate code?") == Definition("gate code")
    assert find_definition("Why did it rain?") is None
