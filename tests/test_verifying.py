"""Saved answers held against the documents: what stands, has moved, has changed, is gone."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hashed import CHUNK_TOKENS, HashEmbedding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from assistant import answer
from assistant.answers import Answer, AnswerSentence, Citation
from assistant.saved import LARGEST_SAVED_BYTES, MOST_CITATIONS, read_saved
from assistant.serving.command_line import command
from assistant.serving.commands.verify import lay_out
from assistant.serving.page.exporting import export_html, export_json, export_markdown
from assistant.showing.plain import lay_out as print_answer
from assistant.verifying import Verification, verify
from index.documents import identify
from index.errors import InputError
from index.library import Library, finish
from index.settings import Settings
from index.storing.embedded import EmbeddedStore

ODD = (
    "The ferry was built in 1911.",
    "It [the ferry] took *three* days (or `four`), “not five” — as _they_ said.",
    "| Pier | Lamps |\n| --- | --- |\n| North | 2 |",
    "if (a < b && c > d) {\n\treturn x[1];\n}",
    "<b>Bold</b> &amp; <script>alert(1)</script> [^1]: no note",
    "Two words  with   many\n\nblanks” — Not a title, characters 3–5",
    "שלום עולם, זה ‏ציטוט‎ מימין לשמאל.",
    "```\ncode in a fence\n```",
    "Cost: $5 ~~or~~ $6 #1 \\ backslash\\",
    "東京タワーは1958年に完成した。",
    "e\u0301te\u0301 and Zu\u0308rich",
)
NAME, TITLE = "notes, old/the ferry, 2.md", "Notes, on [ferries] — “I”"
TEXT = f"# {TITLE}\n\n" + "\n\n".join(ODD) + "\n\nThe end of it all.\n"


def open_folder(folder: Path, stores: Path) -> Library:
    """A folder's library whose embedding costs nothing, with its documents."""
    store = EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS)
    library = Library(folder, store, HashEmbedding(), Settings.from_environment({}))
    finish(library.sync())
    return library


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """One that is not changed."""
    folder = tmp_path_factory.mktemp("documents")
    write(folder, NAME, TEXT)
    write(folder, "other.txt", "Nothing of the kind is in here.\n")
    library = open_folder(folder, tmp_path_factory.mktemp("stores"))
    yield library
    library.store.close()


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8", newline="")


def make_answer(library: Library, quotes: tuple[str, ...] = ODD, text: str = TEXT, name: str = NAME) -> Answer:
    """An answer that cites words of a document, and another as a whole."""
    record = library.store.lexicon.record(identify(name))
    assert record
    citations = [
        Citation(
            n,
            identify(name),
            name,
            TITLE,
            None,
            text.index(q),
            text.index(q) + len(q),
            q,
            (),
            "words",
            record.content_hash,
        )
        for n, q in enumerate(quotes, 1)
    ]
    whole = Citation(len(quotes) + 1, identify("other.txt"), "other.txt", "other", None, 0, 0, "", kind="document")
    sentences = tuple(AnswerSentence(f"So it is, {c.number}.", (c.number,), "supported") for c in [*citations, whole])
    said = "\n".join(f"{sentence.text} [{sentence.citations[0]}]" for sentence in sentences)
    return Answer("Why?", "Why?", said, "answered", 1.0, "model", None, sentences, (*citations, whole), ())


FORMS: dict[str, Callable[[Answer], str]] = {
    "json": lambda saved: saved.to_json(),
    "json of a conversation": lambda saved: export_json([saved]),
    "json of the browser": lambda saved: f'[{{"question": "", "library": null, "answer": {saved.to_json()}}}]',
    "markdown": lambda saved: export_markdown([saved]),
    "html": lambda saved: export_html([saved]),
    "text": print_answer,
}
WHOLE = [name for name in FORMS if name != "text"]


def verdicts(verified: Verification) -> list[str]:
    return [citation.verdict for citation in verified.citations]


@pytest.mark.parametrize("form", FORMS)
def test_what_was_saved_stands_as_long_as_nothing_changes(library: Library, form: str) -> None:
    saved = make_answer(library)
    verified = verify(FORMS[form](saved), library)
    assert verified.form == form.partition(" ")[0]
    assert [(c.number, c.verdict) for c in verified.citations] == [(c.number, "stands") for c in saved.citations]
    for citation, cited in zip(verified.citations, saved.citations, strict=True):
        assert citation.kind == cited.kind
        assert citation.path == cited.path
        assert citation.place
        assert (citation.place.start, citation.place.end, citation.place.quote) == (cited.start, cited.end, cited.quote)
        assert citation.is_file_unchanged in ((True,) if cited.content_hash and form != "text" else (None,))
    assert verified.holds
    read = json.loads(verified.to_json())
    assert read["holds"] is True
    assert [citation["verdict"] for citation in read["citations"]] == verdicts(verified)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spans=st.lists(st.tuples(st.integers(0, len(TEXT) - 1), st.integers(1, 200)), min_size=1, max_size=5))
def test_any_words_of_a_document_stand_in_every_form(library: Library, spans: list[tuple[int, int]]) -> None:
    quotes = tuple(TEXT[start : start + length] for start, length in spans)
    saved = make_answer(library, tuple(quote for quote in quotes if quote.strip()))
    places = {c.number: (c.start, c.end) for c in saved.citations}
    for form in WHOLE:
        verified = verify(FORMS[form](saved), library)
        assert set(verdicts(verified)) == {"stands"}, form
        assert {c.number: (c.place.start, c.place.end) for c in verified.citations if c.place} == places


def test_an_answer_itself_a_file_and_its_bytes_are_verified_alike(library: Library, tmp_path: Path) -> None:
    saved = make_answer(library)
    file = tmp_path / "saved.json"
    file.write_text(saved.to_json(), encoding="utf-8")
    assert verify(saved, library) == verify(file, library) == verify(b"\xef\xbb\xbf" + file.read_bytes(), library)


@pytest.fixture
def edited(tmp_path: Path) -> Iterator[Library]:
    folder = tmp_path / "documents"
    write(folder, NAME, TEXT)
    write(folder, "other.txt", "Nothing of the kind is in here.\n")
    library = open_folder(folder, tmp_path / "stores")
    yield library
    library.store.close()


def test_each_edit_of_the_folder_is_told(edited: Library) -> None:
    saved = make_answer(edited)
    files = {form: FORMS[form](saved) for form in FORMS}
    folder = edited.folder

    def check_all(check: Callable[[str, Verification], None]) -> None:
        finish(edited.sync(checksum=True))
        for form, file in files.items():
            check(form, verify(file, edited))

    # A word is changed.
    changed = TEXT.replace("built in 1911", "built in 1912")
    write(folder, NAME, changed)

    def tell_changed(form: str, verified: Verification) -> None:
        first, *others = verified.citations
        assert first.verdict == "changed", form
        assert "says “1912” where the quotation says “1911”" in first.difference
        assert first.place
        assert first.place.quote == "The ferry was built in 1912."
        assert first.is_file_unchanged is (None if form == "text" else False)
        assert {citation.verdict for citation in others} == {"stands"}
        assert not verified.holds

    check_all(tell_changed)

    # A paragraph is put before all others.
    write(folder, NAME, f"A paragraph that was not there before.\n\n{TEXT}")

    def tell_moved(form: str, verified: Verification) -> None:
        assert verdicts(verified) == ["moved"] * len(ODD) + ["stands"], form
        for citation, cited in zip(verified.citations, saved.citations[:-1], strict=False):
            assert citation.place
            assert citation.place.start == cited.start + 40
            assert citation.place.path == citation.path == NAME
        assert verified.holds

    check_all(tell_moved)
    start = TEXT.index(ODD[0])
    moved = f"[1] moved   {NAME}, characters {start}-{start + 28} → {start + 40}-{start + 68}"
    assert moved in lay_out(verify(saved, edited), folder)

    # The files are renamed.
    write(folder, NAME, TEXT)
    (folder / NAME).rename(folder / "renamed.md")
    (folder / "other.txt").rename(folder / "another.txt")

    def tell_renamed(form: str, verified: Verification) -> None:
        assert verdicts(verified) == ["moved"] * len(ODD) + ["gone"], form
        assert {citation.place.path for citation in verified.citations if citation.place} == {"renamed.md"}
        assert [citation.path for citation in verified.citations] == [NAME] * len(ODD) + ["other.txt"]

    check_all(tell_renamed)

    # A word is changed in what was renamed.
    write(folder, "renamed.md", changed)

    def tell_both(form: str, verified: Verification) -> None:
        first, *others = verified.citations
        assert first.verdict == "changed", form
        assert "says “1912” where the quotation says “1911”" in first.difference
        assert first.place
        assert (first.path, first.place.path) == (NAME, "renamed.md")
        assert {citation.verdict for citation in others[:-1]} == {"moved"}
        assert f"[1] changed {NAME} → renamed.md, characters " in lay_out(verified, folder)

    check_all(tell_both)

    # And deleted.
    (folder / "renamed.md").unlink()

    def tell_gone(form: str, verified: Verification) -> None:
        assert set(verdicts(verified)) == {"gone"}, form
        assert "they were cited from another folder" in lay_out(verified, folder)

    check_all(tell_gone)


def test_a_document_cited_as_a_whole_is_known_by_its_content(edited: Library) -> None:
    record = edited.store.lexicon.record(identify("other.txt"))
    assert record
    saved = make_answer(edited, ())
    saved = replace(saved, citations=(replace(saved.citations[0], content_hash=record.content_hash),))
    files = {form: FORMS[form](saved) for form in WHOLE}
    (edited.folder / "other.txt").rename(edited.folder / "another.txt")
    finish(edited.sync())
    for file in files.values():
        [citation] = verify(file, edited).citations
        assert citation.verdict == "moved"
        assert citation.place
        assert citation.place.path == "another.txt"


def test_words_that_are_gone_altogether_are_told_with_what_stands_there(edited: Library) -> None:
    saved = make_answer(edited, ODD[:1])
    write(edited.folder, NAME, "Quite another text, in which no line is as it was before, by anyone at all.\n")
    finish(edited.sync(checksum=True))
    first = verify(saved, edited).citations[0]
    assert (first.verdict, first.difference) == ("changed", "nothing like it stands in the document")


def test_answers_from_the_samples_hold_and_know_their_files(samples: Settings, tmp_path: Path) -> None:
    said = answer("why was Israel skipped?", settings=samples)
    told = answer("Which documents are there?", settings=samples)
    for one in (said, told):
        assert one.citations
        assert all(len(citation.content_hash) == 64 for citation in one.citations)
        assert Answer.from_json(one.to_json()) == one
    # What an earlier version saved has no hash.
    old = json.loads(said.to_json())
    for citation in old["citations"]:
        del citation["content_hash"]
    assert Answer.from_json(json.dumps(old)).citations[0].content_hash == ""


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "no citations of Footnote's"),
        ("Only words.", "no citations of Footnote's"),
        ("{", "no whole JSON"),
        ("[" * 100_000, "no citations of Footnote's"),
        ('{"a":' * 100_000, "no whole JSON"),
        ("{}", "no Answer of Footnote's"),
        ("[1]", "no Answer of Footnote's"),
        ('{"exchanges": [], "version": 99}', "is of version 99"),
        ('{"citations": [{"quote": "x"}]}', "as this version of Footnote writes it"),
        ('{"citations": [{"document_id": "d", "path": "p", "quote": "x", "start": 5, "end": 2}]}', "as this version"),
        ("<!DOCTYPE html><html><body><p>Something else</p></body></html>", "no export of Footnote's"),
        ("<html>" + "<div>" * 50_000, "no export of Footnote's"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"x" * (LARGEST_SAVED_BYTES + 1), "larger than 20 MB"),
        ("\n\n".join(f"[^{n}]: “w” — t, p, characters 1–2" for n in range(MOST_CITATIONS + 1)), "the most: part it"),
        (Path("/nowhere/at all.md"), "cannot be read"),
        (Path("/"), "cannot be read"),
    ],
)
def test_what_is_no_file_of_ours_is_refused(library: Library, given: str | bytes | Path, says: str) -> None:
    with pytest.raises(InputError, match=says):
        verify(given, library)


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_that_cites_nothing_has_nothing_to_verify(library: Library, form: str) -> None:
    nothing = replace(make_answer(library, ()), text="The documents do not say.", sentences=(), citations=())
    verified = verify(FORMS[form](nothing), library)
    assert verified.citations == ()
    assert "nothing to verify" in lay_out(verified, library.folder)


def test_footnotes_are_read_though_an_editor_has_broken_their_lines(library: Library) -> None:
    markdown = export_markdown([make_answer(library, ODD[:2])])
    body, notes = markdown.split("\n[^1]:", 1)
    broken = notes.replace(", ", ",\n    ")
    verified = verify(f"{body}\n[^1]:{broken}\nAn afterword.\n", library)
    assert verdicts(verified) == ["stands"] * 3


PATHS = st.lists(
    st.sampled_from(
        [", ", "`", "``", "[", "]", "“", "” — ", '"', " ", "\\", "<b>", "&amp;", "|", "*", "characters 3–5"]
    )
    | st.sampled_from([", page 3", ", characters 1-2", ", the whole document", "שלום", "\u200f", "\u202e", "#", "[1] "])
    | st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]),
    min_size=1,
    max_size=12,
).map(lambda parts: f"{''.join(parts).strip()}.md")


@given(path=PATHS, title=PATHS, has_hash=st.booleans())
def test_any_path_is_read_back_from_every_form(path: str, title: str, has_hash: bool) -> None:
    content_hash = "ab" * 32 if has_hash else ""
    words = Citation(1, "d", path, title, None, 3, 30, "It was built in 1911, so it", (), "words", content_hash)
    whole = Citation(2, "d", path, title, None, 0, 0, "", (), "document", content_hash)
    sentences = (AnswerSentence("So it is.", (1, 2), "supported"),)
    saved = Answer("Why?", "Why?", "So it is [1][2].", "answered", 1.0, "m", None, sentences, (words, whole), ())
    forms = {**FORMS, "markdown itself": Answer.to_markdown, "html itself": Answer.to_html}
    for form, write_out in forms.items():
        _, found = read_saved(write_out(saved))
        wanted = "".join(c if c.isprintable() else "\ufffd" for c in path) if form == "text" else path
        assert [[*one.paths()] for one in found] == [[wanted]] * 2, form
        assert [one.kind for one in found] == ["words", "document"], form


@pytest.mark.parametrize("write_out", [export_markdown, lambda saved: saved[0].to_markdown()])
def test_files_that_were_joined_are_read_as_each_of_them(
    library: Library, write_out: Callable[[list[Answer]], str]
) -> None:
    saved = make_answer(library)
    for one in (saved, replace(saved, citations=tuple(replace(c, content_hash="") for c in saved.citations))):
        verified = verify(write_out([one]) * 2, library)
        assert verdicts(verified) == ["stands"] * 2 * len(one.citations)
        assert [c.place.start for c in verified.citations if c.place] == [c.start for c in one.citations] * 2


def test_a_footnote_that_is_cut_off_is_told(library: Library) -> None:
    markdown = export_markdown([make_answer(library, ODD[:2])])
    notes = markdown.index("[^2]: ")
    for end in ("characters", " — ", "SHA", "`"):
        cut = markdown[: markdown.index(end, notes)]
        with pytest.raises(InputError, match="Footnote 2 in the file cannot be read whole"):
            verify(cut, library)
    # One of somebody else's is none of ours.
    assert verdicts(verify(f"{markdown}\n[^9]: See also the *other* notes.\n", library)) == ["stands"] * 3


FALSE = "The ferry was built of paper by nobody at all."


@pytest.mark.parametrize(
    "saved",
    [
        f"x[^1]\n\n[^1]: “{FALSE}” — T, other.txt\n",
        f"x[^1]\n\n[^1]: “{FALSE}” — T, `other.txt`, page 3\n",
        f"x[^1]\n\n[^1]: “{FALSE}” — T, `other.txt`, characters 0-{len(FALSE)}\n",
        "<!doctype html><body><main><section><ol><li><p>T, other.txt, the whole document</p><blockquote>"
        f"{FALSE}</blockquote></li></ol></section><footer>x</footer></main>",
    ],
)
def test_words_that_stand_nowhere_never_stand(library: Library, saved: str) -> None:
    try:
        assert "stands" not in verdicts(verify(saved, library))
    except InputError as error:
        assert "cannot be read whole" in str(error)


@pytest.mark.parametrize("changed", [{"kind": "document"}, {"quote": " "}, {"kind": "words", "quote": "", "end": 0}])
def test_a_citation_that_contradicts_itself_is_none(library: Library, changed: dict[str, object]) -> None:
    fields = json.loads(make_answer(library).to_json())
    fields["citations"][0] |= changed
    with pytest.raises(InputError, match=r"not as this version of Footnote writes it"):
        verify(json.dumps(fields), library)


def test_what_a_version_before_wrote_is_read(library: Library) -> None:
    markdown = (
        export_markdown([make_answer(library, ODD[:2])]).replace(f"`{NAME}`", NAME).replace("`other.txt`", "other.txt")
    )
    assert verdicts(verify(markdown, library)) == ["stands"] * 3


def test_what_a_client_of_openai_has_is_read(library: Library) -> None:
    saved = make_answer(library)
    fields = json.loads(saved.to_json())
    message = {"role": "assistant", "content": saved.text, "footnote": fields}
    chat = {"object": "chat.completion", "choices": [{"index": 0, "message": message}]}
    response = {"object": "response", "output": [], "footnote": fields}
    lines = "\n".join(map(json.dumps, (chat, fields, response)))
    for file, times in (
        (json.dumps(chat), 1),
        (json.dumps(response), 1),
        (json.dumps([chat, response]), 2),
        (lines, 3),
    ):
        verified = verify(file, library)
        assert verdicts(verified) == ["stands"] * times * len(saved.citations)
        assert verified.form == "json"
    with pytest.raises(InputError, match="no Answer of Footnote's"):
        verify(json.dumps({"object": "chat.completion", "choices": [{"message": {"content": "Hello."}}]}), library)


@given(
    st.text()
    | st.lists(
        st.sampled_from(
            [
                "[^1]: ",
                "“",
                "” — ",
                "`",
                "``",
                ", the whole document",
                "\n",
                "x, ",
                "characters 1–5",
                "[1] a.md",
                "    ",
                "<html>",
                "<li>",
                "{",
                "```",
            ]
        ),
        max_size=30,
    ).map("".join)
)
def test_no_text_fails_otherwise_than_by_a_sentence(given: str) -> None:
    try:
        _, found = read_saved(given)
    except InputError:
        return
    assert all([*saved.paths()] for saved in found)


@pytest.fixture
def command_folder(folder: Path, embedding: object) -> Path:
    (folder / "ferry.md").write_text("# Ferry\n\nThe ferry was built in 1911. It has two lamps.\n", encoding="utf-8")
    return folder


def test_the_commands_say_what_stands(command_folder: Path, tmp_path: Path) -> None:
    run = CliRunner()
    file = tmp_path / "saved.json"
    asked = run.invoke(command, ["ask", "When was the ferry built?", "--documents", str(command_folder), "--json"])
    file.write_text(asked.stdout, encoding="utf-8")
    done = run.invoke(command, ["verify", str(file), "--documents", str(command_folder)])
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "1 citation: 1 stands.")
    assert "[1] stands  ferry.md, characters 9-37" in done.stdout
    assert f"Held against the documents in {command_folder}." in done.stdout.replace("\n", " ")

    (command_folder / "ferry.md").write_text("# Ferry\n\nThe ferry was built in 1913. It has two lamps.\n")
    done = run.invoke(command, ["verify", str(file), "--documents", str(command_folder)])
    assert done.exit_code == 1
    assert "now: says “1913” where the quotation says “1911”" in done.stdout
    done = run.invoke(command, ["verify", str(file), "--documents", str(command_folder), "--json"])
    assert (done.exit_code, json.loads(done.stdout)["citations"][0]["verdict"]) == (1, "changed")

    cite = ["--documents", str(command_folder)]
    done = run.invoke(command, ["cite", "two lamps", *cite])
    assert (done.exit_code, done.stdout) == (0, "ferry.md, characters 45-54\n    “two lamps”\n")
    done = run.invoke(command, ["cite", "the ferry was built in 1912", *cite, "--only", "ferry.md", "--json"])
    [place] = json.loads(done.stdout)
    assert (place["is_exact"], place["difference"]) == (False, "says “1913” where the quotation says “1912”")
    done = run.invoke(command, ["cite", "a zebra in the rain", *cite])
    assert (done.exit_code, done.stdout) == (1, "It stands nowhere.\n")
