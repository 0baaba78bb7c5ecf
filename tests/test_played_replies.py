"""Replies as models write them, good and weak, played again: their text, their citations, the verdicts on them.

In `played_replies.json`, {{words}} stands for the number that the prompt gives to the sentence with these words. The
judge finds every sentence supported, but for those with the words in `judge`; or replies with `judge` itself. A reply
that is not read as it should be yet says why in `wrong_today`: whoever mends it takes that line out.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer, Request

from assistant.chain import answer
from index.settings import Settings

Played = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
REPLIES: list[Played] = json.loads((ROOT / "tests" / "played_replies.json").read_text(encoding="utf-8"))
NUMBERED = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)
JUDGED = re.compile(r"^Sentence (\d+): (.*)$", re.MULTILINE)
CITED = re.compile(r"\{\{(.+?)\}\}")


def as_parameter(played: Played) -> Any:
    reason = played.get("wrong_today")
    marks = [pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True)] if reason else []
    return pytest.param(played, id=played["name"], marks=marks)


def number_of(request: Request, words: str) -> str:
    """The number that a request gives to the one sentence that holds these words."""
    [number] = [number for number, sentence in NUMBERED.findall(request.user) if words in sentence]
    return str(number)


def judge(request: Request, verdicts: str | dict[str, str]) -> str:
    """The verdicts on the sentences that a request numbers, each in a line."""
    if isinstance(verdicts, str):
        return verdicts
    judged = JUDGED.findall(request.user)
    return "\n".join(
        f"{number}: {next((verdict for words, verdict in verdicts.items() if words in sentence), 'supported')}"
        for number, sentence in judged
    )


@pytest.mark.parametrize("played", [as_parameter(played) for played in REPLIES])
def test_a_played_reply_is_shown_cited_and_judged_as_it_should_be(played: Played, samples: Settings) -> None:
    def reply(request: Request) -> str:
        return CITED.sub(lambda match: number_of(request, match[1]), "\n".join(played["reply"]))

    def check(request: Request) -> str:
        return judge(request, played.get("judge", {}))

    with OpenAIServer(reply, check) as server:
        settings = replace(samples, api_key="sk-played", base_url=server.base_url, check="model")
        result = answer(played["question"], ROOT / played["documents"], settings=settings)
        assert len(server.chats) == 2, "the reply, and the check of it"
    quotes = {citation.number: " ".join(citation.quote.split()) for citation in result.citations}
    assert result.text == "\n".join(played["text"])
    expected = [(text, verdict) for text, _, verdict in played["sentences"]]
    assert [(sentence.text, sentence.support) for sentence in result.sentences] == expected
    for sentence, (_, cited, _) in zip(result.sentences, played["sentences"], strict=True):
        assert len(sentence.citations) == len(cited)
        for number, words in zip(sentence.citations, cited, strict=True):
            assert words in quotes[number]
