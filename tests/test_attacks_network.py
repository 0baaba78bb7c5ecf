"""Nothing leaves the machine: whom the browser and the server turn to while the page is used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from test_chat import CHROMIUM, ROOT, ask, needs_chromium, serving

RECORDER = Path(__file__).parent / "recorded"
HERE = {"127.0.0.1", "::1", "localhost"}


def read(file: Path) -> set[str]:
    """Whom a recorded process has turned to."""
    return {json.loads(line)[1] for line in file.read_text().splitlines()} if file.exists() else set()


def record(file: Path) -> dict[str, str]:
    """The environment of a process that is recorded."""
    return {"FOOTNOTE_RECORD": str(file), "PYTHONPATH": f"{RECORDER}{os.pathsep}{ROOT}"}


def test_the_recorder_sees_who_is_turned_to(tmp_path: Path) -> None:
    """In the process itself and in one that it starts, by name and by address, over TCP and UDP."""
    code = (
        "import socket, subprocess, sys\n"
        "try: socket.getaddrinfo('name.invalid', 80)\n"
        "except OSError: pass\n"
        "s = socket.socket(); s.settimeout(0.01)\n"
        "try: s.connect(('192.0.2.1', 80))\n"
        "except OSError: pass\n"
        "try: socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.2', 53))\n"
        "except OSError: pass\n"
        "a, b = socket.socketpair(); a.send(b'x')\n"
        "if len(sys.argv) < 2: subprocess.run([sys.executable, '-c', sys.argv[0] or '', 'child'])\n"
    )
    child = "import socket\ntry: socket.gethostbyname('child.invalid')\nexcept OSError: pass"
    code = code.replace("sys.argv[0] or ''", repr(child))
    environment = {**os.environ, **record(tmp_path / "record")}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, env=environment)
    assert read(tmp_path / "record") == {"name.invalid", "192.0.2.1", "192.0.2.2", "child.invalid"}


@pytest.mark.browser
@needs_chromium
def test_neither_browser_nor_server_turns_to_anybody_else(tmp_path: Path) -> None:
    """The page is opened, a question asked, a source shown, every tab looked at."""
    from playwright.sync_api import sync_playwright

    recorded = tmp_path / "record"
    environment = {"FOOTNOTE_STORE": str(tmp_path / "store"), **record(recorded)}
    # Where a name is looked up all the same, it is not found.
    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    asked: list[str] = []
    with serving(None, **environment) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        context = browser.new_context()
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("websocket", lambda opened: asked.append(opened.url))
        page.goto(address)
        page.wait_for_selector("#question textarea")
        assert "economic diplomacy" in ask(page, "why was Israel skipped?")
        page.locator('#conversation a[href="#cite-0-1"]').first.click()
        page.locator("#viewer mark").first.wait_for()
        for tab in page.get_by_role("tab").all():
            tab.click()
        browser.close()
    assert len(asked) > 20
    outside = [url for url in asked if not url.startswith(("data:", "blob:")) and urlsplit(url).hostname not in HERE]
    assert outside == []
    assert read(recorded) <= HERE
