"""What the README says is true: its commands run, its examples give what it shows, its table is the settings."""

import ast
import doctest
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from index.endpoint import find_embedding, find_reranker
from index.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROADS = (ROOT / "docs" / "roads.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def test_the_first_commands_are_the_two_that_do_all_the_set_up() -> None:
    assert re.findall(r"^    (make \w+)", README, re.MULTILINE) == ["make chat", "make test"]


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?<!-)\bmake (\w+)", README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert named <= targets
    assert {"help", "install", "chat", "test", "lint", "bench"} <= targets


@pytest.mark.parametrize("example", re.findall(r"```console\n(.*?)```", README, re.DOTALL))
def test_the_console_examples_are_real_runs(example: str) -> None:
    command, _, shown = example.partition("\n")
    run = subprocess.run(
        command.removeprefix("$ "),
        shell=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        cwd=ROOT,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == shown


def test_the_python_examples_are_real_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for number, example in enumerate(re.findall(r"```python\n(.*?)```", README + ROADS, re.DOTALL)):
        test = doctest.DocTestParser().get_doctest(example, {}, f"example {number}", "README.md, docs/roads.md", 0)
        assert test.examples
        with warnings.catch_warnings():
            # `open(...).read()` leaves its file to the collector, as people write it.
            warnings.simplefilter("ignore", ResourceWarning)
            assert doctest.DocTestRunner().run(test).failed == 0


def test_the_table_of_variables_is_what_the_settings_read() -> None:
    source = (ROOT / "index" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"((?:OPENAI|FOOTNOTE)_[A-Z_]+)"', source))
    told = set(re.findall(r"^\| `((?:OPENAI|FOOTNOTE)_[A-Z_]+)` \|", README, re.MULTILINE))
    assert told == read


def test_the_defaults_told_are_the_defaults(settings: Settings) -> None:
    from assistant.writing.language_model import LEAST_EVIDENCE_TOKENS, MOST_EVIDENCE_TOKENS
    from assistant.writing.server import DEFAULT_MODEL

    assert f"1 to 50 | {settings.passage_count} |" in README
    assert f"tokens | {settings.chunk_tokens} |" in README
    assert f"in tokens | a tenth of its context, {LEAST_EVIDENCE_TOKENS:,} to {MOST_EVIDENCE_TOKENS:,} |" in README
    assert f"silent | {settings.timeout_seconds:g} |" in README
    assert f"| `{DEFAULT_MODEL}`;" in README


@pytest.mark.parametrize("line", re.findall(r"^export .*", README, re.MULTILINE))
def test_each_line_for_a_server_can_be_pasted(line: str) -> None:
    tell = "import os; print({n: v for n, v in os.environ.items() if n.startswith(('OPENAI_', 'FOOTNOTE_'))})"
    run = subprocess.run(["sh", "-c", f'{line}; "$0" -c "{tell}"', sys.executable], capture_output=True, check=True)
    environment = ast.literal_eval(run.stdout.decode())
    told = set(re.findall(r"^\| `((?:OPENAI|FOOTNOTE)_[A-Z_]+)` \|", README, re.MULTILINE))
    assert environment.keys() <= told
    assert set(re.findall(r"\b(?:OPENAI|FOOTNOTE)_[A-Z_]+", line)) <= environment.keys()
    settings = Settings.from_environment(environment)
    served = [*filter(None, (find_embedding(settings), find_reranker(settings)))]
    assert len(served) == ("FOOTNOTE_EMBEDDING=" in line) + ("FOOTNOTE_RERANKER=" in line)


@pytest.mark.parametrize("command", ["chat", "ask", "sync", "check", "documents", "eval"])
def test_every_command_told_exists_with_its_options(command: str) -> None:
    row = re.search(rf"^\| `footnote {command}([^`]*)`", README, re.MULTILINE)
    assert row
    run = subprocess.run([BIN / "footnote", command, "--help"], capture_output=True, text=True, check=True)
    for option in re.findall(r"--\w+", row[1]):
        assert option in run.stdout
