"""What `from assistant import ...` offers, pinned."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import assistant
from index.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "why was Israel skipped?"

EXPORTS = [
    "Answer",
    "AnswerSentence",
    "AsyncFootnote",
    "Citation",
    "Draft",
    "FolderError",
    "Footnote",
    "FootnoteError",
    "FootnoteQueryEngine",
    "InputError",
    "ListedDocument",
    "ModelError",
    "NOT_FOUND",
    "Passage",
    "Progress",
    "QuotePlace",
    "Settings",
    "StoreError",
    "SyncReport",
    "TextDelta",
    "Turn",
    "Usage",
    "Verification",
    "VerifiedCitation",
    "WeightsError",
    "answer",
    "stream_answer",
]


def test_the_exports_are_these_and_no_others() -> None:
    assert sorted(assistant.__all__) == EXPORTS == dir(assistant)
    assert len(set(EXPORTS)) == len(EXPORTS)


@pytest.mark.parametrize("name", EXPORTS)
def test_every_export_can_be_had(name: str) -> None:
    exported = getattr(assistant, name)
    assert name == "NOT_FOUND" or exported.__name__ == name
    assert getattr(assistant, name) is exported


def test_a_star_import_gives_the_exports() -> None:
    names: dict[str, object] = {}
    exec("from assistant import *", names)
    assert sorted(set(names) - {"__builtins__"}) == EXPORTS


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'assistant' has no attribute 'anwser'"):
        assistant.anwser  # noqa: B018
    with pytest.raises(ImportError):
        exec("from assistant import anwser")


def test_every_error_is_a_footnote_error() -> None:
    for name in EXPORTS:
        if name.endswith("Error"):
            assert issubclass(getattr(assistant, name), assistant.FootnoteError)


HEAVY = ("gradio", "openai", "chromadb", "llama_index", "openvino", "numpy", "tokenizers")


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import assistant", ()),
        ("import assistant.serving.command_line", ()),
        ("from assistant import Answer, Settings, answer, stream_answer; Settings.from_environment()", ()),
        (f"from assistant import answer; answer({QUESTION!r})", ("chromadb", "openvino", "numpy", "tokenizers")),
    ],
)
def test_no_heavy_library_is_imported_before_it_is_needed(
    samples: Settings, code: str, allowed: tuple[str, ...]
) -> None:
    check = f"import sys; {code}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    environment = {**os.environ, "FOOTNOTE_STORE": str(samples.store_folder)}
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT, env=environment, check=True
    )
    assert set(done.stdout.split()) <= set(allowed)
