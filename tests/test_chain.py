"""The whole walk of a question, as Python meets it: answer() and stream_answer()."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sample_questions import ANSWERED, FOLLOWED_UP, NOT_FOUND_QUESTIONS

from assistant.answers import NOT_FOUND, Answer, TextDelta, Turn
from assistant.chain import answer, check_question, stream_answer
from index.documents import Progress
from index.embedding.protocol import Embedding
from index.errors import FolderError, FootnoteError, InputError, StoreError
from index.settings import Settings, sample_folder


@pytest.fixture(scope="module")
def answers(samples: Settings) -> Mapping[str, Answer]:
    """The answer to every sample question."""
    return {question: answer(question, settings=samples) for question in [*ANSWERED, *NOT_FOUND_QUESTIONS]}


def cited_text(result: Answer) -> str:
    return " ".join(" ".join(citation.quote for citation in result.citations).split())


def check_citations(result: Answer, folder: Path) -> None:
    """Every citation, against the file itself, in the three lines that a user would write."""
    for citation in result.citations:
        with open(folder / citation.path, newline="", encoding="utf-8") as file:  # noqa: PTH123
            assert file.read()[citation.start : citation.end] == citation.quote


# -- the sample folder ------------------------------------------------------------------------


@pytest.mark.parametrize(("question", "words"), ANSWERED.items(), ids=list(ANSWERED))
def test_a_sample_question_is_answered_and_cited_exactly(
    answers: Mapping[str, Answer], question: str, words: str
) -> None:
    result = answers[question]
    assert result.found
    assert words in cited_text(result)
    assert words in result.text
    check_citations(result, sample_folder())
    assert [citation.number for citation in result.citations] == list(range(1, len(result.citations) + 1))
    assert re.findall(r"\[(\d+)\]", result.text) == [str(citation.number) for citation in result.citations]
    assert [sentence.citations for sentence in result.sentences] == [(c.number,) for c in result.citations]
    assert {sentence.support for sentence in result.sentences} == {"supported"}
    assert result.question == result.query == question
    assert (result.model, result.usage, result.notice) == (None, None, "")
    assert all(any(c.document_id == p.document_id for p in result.passages) for c in result.citations)


@pytest.mark.parametrize("question", NOT_FOUND_QUESTIONS)
def test_what_the_documents_do_not_say_is_an_answer_with_the_nearest_passages(
    answers: Mapping[str, Answer], question: str
) -> None:
    result = answers[question]
    assert (result.found, result.text, result.sentences, result.citations) == (False, NOT_FOUND, (), ())
    assert result.passages
    assert [p.score for p in result.passages] == sorted((p.score for p in result.passages), reverse=True)
    for passage in result.passages:
        text = (sample_folder() / passage.path).read_bytes().decode()
        assert text[passage.start : passage.end] == passage.text


def test_the_sample_folder_answers_where_no_folder_is_named(embedding: Embedding) -> None:
    result = answer("why was Israel skipped?")
    assert "economic diplomacy with the Gulf monarchies" in cited_text(result)
    assert result.citations[0].path == "gulf-tour.md"


def test_the_folder_of_the_environment_answers_where_no_folder_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, embedding: Embedding
) -> None:
    (folder / "ferry.txt").write_text("Captain Ida Voss steers the Brenholm ferry.", encoding="utf-8")
    monkeypatch.setenv("FOOTNOTE_DOCUMENTS", str(folder))
    assert "Ida Voss" in cited_text(answer("Who steers the Brenholm ferry?"))


def test_a_comparison_searches_for_each_side(samples: Settings, tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"alpha-{number}.txt").write_text(
            f"The warranty of the Alpha pump, model {number}. The warranty of the Alpha pump lasts {number + 2} years. "
            "Compare the warranty of the Alpha with that of other pumps."
        )
    (tmp_path / "tarn.txt").write_text("The Tarn is made for farms. Five years of warranty come with every Tarn.")
    result = answer("Compare the warranty of the Alpha pump and the Tarn", tmp_path, settings=samples)
    assert len(result.passages) == samples.passage_count
    assert {passage.path for passage in result.passages} > {"tarn.txt"}
    assert result.found
    assert "Alpha" in result.citations[0].quote
    assert result.citations[-1].quote == "Five years of warranty come with every Tarn."


# -- a folder of one's own --------------------------------------------------------------------


def test_an_edit_between_two_questions_is_seen(folder: Path, settings: Settings, embedding: Embedding) -> None:
    file = folder / "ferry.txt"
    file.write_text("Captain Ida Voss steers the Brenholm ferry.", encoding="utf-8")
    assert "Ida Voss" in cited_text(answer("Who steers the Brenholm ferry?", folder, settings=settings))
    file.write_text("Since Monday, Captain Nils Berg steers the Brenholm ferry.", encoding="utf-8")
    after = answer("Who steers the Brenholm ferry?", folder, settings=settings)
    assert "Nils Berg" in cited_text(after)
    assert "Voss" not in after.to_json()
    check_citations(after, folder)


def test_a_file_that_comes_or_goes_is_seen(folder: Path, settings: Settings, embedding: Embedding) -> None:
    (folder / "a.txt").write_text("Captain Ida Voss steers the Brenholm ferry.", encoding="utf-8")
    question = "How many lighthouses does Tarnsund have?"
    assert not answer(question, folder, settings=settings).found
    (folder / "b.txt").write_text("Tarnsund has four lighthouses.", encoding="utf-8")
    assert answer(question, folder, settings=settings).citations[0].quote == "Tarnsund has four lighthouses."
    (folder / "b.txt").unlink()
    assert not answer(question, folder, settings=settings).found


def test_a_folder_may_be_named_by_a_string_or_a_relative_path(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, embedding: Embedding
) -> None:
    (folder / "ferry.txt").write_text("Captain Ida Voss steers the Brenholm ferry.", encoding="utf-8")
    expected = answer("Who steers the ferry?", folder, settings=settings)
    monkeypatch.chdir(folder.parent)
    assert expected.found
    assert answer("Who steers the ferry?", str(folder), settings=settings) == expected
    assert answer("Who steers the ferry?", folder.name, settings=settings) == expected


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_offsets_are_those_of_the_file_whatever_its_line_ends(
    folder: Path, settings: Settings, embedding: Embedding, line_end: str, mark: str
) -> None:
    text = f"{mark}# Ferries ⛴\n\nNaïve café “🚢”.\n\nThe ferry left\nat noon, said Ida Voss.\n"
    (folder / "ferry.md").write_bytes(text.replace("\n", line_end).encode())
    result = answer("When did the ferry leave, according to Ida Voss?", folder, settings=settings)
    assert [citation.quote for citation in result.citations] == [f"The ferry left{line_end}at noon, said Ida Voss."]
    check_citations(result, folder)


# -- step by step -----------------------------------------------------------------------------


def test_the_stream_prepares_writes_and_ends_with_the_answer(
    folder: Path, settings: Settings, embedding: Embedding
) -> None:
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text("Captain Ida Voss steers the Brenholm ferry.", encoding="utf-8")
    events = list(stream_answer("Who steers the ferry?", folder, settings=settings))
    kinds = "".join({Progress: "P", TextDelta: "T", Answer: "A"}[type(event)] for event in events)
    assert re.fullmatch("P+T+A", kinds)
    last = events[-1]
    assert isinstance(last, Answer)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == last.text
    assert last == answer("Who steers the ferry?", folder, settings=settings)
    for event in events:
        if isinstance(event, Progress):
            assert event.message
            assert 0 <= event.done <= event.total or event.total == 0


def test_a_folder_that_is_up_to_date_is_not_read_again(samples: Settings, answers: Mapping[str, Answer]) -> None:
    events = list(stream_answer("why was Israel skipped?", settings=samples))
    assert not any(isinstance(event, Progress) for event in events)
    assert events[-1] == answers["why was Israel skipped?"]


def test_what_is_not_found_is_streamed_too(samples: Settings) -> None:
    *_, delta, last = stream_answer("Who won the 2022 World Cup?", settings=samples)
    assert delta == TextDelta(NOT_FOUND)
    assert isinstance(last, Answer)


def test_the_same_question_gets_the_same_answer(samples: Settings, answers: Mapping[str, Answer]) -> None:
    assert answer("  why was Israel skipped?\n", settings=samples) == answers["why was Israel skipped?"]


# -- the conversation -------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "question", "words"), FOLLOWED_UP)
def test_a_follow_up_is_answered_from_the_conversation(
    samples: Settings, before: str, question: str, words: str
) -> None:
    earlier = answer(before, settings=samples)
    result = answer(question, history=[earlier], settings=samples)
    assert words in cited_text(result)
    assert result.question == question
    assert result.query.startswith(f"{question} ")
    forms = (
        [Turn(before, earlier.text)],
        [(before, earlier.text)],
        [{"role": "user", "content": before}, {"role": "assistant", "content": earlier.text}],
    )
    for history in forms:
        assert answer(question, history=history, settings=samples) == result  # type: ignore[arg-type]


def test_a_question_that_stands_alone_is_answered_the_same_in_a_conversation(
    samples: Settings, answers: Mapping[str, Answer]
) -> None:
    history = [answers["Who won the 2022 World Cup?"], answers["When did Michael Waltz leave his post?"]]
    result = answer("why was Israel skipped?", history=history, settings=samples)
    assert result == answers["why was Israel skipped?"]


# -- what cannot be asked ---------------------------------------------------------------------


def check_sentence(error: FootnoteError) -> None:
    message = str(error)
    assert message[0].isupper() or message[0] == "/" or message.startswith("FOOTNOTE_")
    assert message.endswith(".") or re.search(r": footnote [a-z]+ .*$", message)
    assert "\n" not in message
    assert not re.search(r"Traceback|Error\b|Exception|Errno|None|object at 0x", message)


@pytest.mark.parametrize("question", ["", " \n\t", "?", "…?!", "\u200b"])
def test_a_question_of_no_words_is_refused(settings: Settings, question: str) -> None:
    with pytest.raises(InputError, match=r"The question is empty: ask something\.") as refusal:
        answer(question, settings=settings)
    check_sentence(refusal.value)
    assert refusal.value.exit_code == 2


def test_a_question_of_100_000_characters_is_refused(settings: Settings) -> None:
    with pytest.raises(InputError, match=r"100,000 characters long, and 10,000 is the most: shorten it") as refusal:
        answer("why " * 24_999 + "why?", settings=settings)
    check_sentence(refusal.value)


def test_the_longest_question_is_answered(samples: Settings) -> None:
    question = "why was Israel skipped? " * 420
    assert check_question(question[:10_000]) == question[:10_000].strip()
    assert "economic diplomacy" in cited_text(answer(question[:10_000], settings=samples))
    with pytest.raises(InputError):
        check_question("x" * 10_001)


def test_a_question_with_characters_that_are_none_is_asked_without_them(samples: Settings) -> None:
    result = answer("why was \ud800 Israel \x00 skipped?", settings=samples)
    assert "economic diplomacy" in cited_text(result)
    assert Answer.from_json(result.to_json()) == result
    result.to_json().encode("utf-8")


def make_missing(place: Path) -> Path:
    return place / "missing"


def make_file(place: Path) -> Path:
    (place / "file.txt").write_text("x", encoding="utf-8")
    return place / "file.txt"


def make_empty(place: Path) -> Path:
    return place


def make_unreadable(place: Path) -> Path:
    (place / "picture.png").write_bytes(b"GIF89a\0\0")
    (place / "empty.txt").touch()
    return place


FOLDERS = [
    (make_missing, "does not exist: check the path."),
    (make_file, "is not a folder: give the folder that holds the documents."),
    (make_empty, "holds no documents: put some files in it"),
    (make_unreadable, "holds nothing that can be read"),
]


@pytest.mark.parametrize(("make", "words"), FOLDERS)
def test_a_folder_that_cannot_answer_is_refused(
    folder: Path, settings: Settings, embedding: Embedding, make: object, words: str
) -> None:
    place = make(folder)  # type: ignore[operator]
    with pytest.raises(FolderError) as refusal:
        answer("Why?", place, settings=settings)
    assert words in str(refusal.value)
    assert str(place) in str(refusal.value)
    check_sentence(refusal.value)
    assert refusal.value.exit_code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_refused(folder: Path, settings: Settings, embedding: Embedding) -> None:
    (folder / "a.txt").write_text("Some words.", encoding="utf-8")
    folder.chmod(0)
    try:
        with pytest.raises(FolderError) as refusal:
            answer("Why?", folder, settings=settings)
    finally:
        folder.chmod(0o700)
    check_sentence(refusal.value)


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("FOOTNOTE_TIMEOUT_SECONDS", "soon", "from 0.01 to 86,400"),
        ("FOOTNOTE_TIMEOUT_SECONDS", "0", "from 0.01 to 86,400"),
        ("FOOTNOTE_TIMEOUT_SECONDS", "nan", "from 0.01 to 86,400"),
        ("FOOTNOTE_PASSAGE_COUNT", "0", "from 1 to 50"),
        ("FOOTNOTE_PASSAGE_COUNT", "many", "from 1 to 50"),
        ("FOOTNOTE_CHUNK_TOKENS", "31", "from 32 to 250"),
        ("FOOTNOTE_CHUNK_TOKENS", "-1", "from 32 to 250"),
    ],
)
def test_a_bad_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, bounds: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as refusal:
        answer("why was Israel skipped?")
    assert str(refusal.value) == f"{name} is {value!r}: give a number {bounds}."
    check_sentence(refusal.value)


def test_the_same_is_answered_again_shorter_or_longer(folder: Path, settings: Settings, embedding: Embedding) -> None:
    (folder / "guests.md").write_text(
        "# Guests\n\nIn 2021 we had 960 guests because the border was closed. In 2022 we had 1,870 guests. In 2023 we "
        "had 2,140 guests. In 2020 we had 410 guests. In 2019 we had 2,050 guests.\n"
    )
    first = answer("How many guests were there in 2022?", folder, settings=settings)
    shorter = answer("Make that shorter", folder, history=[first], settings=settings)
    longer = answer("More detail, please", folder, history=[first, shorter], settings=settings)
    assert (shorter.question, shorter.query, longer.query) == ("Make that shorter", first.question, first.question)
    assert [sentence.text for sentence in shorter.sentences] == ["In 2022 we had 1,870 guests."]
    assert len(longer.sentences) > len(first.sentences)
    assert "“In 2022 we had 1,870 guests.” [" in longer.text


def test_what_is_asked_of_another_year_is_answered_as_if_it_were_asked_whole(
    folder: Path, settings: Settings, embedding: Embedding
) -> None:
    (folder / "guests.md").write_text("# Guests\n\nIn 2021 we had 960 guests. In 2022 we had 1,870 guests.\n")
    first = answer("How many guests were there in 2021?", folder, settings=settings)
    second = answer("And in 2022?", folder, history=[first], settings=settings)
    whole = answer("How many guests were there in 2022?", folder, settings=settings)
    assert second == replace(whole, question="And in 2022?")
    assert second.sentences[0].answer_words is not None


def test_a_bad_turn_of_the_history_is_refused(settings: Settings) -> None:
    with pytest.raises(InputError) as refusal:
        answer("Why?", history=["not a turn"], settings=settings)  # type: ignore[list-item]
    check_sentence(refusal.value)


def test_a_store_of_another_embedding_is_refused_with_the_command_that_mends_it(
    folder: Path, settings: Settings, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.txt").write_text("Captain Ida Voss steers the ferry.", encoding="utf-8")
    answer("Who steers the ferry?", folder, settings=settings)
    other = replace(settings, embedding="text-embedding-3-small", api_key="sk-none")
    with pytest.raises(StoreError) as refusal:
        answer("Who steers the ferry?", folder, settings=replace(other, base_url="http://127.0.0.1:9/v1"))
    assert str(refusal.value).endswith(f"To make it anew: footnote sync {folder} --anew")
    check_sentence(refusal.value)


def test_nothing_is_read_before_the_question_is_checked(settings: Settings) -> None:
    with pytest.raises(InputError):
        answer("", Path("/no/such/folder"), settings=settings)


@pytest.mark.parametrize("count", [1, 3, 50])
def test_as_many_passages_are_kept_as_the_settings_say(samples: Settings, count: int) -> None:
    result = answer("why was Israel skipped?", settings=replace(samples, passage_count=count))
    assert len(result.passages) == count or (count == 50 and 8 < len(result.passages) < 50)
    assert "economic diplomacy" in cited_text(result)
