"""What the typed routes answer where a request cannot be answered: a status, and a sentence as `detail`.

400  what was asked cannot be used    404  there is no such library
422  the request has another form     429  too much is asked for at once; 503  a store or a model does not answer
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from assistant.serving.forms import describe_value, name_place
from assistant.serving.limits import RefusedError
from assistant.serving.served import Served
from index.errors import FootnoteError, InputError, ModelError
from index.library import Library

RETRY_SECONDS = 5  # after which a model that did not answer may be asked again
_NO_JSON = "The request's body is not JSON."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was not answered: what happened and what to do, in a sentence."""

    detail: str


EXPECTED = (FootnoteError, RefusedError, HTTPException, ValidationError)  # what programs are told in its own words
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "What was asked cannot be used."},
    404: {"model": Refusal, "description": "There is no such library."},
    422: {"model": Refusal, "description": "The request has another form."},
    429: {"model": Refusal, "description": "Too much is asked for at once; `Retry-After` says when to try again."},
    503: {"model": Refusal, "description": "A store or a model's server does not answer."},
}


class RefusingRoute(APIRoute):
    """A route whose errors are sentences."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request, or refuses it."""
        answer = super().get_route_handler()

        async def answer_or_refuse(request: Request) -> Response:
            try:
                return await answer(request)
            except RequestValidationError as error:
                return JSONResponse({"detail": describe(error)}, 422)
            except HTTPException as error:
                # So the framework tells of JSON that is too deep, or has a number of too many digits.
                if isinstance(error.__cause__, RecursionError | ValueError):
                    return JSONResponse({"detail": _NO_JSON}, 422)
                raise
            except (FootnoteError, RefusedError) as error:
                status, retry_seconds = find_status(error)
                headers = {"Retry-After": str(retry_seconds)} if retry_seconds else None
                return JSONResponse({"detail": str(error)}, status, headers)

        return answer_or_refuse


def find_library(served: Served, name: str | None) -> Library:
    """A library by its name, the first by default."""
    try:
        return served.library(name)
    except InputError as error:
        raise HTTPException(404, str(error)) from error


def describe(error: Exception) -> str:
    """The sentence of one of the EXPECTED errors."""
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return _describe_form(first, first["loc"][1:])  # behind where it stands: in the body, or the address
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return _describe_form(first, first["loc"])
    return str(error.detail if isinstance(error, HTTPException) else error)


def find_status(error: FootnoteError | RefusedError) -> tuple[int, int]:
    """The status that tells of an error, and in how many seconds another try may help, 0 where that is not known."""
    match error:
        case RefusedError():
            return error.status, error.retry_seconds
        case InputError():
            return 400, 0
        case ModelError(retry_helps=True):
            return 503, RETRY_SECONDS
    return 503, 0


def _describe_form(first: Any, names: Sequence[object]) -> str:
    """What is wrong with the form of a request: the first field that is, and how. first: as pydantic tells of it."""
    if first["type"] == "json_invalid":
        return _NO_JSON
    if not names:
        return "The request's body is no JSON object; send it with Content-Type: application/json."
    name = name_place(tuple(names))
    if first["type"] == "extra_forbidden":
        return f"There is no field “{name}” in a request of this kind."
    if first["type"] == "missing":
        return f"The field “{name}” is missing."
    return describe_value(name, first)
