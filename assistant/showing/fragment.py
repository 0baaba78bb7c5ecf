"""An answer as HTML: text with markers, footnotes that open. It loads and runs nothing, and nothing in it is live.

Its colours are those of what it stands in, light or dark.
"""

from __future__ import annotations

import re
import secrets
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any

from assistant.answers import Answer, Citation
from assistant.showing.body import list_notes
from assistant.showing.footnotes import Hashes, describe, describe_nearest, mark
from assistant.showing.markdown import FORMULA, to_attribute
from index.errors import InputError
from index.settings import shorten


def to_html(answer: Answer, key: str | None = None) -> str:
    """An answer as a piece of a page, with its own style.

    key: letters, digits, "-" and "_" that tell its links from those of other answers on the page; by default by chance.
    Raises InputError where it holds anything else.
    """
    key = secrets.token_hex(4) if key is None else key
    if not isinstance(key, str) or not re.fullmatch(r"[\w-]{1,100}", key, re.ASCII):
        raise InputError(f"The key is {shorten(key)}: give letters, digits, “-” and “_”.")
    said, footnotes = show(answer, key=f"{key}-", opens=True)
    sources = f'<ol class="sources">{"".join(footnotes)}</ol>' if footnotes else ""
    return f'<div class="footnote-answer"><style>\n{_read_look()}</style>\n{said}{sources}</div>'


def show(
    answer: Answer,
    first: int = 0,
    *,
    key: str = "",
    hashes: Hashes = {},  # noqa: B006 - it is not changed
    see: str = "",
    opens: bool = False,
) -> tuple[str, list[str]]:
    """What an answer says, and its footnotes, items of a list. first: how many footnotes stand before them.

    key: what their links begin with. see: as for `assistant.showing.body.list_notes`. opens: whether footnotes are
    closed at first.
    """
    shown = _open_parser().render(FORMULA.sub(_show_formula, mark(answer, first, key)))
    if nearest := [_show_nearest(*place) for place in describe_nearest(answer)]:
        shown += f"<p>The nearest passages:</p>\n<ul>{''.join(nearest)}</ul>\n"
    notes = "".join(f'<p class="notes">{escape(note)}</p>' for note in list_notes(answer, see))
    return f"{shown}{notes}", [_show_footnote(first, key, c, answer, hashes, opens) for c in answer.citations]


@cache
def _open_parser() -> Any:
    from markdown_it import MarkdownIt

    # What it is given is made here: no HTML in it is anyone else's.
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@cache
def _read_look() -> str:
    return Path(__file__).with_name("look.css").read_text(encoding="utf-8")


def _show_formula(found: re.Match[str]) -> str:
    """A formula as it was written: nothing draws one."""
    return f"<code>{to_attribute(unescape(found['in_line'] or found['by_itself'] or ''))}</code>"


def _show_nearest(quote: str, where: str) -> str:
    return f'<li>“{escape(quote)}” <small class="where">{escape(where)}</small></li>'


def _show_footnote(first: int, key: str, citation: Citation, answer: Answer, hashes: Hashes, opens: bool) -> str:
    number = first + citation.number
    described = describe(citation, answer, hashes)
    path = f'<code class="path">{escape(described.path)}</code>' if described.path else ""
    where = ", ".join(filter(None, (escape(described.title), path, escape(described.within))))
    back = f'<a href="#text-{key}{number}" title="Back to the text">↩</a>'
    quote = f"<blockquote>{escape(citation.quote)}</blockquote>" if citation.quote else ""
    if opens and quote:  # by itself, where a link leads to what is within
        inner = f'<blockquote id="note-{key}{number}">{quote.removeprefix("<blockquote>")}'
        return f'<li value="{number}"><details><summary>{where}</summary>{inner}{back}</details></li>'
    return f'<li id="note-{key}{number}" value="{number}">{quote}<p class="where">{where} {back}</p></li>'
