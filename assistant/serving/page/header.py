"""The head of the page: what is asked, and who answers."""

from __future__ import annotations

from html import escape

from assistant.serving.page.strings import say
from assistant.serving.served import Served
from index.errors import ModelError
from index.settings import Settings


def to_header(served: Served) -> str:
    """The heading as HTML; the page's script keeps the count up to date, and says how far reading is."""
    libraries = served.libraries.values()
    count = sum(library.store.lexicon.count_documents() for library in libraries)
    documents = say("header.documents_one") if count == 1 else say("header.documents_many", count=f"{count:,}")
    names = ", ".join(library.folder.name for library in libraries)
    mode = escape(describe_mode(served.settings))
    # Where somebody else chose who writes, there is nothing to be chosen.
    told = f'<span class="mode">{mode}</span>'
    shown = f'<button class="mode" type="button" data-tab="tabs.settings">{mode}</button>'
    return (
        f'<header class="head"><h1>{escape(say("header.title"))}</h1><p><span class="count">{escape(documents)}</span> '
        f"{escape(say('header.in'))} <strong>{escape(names)}</strong></p>"
        f"{shown if served.is_local else told}"
        '<p class="following" role="status"></p></header>'
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
