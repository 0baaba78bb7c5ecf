"""The head of the page: what is asked, and who answers."""

from __future__ import annotations

from html import escape

from assistant.serving.page.strings import say
from index.errors import ModelError
from index.library import Library
from index.settings import Settings


def to_header(library: Library) -> str:
    """The heading as HTML."""
    count = len(library.store.lexicon.records())
    documents = say("header.documents_one") if count == 1 else say("header.documents_many", count=f"{count:,}")
    mode = escape(describe_mode(library.settings))
    return (
        f'<header class="head"><h1>{escape(say("header.title"))}</h1><p>{escape(documents)} in '
        f"<strong>{escape(library.folder.name)}</strong>"
        f'<button class="mode" type="button" data-tab="tabs.settings">{mode}</button>'
        "</p></header>"
    )


def to_user(name: str) -> str:
    """Who is logged in, and the way out, as HTML; nothing where nobody logs in."""
    if not name:
        return ""
    return (
        f'<form class="user" method="post" action="logout"><span>{escape(name)}</span> '
        f'<button type="submit">{escape(say("login.log_out"))}</button></form>'
    )


def describe_mode(settings: Settings) -> str:
    """One line that says who answers."""
    if not settings.uses_language_model:
        return say("mode.quotations")
    from assistant.writing.language_model import LanguageModel

    try:
        return say("mode.model", model=LanguageModel(settings).name)
    except ModelError as error:
        return say("mode.model_fails", why=error)
