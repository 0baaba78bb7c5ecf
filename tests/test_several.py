"""A list is answered from several sentences, a comparison from one for each side, and how by what goes on."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_reader import open_synced, read_from, words_of

from assistant.chain import answer
from assistant.question.comparison import find_sides
from assistant.quoting.choice import MOST_LISTED, MOST_QUOTED
from assistant.quoting.reader import Reading
from index.settings import Settings

PUMPS = {
    "alpha.md": """# The Alpha pump

The Alpha is our smallest garden pump. It weighs 4 kilograms and moves 900 litres of water an hour. The Alpha costs 89
euros. It runs on a battery, which lasts for five hours.

## How to start the Alpha pump

1. Push the hose onto the outlet of the Alpha.
2. Lower the pump into the pond until the lid is under water.
3. Press the green button to start the Alpha pump.

## Warranty

The warranty on the Alpha lasts two years.
""",
    "beta.md": """# The Beta pump

The Beta is made for farms. It weighs 31 kilograms and moves 14,000 litres of water an hour. The price of the Beta is
740 euros. It runs on mains current.

## Warranty

Five years of warranty come with every Beta. Worn seals are not covered.
""",
    "gamma.md": """# The Gamma pump

The Gamma is a hand pump for camping. It costs 25 euros, and no current is needed: the lever is moved by hand. The
Gamma filters sand out of the water.

## Cold weather

The Gamma survives frost. The Beta survives frost too, but the Alpha must be taken indoors.
""",
}
OFFICES = {
    "library.txt": """The town library of Hallvik

The library opens at ten in the morning and closes at eight in the evening. A library card costs nothing. Books may be
kept for four weeks. Dogs may not enter the library.

The library lends out bicycles to whoever asks for a bicycle at the desk. After that, the librarian notes the number of
its frame. Then she hands over the key. The desk is made of oak.
""",
    "pool.txt": """The swimming pool of Hallvik

The swimming pool opens at six in the morning and closes at nine in the evening. A ticket for the pool costs sixty
crowns. Children under seven swim for nothing. Dogs may not enter the pool.

The pool is heated by burning wood chips from the town's own forest. Then it rained.
""",
    "museum.txt": """The maritime museum of Hallvik

The museum opens at noon and closes at five. Admission to the museum costs ninety crowns. The museum shows ships'
figureheads, whaling tools and the log books of the barque Solvej. Photographs may be taken without flash.
""",
    "park.txt": """The park of Hallvik

The park is open day and night. The following things are forbidden in the park:

- open fires
- tents and caravans
- fishing in the pond

Benches were painted in May.
""",
}
PEOPLE = {
    "voss.md": """# Ida Voss

Ida Voss was born in Brenholm in 1948. She studied engineering in Oslo. Ida Voss designed the harbour bridge and the new
lighthouse. She received the Nansen medal in 1991.
""",
    "lind.md": """# Olav Lind

Olav Lind was born on a farm near Tarnsund in 1952. He studied law in Bergen. Olav Lind wrote the fishing act of 1989.
He received the Nansen medal in 2003.
""",
    "moe.md": """# Berit Moe

Berit Moe was born in Hallvik in 1960. She never studied. Berit Moe painted the altar of the church in Brenholm. Nobody
ever gave her a medal.
""",
    "copy.txt": """Notes on Ida Voss

In 1991 the Nansen medal was received by Ida Voss.
""",
}
BRANCHES = {
    f"{town.lower()}.txt": f"Our branch in {town}\n\nThe branch in {town} repairs bicycles. It has {staff} staff.\n"
    for town, staff in (("Brenholm", 4), ("Tarnsund", 7), ("Hallvik", 5), ("Odden", 2), ("Skarn", 9), ("Faring", 3))
}
FOLDERS = {"pumps": PUMPS, "offices": OFFICES, "people": PEOPLE, "branches": BRANCHES}
SAMPLES = "samples"

Ask = Callable[[str, str], Reading]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, samples: Settings) -> Ask:
    """Reads a question's answer from one of the folders."""
    folders = {SAMPLES: samples.documents}
    for name, pages in FOLDERS.items():
        folders[name] = tmp_path_factory.mktemp(name)
        for page, text in pages.items():
            (folders[name] / page).write_text(text, encoding="utf-8")
    return lambda folder, question: read_from(open_synced(folders[folder], samples), question)


# -- what is compared -------------------------------------------------------------------------

SIDES = [
    ("Compare the Alpha and the Beta.", "the Alpha", "the Beta"),
    ("Compare Oslo with Bergen", "Oslo", "Bergen"),
    ("compare the price of the basic plan and the pro plan", "the basic plan", "the pro plan"),
    ("What is the difference between X-rays and ultrasound?", "X-rays", "ultrasound"),
    ("What are the differences in weight between the Alpha and the Beta?", "the Alpha", "the Beta"),
    ("what's the difference between russia and siberia", "russia", "siberia"),
    ("How does the Alpha differ from the Beta in price?", "the Alpha", "the Beta"),
    ("How do the Alpha and the Beta differ?", "the Alpha", "the Beta"),
    ("What do Putin and Netanyahu have in common?", "Putin", "Netanyahu"),
    ("Is the Beta heavier than the Alpha?", "the Beta", "the Alpha"),
    ("Does the basic plan cost more than the pro plan?", "the basic plan", "the pro plan"),
    ("How much heavier is the Alpha than the Beta?", "the Alpha", "the Beta"),
    ("Is a visa as expensive as a passport?", "a visa", "a passport"),
    ("Which is older, the British Empire or the Ethiopian Empire?", "the British Empire", "the Ethiopian Empire"),
    ("Alpha or Beta: which is cheaper?", "Alpha", "Beta"),
    ("Alpha vs. Beta", "Alpha", "Beta"),
    ("Do both the Alpha and the Beta survive frost?", "the Alpha", "the Beta"),
    ("How does Trump's policy on Gaza differ from Biden's?", "Trump's", "Biden's"),
]


@pytest.mark.parametrize(("question", "one", "other"), SIDES)
def test_a_comparison_has_two_sides(question: str, one: str, other: str) -> None:
    sides = find_sides(question)
    assert sides and [side.words for side in sides] == [one, other]


def test_each_side_has_a_question_of_its_own() -> None:
    sides = find_sides("Compare the price of the Alpha pump and the Beta pump.")
    assert sides and [side.terms for side in sides] == [("alpha",), ("beta",)]
    assert [side.question for side in sides] == ["the price of the Alpha pump.", "the price of the Beta pump."]


@pytest.mark.parametrize(
    "question",
    [
        "Which countries did Trump visit?",
        "Did Trump visit Egypt?",
        "How does Oslo compare to other cities?",
        "How does it differ from that?",
        "Is the Alpha heavier than the Alpha?",
        "What exists both in integers and in fractions?",
        "What number is larger than two or three?",
        "Is it later than expected?",
        "",
    ],
)
def test_what_names_no_two_things_compares_nothing(question: str) -> None:
    assert find_sides(question) is None


@given(st.text(st.sampled_from("Aab compare is than or and both vs. which older, ?"), max_size=400))
def test_any_question_has_two_different_sides_or_none(question: str) -> None:
    sides = find_sides(question)
    assert sides is None or not set(sides[0].terms) & set(sides[1].terms)


# -- comparisons ------------------------------------------------------------------------------

COMPARED = [
    # folder, question, what each side's sentence holds, in the order of the question
    ("pumps", "Is the Beta more expensive than the Alpha?", ["740 euros", "89 euros"]),
    ("pumps", "Is the Alpha more expensive than the Beta?", ["89 euros", "740 euros"]),
    (
        "pumps",
        "How does the warranty of the Alpha differ from the warranty of the Beta?",
        ["two years", "Five years of warranty"],
    ),
    ("pumps", "Compare the warranty of the Beta and the Alpha.", ["Five years of warranty", "two years"]),
    ("offices", "Which opens earlier, the library or the pool?", ["at ten in the morning", "at six in the morning"]),
    ("offices", "Does the pool open earlier than the museum?", ["at six in the morning", "at noon"]),
    (
        "offices",
        "Compare the admission to the museum with a ticket for the pool.",
        ["ninety crowns", "sixty crowns"],
    ),
    ("people", "Who was born first, Ida Voss or Olav Lind?", ["in 1948", "in 1952"]),
    ("people", "Is Berit Moe younger than Ida Voss?", ["in 1960", "in 1948"]),
    ("people", "Compare Ida Voss's studies with Olav Lind's studies.", ["engineering in Oslo", "law in Bergen"]),
    ("people", "Did both Olav Lind and Ida Voss receive the Nansen medal?", ["in 2003", "1991"]),
    (SAMPLES, "Compare the Houthi ceasefire and the release of the hostage.", ["ceasefire", "12 May 2025"]),
]


@pytest.mark.parametrize(("folder", "question", "words"), COMPARED, ids=[question for _, question, _ in COMPARED])
def test_a_comparison_quotes_each_side_in_the_order_of_the_question(
    ask: Ask, folder: str, question: str, words: list[str]
) -> None:
    reading = ask(folder, question)
    assert len(reading.chosen) == 2
    assert all(expected in said for expected, said in zip(words, words_of(reading), strict=True))
    assert len({candidate.passage.document_id for candidate in reading.chosen}) == 2
    # What documents say of two things they hardly say in so many words.
    assert reading.status in ("answered", "nearest")


def test_for_each_side_of_a_comparison_passages_of_its_own_are_read(samples: Settings) -> None:
    found = answer("What is the difference between the hostage talks and the Iran talks?", settings=samples)
    one, other = (sentence.text for sentence in found.sentences)
    assert "hostage talks" in one
    assert "talks with Iran" in other
    assert [citation.path for citation in found.citations] == ["hostage-talks.md", "iran-and-houthi-deals.md"]


@pytest.mark.parametrize(
    ("folder", "question", "words"),
    [
        ("pumps", "How does the Beta differ from the Alpha in frost?", "The Beta survives frost too, but the Alpha"),
        (SAMPLES, "Has Trump put less pressure on Israel over Gaza than Biden?", "than Biden did"),
        (SAMPLES, "Has Trump put less pressure on Israel over Gaza than Biden?", "Trump has put less pressure"),
    ],
)
def test_a_sentence_that_states_both_sides_is_the_first(ask: Ask, folder: str, question: str, words: str) -> None:
    reading = ask(folder, question)
    assert words in words_of(reading)[0]
    assert reading.status in ("answered", "nearest")


@pytest.mark.parametrize(
    ("folder", "question"),
    [
        ("pumps", "Compare the warranty of the Alpha and the Delta."),
        ("pumps", "Compare the warranty of the Delta and the Alpha."),
        ("offices", "Which opens earlier, the library or the theatre?"),
        ("people", "Who was born first, Ida Voss or Erik Dahl?"),
        (SAMPLES, "Compare Putin and Xi Jinping."),
    ],
)
def test_a_comparison_with_what_the_documents_do_not_know_is_not_answered(ask: Ask, folder: str, question: str) -> None:
    assert ask(folder, question).status == "not_found"


def test_what_is_compared_is_judged_by_each_side(ask: Ask) -> None:
    """No sentence and no document speaks of both, and the comparison is answered nearly as surely as a half of it."""
    whole = ask("people", "Who was born first, Ida Voss or Olav Lind?").confidence
    halves = [ask("people", f"When was {name} born?").confidence for name in ("Ida Voss", "Olav Lind")]
    assert whole > min(halves) / 2


# -- lists ------------------------------------------------------------------------------------

LISTED = [
    # folder, question, what must be among the sentences, and from how many documents
    ("offices", "What are the opening hours of the library, the pool and the museum?", ["ten", "six", "noon"], 3),
    ("offices", "Which places open in the morning?", ["library opens at ten", "pool opens at six"], 2),
    ("offices", "Which places may dogs not enter?", ["enter the library", "enter the pool"], 2),
    ("people", "Which people received the Nansen medal?", ["1991", "2003"], 2),
    ("people", "Name the people who were born in Brenholm or Hallvik.", ["in Brenholm in 1948", "in Hallvik"], 2),
    ("pumps", "Which pumps survive frost?", ["The Gamma survives", "The Beta survives"], 1),
    (SAMPLES, "Which meetings were held in Oman?", ["held in Oman on 12 April"], 1),
]


@pytest.mark.parametrize(("folder", "question", "words", "count"), LISTED, ids=[row[1] for row in LISTED])
def test_a_list_is_made_of_several_sentences(
    ask: Ask, folder: str, question: str, words: list[str], count: int
) -> None:
    reading = ask(folder, question)
    said = " ".join(words_of(reading))
    assert all(expected in said for expected in words)
    assert len({candidate.passage.document_id for candidate in reading.chosen}) >= count
    assert len(reading.chosen) <= MOST_LISTED


def test_a_long_list_has_a_document_for_each_sentence(ask: Ask) -> None:
    reading = ask("branches", "Which branches repair bicycles?")
    documents = {candidate.passage.document_id for candidate in reading.chosen}
    assert MOST_QUOTED < len(reading.chosen) == len(documents) <= MOST_LISTED
    assert all("repairs bicycles" in words for words in words_of(reading))


def test_a_list_from_one_document_is_short(ask: Ask) -> None:
    page = ask("people", "Name the works of Ida Voss.")
    assert len([c for c in page.chosen if c.passage.path == "voss.md"]) <= MOST_QUOTED


def test_a_list_repeats_nothing(ask: Ask) -> None:
    said = words_of(ask("people", "Which people received the Nansen medal?"))
    assert sum("1991" in words for words in said) == 1


@pytest.mark.parametrize(
    ("folder", "question", "words"),
    [
        (SAMPLES, "Which countries did Trump visit?", "Saudi Arabia, Qatar and the United Arab Emirates"),
        ("offices", "What are the exhibits that the museum shows?", "figureheads, whaling tools and the log books"),
    ],
)
def test_a_sentence_that_counts_everything_up_is_the_list(ask: Ask, folder: str, question: str, words: str) -> None:
    [said] = words_of(ask(folder, question))
    assert words in said


@pytest.mark.parametrize("question", ["What is forbidden in the park?", "What things are forbidden in the park?"])
def test_what_a_colon_announces_is_shown(ask: Ask, question: str) -> None:
    assert words_of(ask("offices", question)) == [
        "The following things are forbidden in the park:",
        "open fires",
        "tents and caravans",
        "fishing in the pond",
    ]


# -- how --------------------------------------------------------------------------------------


def test_how_is_answered_by_the_steps_in_their_order(ask: Ask) -> None:
    assert words_of(ask("pumps", "How do I start the Alpha pump?")) == [
        "1. Push the hose onto the outlet of the Alpha.",
        "2. Lower the pump into the pond until the lid is under water.",
        "3. Press the green button to start the Alpha pump.",
    ]


def test_how_is_answered_by_what_goes_on(ask: Ask) -> None:
    said = words_of(ask("offices", "How does the library lend out bicycles?"))
    assert said == [
        "The library lends out bicycles to whoever asks for a bicycle at the desk.",
        "After that, the librarian notes the number of its frame.",
        "Then she hands over the key.",
    ]
    assert len(said) == MOST_QUOTED


def test_a_sentence_that_tells_how_itself_stands_alone(ask: Ask) -> None:
    [said] = words_of(ask("offices", "How is the pool heated?"))
    assert said == "The pool is heated by burning wood chips from the town's own forest."


# -- yes or no --------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["Did Trump visit Egypt?", "Was the embassy moved to Haifa?"])
def test_a_name_that_no_passage_holds_is_neither_affirmed_nor_denied(ask: Ask, question: str) -> None:
    assert ask(SAMPLES, question).status == "not_found"


@pytest.mark.parametrize("question", ["Did Trump visit Qatar?", "Was the embassy moved to Jerusalem?"])
def test_a_name_that_the_documents_speak_of_is(ask: Ask, question: str) -> None:
    assert ask(SAMPLES, question).status == "answered"
