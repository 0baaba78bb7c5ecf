"""Answers to take away: as Markdown with footnotes, as one HTML file, as JSON.

Each footnote has the exact words, where they stand, and the hash of the file that they were read from, where that is
known. The HTML file holds all that it needs: it loads nothing, and runs nothing. But: line ends within a quotation are
spaces in Markdown, whose footnotes are lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape, unescape

from assistant.answers import Answer, AnswerSentence, Citation
from assistant.notices import describe_doubt
from assistant.serving.page.assets import read_asset
from assistant.serving.page.strings import say
from assistant.showing.body import find_date, list_notes, show_body, show_where
from assistant.showing.markdown import escape_text, to_attribute

VERSION = 1  # of the JSON
LONGEST_NAME = 60  # characters of a file's name
LONGEST_PATH = 5000  # of the path in a footnote, by which it can be verified: longer than any

Hashes = Mapping[str, str]  # of documents by their ids: SHA-256 in hexadecimal

_FENCE = re.compile(r"(`{3,})[^`]*+\Z")
_FORMULA = re.compile("\ufdd0(?P<in_line>[^\ufdd0\ufdd1]*+)\ufdd1|\ufdd2(?P<by_itself>[^\ufdd2\ufdd3]*+)\ufdd3")
# What the page's Markdown holds of HTML and entities.
_SHOWN = re.compile(
    r'<sup><a href="#note-(?P<note>\d+)"[^>]*>\d+</a></sup>|<span class="chips">|</span>'
    r'|<small class="doubt"> \((?P<doubt>[^<]*)\)</small>|(?P<strong></?strong>)'
    r'|(?:(?P<block><div class="code_wrap">)<button[^>]*>(?:<span[^>]*></span>)*</button><pre>)?'
    r"<code>(?P<code>[^<]*)</code>(?:</pre></div>)?"
    rf"|{_FORMULA.pattern}|&#(?P<number>\d+);|&(?P<name>lt|gt|amp);"
)


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
    cited = {c.document_id: _find_hash(c, hashes) for answer in answers for c in answer.citations}
    known = {document: content_hash for document, content_hash in sorted(cited.items()) if content_hash}
    exchanges = [json.loads(answer.to_json()) for answer in answers]
    content = {"version": VERSION, "exchanges": exchanges, "content_hashes": known}
    return json.dumps(content, ensure_ascii=False, indent=2)


def export_markdown(answers: Sequence[Answer], hashes: Hashes = {}) -> str:  # noqa: B006
    """The answers as Markdown, each marker a footnote, "[^1]", numbered through; of several each with its question."""
    parts: list[str] = []
    for first, answer in _number(answers):
        if len(answers) > 1:
            parts.append(f"## {_write_text(' '.join(answer.question.split()))}")
        parts.append(_write(_show(answer, first)))
        if notes := " · ".join(map(_write_text, list_notes(answer))):
            parts.append(f"*{notes}*")
    footnotes = [
        f"[^{first + citation.number}]: {_write_text(' — '.join(_describe(citation, answer, hashes)))}"
        for first, answer in _number(answers)
        for citation in answer.citations
    ]
    return "\n\n".join([*parts, *(["\n".join(footnotes)] if footnotes else [])]) + "\n"


def export_html(answers: Sequence[Answer], hashes: Hashes = {}) -> str:  # noqa: B006
    """The answers as one HTML file, with links between the text and its footnotes."""
    from markdown_it import MarkdownIt

    # What it is given is made for the page: no HTML in it is anyone else's.
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parts, footnotes = [], []
    for first, answer in _number(answers):
        notes = "".join(f'<p class="notes">{escape(note)}</p>' for note in list_notes(answer))
        shown = _FORMULA.sub(_show_formula, _show(answer, first))
        parts.append(f"<article><h2>{escape(answer.question)}</h2>\n{parser.render(shown)}{notes}</article>")
        footnotes += [_show_footnote(first, citation, answer, hashes) for citation in answer.citations]
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


def _number(answers: Sequence[Answer]) -> Iterator[tuple[int, Answer]]:
    """Each answer, with how many footnotes stand before its own."""
    first = 0
    for answer in answers:
        yield first, answer
        first += len(answer.citations)


def _show(answer: Answer, first: int) -> str:
    """What an answer says, as the page's Markdown, with links to footnotes."""
    cited: set[int] = set()

    def chip(number: int, sentence: AnswerSentence | None) -> str:
        # A footnote leads back to where it is first cited.
        place = "" if number in cited else f' id="text-{first + number}"'
        cited.add(number)
        return f'<sup><a href="#note-{first + number}"{place}>{first + number}</a></sup>'

    def doubt(sentence: AnswerSentence) -> str:
        told = describe_doubt(sentence)
        return f'<small class="doubt"> ({to_attribute(told)})</small>' if told else ""

    return show_body(answer, chip, doubt)


def _show_formula(found: re.Match[str]) -> str:
    """A formula as it was written: the file draws none."""
    return f"<code>{to_attribute(unescape(found['in_line'] or found['by_itself'] or ''))}</code>"


def _describe(citation: Citation, answer: Answer, hashes: Hashes) -> list[str]:
    """A footnote in text: the words, and where they stand."""
    where = [citation.title, show_where(citation, find_date(citation, answer), LONGEST_PATH)]
    if citation.kind == "words":
        where.append(say("exporting.characters", start=citation.start, end=citation.end))
    if content_hash := _find_hash(citation, hashes):
        where.append(say("exporting.hash", hash=content_hash))
    quote = [f"“{' '.join(citation.quote.split())}”"] if citation.quote else []
    return [*quote, ", ".join(" ".join(part.split()) for part in where if part)]


def _find_hash(citation: Citation, hashes: Hashes) -> str:
    """The hash of the file as it was when it was cited; of answers that do not say, as it is on record now."""
    return citation.content_hash or hashes.get(citation.document_id, "")


def _show_footnote(first: int, citation: Citation, answer: Answer, hashes: Hashes) -> str:
    number = first + citation.number
    *_, where = _describe(citation, answer, hashes)
    quote = f"<blockquote>{escape(citation.quote)}</blockquote>" if citation.quote else ""
    back = f'<a href="#text-{number}" title="{escape(say("exporting.back"))}">↩</a>'
    return f'<li id="note-{number}" value="{number}">{quote}<p>{escape(where)} {back}</p></li>'


def _write_text(text: str) -> str:
    """Text as Markdown that a person would write, in one line."""
    return _write(escape_text(" ".join(text.split())))


def _write(markdown: str) -> str:
    """The page's Markdown as a person would write it: no HTML, no entities, and still nothing live in it."""
    parts, place = [], 0
    for start, end in _find_fenced(markdown):
        parts += [_SHOWN.sub(_write_piece, markdown[place:start]), markdown[start:end]]
        place = end
    return "".join([*parts, _SHOWN.sub(_write_piece, markdown[place:])])


def _find_fenced(markdown: str) -> Iterator[tuple[int, int]]:
    """Where the blocks of code stand that are closed as they were opened."""
    place = start = 0
    closing = ""
    for line in markdown.split("\n"):
        if closing and line == closing:
            yield start, place + len(closing)
            closing = ""
        elif not closing and (fence := _FENCE.match(line)):
            start, closing = place, fence[1]
        place += len(line) + 1


def _write_piece(found: re.Match[str]) -> str:
    if found["note"]:
        return f"[^{found['note']}]"
    if found["strong"]:
        return "**"
    if found["doubt"]:
        return f" *({_write_text(unescape(found['doubt']))})*"
    if found["code"] is not None:
        return _write_code(unescape(found["code"]), found)
    if found["in_line"]:
        return f"${unescape(found['in_line'])}$"
    if found["by_itself"]:
        return f"$${unescape(found['by_itself'])}$$"
    if not (found["number"] or found["name"]):
        return ""
    character = unescape(found[0])
    follows_www = character == "." and found.string[: found.start()].lower().endswith("www")
    begins_entity = character == "&" and re.match(r"#?\w+;", found.string[found.end() :])
    is_plain = character in "/@%:" or follows_www or (character == "&" and not begins_entity)
    return character if is_plain or not character.isascii() or character.isspace() else f"\\{character}"


def _write_code(code: str, found: re.Match[str]) -> str:
    marks = "`" * (max(map(len, re.findall("`+", code)), default=0) + 1)
    if found["block"]:
        marks = marks if len(marks) > 2 else "```"
        return f"{marks}\n{code}\n{marks}"
    line = found.string[found.string.rfind("\n", 0, found.start()) + 1 : found.start()]
    if line.lstrip().startswith("|"):
        code = code.replace("|", "\\|")
    space = " " if code[:1] in ("`", " ") or code[-1:] in ("`", " ") else ""
    return f"{marks}{space}{code}{space}{marks}"
