"""What goes wrong, in OpenAI's form: a status, a sentence, a kind, and the field of the request that it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from assistant.serving.limits import RefusedError
from index.errors import FootnoteError, InputError, ModelError


class RequestError(RefusedError):
    """A request that cannot be answered. param: the field that it is about. code: what a program may look for."""

    def __init__(self, sentence: str, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(status, sentence)
        self.param = param
        self.code = code


@dataclass(frozen=True, slots=True)
class Failure:
    """status: of HTTP. error: what stands under "error". headers: that tell when another try may help."""

    status: int
    error: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


EXPECTED = (RefusedError, FootnoteError)


def explain(error: RefusedError | FootnoteError) -> Failure:
    """An error as OpenAI's clients understand it.

    They ask again by themselves where a status is 429 or 500 and more, unless they are told not to.
    """
    if isinstance(error, RequestError):
        return Failure(error.status, _to_error(error, "invalid_request_error", error.param, error.code))
    if isinstance(error, RefusedError):
        kind = "rate_limit_error" if error.status == 429 else "invalid_request_error"
        return Failure(error.status, _to_error(error, kind), {"Retry-After": str(max(1, error.retry_seconds))})
    if isinstance(error, InputError):
        return Failure(400, _to_error(error, "invalid_request_error"))
    helps = isinstance(error, ModelError) and error.retry_helps
    return Failure(503, _to_error(error, "server_error"), {"X-Should-Retry": "true" if helps else "false"})


def _to_error(error: Exception, kind: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"message": str(error), "type": kind, "param": param, "code": code}
