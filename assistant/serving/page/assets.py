"""What the browser runs and how it looks: the files in assets/, joined."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from assistant.serving.page.strings import read_strings

_FOLDER = Path(__file__).with_name("assets")
# Scripts of the whole page, in the order in which they run; those of one component are given to it.
_SCRIPTS = ("say.js", "tabs.js")


@cache
def read_asset(name: str) -> str:
    """One file of assets/."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def read_style() -> str:
    """The style sheets, joined, by name."""
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(_FOLDER.glob("*.css")))


def read_head(owner: str = "") -> str:
    """The scripts for the head of the page, with all strings, as HTML.

    owner: who is logged in, by whose name conversations are kept.
    """
    told = json.dumps({"strings": read_strings(), "owner": owner}).replace("<", "\\u003c")
    scripts = (f"window.footnote = {told};", *map(read_asset, _SCRIPTS))
    return "\n".join(f"<script>\n{script}\n</script>" for script in scripts)
