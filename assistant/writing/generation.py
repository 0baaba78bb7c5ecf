"""The answer that a language model writes, from numbered sentences and from nothing else."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from assistant.answers import NOT_FOUND, Answer, AnswerSentence, Draft, TextDelta
from assistant.citing.citations import number_sentences, seek_among
from assistant.citing.cited_text import CitedText
from assistant.quoting.quotations import show_quotation
from assistant.writing.conversation import Conversation
from assistant.writing.judging import judge
from assistant.writing.language_model import LanguageModel
from assistant.writing.prompt import make_prompt
from assistant.writing.reply import ThoughtsOver, TooLongError
from assistant.writing.silence import SilenceFilter
from index.documents import Passage, Progress
from index.embedding.protocol import Embedding
from index.errors import ModelError
from index.library import Library
from index.steps import step

Event = Progress | Draft | TextDelta | Answer


@step("write")
def write(
    quoted: Answer, passages: Sequence[Passage], library: Library, model: LanguageModel, conversation: Conversation
) -> Generator[Event, None, Answer]:
    """Stream the model's answer from what of the passages and around them fits its budget.

    quoted: what the documents' own words say. conversation: the question in the user's words, with what was said
    before it.

    Where the model judges it too, Answers that wait for verdicts come before the last.
    A reply that breaks off keeps what was cited of it, with a notice and the quotations of `quoted` beneath.
    Raises ModelError where the model does not answer.
    """

    def choose(tokens: int) -> Answer:
        evidence = library.choose_evidence(passages, quoted.query, tokens, size_of)
        return replace(quoted, passages=evidence)

    def size_of(words: str) -> int:
        # Each sentence stands on a line, with its number; what stands between two is not shown.
        return model.count_tokens(f"[100] {words}\n") if words.strip() else 0

    whole = choose(model.evidence_tokens)
    try:
        answered = yield from _write(whole, library, model, conversation)
    except TooLongError:
        sizes = (size_of(passage.words_of(sentence)) for passage in whole.passages for sentence in passage.sentences)
        half = choose(sum(sizes) // 2)
        if not half.passages:
            raise
        answered = yield from _write(half, library, model, conversation)
    shown = {(passage.document_id, one.start) for passage in answered.passages for one in passage.sentences}
    left_out = sum((p.document_id, one.start) not in shown for p, one in number_sentences(passages).values())
    if answered.status == "not_found":  # then the nearest passages say more than all that the model was shown
        answered = replace(answered, passages=tuple(passages[: library.settings.passage_count]))
    return replace(answered, usage=replace(model.usage, sentences_left_out=left_out))


def _write(
    quoted: Answer, library: Library, model: LanguageModel, conversation: Conversation
) -> Generator[Event, None, Answer]:
    """The same, from the passages of `quoted` as they are."""
    sources = number_sentences(quoted.passages)
    seek_support = seek_among(sources, library.embedding)

    def seek(words: str) -> tuple[int, ...]:
        # A model that says that the documents are silent is taken at its word.
        return () if silence.seen else seek_support(words)

    cited, silence = CitedText(sources, seek), SilenceFilter()
    fault: ModelError | None = None
    waiting: list[str] = []  # all before the first citation, for what cites nothing is a draft
    shown, drafted = 0, ""  # the characters that are certain, and the last draft
    try:
        with closing(model.stream(*make_prompt(conversation.question, sources, conversation))) as pieces:
            for piece in pieces:
                match piece:
                    case Progress():
                        yield piece
                        continue
                    case ThoughtsOver():
                        cited, silence, waiting, shown = CitedText(sources, seek), SilenceFilter(), [], 0
                    case str():
                        # One by one, so that what stands before the token for silence is settled before it is seen.
                        waiting += (cited.feed(silence.feed(character)) for character in piece)
                if cited.is_cited and not silence.came_first and (text := "".join(waiting)):
                    yield TextDelta(text)
                    waiting, shown, drafted = [], shown + len(text), ""
                draft = "" if silence.came_first else "".join([*waiting, cited.draft])
                if draft != drafted:
                    yield Draft(draft)
                    drafted = draft
    except ModelError as error:
        fault = error
    cited.feed(silence.finish())
    cited.finish(ended=fault is None)
    if cited.is_cited and not silence.came_first and len(cited.text) > shown:
        # The verdicts take a while, for which the text does not wait.
        yield TextDelta(cited.text[shown:])
        shown = len(cited.text)
    answered = _conclude(quoted, model.name, cited, silence, fault, library.embedding)
    if len(answered.text) > shown:
        yield TextDelta(answered.text[shown:])
    if answered.found and answered.model and not fault:
        answered = yield from judge(answered, library, model)
    return answered


def _conclude(
    quoted: Answer, name: str, cited: CitedText, silence: SilenceFilter, fault: ModelError | None, embedding: Embedding
) -> Answer:
    """The Answer that the reply of the model `name` makes, whole or broken off with a fault.

    Raises ModelError where it makes none.
    """
    written = replace(quoted, model=name)
    nothing = replace(written, text=NOT_FOUND, status="not_found", sentences=(), citations=())
    if silence.came_first or (silence.seen and not cited.citations):
        return nothing
    if fault and not cited.is_cited:
        raise fault
    sentences = cited.sentences(embedding, quoted.query)
    if not sentences:
        raise ModelError("Its reply was empty: ask again, or name another model in FOOTNOTE_MODEL.", retry_helps=True)
    if not cited.citations:
        if _only_says_so(cited.text, sentences):
            return nothing
        # What cites nothing is the model's own knowledge, or none: it never fills the gap.
        notice = "The language model's reply cited no sentence, so it is not shown."
        if quoted.citations:
            return replace(quoted, notice=f"{notice} These are quotations.")
        return replace(nothing, notice=notice)
    answered = replace(written, text=cited.text, status="answered", sentences=sentences, citations=cited.citations)
    return _complete(answered, quoted, fault) if fault else answered


def _only_says_so(text: str, sentences: Sequence[AnswerSentence]) -> bool:
    """Whether a reply says in words of its own that the documents do not say."""
    return "`" not in text and all(sentence.support == "no_claim" for sentence in sentences)


def _complete(answered: Answer, quoted: Answer, fault: ModelError) -> Answer:
    """A reply that broke off, with a notice, and the quotations as further paragraphs whose citations number on."""
    notice = f"The answer is incomplete. {fault}"
    if not quoted.found:  # the nearest would not complete it
        return replace(answered, notice=notice)
    last = len(answered.citations)
    citations = tuple(replace(citation, number=last + citation.number) for citation in quoted.citations)
    sentences = tuple(
        replace(sentence, citations=tuple(last + number for number in sentence.citations))
        for sentence in quoted.sentences
    )
    return replace(
        answered,
        text="\n\n".join([answered.text, *map(show_quotation, sentences)]),
        sentences=(*answered.sentences, *sentences),
        citations=(*answered.citations, *citations),
        notice=f"{notice} Quotations from the documents stand beneath.",
    )
