"""What the chat shows: links to sources, quotations in their surroundings, and nothing live from a document."""

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answers import NOT_FOUND, Answer, AnswerSentence, Citation
from assistant.serving.page.header import to_header
from assistant.serving.page.messages import to_markdown
from assistant.serving.served import Served, name_libraries
from assistant.showing.markdown import draft_to_markdown, written_to_markdown
from benchmarks.injection import find_live
from index.documents import Passage
from index.library import finish, open_library
from index.settings import Settings

TEXT = "Before it stands this.\n\nThe tour took three days. After it stands that."
START = TEXT.index("The tour")
QUOTE = "The tour took three days."

LINK = '<a href="#cite-0-1" class="chip unchecked pending">1</a>'
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


def test_each_marker_is_a_link_to_its_source() -> None:
    assert f'“{QUOTE}” <a href="#cite-4-1" class="chip supported" title="' in to_markdown(make_answer(), 4)
    shown = to_markdown(make_answer(model="m", text="The tour took three days [1]."), 0)
    assert shown.startswith('The tour took three days <a href="#cite-0-1" class="chip supported" title="')
    assert ">1</a>.\n" in shown


def test_the_words_that_were_asked_for_are_bold_in_a_quotation() -> None:
    answer = make_answer()
    (sentence,) = answer.sentences
    answer = replace(answer, sentences=(replace(sentence, answer_words=(14, 24)),))
    assert "“The tour took <strong>three days</strong>.” <a" in to_markdown(answer, 0)


def test_an_answer_says_which_mode_made_it_and_what_was_searched() -> None:
    assert "Quoted from the documents" in to_markdown(make_answer(), 0)
    assert "Written by m" in to_markdown(make_answer(model="m", text="It took three days [1]."), 0)
    assert "Searched for: q? tour" in to_markdown(make_answer(query="q? tour"), 0)
    assert "Searched for" not in to_markdown(make_answer(), 0)


def test_not_found_points_to_the_nearest_passages() -> None:
    answer = make_answer(found=False)
    shown = to_markdown(answer, 3)
    assert shown.startswith(f'<div class="unsaid">\n\n{NOT_FOUND}\n\n')
    assert '- <a href="#near-3-1" class="near" title="tour&#46;md">The &#60;tour&#62;</a>: The tour took' in shown
    assert not find_live(shown)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_document_holds_is_shown_and_never_live(hostile: str) -> None:
    answer = make_answer(hostile)
    markdown = to_markdown(answer, 0)
    assert "<script" not in markdown
    assert "<img" not in markdown
    assert not find_live(markdown)
    assert "://" not in markdown


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_model_writes_is_never_live(hostile: str) -> None:
    markdown = written_to_markdown(f"It says {hostile} here [1].", 0)
    assert not find_live(markdown)
    assert markdown.endswith(f"here {LINK}.")


def test_the_header_names_the_folder_and_the_mode(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "<news>"
    folder.mkdir()
    (folder / "a.md").write_text("# Bees\n\nBees dance.")
    library = finish(open_library(folder, settings))
    finish(library.sync())
    header = to_header(Served(name_libraries([library]), settings))
    assert "1 document</span> in <strong>&lt;news&gt;</strong>" in header
    assert "Answers are quotations" in header


# -- code, formulas and lists of a reply ------------------------------------------------------

SHOWN = [
    # what a model writes, what the page is given
    ("Use `a[1]`.", "Use <code>a&#91;1&#93;</code>."),
    ("Use `` a`b `` [1].", f"Use <code>a&#96;b</code> {LINK}."),
    ("A ` lone", "A &#96; lone"),
    ("`a\nb`", "<code>a b</code>"),
    ("| `a | b` | `c \\| d` |", "| <code>a &#124; b</code> | <code>c &#124; d</code> |"),
    ("# Use `a`", "# Use <code>a</code>"),
    ("A\n```sh\nx <y> https://z\n```\nB", "A\n\n```sh\nx <y> https://z\n```\n\nB"),
    ("```py\nx", "```py\nx\n```"),
    ("```py", "```py\n```"),
    ("~~~\n```\n~~~", "````\n```\n````"),
    ("````\n```\nx\n```\n````", "````\n```\nx\n```\n````"),
    ("```\na\n``` b\n    ```\n``\n```", "````\na\n``` b\n    ```\n``\n````"),
    ("```constructor\nx\n```", "```text\nx\n```"),
    ("```a<b> c\nx\n```", "```text\nx\n```"),
    ("1. A:\n   ```\n   x\n     y\n   ```\n   B\n2. C", "1. A:\n\n```\nx\n  y\n```\n\nB\n\n2. C"),
    ("A\n- ```\n  x\n  ```", "A\n\n```\nx\n```"),
    ("> A\n> ```\n> x\n> ```", "> A\n\n```\nx\n```"),
    ("A\n\n    x[1]\n\n      y\n\nB", "A\n\n```\nx[1]\n\n  y\n```\n\nB"),
    ("- A\n\n    B [1]", f"- A\n\n    B {LINK}"),
    ("f(x)\n```\ny  # it sank [1]\n```", f"f(x)\n\n```\ny  # it sank\n```\n\n{LINK}"),
    ("Wow![1]", f"Wow&#33;{LINK}"),
    ("a\\[1] and x[9] [1]", f"a&#91;1&#93; and x&#91;9&#93; {LINK}"),
    ("\\*a\\*", "&#42;a&#42;"),
    ("It cost $5 or $6.", "It cost $5 or $6."),
    ("So $a<b$ [1].", f"So \ufdd0a&lt;b\ufdd1 {LINK}."),
    ("\\[ x^2 \\] \\(y\\) $$z$$", "\ufdd2 x^2 \ufdd3 \ufdd0y\ufdd1 \ufdd2z\ufdd3"),
    ("\ufdd0x\ufdd1", "\ufffdx\ufffd"),
]


@pytest.mark.parametrize(("written", "shown"), SHOWN)
def test_code_and_formulas_are_given_to_the_page_as_they_are(written: str, shown: str) -> None:
    assert written_to_markdown(written, 0) == shown
    assert not find_live(shown)


def test_code_that_markdown_would_change_is_written_in_entities() -> None:
    shown = written_to_markdown("```make\nall:\n\tcc\n```", 0)
    assert shown.endswith("<pre><code>all&#58;&#10;&#9;cc</code></pre></div>")
    assert not find_live(shown)


@pytest.mark.parametrize(
    "formula", ["\\href{javascript:alert(1)}{x}", "\\includegraphics{http://a/x}", "\\rule{9em}{9em}"]
)
def test_a_formula_that_would_do_something_stands_as_written(formula: str) -> None:
    for marks in ("$a^{}$", "$${}$$", "\\(a_{}\\)", "\\[{}\\]"):
        shown = written_to_markdown(marks.replace("{}", formula), 0)
        assert "\ufdd0" not in shown and "\ufdd2" not in shown
        assert html.unescape(shown) == marks.replace("{}", formula)
        assert not find_live(shown)


def test_a_draft_is_quiet_and_nothing_in_it_is_markup() -> None:
    draft = "So <b>it</b>\n\n```py\n[x](http://a.example) $x$ *y*"
    shown = draft_to_markdown(draft)
    assert shown.startswith('<div class="draft">')
    assert "\n" not in shown
    assert html.unescape(shown) == f'<div class="draft">{draft}</div>'
    assert not find_live(shown)


PIECES = [
    *(
        "`",
        "``",
        "```",
        "~~~",
        "\n",
        "\n\n",
        "\n    ",
        "\n> ",
        "\n- ",
        "\n1. ",
        "\t",
        "|",
        "$",
        "$$",
        "\\(",
        "\\)",
        "\\[",
        "\\]",
        "\\",
    ),
    *(
        "mermaid\n",
        "python\n",
        "```mermaid\n",
        "x^2",
        "a",
        "[1]",
        "[2]",
        "*",
        "_",
        "# ",
        "---\n",
        "!",
        "\r",
        "\u00a0",
        "%%%LATEX_BLOCK_0%%%",
    ),
    *(
        "\\href{http://a.example}{x}",
        "[r]: http://a.example",
        "[r]",
        "www.a.example",
        "a@a.example",
        "<!--",
        "</div>",
        "<pre>",
        "\ufdd0",
        "\ufdd1",
    ),
    *HOSTILE,
]


@given(st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"]), max_size=30).map("".join))
def test_nothing_that_a_model_writes_is_live_however_it_is_marked_up(text: str) -> None:
    for shown in (written_to_markdown(text, 0), draft_to_markdown(text)):
        assert not find_live(shown)


@given(
    st.lists(
        st.sampled_from(["x", "a < b", "", "  y[1]", "`", "``` z", "````", "~~~", "> q", "$x$", "&amp;", "\\", "- i"])
    )
)
def test_the_lines_of_a_block_come_out_as_they_went_in(lines: list[str]) -> None:
    code = "\n".join([*lines, "z"])
    fence = "`" * 5
    shown = written_to_markdown(f"Before.\n\n{fence}py\n{code}\n{fence}\n\nAfter.", 0)
    marks = re.match(r"Before\.\n\n(`+)py\n", shown)
    assert marks
    inside = shown.removeprefix(marks[0]).removesuffix(f"\n{marks[1]}\n\nAfter.")
    assert inside == code
    assert not any(line.lstrip().startswith(marks[1]) for line in inside.split("\n"))
