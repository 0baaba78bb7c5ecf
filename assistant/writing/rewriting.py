"""A question that leans on the conversation is rewritten to stand alone by the language model, in one short call.

But: where the model fails, is slow or writes what is no question, `assistant.question.followup` rewrites it by a rule.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answers import Turn
from assistant.question.followup import FollowUp, follow_up
from assistant.question.leaning import leans_on_conversation
from assistant.writing.language_model import LanguageModel
from index.errors import ModelError
from index.splitting.terms import find_content_terms
from prompts import make_fence, render

LAST_TURNS = 3
LONGEST_TURN_CHARACTERS = 400  # of the question, and of the answer
LONGEST_QUERY_CHARACTERS = 300
LONGEST_SECONDS = 10.0

_MARKER = re.compile(r"(?<!\s)\s*+\[\d+\]")


def rewrite_with_model(question: str, turns: Sequence[Turn], model: LanguageModel | None) -> FollowUp:
    """What a question becomes in its conversation: itself where it stands alone, else as the model rewrites it."""
    by_rule = follow_up(question, turns)
    if model is None or not turns or not leans_on_conversation(question):
        return by_rule
    try:
        prompt = make_prompt(question, turns)
        written = model.ask(*prompt, seconds=LONGEST_SECONDS, most_characters=2 * LONGEST_QUERY_CHARACTERS)
    except ModelError:
        return by_rule
    query = _MARKER.sub("", written).strip().strip('"“”`*').strip()
    # One line that still asks for the same: no answer, no excuse, and no order that a document gave. What only asks for
    # another length, or the same of something else, shares its words with the rule's question.
    asked = set(find_content_terms(question if by_rule.asked == question else by_rule.asked))
    is_question = len(query) <= LONGEST_QUERY_CHARACTERS and query.isprintable() and re.search(r"\w", query)
    if is_question and (not asked or asked & set(find_content_terms(query))):
        return FollowUp(query, query, by_rule.length)
    return by_rule


def make_prompt(question: str, turns: Sequence[Turn]) -> tuple[str, str]:
    """The rules and the request, with the last turns inside a fence that no answer can guess."""
    fence = make_fence()
    lines = [
        f"{speaker}: {' '.join(words.split())[:LONGEST_TURN_CHARACTERS]}"
        for turn in turns[-LAST_TURNS:]
        for speaker, words in (("Question", turn.question), ("Answer", _MARKER.sub("", turn.answer)))
        if words
    ]
    return render("rewrite_rules", fence=fence), render(
        "rewrite_request", fence=fence, turns="\n".join(lines), question=question
    )
