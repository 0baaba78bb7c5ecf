"""Answers to take away: as Markdown with footnotes, as one HTML file, as JSON.

The HTML file holds all that it needs: it loads nothing, and runs nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape

from assistant.answers import Answer
from assistant.serving.page.assets import read_asset
from assistant.serving.page.strings import say
from assistant.showing.footnotes import Hashes, find_hash
from assistant.showing.fragment import show
from assistant.showing.written import write, write_text

VERSION = 1  # of the JSON
LONGEST_NAME = 60  # characters of a file's name


def name_file(answers: Sequence[Answer], kind: str) -> str:
    """A name for a file of answers, by the first question. kind: "md", "html" or "json"."""
    words = "-".join(re.findall(r"\w+", answers[0].question if answers else ""))[:LONGEST_NAME].strip("-_")
    return f"{words or 'footnote'}.{kind}"


def export_kind(kind: str | None, answers: Sequence[Answer], hashes: Hashes) -> dict[str, str]:
    """Answers as a file for the browser: its name, its type and its text. kind: "html", "json", else Markdown."""
    if kind == "html":
        return {"name": name_file(answers, "html"), "type": "text/html", "text": export_html(answers, hashes)}
    if kind == "json":
        return {"name": name_file(answers, "json"), "type": "application/json", "text": export_json(answers, hashes)}
    return {"name": name_file(answers, "md"), "type": "text/markdown", "text": export_markdown(answers, hashes)}


def export_json(answers: Sequence[Answer], hashes: Hashes = {}) -> str:  # noqa: B006 - it is not changed
    """The answers with all their fields, as `Answer.to_json` gives them, and the hashes of the files cited."""
    cited = {c.document_id: find_hash(c, hashes) for answer in answers for c in answer.citations}
    known = {document: content_hash for document, content_hash in sorted(cited.items()) if content_hash}
    exchanges = [json.loads(answer.to_json()) for answer in answers]
    content = {"version": VERSION, "exchanges": exchanges, "content_hashes": known}
    return json.dumps(content, ensure_ascii=False, indent=2)


def export_markdown(answers: Sequence[Answer], hashes: Hashes = {}) -> str:  # noqa: B006
    """The answers as Markdown, each marker a footnote, "[^1]", numbered through; of several each with its question."""
    parts: list[str] = []
    footnotes: list[str] = []
    for answer in answers:
        said, notes = write(answer, len(footnotes), hashes, say("messages.see_documents"))
        asked = [f"## {write_text(' '.join(answer.question.split()))}"] if len(answers) > 1 else []
        parts += [*asked, *said]
        footnotes += notes
    return "\n\n".join([*parts, *(["\n".join(footnotes)] if footnotes else [])]) + "\n"


def export_html(answers: Sequence[Answer], hashes: Hashes = {}) -> str:  # noqa: B006
    """The answers as one HTML file, with links between the text and its footnotes."""
    parts: list[str] = []
    footnotes: list[str] = []
    for answer in answers:
        said, notes = show(answer, len(footnotes), hashes=hashes, see=say("messages.see_documents"))
        parts.append(f"<article><h2>{escape(answer.question)}</h2>\n{said}</article>")
        footnotes += notes
    title = escape(answers[0].question[:200] if answers else "Footnote")
    sources = f"<section><h2>{escape(say('exporting.sources'))}</h2><ol>{''.join(footnotes)}</ol></section>"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">"""
        f"<title>{title}</title>\n<style>\n{read_asset('exported/look.css')}</style></head>\n<body><main>"
        f"{''.join(parts)}\n{sources if footnotes else ''}"
        f"<footer>{escape(say('exporting.made'))}</footer></main></body></html>\n"
    )
