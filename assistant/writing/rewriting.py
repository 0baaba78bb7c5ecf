"""A question that follows another is offered to the language model, in one short call: to be rewritten so that it
stands alone, to be left as it is, or to be known for one about the last answer itself.

But: where the model fails, is slow or writes what is no question, `assistant.question.followup` rewrites it by a rule.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.answers import Turn
from assistant.question.followup import FollowUp
from assistant.question.leaning import leans_on_conversation
from assistant.writing.language_model import LanguageModel
from index.errors import ModelError
from index.splitting.terms import find_content_terms
from index.steps import step
from prompts import make_fence, render

LAST_TURNS = 3
LONGEST_TURN_CHARACTERS = 400  # of the question, and of the answer
LONGEST_QUERY_CHARACTERS = 300
LONGEST_SECONDS = 10.0
KEPT_SHARE = 0.6  # of what a question says that stands alone, which its rewriting says too
# What the prompt asks a model to reply where a question is about the last answer; no secret.
ABOUT_ANSWER = "LAST_ANSWER"

_MARKER = re.compile(r"(?<!\s)\s*+\[\d+\]")


@step("rewrite")
def rewrite_with_model(
    question: str, turns: Sequence[Turn], by_rule: FollowUp, model: LanguageModel | None
) -> FollowUp:
    """What a question becomes in its conversation: itself where it stands alone, else as the model rewrites it.

    by_rule: what it becomes by the rule, which stands where the model is not asked, fails, or leaves the question as it
    is. The model is not asked where nothing was said before, or where the rule knows that the last answer is meant.
    """
    if model is None or not turns or by_rule.reworks:
        return by_rule
    try:
        prompt = make_prompt(question, turns)
        written = model.ask(*prompt, seconds=LONGEST_SECONDS, most_characters=2 * LONGEST_QUERY_CHARACTERS)
    except ModelError:
        return by_rule
    query = _MARKER.sub("", written).strip().strip('"“”`*').strip()
    if query.rstrip(".") == ABOUT_ANSWER and turns[-1].answer.strip():
        # More of it, never less: what the question itself finds comes along, whatever a document had the model say.
        return replace(by_rule, reworks="extends")
    if not _is_rewriting(query, question, by_rule) or query.casefold() == question.casefold():
        return by_rule
    return FollowUp(query, query, by_rule.length)


def _is_rewriting(query: str, question: str, by_rule: FollowUp) -> bool:
    """Whether a line still asks for the same: no answer, no excuse, and no order that a document gave."""
    if len(query) > LONGEST_QUERY_CHARACTERS or not query.isprintable() or not re.search(r"\w", query):
        return False
    # What only asks for another length, or the same of something else, shares its words with the rule's question.
    asked = set(find_content_terms(question if by_rule.asked == question else by_rule.asked))
    shared = len(asked & set(find_content_terms(query)))
    # What may be understood alone keeps what it says; of what leans, only the rest is known.
    return shared >= (KEPT_SHARE * len(asked) if not leans_on_conversation(question) else min(1, len(asked)))


def make_prompt(question: str, turns: Sequence[Turn]) -> tuple[str, str]:
    """The rules and the request, with the last turns inside a fence that no answer can guess."""
    fence = make_fence()
    lines = [
        f"{speaker}: {' '.join(words.split())[:LONGEST_TURN_CHARACTERS]}"
        for turn in turns[-LAST_TURNS:]
        for speaker, words in (("Question", turn.question), ("Answer", _MARKER.sub("", turn.answer)))
        if words
    ]
    return render("rewrite_rules", fence=fence, about_answer=ABOUT_ANSWER), render(
        "rewrite_request", fence=fence, turns="\n".join(lines), question=question
    )
