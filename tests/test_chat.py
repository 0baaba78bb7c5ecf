"""The chat as a person meets it: a real server, a real headless Chromium, the sample folder."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from openai_server import Fault, OpenAIServer

from assistant.serving.page.conversing import converse, to_messages
from assistant.serving.page.header import describe_mode
from index.library import finish, open_library
from index.settings import Settings, sample_folder

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
if CHROMIUM is None and os.environ.get("FOOTNOTE_REQUIRE_BROWSER"):
    raise RuntimeError("FOOTNOTE_REQUIRE_BROWSER is set, but there is no Chromium: apt-get install chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")


@contextmanager
def serving(folder: Path | None = None, *options: str, **environment: str) -> Iterator[str]:
    """A chat in a process of its own; gives its address."""
    command = [sys.executable, str(ROOT / "app.py"), *([str(folder)] if folder else []), "--port", "7960", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}, cwd=ROOT)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, f"the chat said {line!r}"
        yield address.group()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        if process.stdout:
            process.stdout.close()
    assert process.returncode == 0


@contextmanager
def browsing(address: str) -> Iterator[tuple[Any, list[str]]]:
    """A page open at the address, and the list of what it asked of anyone else."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        outside: list[str] = []
        page.on(
            "request",
            lambda r: r.url.startswith((address.partition("/?")[0], "data:", "blob:")) or outside.append(r.url),
        )
        page.on("dialog", lambda dialog: (outside.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.goto(address)
        page.wait_for_selector("#question textarea")
        yield page, outside
        browser.close()


def ask(page: Any, question: str) -> str:
    """Ask in the page, wait for the answer, give its text."""
    from playwright.sync_api import expect

    before = page.locator("#conversation [data-testid=bot]").count()
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")
    answer = page.locator("#conversation [data-testid=bot]").nth(before)
    expect(answer).to_contain_text(
        re.compile(r"Quoted from|Written by|do not say|is empty|characters long"), timeout=30_000
    )
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    return str(answer.inner_text())


@pytest.mark.browser
@needs_chromium
def test_the_main_job_in_the_browser(tmp_path: Path) -> None:
    from playwright.sync_api import expect

    with serving() as address, browsing(address) as (page, outside):
        assert "Answers are quotations" in page.inner_text("header.head")
        assert "8 documents" in page.inner_text("header.head")

        # Asking gives a quotation with its marker.
        assert "economic diplomacy with the Gulf monarchies" in ask(page, "why was Israel skipped?")
        chosen = page.locator("#viewer mark.chosen")
        expect(chosen).to_contain_text("Trump skipped Israel because")
        quote = chosen.inner_text()
        assert "gulf-tour.md" in page.inner_text("#viewer")

        # A follow-up is searched with what it leans on.
        assert "Searched for: Who criticised it? Israel skipped" in ask(page, "Who criticised it?")
        expect(chosen.first).to_contain_text("Lapid")

        # A click on the first answer's marker brings its source back, chosen and highlighted.
        page.locator('#conversation a[href="#cite-0-1"]').click()
        expect(chosen).to_have_text(quote)
        assert chosen.evaluate(CONTRAST) >= 4.5

        # The same by keyboard.
        page.locator('#conversation a[href="#cite-1-1"]').focus()
        page.keyboard.press("Enter")
        expect(chosen.first).to_contain_text("Lapid")

        # What the documents do not say is not made up, and bad input leaves the chat standing.
        assert "The documents do not say." in ask(page, "What is the population of Qatar?")
        assert "Nearest passages" in page.inner_text("#viewer")
        assert "The question is empty" in ask(page, "?!")
        assert "characters long" in ask(page, "why " * 25_000)
        assert "all our eggs in one basket" in ask(page, "What did Amit Segal say?")
        assert outside == []


@pytest.mark.browser
@needs_chromium
def test_a_hostile_document_is_shown_as_text_and_does_nothing(tmp_path: Path) -> None:
    hostile = (
        "The zebra password is swordfish <img src=x onerror=alert(1)> ![p](http://127.0.0.1:9/leak.png) "
        "${alert(2)} {{alert(3)}} <script>alert(4)</script> [c](javascript:alert(5)) $$x$$ `code`."
    )
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "<b>bold<%2fb>.txt").write_text(f"Notes on zebras\n\n{hostile} Another sentence about the zebra follows.")
    with serving(folder) as address, browsing(address) as (page, outside):
        assert hostile.split(" ![")[0] in ask(page, "What is the zebra password?")
        page.locator("#viewer mark.chosen").first.wait_for()
        assert hostile in page.locator("#viewer article").inner_text()
        assert page.locator("#conversation [data-testid=bot] img, #viewer img, #viewer script").count() == 0
        assert outside == []


CODE = [
    "pip install 'httpx[http2]' \"$input\" && curl https://a.example/x?a=1&b=<2> # `not` ![x](http://a.example/x)",
    'if rows[3] != x and a < b:\n    print(f"{x!r}\\n", \'\\\\path\', "$$y$$ &amp; %s" % [1])\n\n    <img src=x>',
    "all:\n\tcc -o x 'x.c'",
    "```\n$x^2$ www.a.example\n```",
]
IN_LINE = "https://a.example/?b=1&c=<d> != $input rows[3] \\d httpx[http2] www.a.example a@a.example"
WRITTEN = f"""## About `pip`

The tour took three days [1], see `{IN_LINE}`.

1. So:
   ```sh
   {CODE[0]}
   ```
2. Or:

```python
{CODE[1]}
```

> Quoted:
> ```mermaid
> graph TD
> ```

| call | formula |
|---|---|
| `a \\| b` | $x^2 \\le y$ |

\\[ \\frac{{1}}{{2}} \\] $$\\href{{http://a.example}}{{x}}$$ costs $5 or $6. ![x](http://a.example/y.png) <img src=x>

```make
{CODE[2]}
```

````toString
{CODE[3]}
````

```html
<script>alert(1)</script>"""


# Of an element's text with what it stands on, by WCAG 2.1.
CONTRAST = """element => {
  const parse = color => color.match(/[0-9.]+/g).map(Number);
  const luminance = color => color.slice(0, 3).map(part => part / 255)
    .map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [.2126, .7152, .0722][place], 0);
  const text = parse(getComputedStyle(element).color);
  let opacity = 1, ground = null;
  for (let at = element; at && !ground; at = at.parentElement) {
    const style = getComputedStyle(at), color = parse(style.backgroundColor);
    if (color[3] !== 0) ground = color; else opacity *= Number(style.opacity);
  }
  const mixed = text.slice(0, 3).map((part, place) => part * opacity + ground[place] * (1 - opacity));
  const [dark, light] = [luminance(mixed), luminance(ground)].sort((a, b) => a - b);
  return (light + .05) / (dark + .05);
}"""


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_code_is_copied_as_it_was_written_and_formulas_are_drawn(tmp_path: Path, theme: str) -> None:
    with (
        OpenAIServer(lambda request: WRITTEN, delta_characters=40) as model,
        serving(FOOTNOTE_STORE=str(tmp_path), OPENAI_BASE_URL=model.base_url, FOOTNOTE_MODEL="m") as address,
        browsing(f"{address}/?__theme={theme}") as (page, outside),
    ):
        ask(page, "why was Israel skipped?")
        page.wait_for_timeout(1000)  # what is drawn comes later than what is written
        answer = page.locator("#conversation [data-testid=bot]").last
        blocks = answer.locator("pre code").evaluate_all("all => all.map(e => e.textContent.replace(/\\n$/, ''))")
        assert blocks == [*CODE[:2], "graph TD", *CODE[2:], "<script>alert(1)</script>"]
        in_line = answer.locator("code:not(pre code)").evaluate_all("all => all.map(e => e.textContent)")
        assert in_line == ["pip", IN_LINE, "a | b"]
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        for place, code in enumerate(blocks):
            answer.locator(".copy_code_button").nth(place).click()
            assert page.evaluate("navigator.clipboard.readText()") == code.strip()
        assert answer.locator(".katex").count() == 2
        assert answer.locator(".katex-error").count() == 0
        assert "costs $5 or $6. ![x](http://a.example/y.png) <img src=x>" in answer.inner_text()
        assert "$$\\href{http://a.example}{x}$$" in answer.inner_text()
        # What is quiet, notes and drafts, can still be read.
        assert answer.locator("small").evaluate(CONTRAST) >= 4.5
        live = "img, script, iframe, .mermaid, .latex-block, a:not([href^='#'])"
        assert answer.locator(live).count() == 0
        assert outside == []


@pytest.mark.browser
@needs_chromium
def test_stopping_and_asking_on_in_the_browser(tmp_path: Path) -> None:
    with (
        OpenAIServer(Fault.ENDLESS, "Trump skipped Israel because of economic diplomacy [1].") as model,
        serving(FOOTNOTE_STORE=str(tmp_path), OPENAI_BASE_URL=model.base_url, FOOTNOTE_MODEL="m") as address,
        browsing(address) as (page, outside),
    ):
        page.locator("#question textarea").fill("why was Israel skipped?")
        page.locator("#question textarea").press("Enter")
        # What is typed meanwhile stays in its box.
        page.get_by_role("button", name="Stop").wait_for(timeout=20_000)
        page.locator("#question textarea").fill("And who is it?")
        page.locator("#question textarea").press("Enter")
        page.wait_for_timeout(1000)
        assert page.locator("#question textarea").input_value() == "And who is it?"
        assert page.locator("#conversation [data-testid=user]").count() == 1
        with page.expect_response(lambda reply: reply.url.endswith("/cancel"), timeout=60_000):
            page.get_by_role("button", name="Stop").click(timeout=20_000)
        answer = page.locator("#conversation [data-testid=bot]").last
        answer.get_by_text("Stopped.").wait_for()
        # What the server remembers of the conversation is what is shown.
        assert "economic diplomacy" in ask(page, "And why was Israel skipped?")
        assert page.locator("#conversation [data-testid=user]").count() == 2
        assert page.locator("#conversation [data-testid=bot]").first.inner_text().strip() != ""
        assert outside == []


def test_the_server_sends_its_headers_and_serves_no_files() -> None:
    with serving() as address:
        with urllib.request.urlopen(f"{address}/healthz") as response:
            assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
            assert response.read() == b'{"status":"ok"}'
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/gradio_api/file=/etc/passwd")
        assert refused.value.code == 404
        refused.value.close()


def test_a_taken_port_is_passed_over() -> None:
    with serving() as first, serving() as second:
        assert first != second


def test_the_mode_is_told_in_one_line(settings: Settings) -> None:
    from dataclasses import replace

    assert describe_mode(settings) == "Answers are quotations; no language model is used"
    assert describe_mode(replace(settings, api_key="k", model="some-model")) == "Answers are written by some-model"
    down = describe_mode(replace(settings, base_url="http://127.0.0.1:9/v1"))
    assert down.startswith("Answers are quotations for now. No connection to http://127.0.0.1:9/v1")


def test_a_turn_tells_progress_then_the_answer(settings: Settings) -> None:
    library = finish(open_library(sample_folder(), settings))
    started = time.monotonic()
    talks = list(converse("why was Israel skipped?", (), library))
    assert time.monotonic() - started < 30
    assert [message["role"] for message in to_messages(talks[-1])] == ["user", "assistant"]
    assert talks[-1][0].answer is not None
    assert all(talk[0].answer is None for talk in talks[:-1])
    assert any("Reading" in talk[0].reply for talk in talks[:-1])
