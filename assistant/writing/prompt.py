"""What a language model is asked: the rules, and the numbered sentences of documents inside a fence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from assistant.citing.citations import show_context
from assistant.writing.conversation import Conversation
from assistant.writing.silence import NOT_FOUND_TOKEN
from index.documents import Passage
from index.splitting.outline import to_line
from index.splitting.sentences import Sentence
from prompts import make_fence, render

GAP = "…"  # on a line of its own, where a document goes on elsewhere


def make_prompt(
    question: str, sources: Mapping[int, tuple[Passage, Sentence]], conversation: Conversation | None = None
) -> tuple[str, str]:
    """The rules and the request, with the sentences numbered inside a fence that no document can guess.

    conversation: what was said before, which stands in a fence too.
    """
    fence = make_fence()
    documents = []
    for _, members in groupby(sources.items(), key=lambda item: item[1][0].document_id):
        numbered = list(members)
        passage = numbered[0][1][0]
        # A file name may hold line ends, and so begin a line that looks like a numbered sentence.
        title, path = " ".join(passage.title.split()), " ".join(passage.path.split())
        date = f", {passage.date}" if passage.date else ""
        lines = "\n".join(_number_lines(numbered))
        documents.append(render("source", title=title, path=path, date=date, sentences=lines))
    rules = render("answer_rules", not_found=NOT_FOUND_TOKEN, fence=fence)
    turns = conversation.show(sources, fence) if conversation else ""
    turns = f"{turns}\n\n" if turns else ""
    return rules, render("answer_request", fence=fence, sources="\n\n".join(documents), turns=turns, question=question)


def _number_lines(numbered: Sequence[tuple[int, tuple[Passage, Sentence]]]) -> Iterator[str]:
    """The numbered sentences of a document, with a line before those that stand under what is not shown."""
    above: tuple[str, ...] = ()
    for place, (passage, members) in enumerate(groupby(numbered, key=lambda item: item[1][0])):
        if place:
            yield GAP
        shown = {passage.title, *above}
        contexts = dict(zip((one.start for one in passage.sentences), passage.contexts(), strict=True))
        for number, (_, sentence) in members:
            context = contexts[sentence.start]
            if context != above and not shown.issuperset(context):
                yield f"Under: {show_context(context, passage.title)}"
            above = context
            shown.update((*context, to_line(passage.words_of(sentence), sentence.kind)))
            yield from _show(number, sentence, passage)


def _show(number: int, sentence: Sentence, passage: Passage) -> Iterator[str]:
    """A numbered sentence in one line, code in as many as it has and as far to the right as these stand."""
    mark = f"[{number}] "
    if sentence.kind != "code":
        yield f"{mark}{passage.line_of(sentence)}"
        return
    before = passage.text[: sentence.start - passage.start]
    words = before[len(before.rstrip(" \t")) :] + passage.words_of(sentence)
    for place, line in enumerate(words.splitlines()):
        # No line of a document begins a line, where it might look like one of ours.
        yield f"{' ' * len(mark) if place else mark}{line}".rstrip()
