"""The command `footnote`: in a process of its own, or by typer's runner where that shows the same."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hashed import HashEmbedding, open_store
from openai_server import Fault, OpenAIServer, Request
from typer.testing import CliRunner

from assistant.answers import NOT_FOUND, Answer
from assistant.chain import answer
from assistant.serving.command_line import command
from index.embedding.protocol import Embedding
from index.library import finish
from index.settings import Settings
from index.storing.lexicon import Lexicon
from index.sync import sync

ROOT = Path(__file__).resolve().parent.parent
KEY = "sk-do-not-show-3f9a"
PICTURE = b"GIF89a\0\0\0\0\0\rIHDR\0\0\0\1\0\0\0\1\1\0\0\0\0\x37n\xf9\x24"
SKIPPED = "why was Israel skipped?"

Run = Callable[..., Any]


def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "assistant", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


def run_process(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    process = start(*arguments, **environment)
    stdout, stderr = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


@pytest.fixture
def run(embedding: Embedding) -> Run:
    """Runs a command in this process; standard output and standard error are apart."""
    return lambda *arguments: CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def sample_store(samples: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample folder is synced already, as it is from the second command on."""
    monkeypatch.setenv("FOOTNOTE_STORE", str(samples.store_folder))
    answer(SKIPPED, settings=samples)


@pytest.fixture
def harbour(folder: Path) -> Path:
    """A folder of two documents and a picture."""
    (folder / "ferry.md").write_text(
        "# The Ferry\n\nDate: 3 May 2024\n\nCaptain Ida Voss steers the Brenholm ferry.\n", encoding="utf-8"
    )
    (folder / "lights.txt").write_text("Tarnsund has four lighthouses.\n", encoding="utf-8")
    (folder / "picture.png").write_bytes(PICTURE)
    return folder


def check_one_sentence(stderr: str) -> None:
    """One line that a user can act on."""
    [line] = stderr.splitlines()
    assert line.startswith("footnote: ")
    assert line.endswith(".") or re.search(r": footnote [a-z]+ .*$", line)
    assert "Traceback" not in line


# -- ask --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("sample_store")
def test_an_answer_is_laid_out_with_its_footnotes() -> None:
    done = run_process("ask", SKIPPED)
    assert done.returncode == 0
    assert done.stderr == ""
    text, footnote, under, *quote, blank, mode = done.stdout.rstrip("\n").replace("\n\n[1] ", "\n[1] ").split("\n")
    expected = answer(SKIPPED)
    citation = expected.citations[0]
    assert text == expected.text
    assert footnote == f"[1] gulf-tour.md, characters {citation.start}-{citation.end}"
    assert under == f"    {citation.context[-1]}"
    assert all(line.startswith("    ") and len(line) <= 96 for line in quote)
    assert " ".join(" ".join(quote).split()) == f"“{' '.join(citation.quote.split())}”"
    assert blank == ""
    assert mode == "Quoted from the documents; no language model was used."


@pytest.mark.usefixtures("sample_store")
def test_json_from_another_process_is_the_same_answer_as_in_python() -> None:
    done = run_process("ask", SKIPPED, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert Answer.from_json(done.stdout) == answer(SKIPPED)


@pytest.mark.usefixtures("sample_store")
@pytest.mark.parametrize("question", ["What is the population of Qatar?", "What did Amit Segal say?", "Trump"])
def test_json_is_the_same_answer_as_in_python(run: Run, question: str) -> None:
    assert Answer.from_json(run("ask", "--json", question).stdout) == answer(question)


@pytest.mark.usefixtures("sample_store")
def test_what_is_not_found_is_said_with_the_nearest_passages(run: Run) -> None:
    done = run("ask", "What is the population of Qatar?")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == NOT_FOUND
    assert lines[2] == "The nearest passages:"
    assert all(re.match(r"  [\w-]+\.(md|txt)(, .+)?: \S", line) and len(line) < 220 for line in lines[3:6])
    assert re.fullmatch(r"Confidence that the documents say: \d+%\.", lines[-1])
    assert "[1]" not in done.stdout


def test_a_folder_may_be_named(run: Run, harbour: Path) -> None:
    done = run("ask", "Who steers the Brenholm ferry?", "--documents", harbour)
    assert done.exit_code == 0
    assert "“Captain Ida Voss steers the Brenholm ferry.” [1]" in done.stdout
    assert "[1] ferry.md, characters" in done.stdout


@pytest.mark.usefixtures("sample_store")
def test_what_the_model_wrote_is_laid_out_with_its_support(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer("It cost 77 dollars [2]. He skipped it [9999].") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        done = run("ask", SKIPPED)
    assert done.exit_code == 0
    assert done.stdout.startswith("It cost 77 dollars [1]. He skipped it.\n\n[1] gulf-tour.md, characters ")
    assert re.search(r"^- “It cost 77 dollars\.”: not borne out by what is cited", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("\nWritten by scripted-model.\n")


@pytest.mark.usefixtures("sample_store")
def test_a_refused_key_leaves_quotations_and_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(401, models=401) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        done = run("ask", SKIPPED)
        assert {request.key for request in server.requests} == {KEY}
    assert done.exit_code == 0
    assert "economic diplomacy" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        f"The language model did not answer. The key was refused by {server.base_url}: check OPENAI_API_KEY. "
        "These are quotations."
    )
    assert KEY not in done.stdout + done.stderr
    assert done.stderr == ""


@pytest.mark.usefixtures("sample_store")
def test_a_terminal_of_another_encoding_gets_escapes() -> None:
    done = CliRunner(charset="ascii").invoke(command, ["ask", SKIPPED])
    assert done.exit_code == 0
    assert done.stdout.startswith("\\u201cTrump skipped Israel because")


# -- sync and documents -----------------------------------------------------------------------


def test_sync_tells_what_it_did(run: Run, harbour: Path) -> None:
    assert run("sync", harbour).stdout.splitlines()[-1] == "2 documents: 2 added, 1 skipped"
    (harbour / "lights.txt").write_text("Tarnsund has five lighthouses now.\n", encoding="utf-8")
    (harbour / "new.txt").write_text("Odden is an island.\n", encoding="utf-8")
    (harbour / "picture.png").unlink()
    assert run("sync", harbour).stdout == "3 documents: 1 added, 1 changed, 1 unchanged\n"
    (harbour / "new.txt").unlink()
    assert run("sync", harbour).stdout == "2 documents: 1 removed, 2 unchanged\n"


def test_sync_names_what_it_skipped_and_says_so_in_its_exit_code(run: Run, harbour: Path) -> None:
    done = run("sync", harbour)
    assert done.exit_code == 3
    assert re.match(r"skipped  picture\.png: \S.*\n2 documents: ", done.stdout)
    (harbour / "picture.png").unlink()
    assert run("sync", harbour).exit_code == 0


def test_a_dry_run_tells_what_would_change_and_changes_nothing(run: Run, harbour: Path) -> None:
    (harbour / "picture.png").unlink()
    run("sync", harbour)
    (harbour / "lights.txt").unlink()
    (harbour / "new.txt").write_text("Odden is an island.\n", encoding="utf-8")
    for _ in range(2):
        done = run("sync", harbour, "--dry-run")
        assert done.exit_code == 0
        assert done.stdout.splitlines()[:-1] == ["added    new.txt", "removed  lights.txt"]
        assert done.stdout.splitlines()[-1] == "2 documents: 1 added, 1 removed, 1 unchanged"
    assert run("sync", harbour).stdout == "2 documents: 1 added, 1 removed, 1 unchanged\n"


def test_a_store_that_is_whole_is_said_to_be(run: Run, harbour: Path) -> None:
    run("sync", harbour)
    done = run("check", harbour)
    assert (done.exit_code, done.stdout) == (0, "The store is whole.\n")


def test_sync_anew_builds_the_store_again(run: Run, harbour: Path) -> None:
    (harbour / "picture.png").unlink()
    assert run("sync", harbour).stdout == "2 documents: 2 added\n"
    assert run("sync", harbour).stdout == "2 documents: 2 unchanged\n"
    anew = run_process("sync", harbour, "--anew")
    assert (anew.returncode, anew.stdout) == (0, "2 documents: 2 added\n")


def test_documents_are_listed_with_date_path_and_title(run: Run, harbour: Path) -> None:
    done = run("documents", harbour)
    assert done.exit_code == 0
    assert done.stdout == "2024-05-03  ferry.md  The Ferry\n            lights.txt  lights\n"


@pytest.mark.usefixtures("sample_store")
def test_the_samples_are_listed_where_no_folder_is_named(run: Run) -> None:
    lines = run("documents").stdout.splitlines()
    assert len(lines) == 8
    assert "2025-05-17  gulf-tour.md  Trump's Gulf Tour Leaves Out Israel" in lines


# -- what goes wrong --------------------------------------------------------------------------


def test_a_missing_folder_is_told_in_one_sentence(tmp_path: Path) -> None:
    done = run_process("ask", SKIPPED, "--documents", tmp_path / "missing")
    assert (done.returncode, done.stdout) == (2, "")
    check_one_sentence(done.stderr)
    assert f"{tmp_path / 'missing'} does not exist: check the path." in done.stderr


@pytest.mark.parametrize("arguments", [("sync",), ("documents",), ("ask", "Why?", "--documents")])
@pytest.mark.parametrize("name", ["missing", "empty", "file.txt"])
def test_every_command_tells_of_a_folder_that_cannot_be_used(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], name: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("x", encoding="utf-8")
    done = run(*arguments, tmp_path / name)
    assert (done.exit_code, done.stdout) == (2, "")
    check_one_sentence(done.stderr)
    assert name in done.stderr


@pytest.mark.parametrize("question", ["", "  ", "?!", "why " * 24_999 + "why?"])
def test_a_question_that_cannot_be_asked_is_told_in_one_sentence(run: Run, question: str) -> None:
    done = run("ask", question)
    assert (done.exit_code, done.stdout) == (2, "")
    check_one_sentence(done.stderr)
    assert len(done.stderr) < 200


def test_a_question_of_100_000_characters_is_told_in_one_sentence() -> None:
    done = run_process("ask", "x" * 100_000)
    assert (done.returncode, done.stdout) == (2, "")
    check_one_sentence(done.stderr)
    assert "100,000 characters" in done.stderr


def test_a_bad_setting_is_told_in_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_PASSAGE_COUNT", "many")
    for arguments in (("ask", SKIPPED), ("documents",)):
        done = run(*arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        check_one_sentence(done.stderr)
        assert "FOOTNOTE_PASSAGE_COUNT is 'many'" in done.stderr


def test_a_store_of_another_version_is_told_with_the_command_that_mends_it(
    harbour: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_STORE", str(tmp_path / "store"))
    # Another embedding has left its name in the store.
    store = open_store(harbour, tmp_path / "store")
    finish(sync(harbour, store, HashEmbedding()))
    store.close()
    done = run_process("documents", harbour)
    assert (done.returncode, done.stdout) == (1, "")
    check_one_sentence(done.stderr)
    assert done.stderr.rstrip().endswith(f"To make it anew: footnote sync {harbour} --anew")


@pytest.mark.parametrize(
    "arguments", [("ask", SKIPPED, "--colour"), ("sync",), ("ask",), ("nonsense",), ("chat", "--port", "99999")]
)
def test_a_wrong_command_is_refused_with_its_usage(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Usage: " in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_command(run: Run) -> None:
    done = run("--help")
    assert done.exit_code == 0
    assert all(f" {name} " in done.stdout for name in ("chat", "ask", "sync", "check", "documents", "eval"))


def test_the_version_is_that_of_the_installed_package() -> None:
    done = run_process("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"footnote {version('footnote')}\n", "")


# -- Ctrl-C -----------------------------------------------------------------------------------


def interrupt(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    return process.returncode, stdout, stderr


@pytest.mark.usefixtures("sample_store")
def test_ctrl_c_while_the_model_is_silent_stops_without_a_traceback() -> None:
    with OpenAIServer(Fault.SILENCE) as server:
        process = start("ask", SKIPPED, OPENAI_BASE_URL=server.base_url, FOOTNOTE_TIMEOUT_SECONDS="60")
        wait_for(lambda: bool(server.chats))
        assert interrupt(process) == (130, "", "footnote: stopped; nothing is lost.\n")


def test_ctrl_c_in_an_evaluation_tells_what_was_measured(harbour: Path, tmp_path: Path) -> None:
    questions, figures = tmp_path / "questions.jsonl", tmp_path / "figures.json"
    questions.write_text('{"question": "Who steers the Brenholm ferry?", "answers": ["Ida Voss"]}\n' * 3)
    with OpenAIServer("NOT_IN_DOCUMENTS", Fault.SILENCE) as server:
        process = start("eval", questions, "--documents", harbour, "--json", figures, OPENAI_BASE_URL=server.base_url)
        wait_for(lambda: len(server.chats) > 1)
        code, stdout, stderr = interrupt(process)
    assert (code, stderr.splitlines()[-1]) == (130, "footnote: stopped; nothing is lost.")
    assert "Traceback" not in stderr
    assert stdout.startswith("1 of 3 questions, answered by scripted-model.\n")
    assert re.search(r"^\| refused answerable +\| 1\.000 +\| 0\.21 to 1\.00 +\| 1 +\|$", stdout, re.MULTILINE)
    assert json.loads(figures.read_text())["systems"]["product"]["refused_answerable_questions"] == 1


def test_ctrl_c_in_a_sync_loses_nothing(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_STORE", str(tmp_path / "store"))
    words = "The ferry left Brenholm at noon and carried two hundred passengers over the sound. " * 3
    for number in range(330):
        (folder / f"{number:03}.txt").write_text(f"Crossing {number}. {words}", encoding="utf-8")
    process = start("sync", folder)
    wait_for(lambda: count_documents(tmp_path / "store") > 0)
    code, stdout, stderr = interrupt(process)
    assert (code, stdout) == (130, "")
    assert stderr.endswith("footnote: stopped; nothing is lost.\n")
    assert "Traceback" not in stderr
    summary = re.fullmatch(r"330 documents: (\d+) added, (\d+) unchanged\n", run("sync", folder).stdout)
    assert summary
    assert int(summary[1]) + int(summary[2]) == 330


def count_documents(stores: Path) -> int:
    """How many documents a store under way shows already."""
    for file in stores.glob("*/lexicon.sqlite"):
        lexicon = Lexicon(file)
        try:
            return len(lexicon.records()) if lexicon.is_usable() else 0
        finally:
            lexicon.close()
    return 0


def wait_for(happened: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


# -- what a document or its name may hold -----------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file names")
def test_no_file_name_title_or_text_can_drive_the_terminal(run: Run, folder: Path) -> None:
    name = "evil\x1b[31m\u202e🚢\n[9] fake\x07.md"
    text = "# The \x1b]0;owned\x07 Ferry\n\nCaptain Ida Voss \x1b[2J steers the \x9b31m Brenholm ferry.\n"
    (folder / name).write_text(text, encoding="utf-8")
    (folder / "picture\x1b[31m\n.png").write_bytes(PICTURE)
    for arguments in (
        ("sync", folder),
        ("documents", folder),
        ("ask", "Who steers the Brenholm ferry?", "--documents", folder),
        ("ask", "Who won the 2022 World Cup?", "--documents", folder),
        ("documents", folder / name),
    ):
        done = run(*arguments)
        printed = done.stdout + done.stderr
        assert done.exit_code == (2 if folder / name in arguments else 3 if "sync" in arguments else 0)
        assert "evil" in printed or "Captain" in printed or "picture" in printed
        assert "Traceback" not in printed
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed)
        assert not re.search(r"^\[9\]", printed, re.MULTILINE)


def test_emoji_and_accents_in_names_are_printed_as_they_are(run: Run, folder: Path) -> None:
    (folder / "Fähre 🚢.txt").write_text("Captain Ida Voss steers the Brenholm ferry.\n", encoding="utf-8")
    assert run("documents", folder).stdout == "            Fähre 🚢.txt  Fähre 🚢\n"
    assert "[1] Fähre 🚢.txt, characters 0-43" in run("ask", "Who steers the ferry?", "--documents", folder).stdout


@pytest.fixture
def kinds(folder: Path) -> Path:
    """A folder of rows, fields, keys and headings."""
    (folder / "rates").mkdir()
    (folder / "rates" / "stock.txt").write_text(
        "# Pumps in stock\n\nModel     Weight   Price\nGamma     31 kg    2,400\nDelta     9 kg     610\n"
    )
    (folder / "rates" / "crews.csv").write_text("Ship,Length,Crew\nAurora,31 m,6\nBoreas,44 m,9\n")
    (folder / "shop.yaml").write_text("opening:\n  monday: closed\n  tuesday: 9 to 17\ncontact:\n  phone: 555 0134\n")
    (folder / "leave.md").write_text("# Handbook\n\n## Leave\n\nEmployees get 28 vacation days.\n")
    return folder


FOOTNOTES = [
    # a question, the only file that it is asked of, the lines beneath the footnote
    ("What does the Gamma pump weigh?", "rates/stock.txt", ["Model | Weight | Price", "“Gamma | 31 kg | 2,400”"]),
    ("How many crew has the Boreas?", "*.csv", ["“Ship: Boreas; Length: 44 m; Crew: 9”"]),
    ("What is the phone number?", "shop.yaml", ["contact", "“phone: 555 0134”"]),
    ("How many vacation days do employees get?", "leave.md", ["Leave", "“Employees get 28 vacation days.”"]),
]


@pytest.mark.parametrize(("question", "path", "lines"), FOOTNOTES)
def test_a_footnote_says_what_a_row_or_a_field_stands_under(
    run: Run, kinds: Path, question: str, path: str, lines: list[str]
) -> None:
    printed = run("ask", question, "--documents", kinds, "--only", path).stdout.splitlines()
    first = next(place for place, line in enumerate(printed) if line.startswith("[1] "))
    assert [line.strip() for line in printed[first + 1 : first + 1 + len(lines)]] == lines


def test_the_nearest_passages_say_what_they_stand_under(run: Run, kinds: Path) -> None:
    done = run("ask", "Which song is the most beautiful?", "--documents", kinds, "--only", "rates")
    assert "\n  rates/stock.txt, Model | Weight | Price: Gamma | 31 kg | 2,400 · Delta | 9 kg | 610\n" in done.stdout
    assert (
        "\n  rates/crews.csv: Ship: Aurora; Length: 31 m; Crew: 6 · Ship: Boreas; Length: 44 m; Crew: 9\n"
        in done.stdout
    )
    assert "leave.md" not in done.stdout


def test_only_may_be_said_again_and_must_fit(run: Run, kinds: Path) -> None:
    asked = run("ask", "vacation days", "--documents", kinds, "--only", "shop.yaml", "--only", "leave.md", "--json")
    assert {passage.path for passage in Answer.from_json(asked.stdout).passages} == {"shop.yaml", "leave.md"}
    refused = run("ask", "vacation days", "--documents", kinds, "--only", "leave.pdf")
    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1] == (
        "footnote: No document fits 'leave.pdf': there are leave.md, rates/crews.csv, rates/stock.txt and 1 more. "
        "footnote documents lists them."
    )


def test_a_refusal_names_what_was_not_read_of_the_paths_alone(run: Run, kinds: Path) -> None:
    for number in range(5):
        (kinds / "rates" / f"{number}.png").write_bytes(PICTURE)
    (kinds / "photo.png").write_bytes(PICTURE)
    question = "Which song is the most beautiful?"
    told = f"To see why: footnote sync {kinds}"
    assert run("ask", question, "--documents", kinds).stdout.endswith(
        f"\nNot all was searched: photo.png, rates/0.png, rates/1.png and 3 more could not be read. {told}\n"
    )
    assert run("ask", question, "--documents", kinds, "--only", "*.md", "--only", "photo*").exit_code == 2
    assert "Not all was searched" not in run("ask", question, "--documents", kinds, "--only", "leave.md").stdout


def test_on_a_terminal_the_answer_is_there_before_the_model_has_judged_it(tmp_path: Path) -> None:
    seen = threading.Event()

    def judge(request: Request) -> str:
        assert seen.wait(60)
        return "1: supported\n2: unsupported - nobody counted them"

    terminal, end = os.openpty()
    with OpenAIServer("Trump put the Gulf first [2]. Bananas are grown in Riyadh [2].", judge) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "assistant", "ask", SKIPPED],
            stdout=end,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, "OPENAI_BASE_URL": server.base_url, "FOOTNOTE_CHECK": "model"},
        )
        os.close(end)
        shown = b""
        while b"Riyadh" not in shown:
            shown += os.read(terminal, 1000)
        seen.set()
        with suppress(OSError):  # so a terminal ends
            while more := os.read(terminal, 1000):
                shown += more
        assert process.wait(60) == 0
    lines = shown.decode().splitlines()
    assert lines[0] == "Trump put the Gulf first [1]. Bananas are grown in Riyadh [1]."
    assert sum("Riyadh [1]" in line for line in lines) == 1
    assert "- “Bananas are grown in Riyadh.”: not borne out by what is cited: nobody counted them" in lines


def test_an_invention_without_a_citation_is_told_of(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer("Trump put the Gulf first [2]. Bananas are grown in Riyadh.") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("FOOTNOTE_CHECK", "words")
        result = run("ask", SKIPPED)
    assert "- “Bananas are grown in Riyadh.”: cites nothing" in result.stdout.splitlines()
