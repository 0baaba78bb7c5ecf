"""What a reasoning model thinks aloud is no part of its reply: <think>...</think> is taken out, delta by delta.

A tag that begins a line is taken at its word, also where it is never closed, or only closed, since some servers
keep the opening tag to themselves. Within a line only a pair is a thought: "the <think> tag" stays.
"""

from __future__ import annotations

import re

_NAMES = ("think", "thinking", "thought", "thoughts", "reasoning")
_TAG = re.compile(rf"<(/?)(?:{'|'.join(_NAMES)})>", re.IGNORECASE)
_TAGS = [f"<{slash}{name}>" for slash in ("", "/") for name in _NAMES]
_LONGEST_TAG = max(map(len, _TAGS))


class Thoughts:
    """A reply without its thoughts: `feed` gives what may be passed on, `finish` the rest.

    `all_before`: set by a feed that finds that all before what it gives was a thought, which only the end of it told.
    """

    def __init__(self) -> None:
        self.all_before = False
        self._held = ""  # what may yet become a tag
        self._aside: list[str] = []  # a thought that is not over, and may be none
        self._thinking = False
        self._begins_line = True  # nothing but white space stands on the line so far
        self._certain = False  # the thought began a line

    def feed(self, delta: str) -> str:
        """Take in a delta; give the text that is certainly no thought."""
        self.all_before = False
        text, place, passed = self._held + delta, 0, ""
        for tag in _TAG.finditer(text):
            closes = bool(tag[1])
            if closes and self._thinking:
                self._aside, self._thinking, place = [], False, tag.end()
            elif closes and self._would_begin_line(text[place : tag.start()]):
                passed, self.all_before, self._begins_line, place = "", True, True, tag.end()
            elif not self._thinking:
                end = tag.end() if closes else tag.start()
                passed += self._pass(text[place:end])
                self._thinking, self._certain, place = not closes, self._begins_line, end
        end = _find_partial_tag(text)
        if not self._thinking:
            passed += self._pass(text[place:end])
        elif not self._certain:
            self._aside.append(text[place:end])
        self._held = text[max(place, end) :]
        return passed

    def finish(self) -> str:
        """Give what was held back, now that nothing more comes; a thought that is not over is dropped."""
        held = "" if self._thinking and self._certain else "".join([*self._aside, self._held])
        self._held, self._aside = "", []
        return held

    def _pass(self, text: str) -> str:
        self._begins_line = self._would_begin_line(text)
        return text

    def _would_begin_line(self, text: str) -> bool:
        _, line_end, line = text.rpartition("\n")
        return not line.strip() and (bool(line_end) or self._begins_line)


def _find_partial_tag(text: str) -> int:
    """Where a tag may have begun that is not yet whole, or the end of the text."""
    start = text.rfind("<", -_LONGEST_TAG)
    may_become = start >= 0 and any(tag.startswith(text[start:].lower()) for tag in _TAGS)
    return start if may_become else len(text)
