"""The documents in the browser: listed, added, deleted, followed; and what a question is asked of, on one page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_chat import browsing, needs_chromium, serving

pytestmark = [pytest.mark.browser, needs_chromium]

SECONDS_30 = 30_000
BRIDGE = "The bridge at Tarn was opened in 1911. It is painted green every seven years.\n"
FERRY = "The ferry to Holm leaves at six in the morning. A ticket costs nine crowns.\n"
MILL = "The mill of Orsk was built by Greta Lund. Its wheel was made of oak.\n"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two libraries: the first takes uploads too, and has a file that cannot be read."""
    crossings, mills = tmp_path_factory.mktemp("crossings"), tmp_path_factory.mktemp("mills")
    (crossings / "added").mkdir()
    (crossings / "bridge.md").write_text(f"# The bridge\n\n{BRIDGE}")
    (crossings / "ferry.md").write_text(f"# The ferry\n\n{FERRY}{FERRY}")
    (crossings / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing else")
    (mills / "mill.md").write_text(f"# The mill\n\n{MILL}")
    return crossings, mills


@pytest.fixture(scope="module")
def page(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    crossings, mills = folders
    store = str(tmp_path_factory.mktemp("documents-store"))
    options = (str(mills), "--uploads", str(crossings / "added"))
    with serving(crossings, *options, FOOTNOTE_STORE=store) as address, browsing(address) as (opened, outside):
        opened.set_default_timeout(SECONDS_30)
        yield opened
        assert outside == []


@pytest.fixture
def documents(page: Any) -> Any:
    """The tab of the documents, with all that is read at first."""
    page.get_by_role("tab", name="Documents").click()
    page.locator("#documents-tab tbody tr", has_text="ferry.md").wait_for()
    return page.locator("#documents-tab")


def read_paths(documents: Any) -> list[str]:
    paths: list[str] = documents.locator("tbody .path").all_inner_texts()
    return paths


def expect_paths(documents: Any, *paths: str) -> None:
    from playwright.sync_api import expect

    expect(documents.locator("tbody .path")).to_have_text([*paths], timeout=SECONDS_30)


def ask(page: Any, question: str) -> str:
    """Ask, wait until the answer is over, and give it."""
    from playwright.sync_api import expect

    answers = page.locator("#conversation [data-testid=bot]")
    before = answers.count()
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")
    expect(answers).to_have_count(before + 1, timeout=SECONDS_30)
    expect(answers.last.locator("a.retry")).to_have_count(1, timeout=3 * SECONDS_30)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible(timeout=SECONDS_30)
    return str(answers.last.inner_text())


def test_documents_are_listed_filtered_and_sorted(documents: Any) -> None:
    from playwright.sync_api import expect

    expect_paths(documents, "broken.pdf", "bridge.md", "ferry.md")
    # What could not be read comes first, with the reason.
    assert documents.locator("tr.skipped").inner_text().count("Not read:") == 1
    row = documents.locator("tbody tr", has_text="bridge.md")
    assert re.search(r"The bridge\s+bridge\.md\s+\S*\s*\d+\s?byte\s+1\s+Read", row.inner_text()), row.inner_text()
    documents.get_by_label("Filter by title or path").fill("FERRY")
    expect_paths(documents, "ferry.md")
    documents.get_by_label("Filter by title or path").fill("nothing of this name")
    expect(documents.locator(".count")).to_have_text("No document fits.", timeout=SECONDS_30)
    documents.get_by_label("Filter by title or path").fill("")
    documents.get_by_label("Sort by").select_option("-size")
    expect_paths(documents, "broken.pdf", "ferry.md", "bridge.md")
    documents.get_by_label("Sort by").select_option("path")
    expect_paths(documents, "broken.pdf", "bridge.md", "ferry.md")


def test_a_file_that_is_saved_to_the_folder_shows_up(documents: Any, folders: tuple[Path, Path]) -> None:
    (folders[0] / "canal.md").write_text("# The canal\n\nThe canal of Vell has nine locks.\n")
    expect_paths(documents, "broken.pdf", "bridge.md", "canal.md", "ferry.md")
    (folders[0] / "canal.md").unlink()
    expect_paths(documents, "broken.pdf", "bridge.md", "ferry.md")


def test_files_are_added_by_button_by_drop_and_by_paste_and_deleted(
    page: Any, documents: Any, folders: tuple[Path, Path]
) -> None:
    from playwright.sync_api import expect

    documents.locator("input[type=file]").set_input_files(
        files=[{"name": "quay.txt", "mimeType": "text/plain", "buffer": b"The quay of Sund is made of granite."}]
    )
    expect(documents.locator(".told")).to_contain_text("1 document was added", timeout=SECONDS_30)
    expect_paths(documents, "broken.pdf", "added/quay.txt", "bridge.md", "ferry.md")

    dropped = page.evaluate_handle(
        "() => { const held = new DataTransfer();"
        "held.items.add(new File(['The pier of Sund is made of larch.'], 'pier.txt', {type: 'text/plain'}));"
        "return held; }"
    )
    documents.locator(".adding").dispatch_event("drop", {"dataTransfer": dropped})
    expect_paths(documents, "broken.pdf", "added/pier.txt", "added/quay.txt", "bridge.md", "ferry.md")

    documents.get_by_role("button", name="Paste text").click()
    page.get_by_role("dialog").get_by_label("Title").fill("The dock")
    page.get_by_role("dialog").get_by_label("Text").fill("The dock of Sund is made of brick.")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(documents.locator("tbody tr")).to_have_count(6, timeout=SECONDS_30)
    pasted = next(path for path in read_paths(documents) if "dock" in path.lower())
    assert (folders[0] / pasted).is_file()

    # Deleted only after a question; what was not uploaded cannot be.
    assert documents.locator("tbody tr", has_text="bridge.md").get_by_role("button", name="Delete").count() == 0
    for is_sure in (False, True):
        documents.locator("tbody tr", has_text=pasted).get_by_role("button", name="Delete").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete" if is_sure else "Cancel").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert is_sure or (folders[0] / pasted).is_file()
    expect_paths(documents, "broken.pdf", "added/pier.txt", "added/quay.txt", "bridge.md", "ferry.md")
    assert not (folders[0] / pasted).exists()


def test_what_is_refused_says_why(documents: Any) -> None:
    from playwright.sync_api import expect

    documents.locator("input[type=file]").set_input_files(
        files=[{"name": "game.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ\x90\x00" + bytes(400)}]
    )
    expect(documents.locator(".sending .wrong")).to_contain_text("game.exe", timeout=SECONDS_30)


def test_a_document_of_the_list_opens_at_its_beginning(page: Any, documents: Any) -> None:
    from playwright.sync_api import expect

    documents.get_by_role("button", name="The ferry", exact=True).click()
    expect(page.locator("#viewer h2").first).to_have_text("The ferry")
    expect(page.locator("#viewer article")).to_contain_text("leaves at six in the morning", timeout=SECONDS_30)
    assert "ferry.md" in page.locator("#viewer .facts").inner_text()
    assert page.locator("#viewer mark").count() == 0


def test_only_what_is_chosen_is_asked(page: Any, documents: Any) -> None:
    from playwright.sync_api import expect

    documents.locator("tbody tr", has_text="bridge.md").get_by_role("button", name="Ask only this").click()
    expect(page.locator("#scope li")).to_contain_text("bridge.md")
    assert "nine crowns" not in ask(page, "What does a ticket for the ferry cost?")
    page.locator("#scope").get_by_role("button", name="Remove bridge.md").click()
    expect(page.locator("#scope li")).to_have_count(0)
    assert "nine crowns" in ask(page, "What does a ticket for the ferry to Holm cost?")


def test_each_library_is_asked_and_chosen_by_keyboard(page: Any, documents: Any) -> None:
    from playwright.sync_api import expect

    page.get_by_role("tab", name="Conversation").click()
    opener = page.locator("#scope .opener")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("A folder, a file, or a pattern such as *.pdf")).to_be_focused()
    dialog.get_by_label("Library").focus()
    page.keyboard.press("End")
    dialog.get_by_role("button", name="mill.md", exact=True).focus()
    page.keyboard.press("Enter")
    expect(dialog.locator(".taken li")).to_contain_text("mill.md")
    dialog.get_by_role("button", name="Done").focus()
    page.keyboard.press("Enter")
    expect(opener).to_be_focused()
    expect(page.locator("#scope li")).to_contain_text("mill.md")
    assert "Greta Lund" in ask(page, "Who built the mill of Orsk?")
    expect(page.locator("#viewer mark.chosen")).to_contain_text("Greta Lund")

    # Escape leaves all as it is.
    opener.focus()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Remove mill.md").click()
    page.keyboard.press("Escape")
    expect(page.locator("#scope li")).to_contain_text("mill.md")
