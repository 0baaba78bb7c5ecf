"""Thumbs: a file of cases that `footnote eval` reads, one line an answer, and never more than it may hold."""

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.answers import NOT_FOUND, Answer, AnswerSentence, Citation
from assistant.serving import feedback
from assistant.serving.evaluating.cases import read_cases
from assistant.serving.evaluating.judging import explain, judge
from assistant.serving.feedback import Thumbs, to_case
from index.errors import InputError, StoreError

QUOTE = "The bridge was opened in 1911."
CITATION = Citation(1, "d", "bridge.md", "Bridge", None, 0, len(QUOTE), QUOTE)
GOOD = Answer(
    "When was the bridge opened?",
    "When was the bridge opened?",
    f"“{QUOTE}” [1]",
    "answered",
    0.9,
    None,
    None,
    (AnswerSentence(QUOTE, (1,), "supported"),),
    (CITATION,),
    (),
)
REFUSED = replace(GOOD, question="Who built it?", text=NOT_FOUND, status="not_found", sentences=(), citations=())


@pytest.fixture
def thumbs(tmp_path: Path) -> Thumbs:
    return Thumbs(tmp_path / "stores", tmp_path / "documents")


def lines(thumbs: Thumbs) -> list[dict[str, object]]:
    return [json.loads(line) for line in thumbs.file.read_text(encoding="utf-8").splitlines()]


def test_a_thumb_up_is_a_case_with_what_was_cited_as_evidence(thumbs: Thumbs) -> None:
    earlier = [replace(GOOD, question=f"{number}?") for number in range(9)]
    thumbs.give(GOOD, True, earlier)
    (case,) = read_cases(thumbs.file)
    assert case.question == GOOD.question
    assert [(evidence.text, evidence.path) for evidence in case.evidence] == [(QUOTE, "bridge.md")]
    assert [turn.question for turn in case.history] == ["4?", "5?", "6?", "7?", "8?"]
    assert not case.is_to_correct
    shares = judge(case, GOOD)
    assert shares["evidence_recall"] == shares["citation_precision"] == 1
    assert judge(case, REFUSED)["refused_answerable"] == 1


def test_a_thumb_up_for_a_refusal_says_that_the_documents_do_not_say(thumbs: Thumbs) -> None:
    thumbs.give(REFUSED, True)
    (case,) = read_cases(thumbs.file)
    assert not case.answerable
    assert judge(case, GOOD)["answered_unanswerable"] == 1


def test_a_thumb_down_says_what_is_wrong_and_not_what_is_right(thumbs: Thumbs) -> None:
    thumbs.give(GOOD, False)
    (case,) = read_cases(thumbs.file)
    assert case.is_to_correct
    assert judge(case, GOOD) == {"rejected_again": 1.0, "sentences_supported": 1.0} | dict.fromkeys(
        ("sentences_partial", "sentences_unsupported"), 0.0
    )
    assert "given again, though it was rejected" in explain(case, GOOD, judge(case, GOOD))
    # Whether a refusal would be right is not known either.
    assert judge(case, REFUSED) == {"rejected_again": 0.0}
    assert explain(case, REFUSED, judge(case, REFUSED)) == ""


def test_a_line_that_was_corrected_by_hand_is_a_case_like_any_other(thumbs: Thumbs) -> None:
    thumbs.give(GOOD, False)
    (line,) = lines(thumbs)
    thumbs.file.write_text(json.dumps(line | {"answers": ["1912"]}))
    (case,) = read_cases(thumbs.file)
    assert not case.is_to_correct
    assert judge(case, GOOD)["answer_correct"] == 0
    assert judge(case, REFUSED)["refused_answerable"] == 1


def test_who_changes_their_mind_is_counted_once(thumbs: Thumbs) -> None:
    assert thumbs.count() == (0, 0)
    thumbs.give(GOOD, True)
    thumbs.give(REFUSED, False)
    assert thumbs.count() == (1, 1)
    thumbs.give(GOOD, False)
    assert thumbs.count() == (0, 2)
    thumbs.give(GOOD, None)
    assert thumbs.count() == (0, 1)
    # Another person's mind is another matter.
    thumbs.give(REFUSED, True, user="ann")
    assert thumbs.count() == (1, 1)


def test_nobody_is_named_who_is_not_logged_in() -> None:
    assert "user" not in to_case(GOOD, True)["thumb"]
    assert to_case(GOOD, True, user="ann")["thumb"]["user"] == "ann"


def test_lines_of_a_person_stay(thumbs: Thumbs) -> None:
    thumbs.give(GOOD, True)
    with thumbs.file.open("a", encoding="utf-8") as stream:
        stream.write('{"question": "Mine?\u2028\x85"}\nno JSON at all\n[1]\n')
    thumbs.give(GOOD, False)
    kept = thumbs.file.read_text(encoding="utf-8").split("\n")
    assert kept[:3] == ['{"question": "Mine?\u2028\x85"}', "no JSON at all", "[1]"]
    assert thumbs.count() == (0, 1)


def test_the_file_is_bounded(thumbs: Thumbs, monkeypatch: pytest.MonkeyPatch) -> None:
    long = replace(GOOD, text="x" * 100_000, citations=(replace(CITATION, quote="y" * 100_000),) * 500)
    for is_good in (True, False):
        assert len(json.dumps(to_case(long, is_good, [long] * 50))) < 100_000
    monkeypatch.setattr(feedback, "LARGEST_FILE_BYTES", 900)
    thumbs.give(GOOD, True)
    before = thumbs.file.read_bytes()
    with pytest.raises(InputError, match="full of thumbs"):
        for number in range(5):
            thumbs.give(replace(GOOD, question=f"{number}?"), True)
    assert thumbs.file.read_bytes().startswith(before)
    assert thumbs.file.stat().st_size <= 900
    # A mind may still be changed.
    thumbs.give(GOOD, None)


def test_what_cannot_be_read_or_written_is_told(thumbs: Thumbs) -> None:
    thumbs.file.parent.parent.mkdir(parents=True)
    thumbs.file.parent.write_text("in the way")
    with pytest.raises(StoreError, match="could not be kept"):
        thumbs.give(GOOD, True)
    thumbs.file.parent.unlink()
    thumbs.file.parent.mkdir()
    thumbs.file.write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="not UTF-8"):
        thumbs.give(GOOD, True)
    assert thumbs.file.read_bytes() == b"\xff\xfe{}"


def test_many_at_once_lose_nothing(thumbs: Thumbs) -> None:
    def give(name: str) -> None:
        for number in range(5):
            thumbs.give(replace(GOOD, question=f"{name} {number}?"), True)

    threads = [threading.Thread(target=give, args=[name]) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert thumbs.count() == (20, 0)


def test_the_command_measures_the_thumbs(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "bridge.md").write_text(f"# Bridge\n\n{QUOTE}\n")
    thumbs = Thumbs(tmp_path / "stores", documents)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "assistant", "eval", *arguments, "--documents", str(documents)]
        environment = {**os.environ, "FOOTNOTE_STORE": str(tmp_path / "stores")}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    assert "has got a thumb yet" in run("--thumbs").stderr
    assert run().returncode == 2
    thumbs.give(GOOD, True)
    thumbs.give(REFUSED, False)
    done = run("--thumbs")
    assert done.returncode == 0, done.stderr
    assert "Thumbs: 1 up, 1 down" in done.stderr
    assert re.search(r"^\| evidence recall +\| 1\.000 ", done.stdout, re.MULTILINE)
    assert "| rejected again " in done.stdout
