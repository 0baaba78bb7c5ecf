"""What can be done in a conversation, in a real browser: ask again, edit, undo, copy, save; and how doubts look."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer
from test_chat import browsing, needs_chromium, serving

from assistant.answers import Answer

pytestmark = [pytest.mark.browser, needs_chromium]

REPLY = "The tour took three days. Trump skipped Israel [1]. It was <b>hot</b> there.\n\n- One `x[1]` [2]\n- Two\n"
SECONDS_30 = 30_000


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One page, with answers that a scripted model writes."""
    store = str(tmp_path_factory.mktemp("store"))
    with (
        OpenAIServer(lambda request: REPLY, delta_characters=12) as model,
        serving(FOOTNOTE_STORE=store, FOOTNOTE_CHECK="words", OPENAI_BASE_URL=model.base_url, FOOTNOTE_MODEL="m") as at,
        browsing(at) as (page, outside),
    ):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield page
        assert outside == []


@pytest.fixture
def page(opened: Any) -> Any:
    """The page, with one question that is answered."""
    if not answers(opened).count():
        ask(opened, "Why was Israel skipped? R&D_x [1] <i>", seconds=150)  # the folder is read first
    return opened


def ask(page: Any, question: str, seconds: int = 60) -> None:
    """Ask in the page, and wait until the answer is over."""
    from playwright.sync_api import expect

    before = answers(page).count()
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")
    expect(answers(page)).to_have_count(before + 1, timeout=SECONDS_30)
    wait_until_over(page, seconds)


def wait_until_over(page: Any, seconds: int = 60) -> None:
    from playwright.sync_api import expect

    expect(answers(page).last.locator("a.retry")).to_have_count(1, timeout=1000 * seconds)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible(timeout=SECONDS_30)


def questions(page: Any) -> list[str]:
    shown = page.locator("#conversation [data-testid=user]").all_inner_texts()
    return [text.removesuffix("Edit").strip() for text in shown]


def answers(page: Any) -> Any:
    return page.locator("#conversation [data-testid=bot]")


def save(page: Any, button: Any) -> tuple[str, str]:
    """The name and the text of the file that a click gives."""
    with page.expect_download(timeout=SECONDS_30) as download:
        button.click()
    return download.value.suggested_filename, Path(download.value.path()).read_text(encoding="utf-8")


def test_doubts_are_marked_where_they_stand_and_chips_carry_their_verdict(page: Any) -> None:
    answer = answers(page).first
    chip = answer.locator("a.chip").first
    assert re.fullmatch(r"chip (supported|partial|unsupported|off_topic|unchecked)( lit)?", chip.get_attribute("class"))
    doubts = answer.locator(".doubt")
    assert doubts.count() >= 1
    # The reason is there for those who hear the page, and takes no room.
    reason = answer.locator(".reason").first
    assert reason.text_content().strip().startswith("(")
    assert reason.bounding_box()["width"] <= 1
    assert answer.locator("b, i").count() == 0


def test_an_answer_is_copied_as_markdown_with_footnotes(page: Any) -> None:
    from playwright.sync_api import expect

    answers(page).first.locator("a.copy").click()
    expect(page.locator("#acts .told")).to_contain_text("Copied", timeout=SECONDS_30)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"Trump skipped Israel \[\^\d\]", copied)
    assert re.search(r"\n- One `x\[1\]` \[\^\d\]", copied)
    note = r"^\[\^1\]: “.+” — .+, `gulf-tour\.md`, .*SHA-256 of the file: [0-9a-f]{64}$"
    assert re.search(note, copied, re.MULTILINE)
    assert "\\<b\\>hot\\</b\\>" in copied


def test_an_answer_is_saved_as_one_page(page: Any) -> None:
    name, text = save(page, answers(page).first.locator("a.share"))
    assert name == "Why-was-Israel-skipped-R-D_x-1-i.html"
    assert text.startswith("<!DOCTYPE html>")
    assert "<script" not in text and "<b>" not in text
    assert 'href="#note-1"' in text and 'id="note-1"' in text


def test_the_conversation_is_saved_in_three_forms(page: Any) -> None:
    menu = page.locator("#acts")
    saved = {}
    for kind in ("Markdown", "Web page", "JSON"):
        menu.locator("summary").click()
        name, saved[kind] = save(page, menu.get_by_role("button", name=kind, exact=True))
        assert name.startswith("Why-was-Israel-skipped")
    exchanges = json.loads(saved["JSON"])["exchanges"]
    assert [Answer.from_json(json.dumps(exchange)).question for exchange in exchanges] == questions(page)
    assert "[^1]:" in saved["Markdown"]


def test_an_answer_is_asked_for_again_and_a_question_is_edited_or_taken_back(page: Any) -> None:
    from playwright.sync_api import expect

    box = page.locator("#question textarea")
    first, second = questions(page)[0], "And who criticised it?"
    ask(page, second)
    assert questions(page) == [first, second]

    # The last answer is asked for again, in place of what was there.
    answers(page).last.locator("a.retry").focus()
    page.keyboard.press("Enter")
    expect(answers(page).last.locator("a.retry")).to_have_count(0, timeout=SECONDS_30)
    wait_until_over(page)
    assert questions(page) == [first, second]

    # A question comes into the box as it was typed; Escape leaves all as it is.
    page.locator("#conversation a.edit").first.click()
    expect(box).to_have_value(first, timeout=SECONDS_30)
    expect(page.locator("#question")).to_contain_text("Question 1, asked anew")
    box.press("Escape")
    expect(box).to_have_value("", timeout=SECONDS_30)
    expect(page.locator("#question")).to_contain_text("Your question")
    assert questions(page) == [first, second]

    # Undo takes the last turn back, and gives its question to type on.
    answers(page).last.locator("a.undo").click()
    expect(answers(page)).to_have_count(1, timeout=SECONDS_30)
    expect(box).to_have_value(second)

    # What is edited is asked anew, and what followed is gone.
    ask(page, second)
    page.locator("#conversation a.edit").first.click()
    expect(box).to_have_value(first, timeout=SECONDS_30)
    box.fill("Who leaves out Israel?")
    box.press("Enter")
    expect(answers(page)).to_have_count(1, timeout=SECONDS_30)
    wait_until_over(page)
    assert questions(page) == ["Who leaves out Israel?"]
