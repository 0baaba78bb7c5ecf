"""The journal: a line of JSON on standard error for each request, question and search, each sync that changed anything,
each warning of a library, each defect.

What libraries say is not repeated, since a question may stand in it; nor is what Python says of an error of ours.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.serving.observing.defects import DEFECTS
from assistant.serving.observing.outcomes import Fact, Outcome, describe, has_changed
from index.errors import InputError
from index.steps import Step

MOST_FRAMES = 20  # of a defect
LONGEST_SHOWN_CHARACTERS = 10_000  # of a question or an answer, where they are asked for
_CHECKS = ("/healthz", "/readyz", "/metrics")  # which somebody asks for every few seconds
_CANCELLED = "CancelledError"  # of asyncio, which a command that serves nothing does without
_SPEAKS_OF_ITSELF = "uvicorn"  # and of nothing that a request holds


class Journal:
    """What is written, and to standard error.

    as_json: whether requests and questions are written, and all is JSON; else warnings and defects alone, in words.
    shows_content: whether questions, answers and what errors say stand in it.
    """

    def __init__(self, *, as_json: bool = False, shows_content: bool = False) -> None:
        self.as_json = as_json
        self.shows_content = shows_content
        self._writing = threading.Lock()

    def begin(self, step: Step) -> None:
        """Nothing is told of what has only begun."""

    def end(self, step: Step) -> None:
        """Write the line of a request, a question, a search or a sync."""
        if not self.as_json or not self._is_told(step):
            return
        facts = describe(step)
        status = facts.get("status")
        if isinstance(status, int):
            is_bad = status >= 500 and facts.get("route") not in _CHECKS  # which say 503 where all goes as it should
        else:
            is_bad = facts.get("error") not in (None, InputError.__name__)  # which is who asks's
        content = self._find_content(step)
        self._write(
            "error" if is_bad else "info",
            step.name,
            {"request_id": step.request_id or None, "seconds": round(step.seconds, 4), **facts, **content},
        )

    def tell_defect(self, error: BaseException, request_id: str = "") -> None:
        """Write where an error of ours came about, and of which class it is."""
        frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
        where = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
        said = {"message": str(error)} if self.shows_content else {}
        facts = {"request_id": request_id or None, "error": type(error).__name__, "where": " < ".join(reversed(where))}
        self._write("error", "defect", {**facts, **said})

    def tell_record(self, record: logging.LogRecord) -> None:
        """Write that a library warns, or that there is a fault of ours."""
        if record.name == DEFECTS and record.exc_info and record.exc_info[1]:
            self.tell_defect(record.exc_info[1])
            return
        if record.exc_info and record.exc_info[0] and record.exc_info[0].__name__ == _CANCELLED:
            return  # a request that was under way when the server was stopped
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        shows = self.shows_content or record.name.partition(".")[0] == _SPEAKS_OF_ITSELF
        facts: dict[str, Fact] = {
            "logger": record.name,
            "where": f"{record.filename}:{record.lineno}",
            **({"error": error} if error else {}),
            **({"message": record.getMessage().strip()} if shows else {}),
        }
        self._write(record.levelname.lower(), "library", facts)

    def _is_told(self, step: Step) -> bool:
        match step.name:
            case "request":
                outcome = step.result
                return not (isinstance(outcome, Outcome) and outcome.route in _CHECKS and outcome.status == 200)
            case "sync":
                from index.plan import SyncReport

                return bool(step.failure) or (isinstance(step.result, SyncReport) and has_changed(step.result))
        return step.name in ("question", "search")

    def _find_content(self, step: Step) -> dict[str, Fact]:
        if not self.shows_content or step.name != "question":
            return {}
        from assistant.answers import Answer

        if not isinstance(step.result, Answer):
            return {}
        answer = step.result
        return {
            "question": answer.question[:LONGEST_SHOWN_CHARACTERS],
            "answer": answer.text[:LONGEST_SHOWN_CHARACTERS],
        }

    def _write(self, level: str, event: str, facts: Mapping[str, Fact]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self.as_json:
            line = json.dumps({"time": now, "level": level, "event": event, **facts})
        else:
            told = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
            line = f"{level}: {event}, {json.dumps(told)[1:-1]}"
        with self._writing:
            try:
                sys.stderr.write(f"{line}\n")
                sys.stderr.flush()
            except (OSError, ValueError):
                return  # who reads it has gone


@contextmanager
def hear_libraries(journal: Journal) -> Iterator[None]:
    """As long as the block lasts, what libraries log goes to the journal, and nowhere else unless content may be shown.

    But: not what somebody has a single library write by a handler of its own.
    """
    root = logging.getLogger()
    before = root.handlers
    root.handlers = [*(before if journal.shows_content else ()), _Handler(journal)]
    try:
        yield
    finally:
        root.handlers = before


class _Handler(logging.Handler):
    """Takes what all libraries log, whatever levels they have been set to: of warnings the journal tells."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Have a warning be told."""
        self._journal.tell_record(record)


def open_journal(environment: Mapping[str, str], form: str | None = None) -> Journal:
    """The journal that FOOTNOTE_LOG and FOOTNOTE_LOG_CONTENT ask for, or who starts a command.

    Raises InputError where they cannot be used.
    """
    chosen = (form if form is not None else environment.get("FOOTNOTE_LOG", "")).strip().lower()
    if chosen not in ("", "json"):
        name = "--log" if form is not None else "FOOTNOTE_LOG"
        raise InputError(f"{name} is {chosen[:40]!r}: give json, or leave it out.")
    shows = environment.get("FOOTNOTE_LOG_CONTENT", "").strip()
    if shows not in ("", "0", "1"):
        raise InputError("FOOTNOTE_LOG_CONTENT is neither 0 nor 1: with 1, questions and answers stand in the log.")
    return Journal(as_json=chosen == "json", shows_content=shows == "1")


def hook_threads(journal: Journal) -> Any:
    """What takes the place of `threading.excepthook`: a thread's end by an error of ours is a defect."""

    def tell(ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
            journal.tell_defect(ended.exc_value)

    return tell
