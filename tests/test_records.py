"""What is not prose: the lines of a log, subtitles, notebooks, the records of a JSON file."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from made_files import read

from index.documents import Document
from index.splitting.sentences import HEADS, find_sentences


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
    "05 Jul 2024 23:11:07",
    "20240705T23:11:07",
    "1720221067123",
    "time=2024-07-05T23:11:07Z level=info msg=",
    '{"level": "info"}',
    "[WARN]",
]


@pytest.mark.parametrize("stamp", _STAMPS)
def test_each_line_of_a_log_is_whole_and_stands_alone(tmp_path: Path, stamp: str) -> None:
    lines = [f"{stamp} Job {number} of the nightly run. Failed. retried after {number} s" for number in range(4)]
    document = read(tmp_path, "server.log", "\n".join(lines) + "\n")
    assert sentences(document) == lines
    assert HEADS.isdisjoint(sentence.kind for sentence in find_sentences(document.text))
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


# -- subtitles --------------------------------------------------------------------------------

_SRT = """1
00:00:01,000 --> 00:00:03,500 X1:10 X2:20
<i>Welcome to the</i> harbour
of Brenholm.

2
00:00:03,600 --> 00:00:06,000
{\\an8}It was built in 1902,
by <font color="#fff">one</font> family &amp; 3 < 4.

3
00:00:30,000 --> 00:00:32,000
Forty years later

4
00:00:32,000 --> 00:00:34,000
came the ferry.

5
01:02:03,000 --> 01:02:04,000
Thank you
"""


def test_subtitles_are_what_is_spoken_below_its_time(tmp_path: Path) -> None:
    document = read(tmp_path, "talk.srt", "\ufeff" + _SRT.replace("\n", "\r\n"))
    assert document.title == "talk"
    assert document.text == (
        "[00:00:01]\n\nWelcome to the harbour of Brenholm. It was built in 1902, by one family & 3 < 4.\n\n"
        "[00:00:30]\n\nForty years later came the ferry.\n\n[01:02:03]\n\n- Thank you"
    )
    assert {sentence.kind for sentence in find_sentences(document.text) if sentence.end - sentence.start > 10} == {
        "prose"
    }


def test_speakers_are_named_and_what_is_not_spoken_is_dropped(tmp_path: Path) -> None:
    content = """WEBVTT - The harbour
Kind: captions

STYLE
::cue { color: red }

NOTE made by hand,
in two lines

intro
00:01.000 --> 00:04.000 align:start position:0%
<v.loud Ida Voss>We left <c.red.bg>Israel</c> out.</v>

00:04.000 --> 00:06.000
<v Ida Voss>Nobody knew.

00:06.000 --> 00:08.000
<v Ben>Why?</v> <v Ida Voss>Because of <00:00:07.000>the storm.</v>
"""
    assert read(tmp_path, "a.vtt", content).text == (
        "[00:00:01]\n\nIda Voss: We left Israel out. Nobody knew.\n\n[00:00:06]\n\nBen: Why?\n\n"
        "[00:00:06]\n\nIda Voss: Because of the storm."
    )


def test_a_speaker_whose_name_stands_in_the_words_is_told_once(tmp_path: Path) -> None:
    cues = ["Ida Voss: We left Israel out", "Ida Voss: of the tour.", "Ben O’Hara: Why?", "It was planned: for May."]
    content = "WEBVTT\n\n" + "".join(f"{n}\n00:00:0{n}.000 --> 00:00:0{n}.900\n{cue}\n\n" for n, cue in enumerate(cues))
    assert read(tmp_path, "a.vtt", content).text == (
        "[00:00:00]\n\nIda Voss: We left Israel out of the tour.\n\n"
        "[00:00:02]\n\nBen O’Hara: Why? It was planned: for May."
    )


def test_captions_that_roll_are_read_once(tmp_path: Path) -> None:
    content = """WEBVTT

00:00:00.000 --> 00:00:02.000
~
so<00:00:00.500><c> today</c><00:00:01.000><c> we</c>

00:00:02.000 --> 00:00:02.010
so today we
~

00:00:02.010 --> 00:00:04.000
so today we
talk<00:00:03.000><c> about</c><00:00:03.500><c> ferries</c>
"""
    assert read(tmp_path, "a.vtt", content.replace("~", " ")).text == "[00:00:00]\n\n- so today we talk about ferries"


def test_speech_without_full_stops_is_parted_by_time(tmp_path: Path) -> None:
    cues = [f"00:{second // 60:02}:{second % 60:02}.000 --> 00:59:00.000\nword{second}" for second in range(0, 180, 5)]
    text = read(tmp_path, "a.vtt", "WEBVTT\n\n" + "\n\n".join(cues)).text
    assert [line for line in text.split("\n\n") if line.startswith("[")] == [
        "[00:00:00]",
        "[00:00:45]",
        "[00:01:30]",
        "[00:02:15]",
    ]
    assert text.count("word") == 36


@pytest.mark.parametrize("text", ["He went.", "See a --> b.", "WEBVTT\n\nNOTE --> nothing\n"])
def test_what_is_only_named_as_subtitles_is_text(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, "a.srt", text).text.strip() == text.strip()


# -- notebooks --------------------------------------------------------------------------------


def test_a_notebook_is_its_prose_its_code_and_what_it_printed(tmp_path: Path) -> None:
    picture = "A" * 5000
    cells = [
        {"cell_type": "code", "source": ["import numpy\n", "\n", "x = 1"], "outputs": []},
        {"cell_type": "markdown", "source": f"# The ferries\n![map](data:image/png;base64,{picture})\nThere are two."},
        {
            "cell_type": "code",
            "source": "show()",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["Loading \x1b[31mboats\x1b[0m\n", "done\n"]},
                {"output_type": "execute_result", "data": {"text/plain": ["  name  seats\n", "0 Idun  40"]}},
                {"output_type": "display_data", "data": {"image/png": picture, "text/plain": "<Figure>"}},
                {"output_type": "error", "ename": "ValueError", "evalue": "no boat", "traceback": ["x"]},
                {"output_type": "stream", "text": "y" * 20_000},
            ],
        },
        {"cell_type": "raw"},
        "broken",
    ]
    document = read(tmp_path, "a.ipynb", json.dumps({"nbformat": 4, "cells": cells}))
    assert document.title == "The ferries"
    assert document.text == (
        "```\nimport numpy\n\nx = 1\n```\n\n# The ferries\n![map]()\nThere are two.\n\n```\nshow()\n```\n\n"
        "```\nLoading boats\ndone\n```\n\n```\n  name  seats\n0 Idun  40\n```\n\n```\nValueError: no boat\n```\n\n"
        f"```\n{'y' * 10_000}\n```"
    )
    assert document.unread == "what a cell printed beyond 10,000 characters"


# -- records ----------------------------------------------------------------------------------


def test_a_record_is_one_line_whatever_lies_in_it(tmp_path: Path) -> None:
    record = {
        "name": "Ida",
        "address": {"city": "Oslo", "geo": {"at": [59.9, 10.7]}},
        "boats": [{"name": "Idun"}, {"name": "Ran", "seats": 40}],
        "tags": ["a", "b"],
        "note": "She steers the ferry.\nNobody else does.",
        "none": None,
    }
    row = (
        "name: Ida; address.city: Oslo; address.geo.at: 59.9, 10.7; boats[1].name: Idun; boats[2].name: Ran; "
        "boats[2].seats: 40; tags: a, b; note: She steers the ferry. Nobody else does."
    )
    assert read(tmp_path, "a.json", json.dumps([record, {"name": "Ben"}])).text == f"- {row}\n- name: Ben"
    assert read(tmp_path, "a.jsonl", f"{json.dumps(record)}\n{json.dumps(record)}\n").text == f"- {row}\n- {row}"
    assert read(tmp_path, "b.json", json.dumps({"crew": {"all": [record]}})).text == f"crew.all:\n\n- {row}"


def test_records_that_an_object_holds_by_name_are_lines_too(tmp_path: Path) -> None:
    value: dict[str, object] = {"crew": {"ida": {"age": 40, "at": {"city": "Oslo"}}, "ben": {"age": 30}}}
    assert read(tmp_path, "a.json", json.dumps(value)).text == "- crew.ida: age: 40; at.city: Oslo\n- crew.ben: age: 30"
    value = {"server": {"port": 8443}, "logging": {"level": "debug"}}
    assert read(tmp_path, "a.json", json.dumps(value)).text == "- server.port: 8443\n- logging.level: debug"


def test_a_record_that_no_passage_holds_falls_into_its_fields_and_the_others_do_not(tmp_path: Path) -> None:
    value = {"crew": [{"name": "Ida", "age": 40}, {"name": "Ben", "life": "He went. " * 100}]}
    text = read(tmp_path, "a.json", json.dumps(value)).text
    assert text.startswith("crew:\n\n- name: Ida; age: 40\n\n### Ben\n\n- name: Ben\n- life:\n\nHe went. He went.")


@pytest.mark.parametrize("inner", ["[]", "{}", "null", '""', '[{"a": []}]'])
def test_many_empty_fields_are_passed_over_quickly(tmp_path: Path, inner: str) -> None:
    begun = time.process_time()
    fields = ",".join(f'"f{number}": {inner}' for number in range(20_000))
    deep = '[{"a": ' * 55 + f"{{{fields}}}" + "}]" * 55
    assert read(tmp_path, "a.json", f'[{deep}, "He went."]').text.endswith("He went.")
    assert time.process_time() - begun < 10
