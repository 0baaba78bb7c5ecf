"""The answer that a language model writes, from numbered sentences and from nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from dataclasses import replace
from itertools import groupby

from assistant.answers import NOT_FOUND, Answer, TextDelta
from assistant.citations import CitedText, number_sentences
from assistant.language_model import LanguageModel
from index.documents import Passage
from index.errors import ModelError
from index.sentences import Sentence
from index.settings import Settings
from prompts import render

NOT_FOUND_TOKEN = "NOT_IN_DOCUMENTS"  # what the prompt asks a model to reply where the documents do not say


def write(quoted: Answer, settings: Settings) -> Generator[TextDelta, None, Answer]:
    """Stream the model's answer to the question of `quoted`, from its passages.

    Raises ModelError where the model does not answer.
    """
    sources = number_sentences(quoted.passages)
    model = LanguageModel(settings)
    cited = CitedText(sources)
    opening, deciding = "", True  # what may still be the token is held back
    shown = 0  # characters; nothing before the first citation, for what cites nothing is never shown
    for delta in model.stream(*make_prompt(quoted.query, sources)):
        if deciding:
            opening += delta
            if _may_be_token(opening.strip()):
                continue
            delta, deciding = opening, False
        cited.feed(delta)
        if cited.citations and len(cited.text) > shown:
            yield TextDelta(cited.text[shown:])
            shown = len(cited.text)
    refused = deciding and opening.strip().startswith(NOT_FOUND_TOKEN)
    if deciding and not refused:
        cited.feed(opening)
    cited.finish()
    if cited.citations and len(cited.text) > shown:
        yield TextDelta(cited.text[shown:])
    if not cited.sentences() and not refused:
        raise ModelError("Its reply was empty: ask again, or name another model in FOOTNOTE_MODEL.", retry_helps=True)
    answered = replace(
        quoted, model=model.name, usage=model.usage, sentences=cited.sentences(), citations=cited.citations
    )
    if not cited.citations:
        # What cites nothing is the model's own knowledge, or none: it never fills the gap.
        notice = "" if refused else "The language model's reply cited no sentence, so it is not shown."
        return replace(answered, text=NOT_FOUND, found=False, sentences=(), notice=notice)
    return replace(answered, text=cited.text, found=True)


def _may_be_token(opening: str) -> bool:
    return NOT_FOUND_TOKEN.startswith(opening) or opening.startswith(NOT_FOUND_TOKEN)


def make_prompt(question: str, sources: dict[int, tuple[Passage, Sentence]]) -> tuple[str, str]:
    """The rules and the request, with the sentences numbered inside a fence that no document can guess."""
    fence = f"=== {secrets.token_hex(8)} ==="
    blocks = []
    for passage, members in groupby(sources.items(), key=lambda item: item[1][0]):
        lines = [f"[{number}] {' '.join(passage.words_of(sentence).split())}" for number, (_, sentence) in members]
        # A file name may hold line ends, and so begin a line that looks like a numbered sentence.
        title, path = " ".join(passage.title.split()), " ".join(passage.path.split())
        date = f", {passage.date}" if passage.date else ""
        blocks.append(render("source", title=title, path=path, date=date, sentences="\n".join(lines)))
    rules = render("answer_rules", not_found=NOT_FOUND_TOKEN, fence=fence)
    return rules, render("answer_request", fence=fence, sources="\n\n".join(blocks), question=question)
