"""The retrieval benchmark: what it reads, how it counts, what it writes."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from benchmarks import retrieval
from benchmarks.data import Task, load_task, load_tasks, write_documents
from benchmarks.figures import resample
from benchmarks.retrieval import choose, judge, measure, measure_all, print_result, rank, score
from benchmarks.systems import SYSTEMS
from index.documents import identify
from index.embedding.protocol import Embedding
from index.errors import InputError
from index.library import finish, open_library
from index.loading.loader import load
from index.settings import Settings

# Texts that a careless writer of files would harm, by ids that are no file names.
HARD = {
    "heading": ("", "# Not a title\nbut a text that begins with a mark of Markdown."),
    "front/matter": ("", "---\ntitle: None\n---\nA text between lines.\n---\nMore of it."),
    "../page": ("", "<html><body><p>Tags are the <b>text</b> here.</p></body></html>"),
    "pro gram": ("", "MZ twins share all of their genes, and dizygotic twins half of them on the average."),
    "audio\u2028": ("", "ID3 inhibits the binding of other factors."),
    "mail": ("", "From: a@b.c\nMessage-ID: <1@b.c>\nSubject: none\n\nThis is no mail."),
    "pdf": ("", "A PDF begins with %PDF-1.7 and a line end."),
    "rtf": ("", "{\\rtf1 is how rich text begins}"),
    "table": ("", "a,b,c\r\n1,2,3\r\n"),
    '"titled"': ("On <html>\nand lines", "---\nThe text under a title."),
    "é\\": ("", "The same text twice."),
    ".": ("", "The same text twice."),
}


def write_lines(file: Path, rows: list[dict[str, object]]) -> None:
    # Not escaped, so that a line end of Unicode stands inside a string.
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def write_beir(folder: Path, documents: Mapping[str, tuple[str, str]]) -> None:
    folder.mkdir()
    write_lines(folder / "corpus.jsonl", [{"_id": i, "title": t, "text": x} for i, (t, x) in documents.items()])
    write_lines(
        folder / "queries.jsonl",
        [{"_id": "asked", "text": "Are twins alike?"}, {"_id": "unjudged", "text": "?"}, {"_id": "zero", "text": "?"}],
    )
    (folder / "qrels").mkdir()
    judged = "asked\tpro gram\t2\nasked\taudio\u2028\t1\nasked\tmail\t0\nzero\tmail\t0\n"
    (folder / "qrels" / "dev.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text(judged, encoding="utf-8")


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    write_beir(tmp_path / "tiny", {**HARD, "empty": ("", "")})
    with (tmp_path / "tiny" / "corpus.jsonl").open("a") as stream:
        stream.write('\n{"_id": 7, "title": null, "text": "?!\\u0000\\ud800"}\n')
    return tmp_path / "tiny"


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    def ask(text: str, **more: object) -> dict[str, object]:
        return {"id": "same", "question": text, "answers": [], **more}

    paragraphs = [
        {"context": "Cats sleep all day.", "qas": [ask("Who sleeps?"), ask("Who flies?", is_impossible=True)]},
        {"context": "Dogs bark at night.", "qas": [ask("Who barks?", is_impossible=False)]},
        {"context": "Cats sleep all day.", "qas": [ask("When do cats sleep?")]},
    ]
    (tmp_path / "pets").mkdir()
    file = tmp_path / "pets" / "dev-v2.0.json"
    file.write_text(json.dumps({"data": [{"title": "Pets", "paragraphs": paragraphs}]}), encoding="utf-8")
    return file


def test_beir_is_read_with_header_or_without(beir: Path) -> None:
    dev, test = load_task(beir, "dev"), load_task(beir, "test")
    assert dev == test
    assert dev.name == "tiny"
    assert {i: document for i, document in dev.documents.items() if i in HARD} == HARD
    assert dev.documents["7"] == ("", "?!\ufffd\ufffd")
    assert dev.queries == {"asked": "Are twins alike?"}
    assert dev.relevant == {"asked": {"pro gram": 2.0, "audio\u2028": 1.0}}


def test_squad_is_read_from_file_and_folder(squad: Path) -> None:
    task = load_task(squad)
    assert task.name == "dev-v2.0"
    assert load_task(squad.parent).name == "pets"
    assert list(task.documents.values()) == [("", "Cats sleep all day."), ("", "Dogs bark at night.")]
    asked = {text: list(task.relevant[i]) for i, text in task.queries.items()}
    assert asked == {"Who sleeps?": ["0"], "Who barks?": ["1"], "When do cats sleep?": ["0"]}


def test_errors_say_what_to_do(beir: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no split 'train'; there are: dev, test"):
        load_task(beir, "train")
    with pytest.raises(InputError, match=r"holds no corpus\.jsonl and 0 \.json files"):
        load_task(tmp_path)
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(InputError, match="not of SQuAD's form"):
        load_task(tmp_path)
    (beir / "qrels" / "test.tsv").write_text("asked\tmail\t1\nasked mail 1\n")
    with pytest.raises(InputError, match="line 2: give"):
        load_task(beir, "test")


def test_every_text_reaches_the_index_unharmed(tmp_path: Path, settings: Settings, embedding: Embedding) -> None:
    paths = write_documents(Task("hard", HARD, {}, {}), tmp_path / "documents")
    assert list(paths.values()) == list(HARD)
    library = finish(open_library(tmp_path / "documents", settings))
    assert not finish(library.sync()).skipped
    for path, document in paths.items():
        title, text = HARD[document]
        indexed = library.store.text_of(identify(path))
        assert indexed.lstrip("\u00a0") == (f"# On <html> and lines\n\n{text}" if title else text)
        assert not title or load(tmp_path / "documents" / path, path).title == "On <html> and lines"


def test_measures_by_hand() -> None:
    relevant = {"a": 2.0, "b": 1.0, "never found": 1.0}
    found = score(["x", "b", "y", "a"], relevant)
    ideal = 3 + 1 / math.log2(3) + 1 / math.log2(4)
    assert found["nDCG@10"] == pytest.approx((1 / math.log2(3) + 3 / math.log2(5)) / ideal)
    assert (found["MRR@10"], found["Hit@1"], found["Hit@5"], found["Hit@10"]) == (0.5, 0, 1, 1)
    assert found["Recall@100"] == pytest.approx(2 / 3)
    eleventh = score([*map(str, range(10)), "a"], {"a": 1.0})
    assert eleventh == {"nDCG@10": 0, "MRR@10": 0, "Hit@1": 0, "Hit@5": 0, "Hit@10": 0, "Recall@100": 1}
    assert set(score(["a"], {"a": 3.0}).values()) == {1.0}
    assert set(score([], relevant).values()) == {0.0}


def test_documents_are_ranked_by_their_best_passage_until_there_are_a_hundred() -> None:
    # 40 passages a document: the first hundred passages are of three documents.
    passages = [str(number // 40) for number in range(10_000)]
    counts = []

    def search(query: str, vector: object, count: int) -> list[str]:
        counts.append(count)
        return ["7", *passages[: count - 1]]

    assert rank(search, "", np.zeros(1))[:5] == ["7", "0", "1", "2", "3"]
    assert counts == [100, 300, 900, 2700, 8100]
    assert rank(lambda query, vector, count: ["b", "a", "b"], "", np.zeros(1)) == ["b", "a"]


def test_a_query_does_not_find_itself() -> None:
    task = Task("", {"q": ("", "x"), "d": ("", "x")}, {"q": "x"}, {"q": {"d": 1.0}})
    figures = judge("dense", task, np.zeros((1, 1)), lambda query, vector, count: ["q", "d"])
    assert figures["hit@1"] == 1.0
    itself = Task("", task.documents, task.queries, {"q": {"q": 1.0}})
    assert judge("dense", itself, np.zeros((1, 1)), lambda query, vector, count: ["q", "d"])["hit@1"] == 1.0


def test_intervals_and_chosen_queries_are_the_same_at_every_run() -> None:
    values = np.array([0.0, 1.0] * 50)
    low, high = resample(values)
    assert resample(values) == [low, high]
    # A mean of 100 coins has a standard error of 0.05.
    assert low == pytest.approx(0.4, abs=0.03)
    assert high == pytest.approx(0.6, abs=0.03)
    task = Task("", {}, {str(number): "" for number in range(9)}, {})
    assert len(choose(task, 4).queries) == 4
    assert choose(task, 4) == choose(task, 4)
    assert choose(task, 10) is task


def test_figures_of_product_and_peers(
    beir: Path, tmp_path: Path, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "langchain_chroma", None)
    result = measure(load_task(beir), tmp_path, SYSTEMS)
    assert list(result) == ["set", "systems", "missing"]
    assert list(result["systems"]) == ["product", "dense", "lexical", "llama-index"]
    assert list(result["missing"]) == ["LangChain"]
    assert result["missing"]["LangChain"].startswith("not installed")
    for name, figures in result["systems"].items():
        intervals = {"ndcg@10_interval", "hit@1_interval"} if name == "product" else set()
        measures = {"ndcg@10", "mrr@10", "hit@1", "hit@5", "hit@10", "recall@100"}
        assert figures.keys() == {*measures, *intervals, "queries", "documents"}
        assert (figures["queries"], figures["documents"]) == (1, 14)
        assert figures["hit@1"] == 1.0
    assert result["systems"]["dense"]["recall@100"] == result["systems"]["llama-index"]["recall@100"] == 1.0


def test_several_tasks_have_a_line_each_and_a_mean(
    squad: Path, tmp_path: Path, embedding: Embedding, capsys: pytest.CaptureFixture[str]
) -> None:
    (squad.parent / "b.json").write_text(
        json.dumps({"data": [{"paragraphs": [{"context": "Birds.", "qas": [{"question": "Who barks?"}]}]}]})
    )
    tasks = load_tasks(squad.parent)
    assert [task.name for task in tasks] == ["b", "dev-v2.0"]
    result = measure_all("pets", tasks, tmp_path / "place", ("product", "lexical"), None)
    each = [task["systems"]["lexical"]["hit@1"] for task in result["tasks"]]
    # No word of the question stands in the one document.
    assert each == [0.0, 1.0]
    assert result["systems"]["lexical"]["hit@1"] == 0.5
    print_result(result)
    shown = capsys.readouterr().out
    assert "pets, Hit@1\n\n| task | product | lexical |\n" in shown
    assert "| mean | 1.000 | 0.500 |" in shown


def test_a_folder_of_one_task_is_one(squad: Path, beir: Path) -> None:
    assert load_tasks(squad.parent) == [load_task(squad.parent)]
    (beir / "a.json").write_text("{}")
    (beir / "b.json").write_text("{}")
    assert load_tasks(beir) == [load_task(beir)]


def test_a_kept_store_follows_the_task(squad: Path, tmp_path: Path, embedding: Embedding) -> None:
    task, kept = load_task(squad), tmp_path / "kept"
    first = measure(task, tmp_path / "unused", ("product",), kept)
    written = {path: path.stat().st_mtime_ns for path in kept.glob("documents/0000/*")}
    assert measure(task, tmp_path / "unused", ("product",), kept) == first
    assert {path: path.stat().st_mtime_ns for path in kept.glob("documents/0000/*")} == written
    less = Task("less", {"1": ("", "Dogs bark at night.")}, {"q": "Who barks?"}, {"q": {"1": 1.0}})
    assert write_documents(less, kept / "documents") == {"0000/0000000.txt": "1"}
    assert [path.name for path in kept.glob("documents/0000/*")] == ["0000000.txt"]
    (kept / "documents" / "mine.txt").write_text("Cats")
    with pytest.raises(InputError, match=r"holds .mine\.txt., which is of no benchmark"):
        write_documents(task, kept / "documents")
    assert len(list(kept.glob("documents/*.txt"))) == 1


def test_langchain_finds_documents(embedding: Embedding, settings: Settings, tmp_path: Path) -> None:
    pytest.importorskip("langchain_chroma")
    pytest.importorskip("langchain_text_splitters")
    texts = {document: text for document, (_, text) in HARD.items()}
    search = retrieval.open_langchain(texts, embedding, settings, tmp_path)
    found = search("", embedding.embed_query("Are twins alike?"), 100)
    assert found[0] == "pro gram"
    assert {*found} == {*HARD}


def test_command_writes_json_and_leaves_nothing(squad: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "benchmarks.retrieval", "--peers", "no", "--data", str(squad)]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    done = subprocess.run(
        [*command, "--json", str(tmp_path / "result.json")], env=environment, capture_output=True, text=True, check=True
    )
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["set"] == "dev-v2.0"
    assert result["systems"].keys() == {"product", "dense", "lexical"}
    assert result["missing"] == {}
    assert "dev-v2.0: 3 queries, 2 documents" in done.stdout
    assert "| system | nDCG@10 | MRR@10 | Hit@1 | Hit@5 | Hit@10 | Recall@100 |\n|---|" in done.stdout
    assert "Traceback" not in done.stderr
    assert not list(temporary.iterdir())
    nothing = subprocess.run([*command, "--only", "LangChain"], capture_output=True, text=True)
    assert "--peers no leaves nothing" in nothing.stderr
    unknown = subprocess.run([*command, "--only", "products"], capture_output=True, text=True)
    assert "no such measurement: products" in unknown.stderr

    stopped = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(temporary.glob("*/*/documents")) and stopped.poll() is None:
        time.sleep(0.01)
    stopped.send_signal(signal.SIGTERM)
    _, errors = stopped.communicate(timeout=60)
    assert stopped.returncode == 128 + signal.SIGTERM, errors
    assert not list(temporary.iterdir())
