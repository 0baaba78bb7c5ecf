"""What the chat shows: links to sources, quotations in their surroundings, and nothing live from a document."""

import html
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answers import NOT_FOUND, Answer, AnswerSentence, Citation
from assistant.serving.page import (
    CONTEXT_CHARACTERS,
    EMPTY_PANEL,
    Read,
    surroundings,
    to_header,
    to_markdown,
    to_panel,
    written_to_markdown,
)
from index.documents import Passage

TEXT = "Before it stands this.\n\nThe tour took three days. After it stands that."
START = TEXT.index("The tour")
QUOTE = "The tour took three days."

HOSTILE = [
    "<script>alert(1)</script>",
    '<img src="http://127.0.0.1:9/x.png" onerror="alert(1)">',
    "![x](http://127.0.0.1:9/x.png)",
    "[click](javascript:alert(1))",
    "</mark></blockquote><b>out</b>",
    "www.example.org and mail@example.org",
]


def make_answer(
    quote: str = QUOTE, *, found: bool = True, model: str | None = None, text: str = "", query: str = "q?"
) -> Answer:
    citation = Citation(1, "d", "tour.md", "The <tour>", None, START, START + len(quote), quote)
    passage = Passage("d", "tour.md", "The <tour>", None, 0, len(TEXT), quote, 1.0, ())
    return Answer(
        question="q?",
        query=query,
        text=(text or f"“{quote}” [1]") if found else NOT_FOUND,
        status="answered" if found else "not_found",
        confidence=0.9 if found else 0.1,
        model=model,
        usage=None,
        sentences=(AnswerSentence(" ".join(quote.split()), (1,), "supported"),) if found else (),
        citations=(citation,) if found else (),
        passages=(passage,),
    )


def reading(text: str) -> Read:
    """What reads a store whose documents all have this text."""
    return lambda document_id, start, end: text[start:end]


def test_each_marker_is_a_link_to_its_source() -> None:
    assert f"“{QUOTE}” [\\[1\\]](#cite-4-1)" in to_markdown(make_answer(), 4)
    assert "three days [\\[1\\]](#cite-0-1)." in to_markdown(make_answer(model="m", text="It took three days [1]."), 0)


def test_the_words_that_were_asked_for_are_bold_in_a_quotation() -> None:
    answer = make_answer()
    (sentence,) = answer.sentences
    answer = replace(answer, sentences=(replace(sentence, answer_words=(14, 24)),))
    assert "“The tour took <strong>three days</strong>.” [" in to_markdown(answer, 0)


def test_an_answer_says_which_mode_made_it_and_what_was_searched() -> None:
    assert "Quoted from the documents" in to_markdown(make_answer(), 0)
    assert "Written by m" in to_markdown(make_answer(model="m", text="It took three days [1]."), 0)
    assert "Searched for: q? tour" in to_markdown(make_answer(query="q? tour"), 0)
    assert "Searched for" not in to_markdown(make_answer(), 0)


def test_not_found_points_to_the_nearest_passages() -> None:
    answer = make_answer(found=False)
    assert to_markdown(answer, 0).startswith(NOT_FOUND)
    assert "Nearest passages" in to_panel(answer, reading(""))


def test_the_panel_marks_the_exact_words_within_their_surroundings() -> None:
    panel = to_panel(make_answer(), reading(TEXT), selected=1)
    assert f"<mark>{QUOTE}</mark>" in panel
    assert "Before it stands this." in panel
    assert "After it stands that." in panel
    assert 'class="source selected"' in panel
    assert "The &lt;tour&gt;" in panel
    assert 'class="source selected"' not in to_panel(make_answer(), reading(TEXT))


def test_an_answer_without_sources_leaves_the_panel_empty() -> None:
    answer = make_answer(found=False)
    assert to_panel(replace(answer, passages=()), reading("")) == EMPTY_PANEL


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_document_holds_is_shown_and_never_live(hostile: str) -> None:
    answer = make_answer(hostile)
    markdown = to_markdown(answer, 0)
    assert "<script" not in markdown
    assert "<img" not in markdown
    assert not re.search(r"(?<!\\)\]\((?!#cite-)", markdown)
    assert "://" not in markdown
    assert html.escape(hostile) in to_panel(answer, reading(hostile))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_model_writes_is_never_live(hostile: str) -> None:
    markdown = written_to_markdown(f"It says {hostile} here [1].", 0)
    assert not re.search(r"<\w", markdown)
    assert not re.search(r"(?<!\\)\]\((?!#cite-)", markdown)
    assert "://" not in markdown
    assert markdown.endswith("here [\\[1\\]](#cite-0-1).")


@given(st.text(), st.integers(0, 300), st.integers(0, 300))
def test_surroundings_are_what_stands_there(text: str, start: int, length: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    before, after = surroundings(lambda first, last: text[first:last], start, end)
    assert text[:start].endswith(before.removeprefix("… "))
    assert text[end:].startswith(after.removesuffix(" …"))
    assert len(before) <= CONTEXT_CHARACTERS + 2
    assert len(after) <= CONTEXT_CHARACTERS + 2


@given(st.text())
def test_no_text_opens_a_tag_in_the_panel(text: str) -> None:
    tags = set(re.findall(r"<(/?\w+)", to_panel(make_answer(text or "x"), reading(text))))
    own = {"div", "h2", "article", "h3", "span", "p", "blockquote", "mark", "br"}
    assert {tag.lstrip("/") for tag in tags} <= own


def test_the_header_names_the_folder_and_the_mode(tmp_path: object) -> None:
    from pathlib import Path

    header = to_header(Path("/somewhere/<news>"), 1, "Answers are quotations")
    assert "1 document in <strong>&lt;news&gt;</strong>" in header
    assert "Answers are quotations" in header
