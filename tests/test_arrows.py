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
    assert {"app.py", "assistant/chain.py", "index/store.py", "prompts/__init__.py"} <= set(FILES)


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


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("gradio", {"assistant/chat.py"}),
        ("chromadb", {"index/chroma_files.py"}),
        ("filelock", {"index/place.py"}),
        ("openvino", {"index/minilm.py"}),
        ("tokenizers", {"index/minilm.py"}),
        ("huggingface_hub", {"index/weights.py"}),
        ("openai", {"assistant/language_model.py"}),
        ("typer", {"assistant/command_line.py"}),
        ("llama_index.llms", {"assistant/language_model.py"}),
        ("llama_index.embeddings", {"index/embedding.py"}),
        ("llama_index.core", {"assistant/language_model.py", "assistant/query_engine.py", "index/components.py"}),
    ],
)
def test_a_library_has_one_home(library: str, home: set[str]) -> None:
    assert importers_of(library) == home


@pytest.mark.parametrize(
    "module", ["assistant", "assistant.command_line", "assistant.chain", "index.library", "index.sync", "prompts"]
)
def test_nothing_heavy_is_loaded_by_an_import(module: str) -> None:
    heavy = ["gradio", "openai", "chromadb", "llama_index", "openvino", "numpy", "tokenizers", "huggingface_hub"]
    code = f"import sys, {module}; print(*({set(heavy)} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
