"""Conversations in the browser: kept, restored with their citations, listed, named, deleted, searched, in two tabs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from test_chat import CHROMIUM, ask, needs_chromium, serving

pytestmark = [pytest.mark.browser, needs_chromium]

BRIDGE = "The bridge at Tarn was opened in 1911. It is painted green every seven years.\n"
FERRY = "The ferry to Holm leaves at six in the morning. A ticket costs nine crowns.\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    (folder / "bridge.md").write_text(f"# The bridge\n\n{BRIDGE}")
    (folder / "ferry.md").write_text(f"# The ferry\n\n{FERRY}")
    return folder


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(scope="module")
def address(folder: Path, stores: Path) -> Iterator[str]:
    with serving(folder, FOOTNOTE_STORE=str(stores)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    """A browser of its own, which has kept nothing yet."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(20_000)
    yield context
    context.close()


def open_page(context: Any, address: str) -> Any:
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda told: told.type == "error" and page.errors.append(told.text))
    page.goto(address)
    page.wait_for_selector("#question textarea")
    return page


def wait_for_kept(page: Any, count: int, turns: int | None = None) -> None:
    """Wait until so many conversations are listed, and so many turns kept."""
    page.wait_for_function("count => document.querySelectorAll('#conversations li').length === count", arg=count)
    if turns is not None:
        page.wait_for_function(
            """async turns => {
              const name = (await indexedDB.databases())[0].name;
              const database = await new Promise(done => {
                const request = indexedDB.open(name); request.onsuccess = () => done(request.result); });
              const count = await new Promise(done => {
                const request = database.transaction('turns').objectStore('turns').count();
                request.onsuccess = () => done(request.result); });
              database.close();
              return count === turns;
            }""",
            arg=turns,
        )


def toggle(page: Any) -> None:
    page.locator("#sidebar .toggle-button").click()
    page.wait_for_timeout(400)  # it slides


def questions(page: Any) -> list[str]:
    return [text.split("\n")[0] for text in page.locator("#conversation [data-testid=user]").all_inner_texts()]


def test_a_conversation_comes_back_with_its_citations_and_goes_on(context: Any, address: str) -> None:
    page = open_page(context, address)
    first = ask(page, "When was the bridge opened?")
    assert "1911" in first
    wait_for_kept(page, 1, 1)
    page.reload()
    page.locator("#conversation [data-testid=bot]").first.wait_for()
    assert questions(page) == ["When was the bridge opened?"]
    assert page.locator("#conversation [data-testid=bot]").inner_text() == first
    page.locator('#conversation [href="#cite-0-1"]').click()
    page.locator("#viewer mark.chosen").first.wait_for()
    assert "1911" in page.locator("#viewer mark.chosen").first.inner_text()
    # A follow-up leans on what was restored.
    assert "seven years" in ask(page, "How often is it painted?")
    wait_for_kept(page, 1, 2)
    page.reload()
    page.locator('#conversation [href="#cite-1-1"]').wait_for()
    assert len(questions(page)) == 2
    assert page.errors == []


def test_conversations_are_listed_searched_renamed_and_deleted(context: Any, address: str) -> None:
    page = open_page(context, address)
    ask(page, "When was the bridge opened?")
    wait_for_kept(page, 1)
    toggle(page)
    page.get_by_role("button", name="New conversation").click()
    page.wait_for_function("!document.querySelector('#conversation [data-testid=user]')")
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    ask(page, "What does a ticket cost?")
    wait_for_kept(page, 2, 2)
    titles = page.locator("#conversations .title")
    assert titles.all_inner_texts() == ["What does a ticket cost?", "When was the bridge opened?"]
    assert page.locator("#conversations time").first.inner_text() == "Today"
    assert page.locator("#conversations [aria-current]").inner_text().startswith("What does a ticket")

    # Searched by what was answered; a title is text, whatever it says.
    page.get_by_label("Search conversations").fill("bridge 1911")
    page.wait_for_function("document.querySelectorAll('#conversations li').length === 1")
    page.get_by_label("Search conversations").fill("zebra")
    page.get_by_text("No conversation holds these words.").wait_for()
    page.get_by_label("Search conversations").fill("")
    wait_for_kept(page, 2)
    page.get_by_role("button", name="Rename “When was the bridge opened?”").press("Enter")
    page.keyboard.type("<img src=x onerror=alert(1)> Tarn")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.className === 'rename'")
    assert titles.all_inner_texts()[1] == "<img src=x onerror=alert(1)> Tarn"
    assert page.locator("#conversations img").count() == 0
    # Escape leaves the name as it was.
    page.keyboard.press("Enter")
    page.keyboard.type("other")
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.className === 'rename'")
    assert "Tarn" in titles.all_inner_texts()[1]

    # Chosen, it is shown.
    page.locator("#conversations .open").nth(1).click()
    page.get_by_text("1911").first.wait_for()
    assert questions(page) == ["When was the bridge opened?"]

    # Deleted, and back again; then for good.
    page.get_by_role("button", name="Delete “<img").press("Enter")
    wait_for_kept(page, 1, 1)
    page.wait_for_function("!document.querySelector('#conversation [data-testid=user]')")
    assert page.evaluate("document.activeElement.textContent") == "Undo"
    page.keyboard.press("Enter")
    wait_for_kept(page, 2, 2)
    assert "Tarn" in page.evaluate("document.activeElement.textContent")
    page.get_by_role("button", name="Delete “<img").click()
    wait_for_kept(page, 1, 1)
    page.reload()
    page.wait_for_selector("#question textarea")
    wait_for_kept(page, 1, 1)
    assert page.errors == []


def test_two_tabs_lose_nothing_of_each_other(context: Any, address: str) -> None:
    one = open_page(context, address)
    ask(one, "When was the bridge opened?")
    wait_for_kept(one, 1, 1)
    other = open_page(context, address)
    wait_for_kept(other, 1)
    toggle(other)
    other.locator("#conversations .open").click()
    other.locator('[href="#cite-0-1"]').wait_for()
    # Both go on with the same conversation; a third is told of it.
    ask(one, "How often is the bridge painted?")
    wait_for_kept(one, 1, 2)
    ask(other, "What does a ticket cost?")
    wait_for_kept(other, 1, 3)
    one.reload()
    one.locator('[href="#cite-2-1"]').wait_for()
    assert questions(one) == [
        "When was the bridge opened?",
        "How often is the bridge painted?",
        "What does a ticket cost?",
    ]
    # What one tab deletes leaves the other's list.
    toggle(one)
    one.get_by_role("button", name="Delete “When").click()
    wait_for_kept(other, 0)
    assert one.errors == other.errors == []


def test_what_has_changed_in_a_document_is_found_again_or_called_gone(context: Any, address: str, folder: Path) -> None:
    page = open_page(context, address)
    ask(page, "When was the bridge opened?")
    ask(page, "What does a ticket cost?")
    wait_for_kept(page, 1, 2)
    try:
        (folder / "bridge.md").write_text(f"# The bridge\n\nTwo lines are new here.\n\n{BRIDGE}")
        (folder / "ferry.md").write_text("# The ferry\n\nIt no longer runs.\n")
        other = open_page(context, address)
        ask(other, "Does the ferry run?")
        page.reload()
        page.locator('[href="#cite-0-1"]').click()
        page.locator("#viewer mark.chosen").first.wait_for()
        assert "1911" in page.locator("#viewer mark.chosen").first.inner_text()
        gone = page.locator("#conversation .chip.gone")
        assert gone.first.inner_text() == "1"
        assert re.search("nine crowns.*no longer found", gone.first.get_attribute("title"))
        assert "nine crowns" in page.locator("#conversation [data-testid=bot]").last.inner_text()
        assert page.locator('[href="#cite-1-1"]').count() == 0
    finally:
        (folder / "bridge.md").write_text(f"# The bridge\n\n{BRIDGE}")
        (folder / "ferry.md").write_text(f"# The ferry\n\n{FERRY}")


def test_without_storage_one_sentence_says_so_and_all_else_works(context: Any, address: str) -> None:
    context.add_init_script(
        "Object.defineProperty(window, 'indexedDB', {get() { throw new DOMException('no', 'SecurityError'); }});"
        "Object.defineProperty(window, 'sessionStorage', {get() { throw new DOMException('no', 'SecurityError'); }});"
    )
    page = open_page(context, address)
    assert "1911" in ask(page, "When was the bridge opened?")
    toggle(page)
    assert "keeps no conversations" in page.locator("#conversations").inner_text()
    page.get_by_role("button", name="New conversation").click()
    page.wait_for_function("!document.querySelector('#conversation [data-testid=user]')")
    assert "nine crowns" in ask(page, "What does a ticket cost?")


def test_a_full_disk_is_told(context: Any, address: str) -> None:
    context.add_init_script(
        "IDBObjectStore.prototype.put = function () { throw new DOMException('full', 'QuotaExceededError'); };"
    )
    page = open_page(context, address)
    assert "1911" in ask(page, "When was the bridge opened?")
    page.get_by_text("has no room to keep this conversation").wait_for()
    assert "seven years" in ask(page, "How often is the bridge painted?")


def test_on_a_phone_the_sidebar_covers_the_page_and_a_button_closes_it(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = open_page(context, address)
    ask(page, "When was the bridge opened?")
    wait_for_kept(page, 1)
    handle = page.locator("#sidebar .toggle-button")
    assert handle.get_attribute("aria-expanded") == "false"
    assert page.evaluate("document.querySelector('#sidebar .sidebar-content').inert")
    toggle(page)
    box = page.locator("#sidebar").bounding_box()
    assert (box["x"], box["width"]) == (0, 390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    handle.click()
    page.wait_for_function("!document.querySelector('#sidebar').classList.contains('open')")
    toggle(page)
    page.get_by_role("button", name="New conversation").click()
    # Choosing closes it, and so does Escape.
    page.wait_for_function("!document.querySelector('#sidebar').classList.contains('open')")
    toggle(page)
    page.locator("#conversations .open").focus()
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('#sidebar').classList.contains('open')")
    assert page.evaluate("document.activeElement.className").startswith("toggle-button")
    context.close()


def test_thumbs_go_to_a_file_and_minds_may_change(context: Any, address: str, stores: Path) -> None:
    page = open_page(context, address)
    ask(page, "When was the bridge opened?")

    def cases(count: int) -> list[dict[str, Any]]:
        for _ in range(100):
            files = list((stores / "thumbs").glob("*.jsonl"))
            lines = files[0].read_text().splitlines() if files else []
            if len(lines) == count and (not lines or seen(lines)):
                return [json.loads(line) for line in lines]
            page.wait_for_timeout(50)
        raise AssertionError(lines)

    def seen(lines: list[str]) -> bool:
        return wanted in lines[0]

    wanted = '"up"'
    page.locator("#conversation button[title=Like], #conversation button[aria-label=Like]").last.click()
    (case,) = cases(1)
    assert case["question"] == "When was the bridge opened?"
    assert [evidence["path"] for evidence in case["evidence"]] == ["bridge.md"]
    wanted = '"down"'
    page.locator("#conversation button[title=Dislike], #conversation button[aria-label=Dislike]").last.click()
    (case,) = cases(1)
    assert "1911" in case["rejected"]
    # Pressed again, it is taken back; a new conversation begins without thumbs.
    page.locator("#conversation button[aria-label=Disliked], #conversation button[title=Disliked]").last.click()
    assert cases(0) == []
    page.locator("#conversation button[title=Like], #conversation button[aria-label=Like]").last.click()
    page.locator("#conversation button[title=Liked], #conversation button[aria-label=Liked]").wait_for()
    toggle(page)
    page.get_by_role("button", name="New conversation").click()
    page.wait_for_function("!document.querySelector('#conversation [data-testid=user]')")
    ask(page, "What does a ticket cost?")
    assert page.locator("#conversation button[title=Liked], #conversation button[aria-label=Liked]").count() == 0
    assert page.errors == []


def test_only_what_gives_a_conversation_back_may_be_large(address: str) -> None:
    config, _ = json.JSONDecoder().raw_decode(httpx.get(address).text.partition("window.gradio_config = ")[2])
    (kept,) = [part["id"] for part in config["components"] if part["props"].get("elem_id") == "conversations"]
    events = [event for event in config["dependencies"] if event["backend_fn"]]
    inputs = {event["id"]: len(event["inputs"]) for event in events}
    (restoring,) = [event["id"] for event in events if [kept, "select"] in event["targets"]]

    def send(number: int, size: int, path: str = "run/predict") -> int:
        details = {"turns": "é" * (size // 2), "mark": 1}
        body = {"data": [None] * inputs[number], "event_data": details, "fn_index": number, "session_hash": "large"}
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"content-type": "application/json"}
        return httpx.post(f"{address}/gradio_api/{path}", content=content, headers=headers, timeout=30).status_code

    assert send(restoring, 900_000) == 200
    assert send(restoring, 2_100_000) == 413
    assert send(restoring, 900_000, "queue/join") == 413
    for number in inputs.keys() - {restoring}:
        assert send(number, 300_000) == 413
