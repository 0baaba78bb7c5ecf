"""The data sets that benchmarks read, in two forms: a BEIR folder and a SQuAD file.

    task = load_task(Path("scifact"), "dev")        # corpus.jsonl, queries.jsonl, qrels/dev.tsv
    task = load_task(Path("squad2/squad2.json"))    # or the folder, where it holds no other .json
    tasks = load_tasks(Path("xquad"))               # either, or a task for each .json of a folder: one a language

A SQuAD paragraph is a document without a title, the same paragraph twice is one, and its answerable questions are the
queries. A query without a relevant document in the split is left out; a relevant one that the corpus lacks counts
as one that nobody finds, as in trec_eval.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError
from index.loading.formats import TEXT, UnreadableError, find_format

_UNWRITABLE = re.compile("[\\x00\\ud800-\\udfff]")  # what JSON can hold and no text file
_A_FOLDER = 1000  # files at most
_NUMBERED = re.compile(r"\d{4,}/\d{7,}\.(md|txt)")  # a file of ours
# White space without a meaning, and longer than what `find_format` looks at beyond the first few bytes.
_LEAD = "\u00a0" * 1024


@dataclass(frozen=True, slots=True)
class Task:
    """What is searched, what for, and what should be found.

    documents: title ("" for none) and text, by id. queries: their text, by id.
    relevant: the grade of each relevant document, above 0, by query id and document id.
    """

    name: str
    documents: dict[str, tuple[str, str]]
    queries: dict[str, str]
    relevant: dict[str, dict[str, float]]


def load_task(data: Path, split: str = "dev") -> Task:
    """Load a BEIR folder, a SQuAD file, or a folder that holds one; `split` is of BEIR alone.

    Raises InputError where it is neither, or has no such split.
    """
    if data.is_file():
        return _load_squad(data, data.stem)
    name = data.resolve().name
    if (data / "corpus.jsonl").is_file():
        return _load_beir(data, split, name)
    files = sorted(data.glob("*.json"))
    if len(files) != 1:
        raise InputError(f"{data} holds no corpus.jsonl and {len(files)} .json files: give a BEIR folder or one file.")
    return _load_squad(files[0], name)


def load_tasks(data: Path, split: str = "dev") -> list[Task]:
    """Load what `load_task` does, or a task for each SQuAD file of a folder, by name.

    Raises InputError where it is none of these.
    """
    files = sorted(data.glob("*.json"))
    if len(files) > 1 and not (data / "corpus.jsonl").is_file():
        return [_load_squad(file, file.stem) for file in files]
    return [load_task(data, split)]


def _load_beir(folder: Path, split: str, name: str) -> Task:
    judged = folder / "qrels" / f"{split}.tsv"
    if not judged.is_file():
        there = ", ".join(sorted(file.stem for file in folder.glob("qrels/*.tsv"))) or "none"
        raise InputError(f"{folder} has no split {split!r}; there are: {there}.")
    documents = {
        str(row["_id"]): (_clean(row.get("title")), _clean(row.get("text"))) for row in _rows(folder, "corpus")
    }
    queries = {str(row["_id"]): _clean(row.get("text")) for row in _rows(folder, "queries")}
    relevant = _load_judgements(judged)
    wanted = {query: text for query, text in queries.items() if query in relevant}
    return _check(Task(name, documents, wanted, relevant), judged)


def _rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    # Read line by line: `splitlines` would also cut at the rarer line ends that may stand inside a JSON string.
    with (folder / f"{name}.jsonl").open(encoding="utf-8-sig") as stream:
        yield from (json.loads(line) for line in stream if line.strip())


def _load_judgements(file: Path) -> dict[str, dict[str, float]]:
    """The grades above 0, by query and document. The first line may be a header: one whose score is no number."""
    relevant: dict[str, dict[str, float]] = {}
    with file.open(encoding="utf-8-sig", newline="\n") as stream:
        for number, line in enumerate(stream):
            fields = line.rstrip("\r\n").split("\t")
            try:
                query, document, score = fields
                grade = float(score)
            except ValueError as error:
                if number == 0 or not line.strip():
                    continue
                raise InputError(
                    f"{file}, line {number + 1}: give a query's id, a document's id and a score, with tabs between."
                ) from error
            if grade > 0:
                relevant.setdefault(query, {})[document] = grade
    return relevant


def _load_squad(file: Path, name: str) -> Task:
    try:
        articles = json.loads(file.read_text(encoding="utf-8-sig"))["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is not of SQuAD's form: give a JSON object with `data`.") from error
    ids: dict[str, str] = {}
    queries: dict[str, str] = {}
    relevant: dict[str, dict[str, float]] = {}
    for article in articles:
        for paragraph in article["paragraphs"]:
            document = ids.setdefault(_clean(paragraph["context"]), str(len(ids)))
            for question in paragraph["qas"]:
                if not question.get("is_impossible"):
                    # Numbered, since some makers of such files repeat ids; apart from the documents' numbers.
                    query = f"question {len(queries)}"
                    queries[query] = _clean(question["question"])
                    relevant[query] = {document: 1.0}
    return _check(Task(name, {number: ("", text) for text, number in ids.items()}, queries, relevant), file)


def _check(task: Task, source: Path) -> Task:
    if not task.queries:
        raise InputError(f"{source} has no query with a relevant document.")
    return task


def _clean(text: str | None) -> str:
    return _UNWRITABLE.sub("\ufffd", text or "")


def write_documents(task: Task, folder: Path) -> dict[str, str]:
    """Write each document as a plain text file into a folder; gives the documents' ids by path.

    Files are numbered, since an id may hold any character. Those of an earlier task in the same folder make way, and
    what stands there already is not written again, so that it is not indexed again.

    Raises InputError where the folder holds other files, which would be searched too.
    """
    earlier = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir()]
    if others := [path for path in earlier if not _NUMBERED.fullmatch(path)]:
        raise InputError(f"{folder} holds {others[0]!r}, which is of no benchmark: give --keep a folder of its own.")
    paths: dict[str, str] = {}
    for number, (document, (title, text)) in enumerate(task.documents.items()):
        path = f"{number // _A_FOLDER:04}/{number:07}{'.md' if title.strip() else '.txt'}"
        file, plain = folder / path, to_plain(to_text(title, text), path)
        if not file.is_file() or file.read_bytes() != plain:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(plain)
        paths[path] = document
    for path in {*earlier} - paths.keys():
        (folder / path).unlink()
    return paths


def to_text(title: str, text: str) -> str:
    """A document in one text, its title as a heading."""
    return f"# {' '.join(title.split())}\n\n{text}" if title.strip() else text


def to_plain(text: str, path: str) -> bytes:
    """The bytes of a file that the product takes for plain text, whatever the text begins with.

    Formats are told by content, and the text of a corpus may begin as a page does ("<html"), or even as a program:
    "MZ twins ...". White space before it tells that it is text.
    """
    with suppress(UnreadableError):
        if find_format(text.encode(), path) is TEXT:
            return text.encode()
    return (_LEAD + text).encode()
