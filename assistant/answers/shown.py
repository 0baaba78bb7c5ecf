"""How an Answer shows itself: as text, as Markdown, as HTML, and in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.answers.answer import Answer


class Shown:
    """What every way of showing an Answer is called. How it is done is for `assistant.showing`, on a floor above.

    That is the one import which points up: a value shows itself wherever it is, and knows of that only its name.
    """

    __slots__ = ()

    def __str__(self: Answer) -> str:  # type: ignore[misc]
        """Text with footnotes, as the command line prints it."""
        from assistant.showing.plain import lay_out

        return lay_out(self)

    def to_markdown(self: Answer) -> str:  # type: ignore[misc]
        """Markdown, each marker a footnote, "[^1]"."""
        from assistant.showing.written import to_markdown

        return to_markdown(self)

    def to_html(self: Answer, key: str | None = None) -> str:  # type: ignore[misc]
        """A piece of an HTML page, with footnotes that open, for light and dark; nothing in it is live.

        key: letters, digits, "-" and "_" that tell its links from those of other answers on the page; by default by
        chance. Raises InputError where it holds anything else.
        """
        from assistant.showing.fragment import to_html

        return to_html(self, key)

    def _repr_markdown_(self: Answer) -> str:  # type: ignore[misc]
        return self.to_markdown()

    def _repr_html_(self: Answer) -> str:  # type: ignore[misc]
        return self.to_html()
