"""What a language model is asked: the rules, and the numbered sentences of documents inside a fence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from assistant.citing.citations import show_context
from assistant.writing.conversation import Conversation
from assistant.writing.silence import NOT_FOUND_TOKEN
from index.documents import Passage
from index.splitting.outline import to_line
from index.splitting.sentences import Sentence
from prompts import make_fence, render


def make_prompt(
    question: str, sources: dict[int, tuple[Passage, Sentence]], conversation: Conversation | None = None
) -> tuple[str, str]:
    """The rules and the request, with the sentences numbered inside a fence that no document can guess.

    conversation: what was said before, which stands in a fence too.
    """
    fence = make_fence()
    blocks = []
    for passage, members in groupby(sources.items(), key=lambda item: item[1][0]):
        lines = _number_lines(passage, {sentence: number for number, (_, sentence) in members})
        # A file name may hold line ends, and so begin a line that looks like a numbered sentence.
        title, path = " ".join(passage.title.split()), " ".join(passage.path.split())
        date = f", {passage.date}" if passage.date else ""
        blocks.append(render("source", title=title, path=path, date=date, sentences="\n".join(lines)))
    rules = render("answer_rules", not_found=NOT_FOUND_TOKEN, fence=fence)
    turns = conversation.show(sources, fence) if conversation else ""
    turns = f"{turns}\n\n" if turns else ""
    return rules, render("answer_request", fence=fence, sources="\n\n".join(blocks), turns=turns, question=question)


def _number_lines(passage: Passage, numbers: Mapping[Sentence, int]) -> Iterator[str]:
    """The numbered sentences of a passage, a line each, with a line before those that stand under what is not shown."""
    shown: set[str] = set()
    for sentence, context in zip(passage.sentences, passage.contexts(), strict=True):
        if sentence not in numbers:
            continue
        if not shown.issuperset(context):
            yield f"Under: {show_context(context, passage.title)}"
        shown.update((*context, to_line(passage.words_of(sentence), sentence.kind)))
        yield f"[{numbers[sentence]}] {_show_line(sentence, passage)}"


def _show_line(sentence: Sentence, passage: Passage) -> str:
    """A sentence in one line, code as far to the right as it stands."""
    line = passage.line_of(sentence)
    if sentence.kind == "code":
        before = passage.text[: sentence.start - passage.start]
        return before[len(before.rstrip(" \t")) :] + line
    return line
