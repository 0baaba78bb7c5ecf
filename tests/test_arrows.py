"""Who may import whom, and what may load when."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"app", "assistant", "index", "prompts"}
FILES = sorted(
    file.relative_to(ROOT).as_posix()
    for file in [ROOT / "app.py", *(f for p in OURS for f in (ROOT / p).rglob("*.py"))]
)
COMMANDS = {file for file in FILES if file.startswith("assistant/serving/commands/")} - {
    "assistant/serving/commands/opening.py",
    "assistant/serving/commands/serve.py",  # whose options are those of the chat
}


def imports_of(file: str) -> Iterator[str]:
    """Every module that a file imports, at its head, inside a function, for types only, or by name."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
            "import_module",
            "__import__",
        ):
            yield from (argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant))


def importers_of(library: str) -> set[str]:
    return {file for file in FILES if any(f"{name}.".startswith(f"{library}.") for name in imports_of(file))}


def test_there_are_files_to_look_at() -> None:
    assert {"app.py", "assistant/chain.py", "index/storing/store.py", "prompts/__init__.py"} <= set(FILES)


@pytest.mark.parametrize(
    ("room", "may_import"),
    [
        ("app", {"assistant"}),
        ("assistant", {"assistant", "index", "prompts"}),
        ("index", {"index"}),
        ("prompts", set()),
    ],
)
def test_imports_point_one_way(room: str, may_import: set[str]) -> None:
    files = [file for file in FILES if file.split("/")[0].removesuffix(".py") == room]
    found = {(file, name) for file in files for name in imports_of(file) if name.split(".")[0] in OURS}
    assert {(file, name) for file, name in found if name.split(".")[0] not in may_import} == set()


# From top to bottom: a room, or a file beside the rooms, uses only itself and what stands on a lower floor.
FLOORS = (
    {"app"},
    {"assistant.__main__"},
    {"assistant.serving"},
    {"assistant.suggesting"},
    {"assistant.footnote"},
    {"assistant.opened", "assistant.awaiting"},
    {"assistant.chain"},
    {"assistant.showing"},
    {"assistant.notices"},
    {"assistant.writing"},
    {"assistant.quoting"},
    {"assistant.citing"},
    {"assistant.question"},
    {"assistant.verifying"},
    {"assistant.saved"},
    {"assistant.answers"},
    {"prompts"},
    {"index.components"},
    {"index.search", "index.listing"},
    {"index.watching"},
    {"index.library"},
    {"index.sync", "index.searching", "index.viewing", "index.lending", "index.forking"},
    {"index.plan"},
    {"index.storing"},
    {"index.loading", "index.embedding"},
    {"index.documents"},
    {"index.splitting"},
    {"index.endpoint"},
    {"index.settings", "index.place"},
    {"index.connection"},
    {"index.errors", "index.steps", "index.follower"},
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


# A value shows itself, wherever it is: by the room that shows it, when it is asked to.
POINTS_UP = ("assistant/answers/shown.py", "assistant.showing")


def room_of(name: str) -> str:
    """The room that a module or a name of it stands in."""
    parts = name.split(".")
    return parts[0] if parts[0] in ("app", "prompts") else ".".join(parts[:2])


def test_a_room_uses_only_what_is_below_it() -> None:
    wrong = []
    # What a package shows of itself stands on no floor: it names what its rooms hold.
    for file in (file for file in FILES if file != "assistant/__init__.py"):
        room = room_of(file.removesuffix(".py").replace("/", "."))
        used = {room_of(name) for name in imports_of(file) if name.split(".")[0] in OURS} - {room}
        wrong += [
            f"{file} uses {other}, which does not stand below {room}"
            for other in sorted(used)
            if FLOOR_OF[other] <= FLOOR_OF[room] and (file, other) != POINTS_UP
        ]
    assert not wrong, "; ".join(wrong)


def test_every_room_has_its_floor() -> None:
    rooms = {room_of(file.removesuffix(".py").replace("/", ".")) for file in FILES}
    assert rooms - {"assistant.__init__", "index.__init__"} == FLOOR_OF.keys()


@pytest.mark.parametrize(
    ("library", "home"),
    [
        (
            "gradio",
            {
                "assistant/serving/chat.py",
                "assistant/serving/page/events.py",
                "assistant/serving/page/layout.py",
                "assistant/serving/page/programs.py",
                "assistant/serving/page/settings_panel.py",
                "assistant/serving/page/theme.py",
            },
        ),
        ("chromadb", {"index/storing/chroma_files.py", "index/storing/shared/server.py"}),
        ("filelock", {"index/place.py"}),
        ("watchfiles", {"index/loading/changes.py"}),
        ("openvino", {"index/embedding/engine.py"}),
        ("tokenizers", {"index/embedding/encoder.py"}),
        ("huggingface_hub", {"index/embedding/hub.py"}),
        ("rapidocr", {"index/loading/formats/recognition.py"}),
        ("olefile", {"index/loading/formats/outlook.py", "index/loading/formats/__init__.py"}),
        ("openai", {"assistant/writing/server.py"}),
        ("typer", {"assistant/serving/command_line.py", *COMMANDS}),
        ("argon2", {"assistant/serving/users.py"}),
        ("prometheus_client", {"assistant/serving/observing/metrics.py"}),
        ("opentelemetry", {"assistant/serving/observing/spans.py"}),
        ("llama_index_instrumentation", {"assistant/serving/observing/spans.py"}),
        (
            "mcp",
            {
                "assistant/serving/tool_server.py",
                "assistant/serving/pipe.py",
                "assistant/serving/lines.py",
                "assistant/serving/routes/mcp.py",
            },
        ),
        ("llama_index.llms", {"assistant/writing/server.py"}),
        (
            "llama_index.core",
            {"assistant/writing/language_model.py", "assistant/serving/query_engine.py", "index/components.py"},
        ),
        ("langchain_core", {"assistant/serving/langchain.py"}),
        ("s3fs", {"index/loading/bucket.py"}),
        ("botocore", {"index/loading/bucket.py"}),
    ],
)
def test_a_library_has_one_home(library: str, home: set[str]) -> None:
    assert importers_of(library) == home


@pytest.mark.parametrize(
    "module",
    [
        "assistant",
        "assistant.serving.command_line",
        "assistant.serving.users",
        "assistant.chain",
        "assistant.footnote",
        "assistant.showing.fragment",
        "index.library",
        "index.sync",
        "prompts",
    ],
)
def test_nothing_heavy_is_loaded_by_an_import(module: str) -> None:
    heavy = [
        "gradio",
        "openai",
        "chromadb",
        "llama_index",
        "openvino",
        "numpy",
        "tokenizers",
        "huggingface_hub",
        "argon2",
        "opentelemetry",
        "prometheus_client",
        "llama_index_instrumentation",
        "mcp",
        "pydantic",
        "s3fs",
        "botocore",
    ]
    code = f"import sys, {module}; print(*({set(heavy)} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
