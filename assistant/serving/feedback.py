"""Thumbs up and down, in a file of the user's that `footnote eval` reads: one line for each answer that was judged.

    thumbs = Thumbs(settings.store_folder, folder)
    thumbs.give(answer, True, earlier, user)

A thumb up makes a case: what was cited is the evidence, and a refusal that was right is of a question that the
documents do not answer. A thumb down says that the answer was wrong, and not what would be right: it is `rejected`, and
whoever knows better adds "answers" and "evidence" to its line, or "answerable": false.

The file lies beside the stores, one a documents folder, so that it outlives a store that is made anew.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from assistant.answers import Answer
from assistant.serving.page.strings import say
from index.errors import InputError, StoreError
from index.place import is_file, lock, write_small
from index.storing.store import place_of

LARGEST_FILE_BYTES = 5_000_000
MOST_EARLIER = 5  # turns that a case begins with
LONGEST_TEXT_CHARACTERS = 2_000  # of each of these, and of an answer that is rejected
MOST_EVIDENCE, LONGEST_EVIDENCE_CHARACTERS = 20, 2_000


class Thumbs:
    """The thumbs given to the answers from one documents folder. Safe to share between threads and processes."""

    def __init__(self, stores: Path, folder: Path) -> None:
        self.file = stores / "thumbs" / f"{place_of(stores, folder).name}.jsonl"

    def give(self, answer: Answer, is_good: bool | None, earlier: Sequence[Answer] = (), user: str = "") -> None:
        """Keep what a person thinks of an answer, in the place of what the same person thought of it before.

        is_good: None takes it back. earlier: the answers before it in its conversation. user: who is logged in.
        Raises InputError where the file is full, and StoreError where it cannot be written.
        """
        case = to_case(answer, is_good, earlier, user)
        key = case["thumb"]["key"]
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with lock(self.file.with_suffix(".lock")):
                lines = [line for line in self._lines() if _key_of(line) != key]
                if is_good is not None:
                    lines.append(json.dumps(case, ensure_ascii=False))
                text = "".join(f"{line}\n" for line in lines)
                # What was there already stays, whoever wrote it.
                if is_good is not None and len(text.encode()) > LARGEST_FILE_BYTES:
                    raise InputError(say("feedback.full", file=self.file))
                write_small(self.file, text)
        except OSError as error:
            raise StoreError(say("feedback.unwritten", file=self.file, why=error.strerror)) from error

    def count(self) -> tuple[int, int]:
        """How many thumbs are up, and how many down."""
        given = [_read_line(line).get("given") for line in self._lines()]
        return given.count("up"), given.count("down")

    def _lines(self) -> Iterable[str]:
        if not is_file(self.file):
            return []
        try:
            if self.file.stat().st_size > 2 * LARGEST_FILE_BYTES:
                raise InputError(say("feedback.full", file=self.file))
            # Only a line feed ends a line: what a document says may hold other ends.
            return [line for line in self.file.read_text(encoding="utf-8").split("\n") if line.strip()]
        except ValueError as error:
            raise InputError(say("feedback.unreadable", file=self.file)) from error


def to_case(answer: Answer, is_good: bool | None, earlier: Sequence[Answer] = (), user: str = "") -> dict[str, Any]:
    """An answer that was judged, as a line of a file of questions."""
    history = [[turn.question[:LONGEST_TEXT_CHARACTERS], turn.text[:LONGEST_TEXT_CHARACTERS]] for turn in earlier]
    case: dict[str, Any] = {"question": answer.question}
    if is_good and answer.status == "not_found":
        case["answerable"] = False
    elif is_good:
        quotes = [c for c in answer.citations if c.quote.strip() and c.document_id][:MOST_EVIDENCE]
        case["evidence"] = [{"text": c.quote[:LONGEST_EVIDENCE_CHARACTERS], "path": c.path} for c in quotes]
    else:
        case["rejected"] = answer.text[:LONGEST_TEXT_CHARACTERS]
    if history:
        case["history"] = history[-MOST_EARLIER:]
    key = json.dumps([user, answer.question, answer.text, answer.query])
    case["thumb"] = {
        "given": "up" if is_good else "down",
        "key": hashlib.sha256(key.encode()).hexdigest()[:16],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "model": answer.model,
    } | ({"user": user} if user else {})
    return case


def _key_of(line: str) -> object:
    return _read_line(line).get("key")


def _read_line(line: str) -> dict[str, Any]:
    """What a line says of its thumb; nothing where a person has written the line."""
    try:
        case = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    thumb = case.get("thumb") if isinstance(case, dict) else None
    return thumb if isinstance(thumb, dict) else {}
