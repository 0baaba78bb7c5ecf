"""The token with which a model says that the documents are silent, wherever in a reply and however dressed it comes."""

from __future__ import annotations

import re

# What the prompt asks a model to reply where the documents do not say; no secret.
NOT_FOUND_TOKEN = "NOT_IN_DOCUMENTS"  # noqa: S105

# Brackets on their own side only, so that a marker beside the token stays whole.
_BEFORE, _AFTER = r"[\"'“”‘’«»`*_\[({<]{0,4}", r"[\"'“”‘’«»`*_\])}>]{0,4}"
_END = rf"{_AFTER}[.!]?{_AFTER}"
_PARTS = [part for letter in NOT_FOUND_TOKEN for part in ((r"\\?", "_") if letter == "_" else (letter,))]
_TOKEN = re.compile(rf"{_BEFORE}(?<![^\W_]){''.join(_PARTS)}(?![^\W_]){_END}", re.IGNORECASE)
_MAY_BECOME_TOKEN = re.compile(
    rf"{_BEFORE}(?<![^\W_]){''.join(f'(?:{part}' for part in _PARTS)}{_END}{')?' * len(_PARTS)}\Z", re.IGNORECASE
)


class SilenceFilter:
    """A reply without the token: `feed` gives what may be passed on, `finish` the rest.

    seen: whether the token has come. came_first: whether it came before any word.
    """

    def __init__(self) -> None:
        self.seen = self.came_first = False
        self._held = ""  # what may yet become the token
        self._last = ""  # the character before it
        self._has_words = False

    def feed(self, delta: str) -> str:
        """Take in a delta; give the text that is certainly not the token."""
        self._held += delta
        return self._pass(ended=False)

    def finish(self) -> str:
        """Give what was held back, now that nothing more comes."""
        return self._pass(ended=True)

    def _pass(self, ended: bool) -> str:
        text, place, passed = self._last + self._held, len(self._last), ""
        # A token at the very end may not be whole yet.
        while (token := _TOKEN.search(text, place)) and (ended or token.end() < len(text)):
            passed += self._note(text[place : token.start()])
            self.seen = True
            self.came_first |= not self._has_words
            place = token.end()
        pending = None if ended else _MAY_BECOME_TOKEN.search(text, place)
        end = pending.start() if pending else len(text)
        passed += self._note(text[place:end])
        self._held, self._last = text[end:], text[max(0, end - 1) : end]
        return passed

    def _note(self, text: str) -> str:
        self._has_words |= bool(re.search(r"\w", text))
        return text
