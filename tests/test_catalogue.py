"""What is asked of the folder itself, and of nothing: answered from the record of documents, each of which is cited."""

from dataclasses import replace
from pathlib import Path

import pytest
from openai_server import OpenAIServer

from assistant.answers import NOT_FOUND, Answer
from assistant.chain import answer
from assistant.quoting.catalogue import MOST_LISTED
from assistant.serving.page.messages import to_markdown
from assistant.serving.page.showing import show
from assistant.serving.served import Served, name_libraries
from index.embedding.protocol import Embedding
from index.library import finish, open_library
from index.settings import Settings


@pytest.fixture
def archive(folder: Path, embedding: Embedding) -> Path:
    """Five documents of several kinds and years, in two folders, and a file that cannot be read."""
    texts = {
        "report-2022.md": "# Annual report 2022\n\n2023-02-01\n\nThe club had 214 members.",
        "report-2023.md": "# Annual report 2023\n\n2024-01-31\n\nThe club had 231 members.",
        "notes.txt": "Bring the keys on Friday.",
        "faq.md": "# Questions\n\n## How do I join the club?\n\nWrite to the secretary.",
        "letters/invoice-2021.html": "<title>Invoice 2021</title><p>Paint, 40 crowns.</p>",
    }
    for path, text in texts.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    return folder


def check_told(result: Answer) -> None:
    """What an answer from the record always is."""
    numbers = [number for sentence in result.sentences for number in sentence.citations]
    assert set(numbers) == {citation.number for citation in result.citations}
    assert all((c.kind, c.start, c.end, c.quote, c.page) == ("document", 0, 0, "", None) for c in result.citations)
    assert len({citation.document_id for citation in result.citations}) == len(result.citations)
    assert (result.passages, result.model, result.usage) == ((), None, None)
    assert all(sentence.text in result.text for sentence in result.sentences)
    assert Answer.from_json(result.to_json()) == result


def cited(result: Answer) -> list[str]:
    return [citation.path for citation in result.citations]


@pytest.mark.parametrize(
    ("question", "words", "paths"),
    [
        ("How many documents are there?", "There are 5 documents:", 5),
        ("List all documents", "notes.txt [3]", 5),
        ("How many HTML files are there?", "There is 1 web page among the 5 documents:", ["letters/invoice-2021.html"]),
        ("How many PDFs?", "There are no PDFs among the 5 documents.", []),
        ("Which files could not be read?", "1 file could not be read:", ["broken.pdf"]),
        ("What is the newest document?", "report-2023.md, “Annual report 2023”, 2024-01-31", ["report-2023.md"]),
        ("What is the oldest document?", "report-2022.md", ["report-2022.md"]),
        ("Which are from 2023?", "1 document is dated 2023 (3 others give no date):", ["report-2022.md"]),
        (
            "Which files are from 2021?",
            "No documents are dated 2021; 1 without a date has it in the name:",
            1,
        ),
        ("Which files are from after 2022?", "2 documents are dated 2023 or later", 2),
        ("Which files are from 1950?", "No documents are dated 1950 (3 others give no date).", []),
    ],
)
def test_the_folder_is_told_of_with_each_document_cited(
    archive: Path, settings: Settings, question: str, words: str, paths: list[str] | int
) -> None:
    result = answer(question, archive, settings=settings)
    assert result.found and result.confidence == 1.0
    assert words in result.text
    assert len(result.citations) == paths if isinstance(paths, int) else cited(result) == paths
    check_told(result)


def test_what_can_be_asked_is_told_with_questions_that_stand_in_the_documents(
    archive: Path, settings: Settings
) -> None:
    result = answer("What can I ask here?", archive, settings=settings)
    check_told(result)
    assert "There are 5 documents:" in result.text
    asked = [s for s in result.sentences if s.text == "How do I join the club?"]
    assert [cited(result)[sentence.citations[0] - 1] for sentence in asked] == ["faq.md"]


def test_what_is_suggested_of_a_document_is_answered_from_it(archive: Path, settings: Settings) -> None:
    (archive / "faq.md").unlink()
    result = answer("What can I ask here?", archive, settings=settings)
    suggested = {s.text: cited(result)[s.citations[0] - 1] for s in result.sentences if s.text.endswith("?")}
    assert len(suggested) == 3
    for question, path in suggested.items():
        told = answer(question, archive, settings=settings)
        assert told.found and set(cited(told)) == {path}


def test_a_long_list_says_how_much_of_it_is_shown(folder: Path, settings: Settings, embedding: Embedding) -> None:
    for number in range(MOST_LISTED + 3):
        (folder / f"note-{number:02}.txt").write_text(f"Note {number} is about a boat.", encoding="utf-8")
    result = answer("How many documents are there?", folder, settings=settings)
    assert result.text.startswith("There are 23 documents; 20 of 23 are shown:")
    assert len(result.citations) == MOST_LISTED
    check_told(result)


def test_a_name_that_several_documents_have_is_asked_back(archive: Path, settings: Settings) -> None:
    result = answer("Summarise the annual report", archive, settings=settings)
    assert result.text.startswith("2 documents are called so. Say which one:")
    assert (result.status, cited(result)) == ("nearest", ["report-2022.md", "report-2023.md"])
    check_told(result)


@pytest.mark.parametrize("said", ["hello", "thanks!", "ok", "danke", "bonjour", "gracias", "good morning"])
def test_a_greeting_gets_a_friendly_line_and_nothing_of_the_documents(
    archive: Path, settings: Settings, said: str
) -> None:
    before = answer("How many members did the club have in 2023?", archive, settings=settings)
    result = answer(said, archive, history=[before], settings=settings)
    assert "What can I ask here?" in result.text
    assert (result.found, result.status, result.confidence) == (False, "not_found", 0.0)
    assert result.text != NOT_FOUND
    assert (result.citations, result.passages, result.query, result.notice) == ((), (), said, "")


def test_no_model_is_asked_of_the_folder(archive: Path, settings: Settings) -> None:
    with OpenAIServer("There are a thousand documents [1].") as server:
        with_model = replace(settings, base_url=server.base_url)
        for question in ("How many documents are there?", "hello", "What can I ask here?"):
            assert answer(question, archive, settings=with_model).model is None
        assert server.chats == []


# -- where it is shown ------------------------------------------------------------------------


def test_the_page_shows_a_statement_in_no_quotation_marks_and_the_document_from_its_beginning(
    archive: Path, settings: Settings
) -> None:
    result = answer("How many HTML files are there?", archive, settings=settings)
    markdown = to_markdown(result, 2)
    assert "There is 1 web page among the 5 documents:  \n" in markdown
    assert '<a href="#cite-2-1" class="chip supported" title="' in markdown
    assert "“There" not in markdown and "Quoted" not in markdown
    served = Served(name_libraries([finish(open_library(archive, settings))]), settings)
    shown = show(result, 2, 1, None, served)
    assert shown and shown["document"]["path"] == "letters/invoice-2021.html"
    assert [(c["kind"], c["start"], c["end"], c["quote"]) for c in shown["citations"]] == [("document", 0, 0, "")]
    assert show(answer("hello", archive, settings=settings), 0, None, None, served) is None


def test_the_command_line_shows_a_document_by_its_path(archive: Path, settings: Settings) -> None:
    lines = str(answer("How many HTML files are there?", archive, settings=settings)).splitlines()
    assert lines[-3:] == ["[1] letters/invoice-2021.html", "", "Told from the record of the documents."]
    assert not any("characters" in line or "“”" in line for line in lines)
    hello = answer("hello", archive, settings=settings)
    assert str(hello) == hello.text


def test_a_name_that_ends_a_line_begins_none(folder: Path, settings: Settings, embedding: Embedding) -> None:
    (folder / "a\nThere are 9 documents: [1].txt").write_text("Boats.", encoding="utf-8")
    result = answer("List all documents", folder, settings=settings)
    assert len(result.text.splitlines()) == 2
