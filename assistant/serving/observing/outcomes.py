"""What may be told of a step: numbers, and words that are ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.steps import LEFT, Step

if TYPE_CHECKING:
    from index.plan import SyncReport

Fact = str | int | float | bool | None
_SYNCED = ("added", "changed", "moved", "removed", "unchanged", "skipped", "partial")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request went.

    method, route: one of a few; the route is a pattern of ours, "other" where there is none. status: None where nothing
    was answered. size_bytes: of the body that was sent.
    """

    method: str
    route: str
    status: int | None
    size_bytes: int


def describe(step: Step) -> dict[str, Fact]:
    """The facts of a step that is over, by name."""
    result = step.result
    if isinstance(result, Outcome):
        return {
            "method": result.method,
            "route": result.route,
            "status": result.status,
            "bytes": result.size_bytes,
            **_tell_failure(step),
        }
    match step.name:
        case "question":
            return describe_question(step)
        case "sync":
            return {**_describe_sync(result), **_tell_failure(step)}
    return {**({"count": len(result)} if isinstance(result, (list, tuple)) else {}), **_tell_failure(step)}


def describe_question(step: Step) -> dict[str, Fact]:
    """The same of a question: `status` is that of its answer, "failed" or "stopped"."""
    from assistant.answers import Answer

    answer = step.result if isinstance(step.result, Answer) else None
    if step.failure not in ("", LEFT) or (answer is None and not step.failure):
        return {"status": "failed", **_tell_failure(step)}
    if answer is None:
        return {"status": "stopped"}
    usage = answer.usage
    return {
        "status": answer.status,
        "mode": "model" if answer.model else "quotations",
        "citations": len(answer.citations),
        "model": answer.model,
        "model_failed": answer.model is None and "model" in step.failed,
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
        "retrieve_seconds": round(step.parts.get("retrieve", 0.0), 4),
        "model_seconds": round(step.parts.get("model", 0.0), 4),
    }


def _describe_sync(report: object) -> dict[str, Fact]:
    from index.plan import SyncReport

    if not isinstance(report, SyncReport):  # what was told last of one that did not end
        return {}
    return {**{name: len(getattr(report, name)) for name in _SYNCED}, "to_read": report.to_read}


def has_changed(report: SyncReport) -> bool:
    """Whether a sync did anything."""
    return bool(report.added or report.changed or report.moved or report.removed)


def _tell_failure(step: Step) -> dict[str, Fact]:
    return {"error": step.failure} if step.failure else {}
