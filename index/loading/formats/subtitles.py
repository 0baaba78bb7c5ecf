"""Subtitles (.srt, .vtt): what is spoken, as paragraphs, each below the time at which it begins.

A time stands on a line of its own, as a heading does, so that a passage says when and a quotation holds spoken words.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from index.loading.formats import Extract
from index.loading.formats.blocks import Blocks
from index.loading.formats.text import count_broken, decode, read_text, say_broken

_SHORTEST_SECONDS = 20  # that a paragraph goes on for, wherever its sentences end
_LONGEST_SECONDS = 45  # after which it ends with a cue
_PAUSE_SECONDS = 5  # a longer one ends a paragraph
_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,]\d{1,3}"
_CUE = re.compile(rf"{_TIME}[ \t]*-->[ \t]*{_TIME}")
_UNSPOKEN = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)\b")  # how the blocks of a .vtt begin that are no cues
_SPEAKER = re.compile(r"<v(?:\.[^<>\s]{1,60})?[ \t]([^<>]{1,100})>")
_NAMED = re.compile(r"\W{0,3}([A-ZÀ-Þ][\w.’'-]{1,30}(?: [A-ZÀ-Þ(][\w.’'()-]{0,30}){0,3}): ")  # in meetings
_MARK = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|<\d[\d:.]{0,20}>|\{\\[^{}]{0,200}\}")
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)]?$")


def read_subtitles(content: bytes) -> Extract:
    """The spoken words without the cues' numbers and marks; a speaker's name stands before the first of theirs."""
    text = decode(content)
    if not _CUE.search(text):
        return read_text(content)
    blocks = Blocks()
    blocks.miss(say_broken(count_broken(content, text)))
    said: list[str] = []
    begun = ended = 0
    speaker = last = ""
    for start, end, lines in _find_cues(text):
        # Captions that roll show a line once more, above the one that is new.
        fresh = lines[1:] if lines and _clean(lines[0]) == last else lines
        last = _clean(lines[-1]) if lines else last
        cue = " ".join(fresh)
        named = _NAMED.match(cue)
        parts = ["", named[1], cue[named.end() :]] if named else _SPEAKER.split(cue)
        for name, part in zip(["", *parts[1::2]], parts[::2], strict=True):
            words = _clean(part)
            if not words:
                continue
            is_other = name not in ("", speaker)
            most_seconds = _SHORTEST_SECONDS if said and _SENTENCE_END.search(said[-1]) else _LONGEST_SECONDS
            if said and (is_other or start - begun >= most_seconds or start - ended > _PAUSE_SECONDS):
                _write(begun, said, blocks)
                said = []
            begun = begun if said else start
            said.append(f"{name}: {words}" if is_other else words)
            speaker = name or speaker
        ended = end
    _write(begun, said, blocks)
    return Extract(blocks.text, unread=blocks.unread)


def _find_cues(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """The start and the end of each cue, in seconds, and its lines as they stand in the file."""
    start = end = 0
    lines: list[str] = []
    since_blank, is_spoken = 0, True
    for line in map(str.strip, text.lstrip("\ufeff").splitlines()):
        if cue := _CUE.match(line):
            # The line before is this cue's number or name.
            if lines and (since_blank == 1 or lines[-1].isdigit()):
                lines.pop()
            yield start, end, lines
            hours, minutes, seconds, *until = (int(part or 0) for part in cue.groups())
            start, end = 3600 * hours + 60 * minutes + seconds, 3600 * until[0] + 60 * until[1] + until[2]
            lines, is_spoken = [], True
        elif not line:
            since_blank, is_spoken = -1, True
        elif since_blank == 0 and _UNSPOKEN.match(line):
            is_spoken = False
        elif is_spoken:
            lines.append(line)
        since_blank += 1
    yield start, end, lines


def _clean(line: str) -> str:
    return " ".join(html.unescape(_MARK.sub("", line)).split())


def _write(begun: int, said: list[str], blocks: Blocks) -> None:
    words = " ".join(said)
    if words:
        blocks.paragraph(f"[{begun // 3600:02}:{begun // 60 % 60:02}:{begun % 60:02}]")
        # A short line without a full stop would pass for a heading.
        (blocks.paragraph if len(words) > 100 or _SENTENCE_END.search(words) else blocks.item)(words)
