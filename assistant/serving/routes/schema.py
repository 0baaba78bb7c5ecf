"""What the routes under /api/ take and give, as OpenAPI describes it.

    GET api/openapi.json

The examples in `examples.json`, beside this file, are what the product gives over the sample folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import RouteContext, iter_route_contexts

from assistant.serving.guard import OwnRoute
from assistant.serving.served import Served

OPEN = (OwnRoute("GET", re.compile(r"/api/openapi\.json")),)

_DESCRIPTION = (
    "Ask your documents; every answer carries its footnotes. Each sentence of an answer cites the exact words that "
    "support it, and where the documents do not say, `found` is false. Errors are sentences: `detail`."
)
_EXAMPLES = Path(__file__).with_name("examples.json")
_BEARER = {"bearer": {"type": "http", "scheme": "bearer", "description": "The token that FOOTNOTE_TOKEN gave."}}


def make_router(_: Served) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/api")

    @router.get("/openapi.json", summary="Describe the routes", response_model=dict[str, Any])
    def describe(request: Request) -> JSONResponse:
        """This description."""
        # Where somebody has logged in, others have to.
        return JSONResponse(describe_api(request.app, is_locked=bool(request.scope["user"])))

    return router


def find_own(app: Any, prefix: str = "/api/") -> Iterator[RouteContext]:
    """The routes of an application under a prefix, without those of what is mounted in it."""
    return (route for route in iter_route_contexts(app.routes) if str(route.path).startswith(prefix))


def describe_api(app: Any, *, is_locked: bool) -> dict[str, Any]:
    """The description of an application's own routes. is_locked: whether one has to log in."""
    described = get_openapi(
        title="Footnote", version=version("footnote"), description=_DESCRIPTION, routes=[*find_own(app)]
    )
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            _add_examples(operation, _read_examples().get(f"{method.upper()} {path}", {}))
    if is_locked:
        described["components"]["securitySchemes"] = _BEARER
        described["security"] = [{"bearer": []}]
    return described


def _read_examples() -> dict[str, Any]:
    examples: dict[str, Any] = json.loads(_EXAMPLES.read_text(encoding="utf-8"))
    return examples


def _add_examples(operation: dict[str, Any], example: dict[str, Any]) -> None:
    """Show what is asked, and what was answered."""
    for parameter in operation.get("parameters", ()):
        given = {**example.get("path", {}), **example.get("query", {})}
        if parameter["name"] in given:
            parameter["example"] = given[parameter["name"]]
    if "body" in example:
        operation["requestBody"]["content"]["application/json"]["example"] = example["body"]
    for kind, name in (("application/json", "reply"), ("text/event-stream", "events")):
        if name in example:
            operation["responses"]["200"]["content"][kind]["example"] = example[name]
