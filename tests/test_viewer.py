"""The way from a sentence to the proof: chips and their cards, the viewer, in a real Chromium on a real server."""

import json
import random
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from made_files import make_pdf
from test_chat import CHROMIUM, CONTRAST, ask, needs_chromium, serving
from test_page import make_answer

from assistant.answers import Answer, Citation
from assistant.serving.page.showing import LIST, show
from assistant.serving.served import Served, name_libraries
from assistant.showing.body import NEAREST_SHOWN
from index.documents import Passage, identify
from index.library import finish, open_library
from index.settings import Settings
from index.splitting.sentences import find_sentences

# Long ones, that a long text may be read fast.
WORDS = (
    "government development information international community population understanding environment professional "
    "association production performance relationship organization university construction experience administration "
    "communication temperature investigation responsible commercial atmosphere literature philosophy"
).split()
PAINTED = "The lighthouse of Brenvale was painted green in 1987 by Ada Morrow."
BOUGHT = "The green paint of the lighthouse at Brenvale came from Oslo."
DAM = "The Marrow Dam holds 48 million cubic metres of water."
KEEPER = "keeps the astrolabe of the harbour"
HOSTILE = (
    "The zebra password is swordfish <img src=x onerror=alert(1)> <script>alert(2)</script> "
    "[c](javascript:alert(3)) ${alert(4)} {{alert(5)}}."
)
HANDBOOK_PARAGRAPHS, PAINTED_PARAGRAPH = 75, 35


def write_folder(folder: Path) -> None:
    """A long text, a report of several pages, a wide table, and a text that would like to be more than that."""
    chance = random.Random(19)

    def prose(count: int) -> str:
        return f"{' '.join(chance.choices(WORDS, k=count)).capitalize()}."

    paragraphs = [f"## Chapter {number}\n\n{prose(42)}" for number in range(HANDBOOK_PARAGRAPHS)]
    paragraphs[PAINTED_PARAGRAPH] += f"\n\n{PAINTED} {BOUGHT}\n\nA fish 🐟🐟 swims, and then the words go on."
    (folder / "handbook.md").write_text("\n\n".join(["# Handbook", "2023-04-01", *paragraphs]), encoding="utf-8")
    pages = [[f"Part {number}", *(prose(5) for _ in range(12))] for number in range(1, 6)]
    pages[3][5] = DAM
    (folder / "dam.pdf").write_bytes(make_pdf(["\n".join(lines) for lines in pages]))
    rows = [f"Person {n},{chance.choice(WORDS)},{30_000 + n},office {n},nothing of note here at all" for n in range(80)]
    rows[55] = f"Person 55,Bergen,30055,office 55,{KEEPER}"
    (folder / "staff.csv").write_text("\n".join(["Name,City,Salary,Place,Notes", *rows]), encoding="utf-8")
    (folder / "<b>zebra<%2fb>.txt").write_text(f"Notes on zebras\n\n{HOSTILE} Another follows.", encoding="utf-8")


@pytest.fixture(scope="module")
def viewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("viewed")
    write_folder(folder)
    return folder


@pytest.fixture(scope="module")
def address(viewed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(viewed, FOOTNOTE_STORE=str(tmp_path_factory.mktemp("viewed-store"))) as served:
        # It answers from what has been read so far: here, from all.
        while count_documents(served) < len(list(viewed.iterdir())):
            time.sleep(0.2)
        yield served


def count_documents(address: str) -> int:
    with urllib.request.urlopen(f"{address}/api/documents") as reply:
        return int(json.load(reply)["total"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


WIDE, PHONE = (1280, 860), (360, 740)


@pytest.fixture
def page(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page that asks nobody else, and in whose console nothing is wrong."""
    width, height = getattr(request, "param", WIDE)
    opened = browser.new_page(viewport={"width": width, "height": height})
    wrong: list[str] = []
    opened.on("request", lambda r: r.url.startswith((address, "data:", "blob:")) or wrong.append(r.url))
    opened.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
    opened.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(address)
    opened.wait_for_selector("#question textarea")
    yield opened
    opened.close()
    assert wrong == []


browsing = [pytest.mark.browser, needs_chromium]


def find_chip(page: Any, turn: int, number: int) -> Any:
    return page.locator(f'#conversation a[href="#cite-{turn}-{number}"]')


def read_lit(page: Any) -> list[str]:
    """The sentences that are lit."""
    lit: list[str] = page.evaluate(
        "[...(CSS.highlights.get('footnote-lit') ?? [])].map(range => range.toString().trim())"
    )
    return lit


class TestBrowser:
    pytestmark = browsing

    def test_from_a_question_to_the_quote_in_the_whole_document(self, page: Any, viewed: Path) -> None:
        from playwright.sync_api import expect

        width = page.locator("#proof").bounding_box()["width"]
        ask(page, "Who painted the lighthouse of Brenvale?")
        # The first citation is shown without being asked for, and nothing has moved for it.
        chosen, marks = page.locator("#viewer mark.chosen"), page.locator("#viewer mark.cited")
        expect(chosen).to_be_visible()
        assert page.locator("#proof").bounding_box()["width"] == width
        assert page.locator("#viewer h2").first.inner_text() == "Handbook"
        assert "2023-04-01" in page.locator("#viewer .facts").inner_text()
        assert sorted(marks.all_text_contents()) == sorted([PAINTED, BOUGHT])

        # A chip chooses its quote, and lights up its sentence; the other stays marked.
        find_chip(page, 0, 2).click()
        expect(page.locator("#viewer .place").first).to_have_text("2 of 2")
        expect(chosen).to_have_attribute("data-numbers", "2")
        quote = chosen.text_content()
        assert read_lit(page) == [f"“{quote}”"]
        box, frame = chosen.bounding_box(), page.locator("#viewer .body").bounding_box()
        assert frame["height"] <= WIDE[1]
        assert frame["y"] <= box["y"] and box["y"] + box["height"] <= frame["y"] + frame["height"]
        assert chosen.evaluate(CONTRAST) >= 4.5
        # A click on a highlight lights up the sentence that rests on it.
        page.locator("#viewer mark.cited:not(.chosen)").click()
        assert read_lit(page) == [f"“{PAINTED if quote == BOUGHT else BOUGHT}”"]

        # What is scrolled to is fetched, and what is seen does not move for it.
        page.evaluate("document.querySelector('#viewer .body').scrollTop = 600")
        box = page.locator("#viewer .body").bounding_box()
        middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
        seen = page.evaluate_handle("([x, y]) => document.elementFromPoint(x, y).closest('[data-start]')", middle)
        top = seen.evaluate("e => e.getBoundingClientRect().top")
        page.wait_for_function("document.querySelector('#viewer [data-start]').dataset.start === '0'")
        assert abs(seen.evaluate("e => e.getBoundingClientRect().top") - top) < 2
        page.evaluate("(e => e.scrollTop = e.scrollHeight)(document.querySelector('#viewer .body'))")
        page.wait_for_function(
            f"document.querySelector('#viewer article').textContent.includes('Chapter {HANDBOOK_PARAGRAPHS - 1}')"
        )
        # The document stands there whole, character for character.
        text = (viewed / "handbook.md").read_text(encoding="utf-8")
        blocks = page.evaluate(
            "[...document.querySelectorAll('#viewer .window > [data-start]')]"
            ".map(e => [Number(e.dataset.start), Number(e.dataset.end), e.textContent])"
        )
        assert len(page.locator("#viewer .window").all()) == 3
        place = 0
        for start, end, content in blocks:
            assert text[place:start].strip() == "" and content == text[start:end]
            place = end
        assert text[place:].strip() == ""

    def test_the_words_are_marked_on_the_page_itself(self, page: Any, address: str) -> None:
        from playwright.sync_api import expect

        ask(page, "How much water does the Marrow Dam hold?")
        box = page.locator("#viewer .box.chosen").first
        expect(box).to_be_visible(timeout=20_000)
        assert "page 4 of 5" in page.locator("#viewer .facts").inner_text()
        assert DAM in box.get_attribute("aria-label")
        # The page is drawn below it, and the box lies where the words are.
        page.wait_for_function(
            "document.querySelector('#viewer .page[data-page=\"4\"] img')?.naturalWidth > 300", timeout=20_000
        )
        shown = box.evaluate(
            "e => { const [b, p] = [e, e.parentElement].map(x => x.getBoundingClientRect()); return ["
            "(b.left - p.left) / p.width, (b.top - p.top) / p.height, b.width / p.width, b.height / p.height] }"
        )
        left, top, width, height = find_on_page(DAM)
        assert abs(shown[0] - left) < 0.01 and abs(shown[2] - width) < 0.01
        assert abs(shown[1] + shown[3] / 2 - top - height / 2) < 0.01
        # Larger, as text, and back.
        before = page.locator("#viewer .page").first.bounding_box()
        page.locator("#viewer .tool.larger").click()
        assert page.locator("#viewer .page").first.bounding_box()["width"] > 1.2 * before["width"]
        page.locator("#viewer .tool.text").click()
        expect(page.locator("#viewer mark.chosen")).to_have_text(DAM)
        page.locator("#viewer .tool.pages").click()
        expect(page.locator("#viewer .box.chosen").first).to_be_visible()
        box.click()
        assert read_lit(page) == [f"“{DAM}”"]

    def test_a_row_is_marked_in_its_grid(self, page: Any) -> None:
        from playwright.sync_api import expect

        ask(page, f"Who {KEEPER}?")
        row = page.locator("#viewer tr.cited")
        expect(row).to_contain_text(KEEPER)
        expect(row.locator("td").first).to_be_in_viewport()
        assert "Person 55" in row.inner_text()
        assert page.locator("#viewer table thead th").first.inner_text() == "Name"

    def test_by_keyboard_alone(self, page: Any) -> None:
        from playwright.sync_api import expect

        ask(page, "Who painted the lighthouse of Brenvale?")
        expect(page.locator("#viewer mark.chosen")).to_be_visible()
        chip = find_chip(page, 0, 2)
        page.locator("#question textarea").focus()
        for _ in range(20):
            page.keyboard.press("Shift+Tab")
            if chip.evaluate("e => e === document.activeElement"):
                break
        page.keyboard.press("Enter")
        # The focus goes to the quote, on to another by key, and back to the chip.
        expect(page.locator("#viewer mark.chosen")).to_be_focused()
        expect(page.locator("#viewer .place").first).to_have_text("2 of 2")
        page.keyboard.press("Enter")
        assert len(read_lit(page)) == 1
        page.keyboard.press("n")
        expect(page.locator("#viewer .place").first).to_have_text("1 of 2")
        page.keyboard.press("p")
        expect(page.locator("#viewer .place").first).to_have_text("2 of 2")
        page.keyboard.press("Escape")
        expect(chip).to_be_focused()

    def test_words_are_found_in_the_document(self, page: Any) -> None:
        from playwright.sync_api import expect

        ask(page, "Who painted the lighthouse of Brenvale?")
        expect(page.locator("#viewer mark.chosen")).to_be_visible()
        search, count = page.locator("#viewer [role=search]"), page.locator("#viewer [role=search] .place")
        expect(search).to_be_hidden()
        page.locator("#viewer .body").focus()
        page.keyboard.press("Control+f")
        expect(search.locator("input")).to_be_focused()
        page.keyboard.type("the LIGHTHOUSE")
        expect(count).to_have_text("1 of 2")
        read_found = "[...CSS.highlights.get('footnote-found-chosen')].map(range => range.toString())"
        assert page.evaluate(read_found) == ["The lighthouse"]
        page.keyboard.press("Enter")
        expect(count).to_have_text("2 of 2")
        assert page.evaluate(read_found) == ["the lighthouse"]
        # Far away, and behind characters that JavaScript takes for two.
        search.locator("input").fill("words go on")
        expect(count).to_have_text("1 of 1")
        page.wait_for_function(f"{read_found}[0] === 'words go on'")
        search.locator("input").fill("Chapter 0")
        expect(page.locator("#viewer article")).to_contain_text("Chapter 0")
        page.wait_for_function(f"{read_found}[0] === 'Chapter 0'")
        search.locator("input").fill("nowhere at all")
        expect(count).to_have_text("Not found")
        page.keyboard.press("Escape")
        expect(search).to_be_hidden()
        assert page.evaluate("CSS.highlights.get('footnote-found').size") == 0

    def test_what_is_nearest_is_listed_and_opens(self, page: Any) -> None:
        from playwright.sync_api import expect

        ask(page, "Who won the chess tournament of Reykjavik?")
        expect(page.locator("#viewer h2")).to_have_text("Nearest passages")
        listed = page.locator("#viewer .source")
        assert 1 <= listed.count() <= NEAREST_SHOWN
        listed.first.click()
        expect(page.locator("#viewer mark.cited, #viewer .box").first).to_be_visible(timeout=20_000)
        page.locator("#viewer .tool.list").click()
        expect(listed.first).to_be_visible()
        page.locator('#conversation a[href="#near-0-1"]').click()
        expect(page.locator("#viewer mark.cited, #viewer .box").first).to_be_visible(timeout=20_000)
        assert page.evaluate("location.hash") == ""

    def test_a_card_says_what_a_chip_and_a_doubt_say(self, page: Any) -> None:
        from playwright.sync_api import expect

        ask(page, "How much water does the Marrow Dam hold?")
        page.locator("#conversation [data-testid=bot] p").first.evaluate(
            "(p, html) => p.insertAdjacentHTML('beforeend', html)",
            ' <a href="#cite-0-9" class="chip partial" id="chip" title="“Two &lt;b&gt;days&lt;/b&gt;” — page 3">9</a>'
            ' So <span class="doubt unsupported" id="doubt" tabindex="0" title="The source says 2020.">?</span>',
        )
        card = page.get_by_role("tooltip")
        page.locator("#chip").hover()
        expect(card).to_be_visible()
        assert card.locator("p").all_inner_texts() == ["Two <b>days</b>", "page 3"]
        assert page.locator("#chip").get_attribute("title") is None
        page.keyboard.press("Escape")
        expect(card).to_be_hidden()
        page.locator("#chip").focus()
        page.keyboard.press("Tab")
        expect(page.locator("#doubt")).to_be_focused()
        expect(card).to_have_text("The source says 2020.")
        assert page.locator("#doubt").get_attribute("aria-describedby") == card.get_attribute("id")
        # Whole on a narrow screen too.
        page.set_viewport_size({"width": 360, "height": 740})
        page.locator("#doubt").scroll_into_view_if_needed()
        page.locator("#doubt").hover()
        expect(card).to_be_visible()
        box = card.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360
        # Who listens hears the words, not the links behind them.
        page.wait_for_timeout(400)
        label = page.locator("#conversation [data-testid=bot]").first.get_attribute("aria-label")
        assert DAM in label and "#cite" not in label

    @pytest.mark.parametrize("page", [PHONE], indirect=True)
    def test_on_a_phone_the_viewer_is_a_drawer(self, page: Any) -> None:
        from playwright.sync_api import expect

        ask(page, "Who painted the lighthouse of Brenvale?")
        drawer = page.locator("#viewer dialog")
        expect(drawer).to_be_hidden()
        find_chip(page, 0, 1).click()
        expect(page.locator("#viewer mark.chosen")).to_be_in_viewport()
        assert drawer.evaluate("e => e.matches(':modal')")  # so that the rest is inert
        assert drawer.bounding_box()["width"] == 360
        assert page.locator("#viewer .body").evaluate("e => e.scrollWidth <= e.clientWidth")
        page.locator("#viewer .tool.close").click()
        expect(drawer).to_be_hidden()
        expect(find_chip(page, 0, 1)).to_be_focused()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360

    def test_a_hostile_document_is_dead_in_the_viewer(self, page: Any) -> None:
        from playwright.sync_api import expect

        ask(page, "What is the zebra password?")
        expect(page.locator("#viewer mark.chosen").first).to_be_visible()
        assert HOSTILE in page.locator("#viewer article").inner_text()
        assert "<b>zebra<%2fb>.txt" in page.locator("#viewer .facts").inner_text()
        assert page.locator("#viewer article").locator("img, script, a, iframe, svg, [onerror]").count() == 0
        assert page.locator("#viewer header").locator("b, img, a").count() == 0


def find_on_page(words: str) -> tuple[float, float, float, float]:
    """Where words stand on a page of the report, as fractions of it: left, top, width, height."""
    document = pypdfium2.PdfDocument(make_pdf([f"\n\n\n\n\n{words}"]))
    sheet = document[0]
    text = sheet.get_textpage()
    left, bottom, right, top = text.get_rect(text.count_rects() - 1)
    width, height = sheet.get_size()
    found = left / width, 1 - top / height, (right - left) / width, (top - bottom) / height
    text.close()
    document.close()
    return found


# -- what it is given ---------------------------------------------------------------------------


@pytest.fixture
def served(folder: Path, settings: Settings) -> Served:
    (folder / "tour.md").write_text("# The <tour>\n\n2024-05-01\n\nThe tour took three days.", encoding="utf-8")
    library = finish(open_library(folder, settings))
    finish(library.sync())
    return Served(name_libraries([library]), settings)


def cite(number: int, path: str, start: int, kind: Any = "words") -> Citation:
    quote = "three days" if kind == "words" else ""
    return Citation(number, identify(path), path, path, None, start, start + len(quote), quote, ("Tours",), kind)


def test_a_document_is_shown_with_all_that_is_cited_of_it(served: Served) -> None:
    answer = replace(
        make_answer(), citations=(cite(1, "tour.md", 5), cite(2, "gone.md", 9), cite(3, "tour.md", 0, "document"))
    )
    shown = show(answer, 4, None, None, served)
    assert shown
    assert (shown["turn"], shown["number"], shown["nearest"]) == (4, 1, False)
    assert shown["document"] == {
        "id": identify("tour.md"), "title": "The <tour>", "path": "tour.md", "date": "2024-05-01", "pages": 0
    }  # fmt: skip
    assert [(c["number"], c["start"], c["quote"], c["kind"]) for c in shown["citations"]] == [
        (1, 5, "three days", "words"),
        (3, 0, "", "document"),
    ]
    assert [(other["number"], other["title"]) for other in shown["others"]] == [(2, "gone.md")]
    # Of a document that is there no more it is said what the answer knows.
    gone = show(answer, 4, 2, None, served)
    assert gone and gone["document"]["title"] == "gone.md"
    # And a number that is none lists them all.
    for number in (LIST, 17, -1):
        listed = show(answer, 4, number, None, served)
        assert listed and listed["document"] is None and len(listed["others"]) == 3


def test_the_nearest_passages_are_listed_and_one_opens_at_its_nearest_sentence(served: Served) -> None:
    text = "It rained. The tour took three days. We slept."
    sentences = tuple(find_sentences(text))
    passage = Passage(
        identify("tour.md"), "tour.md", "T", None, 0, len(text), text, 1.0, sentences, similarities=(0.1, 0.9, 0.2)
    )
    answer: Answer = replace(make_answer(found=False), passages=(passage,) * (NEAREST_SHOWN + 2))
    listed = show(answer, 0, None, None, served)
    assert listed and listed["nearest"] and listed["document"] is None
    assert [other["number"] for other in listed["others"]] == list(range(1, NEAREST_SHOWN + 1))
    shown = show(answer, 0, 1, None, served)
    assert shown
    start, end = shown["citations"][0]["start"], shown["citations"][0]["end"]
    assert text[start:end] == "The tour took three days."
    assert show(replace(answer, passages=()), 0, None, None, served) is None
