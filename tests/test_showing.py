"""An Answer shows itself: as text, Markdown and HTML, with nothing live in any of them; and tells its JSON Schema."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from test_answers import SAMPLE, answers
from test_exporting import ATTRIBUTES, TAGS, fill, find_foreign, texts
from test_page import HOSTILE, make_answer

from assistant import answer
from assistant.answers import Answer, AnswerSentence
from assistant.serving.page.exporting import export_html, export_markdown
from index.documents import Passage
from index.errors import InputError
from index.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "docs" / "answer.schema.json"


class Read(HTMLParser):
    """A piece of HTML as a browser reads it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.quotes: list[str] = []
        self.text = ""
        self._within: list[str] = []
        self.feed(html)
        self.close()
        assert self._within == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "blockquote" and "details" in self._within:
            self.quotes.append("")
        self._within.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert tag in ("br", "hr")
        assert not attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._within.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self._within:
            return
        self.text += data
        if self._within[-1:] == ["blockquote"] and "details" in self._within:
            self.quotes[-1] += data

    def values(self, name: str) -> list[str]:
        return [value for given, value in self.attributes if given == name]


def read_html(html: str) -> Read:
    """What is read of an answer's HTML, in which nothing is live, and whose links all lead to something in it."""
    read = Read(html)
    assert html.startswith('<div class="footnote-answer"><style>')
    assert html.endswith("</div>")
    assert {*read.tags} <= TAGS | {"details", "summary"} - {"html", "head", "meta", "title", "body", "main"}
    assert {name for name, _ in read.attributes} <= ATTRIBUTES - {"http-equiv", "content", "charset", "lang"}
    ids = read.values("id")
    assert len({*ids}) == len(ids)
    assert {link.removeprefix("#") for link in read.values("href")} <= {*ids}
    assert all(re.fullmatch(r"text-align:\w+", style) for style in read.values("style"))
    assert not re.search(r"url\(|@import|expression", html.partition("</style>")[0])
    return read


# -- HTML -------------------------------------------------------------------------------------


def test_an_answer_is_text_with_footnotes_that_open() -> None:
    answer = make_answer(model="m", text="It took **three days** [1]. It rained.")
    doubted = AnswerSentence("It took **three days**.", (1,), "partial", reason="the source says two")
    answer = replace(
        answer,
        sentences=(doubted, AnswerSentence("It rained.", (), "unsupported")),
        notice="The reranker did not answer.",
        query="q? tour",
    )
    html = answer.to_html("a")
    read = read_html(html)
    assert '<strong>three days</strong> <sup><a href="#note-a-1" id="text-a-1">1</a></sup>' in html
    assert "only in part borne out by what is cited: the source says two" in read.text
    assert "It rained. (cites nothing)" in read.text
    for note in ("The reranker did not answer.", "Searched for: q? tour", "Written by m", "2 sentences are marked"):
        assert note in read.text
    assert read.quotes == ["The tour took three days."]
    assert '<details><summary>The &lt;tour&gt;, <code class="path">tour.md</code>, characters 24–49</summary>' in html
    assert '<a href="#text-a-1" title="Back to the text">↩</a>' in html


def test_a_refusal_shows_the_nearest_passages() -> None:
    refused = replace(make_answer(found=False), notice="Not all was searched: a.pdf could not be read.")
    for shown in (refused.to_html(), refused.to_markdown(), str(refused)):
        assert "The documents do not say." in shown
        assert "The nearest passages:" in shown
        assert "The tour took three days" in shown or not refused.passages[0].sentences
        assert "Not all was searched: a.pdf could not be read." in shown
        assert "tour" in shown.partition("nearest passages")[2]
    assert read_html(refused.to_html()).quotes == []


def test_what_rests_on_a_whole_document_has_a_footnote_without_words() -> None:
    (citation,) = make_answer().citations
    told = replace(make_answer(), citations=(replace(citation, kind="document", quote="", start=0, end=0),))
    read = read_html(told.to_html())
    assert "details" not in read.tags
    assert "tour.md, the whole document" in read.text


def test_several_answers_stand_on_one_page() -> None:
    answer = make_answer()
    ids = [read_html(answer.to_html()).values("id") for _ in range(5)]
    assert len({one for own in ids for one in own}) == sum(map(len, ids)) == 10
    assert answer._repr_html_() != answer._repr_html_()
    assert answer.to_html("one-by_name") == answer.to_html("one-by_name")
    for key in ("", "a b", '"><b>', "ä", "a" * 101, 3):
        with pytest.raises(InputError, match="The key is"):
            answer.to_html(key)  # type: ignore[arg-type]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_hostile_is_live(hostile: str) -> None:
    for shown in make_hostile(hostile):
        read_html(shown.to_html())
        assert find_foreign(shown.to_markdown()) == []
        assert "\x1b" not in str(shown)


@given(texts)
def test_any_text_is_shown_and_never_live(text: str) -> None:
    for shown in make_hostile(text):
        quotes = [re.sub(r"\r\n?", "\n", quote) for quote in read_html(shown.to_html()).quotes]
        assert quotes == [re.sub(r"\r\n?", "\n", citation.quote) for citation in shown.citations]
        assert find_foreign(shown.to_markdown()) == []
        assert str(shown).replace("\n", "").isprintable()


@given(answers)
def test_whatever_an_answer_holds_it_can_be_shown(any_answer: Answer) -> None:
    for shown in (any_answer.to_html("k"), any_answer.to_markdown(), str(any_answer)):
        assert isinstance(shown, str)
    assert find_foreign(any_answer.to_markdown()) == []


def make_hostile(text: str) -> list[Answer]:
    """Answers that say a text wherever they can, the nearest passages of a refusal too."""
    passage = Passage(text, text, text, text, 0, len(text), text, 1.0, (), 1, (), (), (text,), (1,))
    written, quoted, refused = fill(text)
    return [written, quoted, replace(refused, passages=(passage,) * 3, query=text)]


# -- text and Markdown ------------------------------------------------------------------------


def test_an_answer_prints_as_the_command_line_does(samples: Settings) -> None:
    result = answer("why was Israel skipped?", settings=samples)
    assert str(result) == f"{result}"
    assert str(result).splitlines()[0] == result.text
    assert "[1] gulf-tour.md, characters 663-797" in str(result)
    assert repr(result).startswith("Answer(question='why was Israel skipped?'")


def test_exported_files_are_made_of_the_same() -> None:
    answer = make_answer()
    assert export_markdown([answer]) == answer.to_markdown() == answer._repr_markdown_()
    exported, own = export_html([answer]), answer.to_html("k")
    body = own.partition("</style>\n")[2].partition("<ol")[0].replace("k-1", "1")
    assert body in exported
    assert own.partition("<summary>")[2].partition("</summary>")[0] in exported
    assert own.partition('<blockquote id="note-k-1">')[2].partition("</blockquote>")[0] in exported


def test_an_answer_that_is_made_needs_nothing_to_show_it() -> None:
    code = f"""
import sys
from assistant import Answer
answer = Answer.from_json({SAMPLE.to_json()!r})
assert "[^1]" in answer.to_markdown() and "<details>" in answer.to_html() and "[1]" in str(answer)
print(*{{"gradio", "openai", "chromadb", "llama_index", "openvino", "numpy", "pydantic"}} & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("", "")


# -- JSON -------------------------------------------------------------------------------------


def test_the_published_schema_is_what_the_types_give() -> None:
    assert json.loads(SCHEMA.read_text("utf-8")) == Answer.json_schema()
    jsonschema.Draft202012Validator.check_schema(Answer.json_schema())


VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


@given(answers)
def test_every_answer_is_of_the_schema(any_answer: Answer) -> None:
    VALIDATOR.validate(json.loads(any_answer.to_json()))


def test_real_answers_are_of_the_schema_and_others_are_not(samples: Settings) -> None:
    for question in ("why was Israel skipped?", "What is the population of Qatar?", "How many documents are there?"):
        fields = json.loads(answer(question, settings=samples).to_json())
        VALIDATOR.validate(fields)
        wrongs = {"found": "yes", "status": "unsure", "citations": [{"number": 1}], "confidence": "1"}
        for name, wrong in wrongs.items():
            assert not VALIDATOR.is_valid({**fields, name: wrong})
            assert not VALIDATOR.is_valid({key: value for key, value in fields.items() if key != name})


@given(answers)
def test_json_that_an_earlier_version_wrote_is_read(any_answer: Answer) -> None:
    """What has a default was once not there."""
    plain = replace(
        any_answer,
        notice="",
        sentences=tuple(replace(s, answer_words=None, lead="", reason="") for s in any_answer.sentences),
        citations=tuple(replace(c, context=(), kind="words") for c in any_answer.citations),
        passages=tuple(replace(p, page=None) for p in any_answer.passages),
    )
    fields = json.loads(plain.to_json())
    for kept, names in (
        ([fields], ["notice"]),
        (fields["sentences"], ["answer_words", "lead", "reason"]),
        (fields["citations"], ["context", "kind"]),
        (fields["passages"], ["page", "page_starts", "similarities", "context", "levels"]),
    ):
        for one in kept:
            for name in names:
                del one[name]
    # Unescaped, since two halves of a character that are escaped are read as the one.
    assert Answer.from_json(json.dumps(fields, ensure_ascii=False)) == plain
    VALIDATOR.validate(fields)


# -- in a browser -----------------------------------------------------------------------------


@pytest.mark.browser
def test_a_notebooks_answers_open_and_run_nothing(tmp_path: Path) -> None:
    if not (chromium := shutil.which("chromium")):
        pytest.skip("chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    cells = [*make_hostile("<script>alert(1)</script>"), make_answer(), make_answer()]
    page_file = tmp_path / "notebook.html"
    shown = "".join(f"<section>{cell._repr_html_()}</section>" for cell in cells)
    page_file.write_text(f'<!DOCTYPE html><meta charset="utf-8"><body>{shown}</body>', encoding="utf-8")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        heard: list[str] = []
        page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: heard.append(request.url))
        page.goto(page_file.as_uri())
        assert page.locator("details[open]").count() == 0
        page.locator("section").last.locator("sup a").click()
        assert page.locator("details[open]").count() == 1
        assert page.locator("section").last.locator("details[open] blockquote").is_visible()
        browser.close()
    assert heard == [page_file.as_uri()]
