"""The server's own routes, beside those of the page's Gradio app: one file a room, and what the guard lets in of each.

A room has `OPEN`, the requests that it takes, and `make_router(served)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from assistant.serving.guard import OwnRoute
from assistant.serving.served import Served

_ROOMS = ("documents", "folder", "answers", "schema", "health", "mcp", "openai")


def open_routes() -> tuple[OwnRoute, ...]:
    """What all rooms take."""
    return tuple(route for room in _ROOMS for route in import_module(f"{__name__}.{room}").OPEN)


def include_routes(app: Any, served: Served) -> None:
    """Add every room's routes to a FastAPI application."""
    for room in _ROOMS:
        router = import_module(f"{__name__}.{room}").make_router(served)
        app.include_router(router, generate_unique_id_function=lambda route: route.name)
