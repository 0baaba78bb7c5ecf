"""What stands behind the guard, asked in a process of its own, since Gradio leaves event loops open.

python mounted_page.py SECRET prints as JSON: every route of the page as it is mounted, those of our own, the kinds of
components that its events take as input, the kinds of all of Gradio's components that were attacked with a path to the
file SECRET, what of the secret came back, and the reply of an event that fails.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def hide_file(path: Path) -> list[object]:
    """Every shape in which Gradio's components take a file, with a path of the attacker's choice."""
    file = {"path": str(path), "meta": {"_type": "gradio.FileData"}}
    link = {"path": f"file://{path}", "url": f"file://{path}", "meta": {"_type": "gradio.FileData"}}
    fetched = {"path": "http://127.0.0.1:9/x", "url": "http://127.0.0.1:9/x", "meta": {"_type": "gradio.FileData"}}
    return [
        file,
        link,
        fetched,
        [file],
        {"text": "x", "files": [file]},
        [{"role": "user", "content": {"type": "file", "file": file}}],
        [{"role": "user", "content": [{"type": "file", "file": file}]}],
        [[{"file": file, "alt_text": None}, None]],
        {"background": file, "layers": [file], "composite": file},
        {"video": file, "subtitles": file},
        [{"image": file, "caption": None}],
        {"image": file, "annotations": []},
        str(path),
        {"__type__": "update", "value": file},
        {"component": "image", "value": file, "constructor_args": {}, "props": {}},
    ]


def find_routes(app: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each method and path that an application answers, those of what is mounted in it included."""
    for route in app.routes:
        path = prefix + (getattr(route, "path", None) or "")
        if methods := getattr(route, "methods", None):
            yield from ((method, path) for method in methods)
        elif inner := getattr(route, "app", None) or getattr(route, "original_router", None):
            yield from find_routes(inner, path.rstrip("/"))


async def ask(page: Any, events: dict[str, list[object]]) -> dict[str, str]:
    """The replies to the events of a page that is mounted without the guard, by the event's name."""
    import httpx

    from assistant.serving.chat import mount

    transport = httpx.ASGITransport(mount(page), raise_app_exceptions=False)
    replies: dict[str, str] = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for name, values in events.items():
            bodies = [{"data": [value], "session_hash": "x"} for value in values]
            replies[name] = "".join([(await client.post(f"/gradio_api/run/{name}", json=body)).text for body in bodies])
    return replies


def attack_components(secret: Path) -> dict[str, str]:
    """The replies to a path to the secret as the value of each kind of component that takes one from the browser."""
    import gradio

    # An address to fetch from is looked up for long, and refused.
    payloads = [payload for payload in hide_file(secret) if "http://" not in str(payload)]
    events: dict[str, list[object]] = {}
    kinds = {kind for kind in vars(gradio.components).values() if isinstance(kind, type) and "preprocess" in vars(kind)}
    with gradio.Blocks() as page:
        shown, button = gradio.JSON(), gradio.Button()
        for kind in sorted(kinds, key=lambda kind: kind.__name__):
            try:
                component = kind()
            except (TypeError, ValueError, ImportError, AttributeError):
                continue  # abstract, or in need of what is not installed
            button.click(str, component, shown, queue=False, api_name=kind.__name__)
            events[kind.__name__] = payloads
    return asyncio.run(ask(page, events))


def describe(secret: Path) -> dict[str, object]:
    """What the module's docstring says."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = cache = tempfile.mkdtemp()
    import gradio
    from fastapi import FastAPI

    from assistant.serving.chat import mount
    from assistant.serving.limits import Streams
    from assistant.serving.page.layout import build_page
    from assistant.serving.routes import include_routes
    from assistant.serving.served import Served, name_libraries
    from index.library import finish, open_library
    from index.settings import Settings, sample_folder

    library = finish(open_library(sample_folder(), Settings.from_environment()))
    finish(library.sync())
    served = Served(name_libraries([library]), library.settings)
    page = build_page(served, Streams())
    own = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    include_routes(own, served)
    with gradio.Blocks() as failing:
        box = gradio.Textbox()
        box.submit(lambda text: {"very": "private"}[text], box, box, queue=False, api_name="fail")
    attacked = attack_components(secret)
    copies = [
        str(file) for file in Path(cache).rglob("*") if file.is_file() and file.read_bytes() == secret.read_bytes()
    ]
    return {
        "routes": sorted(set(find_routes(mount(page, served)))),
        "own": sorted(set(find_routes(own))),
        "inputs": sorted({type(component).__name__ for event in page.fns.values() for component in event.inputs}),
        "attacked": sorted(attacked),
        "leaks": [*copies, *(name for name, reply in attacked.items() if secret.read_text() in reply)],
        "failure": asyncio.run(ask(failing, {"fail": ["x"]}))["fail"],
    }


if __name__ == "__main__":
    print(json.dumps(describe(Path(sys.argv[1]))))
