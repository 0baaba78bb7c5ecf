"""The pictures of the README: `python -m benchmarks.screenshots` takes them anew, over the sample folder.

In the page itself a question is asked and its first citation opened: in light, dark, and on a phone. It takes Chromium.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ("Why was Israel skipped?", "Who criticised it?")
WAITING_MILLISECONDS = 120_000  # the first question waits for the folder to be read
SETTLING_MILLISECONDS = 1_500  # for what slides, and the questions that are offered next


class Picture(NamedTuple):
    """What is taken: name of the file, colours, size of the window in pixels."""

    name: str
    theme: str
    width: int
    height: int


PICTURES = (
    Picture("chat-light.png", "light", 1280, 800),
    Picture("chat-dark.png", "dark", 1280, 800),
    Picture("chat-phone.png", "light", 390, 780),
)


@contextmanager
def serve(store: str) -> Iterator[str]:
    """The chat over the sample folder; gives its address."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "FOOTNOTE_"))}
    command = [sys.executable, str(ROOT / "app.py"), "--port", "7990", "--no-browser"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**variables, "FOOTNOTE_STORE": store}
    ) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            if address is None:
                raise SystemExit("The chat did not start; see what it says above.")
            yield address.group()
        finally:
            process.terminate()


def take(browser: Any, address: str, picture: Picture, folder: Path) -> Path:
    """Take one picture; gives its file."""
    page = browser.new_page(viewport={"width": picture.width, "height": picture.height})
    page.set_default_timeout(WAITING_MILLISECONDS)
    page.goto(f"{address}/?__theme={picture.theme}")
    for number, question in enumerate(QUESTIONS, 1):
        page.locator("#question textarea").fill(question)
        page.locator("#question textarea").press("Enter")
        page.locator("#conversation [data-testid=bot]").nth(number - 1).locator("a.retry").wait_for()
        page.get_by_role("button", name="Ask", exact=True).wait_for()
    page.locator("#suggestions button").first.wait_for()
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    page.locator(f'#conversation a[href="#cite-{len(QUESTIONS) - 1}-1"]').first.click()
    page.locator("mark.chosen").first.wait_for()
    page.mouse.move(picture.width - 2, 2)
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    file = folder / picture.name
    page.screenshot(path=file)
    page.close()
    return file


def main() -> None:
    """Take all pictures."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=ROOT / "docs", metavar="FOLDER", help="docs by default")
    folder: Path = parser.parse_args().into
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("There is no Chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory() as store, serve(store) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for picture in PICTURES:
            file = take(browser, address, picture, folder)
            print(f"{file}: {file.stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
