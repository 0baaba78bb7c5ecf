"""What is not prose: the lines of a log, subtitles, notebooks, the records of a JSON file."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_files import read

from index.documents import Document
from index.splitting.sentences import find_sentences


def sentences(document: Document) -> list[str]:
    return [document.text[sentence.start : sentence.end] for sentence in find_sentences(document.text)]


# -- logs -------------------------------------------------------------------------------------

_STAMPS = [
    "2024-07-05 23:11:07,123 INFO [worker-1]",
    "2024-07-05T23:11:07.123Z",
    "[2024-07-05 23:11:07] local.ERROR:",
    "05/07/2024, 23:11 - Anna:",
    "[05.07.24, 23:11:07] Anna:",
    "Jul  5 23:11:07 host sshd[12]:",
    "[Fri Jul 05 23:11:07 2024] [error]",
    "05-Jul-2024 23:11:07.123 INFO [main]",
    "07-05 23:11:07.123  1234  1240 I Tag:",
    '192.168.0.1 - - [05/Jul/2024:23:11:07 +0000] "GET /"',
    "[   12.345678]",
    "1720221067.123",
    "I0705 23:11:07.123 12 a.cc:1]",
    "23:11:07.123",
    "INFO:root:",
    "[WARN]",
]


@pytest.mark.parametrize("stamp", _STAMPS)
def test_each_line_of_a_log_is_whole_and_stands_alone(tmp_path: Path, stamp: str) -> None:
    lines = [f"{stamp} Job {number} of the nightly run. Failed. retried after {number} s" for number in range(4)]
    document = read(tmp_path, "server.log", "\n".join(lines) + "\n")
    assert sentences(document) == lines
    assert {sentence.kind for sentence in find_sentences(document.text)} == {"prose"}
    assert document.title == "server"


def test_what_a_program_prints_below_a_line_of_its_log_stays_apart(tmp_path: Path) -> None:
    lines = [
        "2024-07-05 23:11:07 ERROR The connection to the database of the nightly run was lost",
        "java.sql.SQLException: timeout after 30 s, and nobody had told the operators of it yet",
        "at com.example.Nightly.run(Nightly.java:12)",
        "2024-07-05 23:11:09 INFO The connection is back",
    ]
    assert sentences(read(tmp_path, "a.log", "\n".join(lines))) == lines


@pytest.mark.parametrize(
    "text",
    [
        "The ferry that takes the children of both islands to their school leaves the pier at\n"
        "12:30 from the beginning of May, and comes back from the mainland at\n13:15 or so in calm weather.",
        "12:30 is when the ferry that takes the children of both islands to their school leaves\n"
        "the pier from the beginning of May to the end of the autumn holidays of the mainland.",
    ],
)
def test_prose_that_names_times_at_the_start_of_its_lines_is_no_log(text: str) -> None:
    assert len(find_sentences(text)) == 1
