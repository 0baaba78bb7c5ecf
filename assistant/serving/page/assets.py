"""What the browser runs and how it looks: the files in assets/, joined."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from assistant.serving.page.strings import read_strings
from assistant.serving.served import Served

_FOLDER = Path(__file__).with_name("assets")
# Scripts of the whole page, in the order in which they run; those of one component are given to it.
_SCRIPTS = ("say.js", "tabs.js", "following.js", "chips.js", "viewer_text.js", "viewer_pages.js", "scrolled.js")


@cache
def read_asset(name: str) -> str:
    """One file of assets/."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def read_style() -> str:
    """The style sheets, joined, by name."""
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(_FOLDER.glob("*.css")))


def read_head(served: Served) -> str:
    """The frame and the scripts for the head of the page, as HTML, with all strings and what they should know."""
    facts = {"libraries": [*served.libraries], "uploads": _describe_uploads(served), "is_local": served.is_local}
    told = json.dumps({"strings": read_strings(), "served": facts}).replace("<", "\\u003c")
    scripts = (f"window.footnote = {told};", *map(read_asset, _SCRIPTS))
    style = f"<style>\n{read_asset('head/frame.css')}\n</style>"
    return "\n".join([style, *(f"<script>\n{script}\n</script>" for script in scripts)])


def _describe_uploads(served: Served) -> dict[str, str] | None:
    """The library that uploads go to, and how the paths of its documents begin that lie in the folder for them."""
    for name, library in served.libraries.items():
        if served.uploads and (served.uploads == library.folder or library.folder in served.uploads.parents):
            inner = served.uploads.relative_to(library.folder).as_posix()
            return {"library": name, "prefix": "" if inner == "." else f"{inner}/"}
    return None
