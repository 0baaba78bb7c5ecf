"""What `from assistant import ...` offers, pinned; and Footnote as llama-index's own components."""

import asyncio
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

import assistant
from index.embedding.protocol import Embedding
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
    "Settings",
    "StoreError",
    "SyncReport",
    "TextDelta",
    "Turn",
    "Usage",
    "WeightsError",
    "answer",
    "stream_answer",
]


# -- names ------------------------------------------------------------------------------------


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


# -- llama-index components -------------------------------------------------------------------


def test_the_query_engine_gives_the_answer_in_a_response(samples: Settings) -> None:
    from llama_index.core.base.response.schema import Response

    expected = assistant.answer(QUESTION, settings=samples)
    response = assistant.FootnoteQueryEngine(settings=samples).query(QUESTION)
    assert isinstance(response, Response)
    assert response.metadata is not None
    assert response.metadata["answer"] == expected
    assert str(response) == expected.text
    assert [node.score for node in response.source_nodes] == [passage.score for passage in expected.passages]


def test_the_query_engine_answers_from_the_folder_given(folder: Path, settings: Settings, embedding: Embedding) -> None:
    (folder / "ferry.txt").write_text("Captain Ida Voss steers the Brenholm ferry.", encoding="utf-8")
    engine = assistant.FootnoteQueryEngine(folder, settings)
    assert "Ida Voss" in str(engine.query("Who steers the Brenholm ferry?"))
    (folder / "ferry.txt").write_text("Nils Berg steers the Brenholm ferry today.", encoding="utf-8")
    assert "Nils Berg" in str(asyncio.run(engine.aquery("Who steers the Brenholm ferry?")))


def test_the_retriever_gives_nodes_with_the_offsets_of_their_text(samples: Settings) -> None:
    from llama_index.core.schema import NodeWithScore, TextNode

    from index.components import FootnoteRetriever

    nodes = FootnoteRetriever(settings=samples).retrieve(QUESTION)
    assert nodes
    assert [node.score for node in nodes] == sorted((node.score for node in nodes), reverse=True)
    for found in nodes:
        assert isinstance(found, NodeWithScore)
        assert isinstance(found.node, TextNode)
        text = (samples.documents / found.metadata["path"]).read_bytes().decode()
        assert text[found.node.start_char_idx : found.node.end_char_idx] == found.node.text
        assert found.metadata["title"] in text
    assert len({found.node.node_id for found in nodes}) == len(nodes)


def test_the_embedding_is_the_one_that_the_store_uses(samples: Settings, embedding: Embedding) -> None:
    from index.components import FootnoteEmbedding

    component = FootnoteEmbedding(samples)
    vector = component.get_text_embedding("why was Israel skipped?")
    assert vector == [float(value) for value in embedding.embed(["why was Israel skipped?"])[0]]
    assert len(vector) == 384
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-3)
    assert component.model_name == embedding.name
    one, other = component.get_text_embedding_batch(["The ferry sank.", "Bananas are yellow."])
    query = component.get_query_embedding("Did the ferry sink?")
    near, far = (sum(a * b for a, b in zip(query, row, strict=True)) for row in (one, other))
    assert near > far + 0.3
    assert asyncio.run(component.aget_query_embedding("Did the ferry sink?")) == query
