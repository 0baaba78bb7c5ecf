"""Choosing who writes the answers, in the page: tried, kept, used at once, and the key never shown again."""

from pathlib import Path

import pytest
from openai_server import OpenAIServer
from test_chat import ask, browsing, needs_chromium, serving


@pytest.mark.browser
@needs_chromium
def test_a_model_is_chosen_tried_and_used(tmp_path: Path) -> None:
    from playwright.sync_api import expect

    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "FOOTNOTE_STORE": str(tmp_path / "store")}
    with OpenAIServer(lambda request: "Trump skipped Israel [1].") as model:
        with serving(**environment) as address, browsing(address) as (page, outside):
            page.get_by_role("button", name="Answers are quotations").click()
            page.get_by_label("A server of yours").click()
            page.locator("#writer-address input").fill(model.base_url)
            page.keyboard.press("Enter")
            status = page.locator("#writer-status")
            expect(status).to_contain_text(f"then go to {model.base_url}", timeout=20_000)
            page.locator("#writer-key input").fill("a-secret-key")
            page.locator("#writer-test").click()
            expect(status).to_contain_text("scripted-model answers", timeout=20_000)
            page.locator("#writer-save").click()
            expect(status).to_contain_text("Saved. Answers are written by scripted-model.", timeout=20_000)
            expect(page.locator("#header")).to_contain_text("Answers are written by scripted-model", timeout=20_000)
            page.get_by_role("tab", name="Conversation").click()
            assert "Trump skipped Israel" in ask(page, "Why was Israel skipped?")
            assert model.chats[-1].key == "a-secret-key"

            # What was chosen is there again, and of the key only that there is one.
            page.reload()
            page.get_by_role("tab", name="Settings").click()
            expect(page.locator("#writer-address input")).to_have_value(model.base_url, timeout=20_000)
            assert page.locator("#writer-key input").input_value() == ""
            assert "a-secret-key" not in page.content()
            assert outside == []
        with serving(**environment) as address, browsing(address) as (page, _):
            expect(page.locator("#header")).to_contain_text("Answers are written by scripted-model", timeout=20_000)
