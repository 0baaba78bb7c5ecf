"""Whether a question asks of the folder or of a whole document; a question about what documents say is never caught."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.question.about import LONGEST_CHARACTERS, About, read_about
from assistant.question.forms import find_forms


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("How many documents are there?", "count"),
        ("how many files do you have in this folder", "count"),
        ("Hi, how many documents are there?", "count"),
        ("Thanks! How many documents are there?", "count"),
        ("Can you tell me how many documents there are?", "count"),
        ("Wie viele Dokumente gibt es?", "count"),
        ("Hoeveel bestanden zijn er?", "count"),
        ("Combien de documents y a-t-il ?", "count"),
        ("¿Cuántos documentos hay?", "count"),
        ("List all documents", "list"),
        ("Please show me the files.", "list"),
        ("Which documents do you know?", "list"),
        ("What is in this folder?", "list"),
        ("Welche Dateien gibt es hier?", "list"),
        ("Quels documents y a-t-il ?", "list"),
        ("Which files could not be read?", "unread"),
        ("Were any files skipped?", "unread"),
        ("Welche Dateien konnten nicht gelesen werden?", "unread"),
        ("Quels fichiers n'ont pas pu être lus ?", "unread"),
        ("What is the newest document?", "extreme"),
        ("Which file is the longest?", "extreme"),
        ("Welches ist das neueste Dokument?", "extreme"),
        ("What can I ask here?", "help"),
        ("help", "help"),
        ("Was kann ich hier fragen?", "help"),
        ("What is this document about?", "overview"),
        ("tl;dr", "overview"),
        ("Worum geht es in diesem Dokument?", "overview"),
        ("Waar gaat dit document over?", "overview"),
        ("De quoi parle ce document ?", "overview"),
        ("¿De qué trata este documento?", "overview"),
    ],
)
def test_what_is_asked_of_the_folder_is_told(question: str, asks: str) -> None:
    about = read_about(question)
    assert about is not None and about.asks == asks


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Summarise the annual report 2023", "annual report 2023"),
        ("summarize “Notes from Oslo” please", "notes from oslo"),
        ("Give me a short overview of the handbook", "handbook"),
        ("What is the charter all about?", "charter"),
        ("What does receipt-2024-02-03.txt say?", "receipt-2024-02-03.txt"),
        ("What is in notes.md?", "notes.md"),
        ("What does the contract say?", "contract"),
        ("Tell me about notes.md", "notes.md"),
        ("Can you tell me about the contract, please?", "contract"),
        ("What is in org-chart?", "org-chart"),
        ("notes.md", "notes.md"),
        ("annual report 2023", "annual report 2023"),
        ("Summarise the file called plan b", "plan b"),
        ("Résume le rapport", "rapport"),
        ("Fasse den Jahresbericht kurz zusammen", "jahresbericht"),
        ("Vat het verslag samen", "verslag"),
        ("Summarise these documents", ""),
        ("Summarise this file in five points", ""),
    ],
)
def test_an_overview_has_the_name_of_what_it_is_asked_of(question: str, name: str) -> None:
    about = read_about(question)
    assert about is not None and (about.asks, about.name) == ("overview", name)


@pytest.mark.parametrize(
    ("question", "sentences"),
    [
        ("Summarise the handbook", None),
        ("Summarise the handbook in one sentence", 1),
        ("In three sentences, summarise the handbook", 3),
        ("Give me a one-sentence summary of the handbook", 1),
        ("Summarise the handbook in five bullet points", 5),
        ("Summarise the handbook in 60 words", 3),
        ("Summarise the handbook in 900 sentences", 12),
        ("Briefly summarise the handbook", 2),
        ("Give me a detailed summary of the handbook", 10),
        ("What is the handbook about, in detail?", 10),
        ("Résume le manuel en trois phrases", 3),
        ("Fasse das Handbuch in zwei Sätzen zusammen", 2),
    ],
)
def test_how_long_an_overview_is_goes_by_what_is_asked(question: str, sentences: int | None) -> None:
    about = read_about(question)
    assert about is not None and (about.asks, about.sentences) == ("overview", sentences)


@pytest.mark.parametrize(
    ("question", "period"),
    [
        ("Which are from 2023?", ("2023", "2023")),
        ("Which documents are dated March 2023?", ("2023-03", "2023-03")),
        ("List all files since 2021", ("2021", "")),
        ("How many documents are from before 2020?", ("", "2019")),
        ("Which documents were written before 2020?", ("", "2019")),
        ("Which documents are from after 2020?", ("2021", "")),
        ("Show the documents between 2019 and 2021", ("2019", "2021")),
        ("Welche Dokumente sind aus dem Jahr 2023?", ("2023", "2023")),
        ("Which files are from 2024-02-03?", ("2024-02-03", "2024-02-03")),
    ],
)
def test_from_when_documents_are_is_a_period(question: str, period: tuple[str, str]) -> None:
    about = read_about(question)
    assert (about and (about.first, about.last)) == period


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many PDFs?", "PDF"),
        ("How many PDF files do you have?", "PDF"),
        ("List all Word documents", "Word document"),
        ("Are there any spreadsheets?", "spreadsheet"),
        ("Which of them are PDFs?", "PDF"),
    ],
)
def test_a_kind_of_files_is_told(question: str, kind: str) -> None:
    about = read_about(question)
    assert about is not None and about.kind == kind


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        *((word, "greeting") for word in ("hello", "Hi!", "good morning", "bonjour", "hola", "Guten Tag", "你好")),
        *((word, "thanks") for word in ("thanks!", "Thank you very much.", "danke", "merci", "ok, thanks")),
        *((word, "assent") for word in ("ok", "OK.", "yes", "got it", "d'accord", "alles klar")),
        ("Hello! Thank you, footnote", "thanks"),
    ],
)
def test_a_greeting_is_a_greeting(said: str, asks: str) -> None:
    about = read_about(said)
    assert about is not None and about.asks == asks


REAL_QUESTIONS = """
How many documents did the auditor sign?|How many documents are required for the visa?
How many files can be uploaded?|Which documents do I need for the application?|Which documents are valid?
Which ones are red?|Which are the largest ports?|Which are from Norway?|What was published in 1896?
What is the policy on leave?|What does the policy cover?|What does the report say about pensions?
What does the doctor say?|What does Karl say?|What does section 3.2 say?|What is in the box?
What is in the collection?|What is the newest model?|What is the oldest building?
When was the newest document signed?|Who wrote the oldest document?|What do you do?
What can I do if my parcel is late?|What can I ask my landlord?|What topics are covered in module 3?
How does this work with Windows?|How do I use the pump?|Hi, when does the ferry leave?|Were any files deleted?
Were the files encrypted?|Which files does the installer create?|How many PDFs does the tool accept?
Do we have documents from the bank?|How many documents are from the bank?|what documents prove identity|Is it good?
What about 2021?|And in 2023?|Which is longest?|What is a summary?|What is an overview?
Wie viele Dokumente hat der Prüfer unterschrieben?|Welche Unterlagen brauche ich?|Combien de documents faut-il ?
¿Cuántos documentos se necesitan?|Hoeveel documenten zijn er nodig?|Who sent thanks?|What does it contain?
What can one do?|thanks to whom was the bridge built?|What are the opening hours?
"""


@pytest.mark.parametrize("question", [q for line in REAL_QUESTIONS.strip().splitlines() for q in line.split("|")])
def test_a_question_about_what_documents_say_is_not_caught(question: str) -> None:
    assert read_about(question) is None


@pytest.mark.parametrize("question", ["What is this clause about?", "What does article 5 say?", "List all employees"])
def test_what_may_be_a_name_is_left_to_whoever_knows_the_documents(question: str) -> None:
    about = read_about(question)
    assert about is not None and about.asks == "overview" and about.name


@pytest.mark.parametrize(
    "question",
    [
        "Which are from 2023?",
        "What does it say?",
        "What are these about?",
        "How does it work?",
        "How do I use this?",
    ],
)
def test_what_goes_on_with_another_subject_is_not_of_the_folder(question: str) -> None:
    assert read_about(question) is not None
    assert read_about(question, before="Which wines are sold?") is None
    assert read_about(question, before="How many documents are there?") is not None


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    about = read_about(text)
    assert about is None or (isinstance(about, About) and len(text) <= LONGEST_CHARACTERS)


@pytest.mark.parametrize(
    "unit", ["a ", "in 1 ", "the ", "please ", "hi, ", "summarise ", "how many files are ", "' ", "d'a ", "ok and "]
)
def test_reading_takes_no_time_however_a_text_is_made(unit: str) -> None:
    read_about("What is asked first takes longer.")
    begun = time.thread_time()
    for _ in range(10):
        read_about((unit * LONGEST_CHARACTERS)[:LONGEST_CHARACTERS])
    read_about(unit * 100_000)
    assert time.thread_time() - begun < 0.5


def test_each_form_is_one_of_the_kinds_that_are_known() -> None:
    kinds = {"unread", "count", "list", "extreme", "help", "summary", "overview", "document", "file"}
    assert {asks for asks, _ in find_forms()} == kinds
