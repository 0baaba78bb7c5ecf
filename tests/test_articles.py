"""The main job: two news pages as they are scraped, boilerplate and all, and what a reader asks of them."""

from pathlib import Path

import pytest

from assistant.answers import NOT_FOUND, Answer
from assistant.chain import answer
from index.embedding.protocol import Embedding
from index.settings import Settings

# Made up for this test, as is everyone in them.
CRACKS = """\
Cold Water: The Shifting Orland–Brenna Partnership Under Chancellor Vestergaard

Post
Orland–Brenna Partnership

Cold Water: The Shifting Orland–Brenna Partnership Under Chancellor Vestergaard

An Old Friendship Under Strain

For half a century, the Orland–Brenna partnership has been the anchor of shipping policy on the northern coast. From \
shared icebreakers to generous harbour subsidies, Brenna has often been treated as a favoured neighbour by every \
government. However, the first year of Chancellor Marit Vestergaard has tested this arrangement.

Vestergaard’s Coastal Tour: A Deliberate Omission?

Chancellor Vestergaard’s decision to skip Brenna during her coastal tour of Halmsund, Torvik, and the Faring Islands \
has raised eyebrows in the Brennan capital. Unlike earlier chancellors, who always opened the season with a stop at \
Brenna’s lighthouse, she has chosen another course. Her cabinet now aims at tidal energy contracts with the island \
towns more than at reassuring Brenna of its place.

This omission does not stand alone. It belongs to a larger pattern in which Vestergaard has pursued direct talks with \
the Skarn fishing league — for years Brenna’s fiercest rival — without consulting the Brennan council.

Read Also: Lighthouse Keepers Fear for Their Jobs as Torvik Automates Its Coast

Herring Quotas: A Red Line?

The government in Orland recently bargained with the Skarn league to free an impounded trawler — again without \
Brenna’s knowledge. For a council that rejects any recognition of the league, the move was seen as a betrayal.

Opposition leaders in Brenna, including Jorun Aasen, have seized on these events to criticise Mayor Sigurd Lund’s \
handling of the partnership. Aasen called the quota deal “a humiliating surrender at sea,” adding that Orland is \
moving on without Brenna in one harbour after another.

Lund’s Miscalculation: Betting on One Captain

Lund’s early telegram congratulating Vestergaard’s rival Aksel Holm in 2031, while votes were still being counted, is \
said to have personally offended her. Brenna’s critics argue that the mayor relied on a personal bond rather than on \
friends in both parties. Tove Rask, a Brennan columnist, put it briefly: “We moored every boat to one rotten post.”

A Partnership Redefined

The ships of Brenna have 640 million crowns in subsidies to lose. The signs are clear: Brenna can no longer take its \
place in Orland’s harbour policy for granted.

Facebook Comments Box

Never Miss a Story: Join Our Newsletter

The Northern Tide
Privacy Overview

This website uses cookies so that we can provide you with the best user experience possible. Cookie information is \
stored in your browser and performs functions such as recognising why Brenna was skipped when you return to our \
website. View our privacy policy and terms & conditions here.

×"""

BONDS = """\
Chancellor Marit Vestergaard’s long-praised friendships with neighbouring leaders such as Sigurd Lund and Ragna Eide \
are showing cracks. As tides turn, she is learning that personal ties have limits where harbours are at stake.
Eide: From Praise to Distance
For years, Vestergaard praised President Ragna Eide of Skarn, and spoke of their friendship as frank and warm. It has \
cooled because of the dispute over the Faring herring banks.
Lund: From Ally to Unpredictable Partner
Vestergaard once called Mayor Sigurd Lund a “brother in oilskins,” above all after reopening the Brenna canal. But \
that relationship suffered after Lund congratulated Aksel Holm on his 2031 lead—a move Vestergaard viewed as disloyal.
The Limits of Personal Diplomacy
These events point to a broader lesson: what harbours earn often outweighs whom their leaders like."""

ANSWERED = [
    ("why was Brenna skipped?", "tidal energy contracts with the island towns"),
    ("Why was Brenna skipped on the coastal tour?", "tidal energy contracts with the island towns"),
    ("Which places did Vestergaard visit on her coastal tour?", "Halmsund, Torvik, and the Faring Islands"),
    ("Who called the quota deal a humiliating surrender?", "Aasen called the quota deal"),
    ("What did Tove Rask say?", "“We moored every boat to one rotten post.”"),
    ("What did Jorun Aasen say about the quota deal?", "“a humiliating surrender at sea,”"),
    ("Why did Vestergaard see Lund's congratulations as disloyal?", "Aksel Holm"),
    ("Who is Brenna's fiercest rival?", "Skarn fishing league"),
    ("How much does Brenna have to lose in subsidies?", "640 million crowns"),
    ("What did Vestergaard call Sigurd Lund?", "“brother in oilskins,”"),
    ("Why has the friendship with Ragna Eide cooled?", "because of the dispute over the Faring herring banks"),
]
NOT_SAID = [
    "What is the population of Torvik?",
    "Who won the 2030 regatta?",
    "What is the capital of Portugal?",
    "How do I bake bread?",
    "What information do the cookies store?",
]
BOILERPLATE = ("cookie", "Read Also", "Newsletter", "Facebook", "Privacy", "privacy", "×", "Northern Tide")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "000_cracks.txt").write_text(CRACKS, encoding="utf-8")
    (folder / "001_bonds.txt").write_text(BONDS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def page_settings(tmp_path_factory: pytest.TempPathFactory, cache_folder: Path, embedding: Embedding) -> Settings:
    store = tmp_path_factory.mktemp("page-store")
    return Settings.from_environment({"FOOTNOTE_STORE": str(store), "FOOTNOTE_CACHE": str(cache_folder)})


def check_cited(result: Answer, words: str, folder: Path) -> None:
    # Some is said in other words than it is asked in, and then it is no more than the nearest.
    assert result.status in ("answered", "nearest"), result.confidence
    assert words in " ".join(citation.quote for citation in result.citations)
    assert len(result.citations) <= 3
    for citation in result.citations:
        text = (folder / citation.path).read_bytes().decode()
        assert text[citation.start : citation.end] == citation.quote
        assert not any(mark in citation.quote for mark in BOILERPLATE)


def check_not_found(result: Answer) -> None:
    assert (result.found, result.text, result.citations) == (False, NOT_FOUND, ()), result.text
    assert result.passages


@pytest.mark.parametrize(("question", "words"), ANSWERED, ids=[question for question, _ in ANSWERED])
def test_a_question_about_the_pages_is_answered_from_them(
    pages: Path, page_settings: Settings, question: str, words: str
) -> None:
    check_cited(answer(question, pages, settings=page_settings), words, pages)


@pytest.mark.parametrize("question", NOT_SAID)
def test_what_the_pages_do_not_say_is_not_found(pages: Path, page_settings: Settings, question: str) -> None:
    check_not_found(answer(question, pages, settings=page_settings))


@pytest.mark.parametrize(
    ("before", "question", "words"),
    [
        ("Why was Brenna skipped on the coastal tour?", "What did Tove Rask say about it?", "one rotten post"),
        ("Why was Brenna skipped on the coastal tour?", "Which places did it visit?", "Halmsund, Torvik"),
    ],
)
def test_a_follow_up_about_the_pages_is_answered(
    pages: Path, page_settings: Settings, before: str, question: str, words: str
) -> None:
    earlier = answer(before, pages, settings=page_settings)
    check_cited(answer(question, pages, history=[earlier], settings=page_settings), words, pages)


# -- the real pages, where they lie beside the checkout -----------------------------------------

REAL_PAGES = Path(__file__).resolve().parents[2] / "shared" / "data" / "articles"
needs_real_pages = pytest.mark.skipif(not REAL_PAGES.is_dir(), reason=f"the real pages are not at {REAL_PAGES}")

REAL_ANSWERED = [
    # question, words of which one must be cited
    ("why was Israel skipped?", ["economic diplomacy with Gulf monarchies"]),
    ("Which countries did Trump visit on his Middle East tour?", ["Saudi Arabia, Qatar, and the UAE"]),
    ("Who called the hostage talks a disgraceful diplomatic failure?", ["Lapid"]),
    (
        "Why did Trump see Netanyahu's 2020 congratulations as disloyal?",
        ["Joe Biden on his 2020 win", "Biden in 2020"],
    ),
    ("What did Amit Segal say?", ["all our eggs in one basket"]),
]
REAL_NOT_SAID = ["What is the population of Qatar?", "Who won the 2022 World Cup?"]


@needs_real_pages
@pytest.mark.parametrize(("question", "words"), REAL_ANSWERED, ids=[question for question, _ in REAL_ANSWERED])
def test_a_question_about_the_real_pages_is_answered_from_them(
    page_settings: Settings, question: str, words: list[str]
) -> None:
    result = answer(question, REAL_PAGES, settings=page_settings)
    cited = " ".join(citation.quote for citation in result.citations)
    check_cited(result, next((w for w in words if w in cited), words[0]), REAL_PAGES)


@needs_real_pages
@pytest.mark.parametrize("question", REAL_NOT_SAID)
def test_what_the_real_pages_do_not_say_is_not_found(page_settings: Settings, question: str) -> None:
    check_not_found(answer(question, REAL_PAGES, settings=page_settings))
