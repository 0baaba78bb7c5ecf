"""Answers to take away: footnotes with the exact words, in files in which nothing is live."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from test_page import HOSTILE, PIECES, make_answer

from assistant.answers import Answer, AnswerSentence
from assistant.serving.page.exporting import (
    VERSION,
    export_html,
    export_json,
    export_kind,
    export_markdown,
    name_file,
)

HASH = "ab" * 32
# NUL is none in Markdown, and the page keeps some characters for itself.
OURS = {ord(c): "\ufffd" for c in "\0\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4\ufdd5"}
texts = st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"]), max_size=30).map("".join)
TAGS = set(
    "html head meta title style body main article section footer h1 h2 h3 h4 h5 h6 p a sup small span strong em s "
    "code pre ol ul li blockquote table thead tbody tr th td hr br div button".split()
)
ATTRIBUTES = set("lang charset name content http-equiv id href title class value start style".split())


class Read(HTMLParser):
    """An exported file as a browser reads it: its tags, its attributes, and the quotations in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.quotes: list[str] = []
        self._in_sources = self._in_quote = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self._in_sources |= tag == "section"
        if tag == "blockquote" and self._in_sources:
            self._in_quote = True
            self.quotes.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_quote &= tag != "blockquote"

    def handle_data(self, data: str) -> None:
        if self._in_quote:
            self.quotes[-1] += data


def read_page(page: str) -> Read:
    """What is read of a file, in which nothing is live."""
    read = Read(page)
    assert read.tags <= TAGS
    names = {name for name, _ in read.attributes}
    assert names <= ATTRIBUTES
    assert all(re.fullmatch(r"#(?:note|text)-\d+", value or "") for name, value in read.attributes if name == "href")
    assert all(re.fullmatch(r"text-align:\w+", value or "") for name, value in read.attributes if name == "style")
    return read


def find_foreign(markdown: str) -> list[str]:
    """What a reader of Markdown would make of it that is more than formatted text."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown)
    every = [*tokens, *(child for token in tokens for child in token.children or ())]
    return [token.content or token.type for token in every if re.match("html|link|image", token.type)]


def test_an_answer_becomes_markdown_with_footnotes() -> None:
    answer = make_answer(
        model="m", text="## So\n\nIt took `three[1]` **days** [1]. Not <b> [9]!\n\n```py\nx[1]\n```\n\n$x<y$"
    )
    answer = replace(
        answer, sentences=(AnswerSentence("It took `three[1]` **days**.", (1,), "partial", reason="it was 2"),)
    )
    assert export_markdown([answer], {"d": HASH}) == (
        "## So\n\nIt took `three[1]` **days** [^1] *(only in part borne out by what is cited: it was 2)*. "
        "Not \\<b\\> \\[9\\]!\n\n```py\nx[1]\n```\n\n$x<y$\n\n"
        "*Read with care: 1 sentence is marked · Written by m*\n\n"
        "[^1]: “The tour took three days.” — The \\<tour\\>, `tour.md`, "
        f"characters 24–49, SHA-256 of the file: {HASH}\n"
    )


def test_a_conversation_numbers_its_footnotes_through() -> None:
    first, second = make_answer(), replace(make_answer(), question="And then *what*?")
    markdown = export_markdown([first, make_answer(found=False), second])
    assert re.findall(r"^## (.*)$", markdown, re.MULTILINE) == ["q?", "q?", "And then \\*what\\*?"]
    assert re.findall(r"\[\^(\d)\](?!:)", markdown) == re.findall(r"\[\^(\d)\]:", markdown) == ["1", "2"]
    page = export_html([first, make_answer(found=False), second])
    assert page.count('href="#note-1"') == page.count('id="note-1"') == page.count('id="text-2"') == 1
    assert page.count('href="#text-2"') == 1
    assert "The documents do not say." in page


def test_json_holds_every_field_and_the_hashes_of_what_is_cited() -> None:
    answers = [make_answer(), make_answer(found=False)]
    content = json.loads(export_json(answers, {"d": HASH, "other": HASH}))
    assert content["version"] == VERSION
    assert [Answer.from_json(json.dumps(exchange)) for exchange in content["exchanges"]] == answers
    assert content["content_hashes"] == {"d": HASH}


@pytest.mark.parametrize(
    ("kind", "name", "begins"),
    [("html", "q.html", "<!DOCTYPE html>"), ("json", "q.json", "{"), ("markdown", "q.md", "“The"), (None, "q.md", "“")],
)
def test_a_file_has_a_name_and_a_type(kind: str | None, name: str, begins: str) -> None:
    given = export_kind(kind, [make_answer()], {})
    assert given["name"] == name
    assert given["text"].startswith(begins)


def test_a_name_is_a_name_whatever_is_asked() -> None:
    assert name_file([replace(make_answer(), question="../a/ü b?\\" + "c" * 99)], "md") == f"a-ü-b-{'c' * 54}.md"
    assert name_file([replace(make_answer(), question="?!")], "md") == name_file([], "md") == "footnote.md"


def test_nothing_is_exported_of_an_empty_conversation() -> None:
    assert export_markdown([]) == "\n"
    read_page(export_html([]))
    assert json.loads(export_json([]))["exchanges"] == []


def fill(text: str) -> list[Answer]:
    """Answers that say a text wherever they can."""
    citation = replace(make_answer().citations[0], quote=text or "x", title=text, path=text, context=(text,))
    written = replace(
        make_answer(model=text or "m", text=f"It is [1]. {text}", query=text),
        question=text,
        notice=text,
        citations=(citation,),
        sentences=(AnswerSentence("It is.", (1,), "partial", reason=text), AnswerSentence(text, (), "unsupported")),
    )
    quoted = replace(make_answer(text or "x"), citations=(citation,))
    lead = replace(quoted.sentences[0], lead=text, answer_words=(0, 1))
    return [written, replace(quoted, sentences=(lead,)), replace(make_answer(found=False), notice=text)]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_hostile_is_live_in_an_exported_file(hostile: str) -> None:
    read = read_page(export_html(fill(hostile)))
    assert read.quotes == [hostile, hostile]
    assert find_foreign(export_markdown(fill(hostile))) == []


@given(texts)
def test_any_text_becomes_safe_html_with_its_exact_quotes(text: str) -> None:
    read = read_page(export_html(fill(text)))
    # HTML has no NUL, and but one line end.
    exact = re.sub(r"\r\n?", "\n", (text or "x"))
    assert [re.sub(r"\r\n?", "\n", quote) for quote in read.quotes] == [exact, exact]


@given(texts)
@example("$</div>$")
def test_any_text_becomes_safe_markdown_with_its_quotes(text: str) -> None:
    markdown = export_markdown(fill(text))
    assert find_foreign(markdown) == []
    footnote = re.search(r"^\[\^1\]: (.*)$", markdown, re.MULTILINE)
    assert footnote
    [inline] = MarkdownIt("commonmark").parseInline(footnote[1])
    shown = "".join(
        child.content if child.type in ("text", "text_special") else "\n" for child in inline.children or ()
    )
    wanted = f"“{' '.join((text or 'x').translate(OURS).split())}” — "
    assert shown.startswith(wanted)
