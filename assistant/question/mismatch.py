"""What is told of a question in a language in which no document is written."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.question.asked import asks_for
from index.splitting.languages import count_little, find_languages

_MOST_NAMED = 3
_ACROSS = ", or set FOOTNOTE_EMBEDDING=local:multilingual, which finds across languages"


def tell_mismatch(question: str, languages: Sequence[str], *, is_english_only: bool) -> str:
    """A sentence that says so; "" where the question's language is one of theirs, or cannot be told.

    languages: those of the documents. is_english_only: whether the embedding in use knows no other.
    """
    asked = find_languages(question)
    if len(asked) != 1 or not languages or asked[0] in languages:
        return ""
    # One little word may be part of a name: "Los Angeles", "Die Hard".
    if count_little(question, asked[0]) < 2 and not asks_for(question):
        return ""
    *others, last = languages[:_MOST_NAMED]
    written = f"{', '.join(others)} and {last}" if others else last
    asking = "in one of these" if others else f"in {last}"
    advice = f"ask {asking}{_ACROSS if is_english_only else ''}"
    return f"The documents are in {written} and the question is in {asked[0]}: {advice}."
