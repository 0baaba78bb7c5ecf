"""Answers as Markdown that a person would write: no HTML, no entities, and still nothing live in it.

But: line ends within a quotation are spaces, since footnotes are lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from assistant.answers import Answer
from assistant.showing.body import list_notes
from assistant.showing.footnotes import Described, Hashes, describe, describe_nearest, mark
from assistant.showing.markdown import FORMULA, escape_text

_TAG, _COMMENT = re.compile("<(?=[A-Za-z/!?])"), re.compile("<(?=[!?])")
_FENCE = re.compile(r"(`{3,})[^`]*+\Z")
# What the page's Markdown holds of HTML and entities.
_SHOWN = re.compile(
    r'<sup><a href="#note-(?P<note>\d+)"[^>]*>\d+</a></sup>|<span class="chips">|</span>'
    r'|<small class="doubt"> \((?P<doubt>[^<]*)\)</small>|(?P<strong></?strong>)'
    r'|(?:(?P<block><div class="code_wrap">)<button[^>]*>(?:<span[^>]*></span>)*</button><pre>)?'
    r"<code>(?P<code>[^<]*)</code>(?:</pre></div>)?"
    rf"|{FORMULA.pattern}|&#(?P<number>\d+);|&(?P<name>lt|gt|amp);"
)


def to_markdown(answer: Answer) -> str:
    """An answer as Markdown, each marker a footnote, "[^1]"."""
    said, footnotes = write(answer)
    return "\n\n".join([*said, *(["\n".join(footnotes)] if footnotes else [])]) + "\n"


def write(
    answer: Answer,
    first: int = 0,
    hashes: Hashes = {},  # noqa: B006 - it is not changed
    see: str = "",
) -> tuple[list[str], list[str]]:
    """The paragraphs of an answer, and its footnotes, a line each. first: how many footnotes stand before them.

    see: as for `assistant.showing.body.list_notes`.
    """
    said = [_write(mark(answer, first))]
    if nearest := describe_nearest(answer):
        lines = (f"- {write_text(f'“{quote}” — {where}')}" for quote, where in nearest)
        said += ["The nearest passages:", "\n".join(lines)]
    if notes := " · ".join(map(write_text, list_notes(answer, see))):
        said.append(f"*{notes}*")
    footnotes = [
        f"[^{first + citation.number}]: {_write_described(describe(citation, answer, hashes))}"
        for citation in answer.citations
    ]
    return said, footnotes


def _write_described(described: Described) -> str:
    path = _to_code(described.path) if described.path else ""
    where = ", ".join(filter(None, (write_text(described.title), path, write_text(described.within))))
    return f"{write_text(described.quote)} — {where}" if described.quote else where


def write_text(text: str) -> str:
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
        return f" *({write_text(unescape(found['doubt']))})*"
    if found["code"] is not None:
        return _write_code(unescape(found["code"]), found)
    if found["in_line"]:
        return f"${_write_formula(found['in_line'])}$"
    if found["by_itself"]:
        return f"$${_write_formula(found['by_itself'])}$$"
    if not (found["number"] or found["name"]):
        return ""
    character = unescape(found[0])
    follows_www = character == "." and found.string[: found.start()].lower().endswith("www")
    begins_entity = character == "&" and re.match(r"#?\w+;", found.string[found.end() :])
    is_plain = character in "/@%:" or follows_www or (character == "&" and not begins_entity)
    return character if is_plain or not character.isascii() or character.isspace() else f"\\{character}"


def _write_formula(formula: str) -> str:
    """A formula without what Markdown would take for HTML: its own word stands for the sign."""
    written = unescape(formula)
    # A tag has an end, or a value in which that may stand later.
    return (_TAG if re.search("[>\"']", written) else _COMMENT).sub(r"\\lt ", written)


def _write_code(code: str, found: re.Match[str]) -> str:
    if found["block"]:
        marks = _find_marks(code)
        marks = marks if len(marks) > 2 else "```"
        return f"{marks}\n{code}\n{marks}"
    line = found.string[found.string.rfind("\n", 0, found.start()) + 1 : found.start()]
    if line.lstrip().startswith("|"):
        code = code.replace("|", "\\|")
    return _to_code(code)


def _to_code(code: str) -> str:
    """Code in line."""
    marks = _find_marks(code)
    space = " " if code[:1] in ("`", " ") or code[-1:] in ("`", " ") else ""
    return f"{marks}{space}{code}{space}{marks}"


def _find_marks(code: str) -> str:
    """Marks that stand nowhere in the code."""
    return "`" * (max(map(len, re.findall("`+", code)), default=0) + 1)
