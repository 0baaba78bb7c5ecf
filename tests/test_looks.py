"""How the page looks and is used: by everybody (axe-core), at every width, by keyboard, with nothing that moves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer, Request
from test_chat import CHROMIUM, needs_chromium, serving
from test_documents_page import ask

pytestmark = [pytest.mark.browser, needs_chromium]

SECONDS_30 = 30_000
WIDE, PHONE, NARROWEST = (1280, 860), (390, 740), (360, 740)
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3
WIDE_TABLE = "\n".join(
    [
        "| " + " | ".join(f"column number {n}" for n in range(14)) + " |",
        "|" + "---|" * 14,
        "| " + " | ".join(f"{n}-{'x' * 12}" for n in range(14)) + " |",
    ]
)
LONG_CODE = f"```sh\ncurl https://a.example/{'path/' * 40} --header 'Accept: */*'\n```"
HEBREW = "מגדלור ברנוויל נצבע בירוק בשנת 1987."
CHINESE = "布伦维尔的灯塔在一九八七年被漆成绿色，" * 12
PAINTED = "The lighthouse of Brenvale was painted green in 1987 by Ada Morrow."
ABSENT = "The documents do not say."
QUESTION, UNANSWERED = "Who painted the lighthouse of Brenvale?", "How many people live in Qatar?"
REPLY = f"Ada Morrow painted it green [1].\n\n{LONG_WORD}\n\n{WIDE_TABLE}\n\n{LONG_CODE}\n\n{HEBREW}\n\n{CHINESE}\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server over texts of all shapes, with a model that writes all shapes too."""
    folder, store = tmp_path_factory.mktemp("shapes"), tmp_path_factory.mktemp("shapes-store")
    text = "\n\n".join(["# Lighthouse", PAINTED, LONG_WORD, WIDE_TABLE, LONG_CODE, HEBREW, CHINESE])
    (folder / "lighthouse.md").write_text(text, encoding="utf-8")
    (folder / f"{'long-name-' * 12}.txt").write_text("The ferry to Holm leaves at six.", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing else")

    def write(request: Request) -> str:
        return ABSENT if "Qatar" in request.user else REPLY

    environment = {"FOOTNOTE_STORE": str(store), "FOOTNOTE_CHECK": "words", "FOOTNOTE_MODEL": "m"}
    with (
        OpenAIServer(write, delta_characters=20) as model,
        serving(folder, OPENAI_BASE_URL=model.base_url, **environment) as served,
    ):
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    options: dict[str, Any] = getattr(request, "param", {})
    (width, height), theme = options.get("size", WIDE), options.get("theme", "light")
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion=options.get("motion", "no-preference")
    )
    context.set_default_timeout(SECONDS_30)
    opened = context.new_page()
    opened.goto(f"{address}/?__theme={theme}")
    opened.wait_for_selector("#question textarea")
    yield opened
    context.close()


def open_tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def find_barriers(page: Any) -> list[str]:
    """What axe-core finds serious or critical, each with the rule and where."""
    import axe_playwright_python

    page.evaluate((Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found: list[str] = []
    for _ in range(3):
        page.wait_for_timeout(1000)  # what scrolls is made to be reached a moment after it is there
        found = _run_axe(page)
        if not found:
            break
    return found


def _run_axe(page: Any) -> list[str]:
    found: list[str] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations"
        ".filter(({impact}) => ['serious', 'critical'].includes(impact)).flatMap(({id, nodes}) => nodes.map("
        "({target, any}) => `${id}: ${target.join(' ')}: ${any.map(({message}) => message).join()}`)))"
    )
    return found


@pytest.mark.parametrize("page", [{"theme": "light"}, {"theme": "dark"}], ids=["light", "dark"], indirect=True)
def test_axe_finds_nothing_serious(page: Any) -> None:
    from playwright.sync_api import expect

    assert find_barriers(page) == []
    ask(page, QUESTION)
    ask(page, UNANSWERED)
    page.locator('#conversation a[href="#cite-0-1"]').click()
    page.locator("#viewer mark.chosen").first.wait_for()
    assert find_barriers(page) == []

    page.locator("#sidebar .toggle-button").click()
    expect(page.locator("#conversations li")).to_have_count(1, timeout=SECONDS_30)
    settle(page)
    assert find_barriers(page) == []
    page.locator("#sidebar .toggle-button").click()

    open_tab(page, "Documents")
    page.locator("#documents-tab tr.skipped").wait_for()
    settle(page)
    assert find_barriers(page) == []
    open_tab(page, "Settings")
    page.locator("#writer-kind input").first.wait_for()
    settle(page)
    assert find_barriers(page) == []

    # The same on a phone, where the document is a drawer.
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    open_tab(page, "Conversation")
    settle(page)
    assert find_barriers(page) == []
    page.locator('#conversation a[href="#cite-0-1"]').click()
    page.locator(".drawer[open] mark.chosen").first.wait_for()
    settle(page)
    assert find_barriers(page) == []


def settle(page: Any) -> None:
    """Wait until what fades and slides has done so: a colour half faded in has no contrast yet."""
    page.wait_for_timeout(300)
    page.evaluate(
        "Promise.race([new Promise(done => setTimeout(done, 3000)), Promise.allSettled(document.getAnimations()"
        ".filter(a => a.effect.getComputedTiming().iterations !== Infinity).map(a => a.finished))])"
    )


def test_the_page_has_one_heading_and_names_for_all_that_is_filled_in(page: Any) -> None:
    from playwright.sync_api import expect

    expect(page.locator("h1:visible")).to_have_text(["Footnote"], timeout=SECONDS_30)
    assert page.locator("main").count() == 1
    assert page.get_by_role("textbox", name="Your question").is_visible()
    page.get_by_role("button", name="Answer from: All documents").wait_for()


def test_nothing_moves_while_an_answer_comes(page: Any) -> None:
    page.wait_for_timeout(1000)
    page.evaluate("""() => {
      window.moved = []; window.widths = new Set();
      new PerformanceObserver(list => window.moved.push(...list.getEntries().map(entry => ({value: entry.value,
        of: entry.sources.map(({node}) => node && (node.id || node.className || node.nodeName)).join()}))))
        .observe({type: 'layout-shift'});
      const look = () => {
        window.widths.add(['#talk', '#proof'].map(id => document.querySelector(id).offsetWidth).join());
        requestAnimationFrame(look);
      };
      look();
    }""")
    ask(page, QUESTION)
    page.locator("#viewer mark.chosen").first.wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("window.widths.size") == 1
    moved = page.evaluate("window.moved")
    assert sum(shift["value"] for shift in moved) < 0.02, sorted(moved, key=lambda shift: -shift["value"])[:5]


# Of what is wider than the room it has, though it should not be.
WIDER = """() => [document.scrollingElement, ...document.querySelectorAll(
  '#talk, #proof, #conversation .bubble-wrap, #viewer .body, .drawer .body, #documents-tab')]
  .filter(e => e.offsetParent !== null || e === document.scrollingElement)
  .filter(e => e.scrollWidth > e.clientWidth + 1)
  .map(e => `${e.id || e.className} ${e.scrollWidth} ${e.clientWidth}`)"""


@pytest.mark.parametrize("page", [{"size": NARROWEST}, {"size": WIDE}], ids=["phone", "wide"], indirect=True)
def test_no_text_is_wider_than_the_room_it_has(page: Any) -> None:
    ask(page, QUESTION)
    answer = page.locator("#conversation [data-testid=bot]").last
    assert HEBREW in answer.inner_text() and CHINESE in answer.inner_text()
    assert page.evaluate(WIDER) == []
    assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")
    page.locator('#conversation a[href="#cite-0-1"]').first.click()
    page.locator("mark.chosen").first.wait_for()
    assert page.evaluate(WIDER) == []
    # Right to left stands at the right, in the answer and in the document.
    for place in (answer, page.locator(".viewer article")):
        line = place.locator("p", has_text=HEBREW).first
        assert line.evaluate("""p => {
          const words = document.createRange();
          words.selectNodeContents(p);
          const [text, room] = [words.getBoundingClientRect(), p.getBoundingClientRect()];
          return room.right - text.right < 4;
        }""")
    if page.locator(".drawer[open]").count():
        page.locator(".drawer .close").click()
    open_tab(page, "Documents")
    page.locator("#documents-tab tr.skipped").wait_for()
    assert page.evaluate(WIDER) == []
    # The whole of the viewer is within the window.
    if page.viewport_size["width"] == WIDE[0]:
        open_tab(page, "Conversation")
        box = page.locator("#viewer .viewer").bounding_box()
        assert box["y"] + box["height"] <= WIDE[1]


@pytest.mark.parametrize("page", [{"motion": "reduce", "size": PHONE}], ids=["reduced"], indirect=True)
def test_who_wants_no_motion_gets_none(page: Any) -> None:
    ask(page, QUESTION)
    page.locator('#conversation a[href="#cite-0-1"]').first.click()
    assert page.locator(".drawer[open]").evaluate("e => getComputedStyle(e).animationName") == "none"
    longest = page.evaluate("""() => Math.max(...[...document.querySelectorAll('.gradio-container *')].flatMap(e => {
      const style = getComputedStyle(e);
      return [style.transitionDuration, style.animationDuration].flatMap(all => all.split(',').map(parseFloat));
    }))""")
    assert longest <= 0.001


def test_everything_is_reached_by_keyboard_and_seen_to_be(page: Any) -> None:
    ask(page, QUESTION)
    page.locator("#suggestions button").first.wait_for()
    wanted = {
        "question": "#question textarea",
        "suggestions": "#suggestions button",
        "chips": "#conversation a.chip",
        "what is done with an answer": "#conversation a.act",
        "viewer": "#viewer .body",
        "tabs": "#tabs [role=tab]",
        "sidebar": "#sidebar .toggle-button",
        "scope": "#scope button",
        "saving": "#acts summary",
        "mode": "#header button",
    }
    reached: set[str] = set()
    unseen: list[str] = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(90):
        page.keyboard.press("Tab")
        name, is_seen, described = page.evaluate(
            """wanted => {
              const at = document.activeElement;
              const style = getComputedStyle(at.matches('#question textarea') ? at.closest('#question') : at);
              const isSeen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
              const name = Object.keys(wanted).find(name => at.matches(wanted[name]));
              return [name, isSeen || at === document.body, at.outerHTML.slice(0, 120)];
            }""",
            wanted,
        )
        reached |= {name} if name else set()
        unseen += [] if is_seen else [described]
        if reached == set(wanted):
            break
    assert reached == set(wanted)
    assert unseen == []
