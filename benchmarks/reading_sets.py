"""Questions over many kinds of text, for fitting the reader and for measuring it on kinds that it has not seen.

    sets = find_sets(squad=[...], clapnq=Path("clapnq"), qa=Path("qa"), folders=[Path("handbook")])
    for reading_set in sets:
        questions = reading_set.write(folder)

A set writes its documents into an empty folder and gives its questions, each with its kind (see `benchmarks.reader`)
and what tells a sentence that answers it. A set may have no absent topics, or no near misses.

squad: a SQuAD 2.0 file, as in `benchmarks.reader`: every third article is left out, so that its questions are absent.
qa: the file `unansq` (JSON lines: q, ctx, y, ans, group), the same way. Texts in lower case have the beginnings of
their sentences raised, as they stood before.
folders: each holds docs/ and questions.jsonl in the form of `footnote eval`, where an unanswerable question may have
`"kind": "absent"`; several may stand in one folder, and are then one set.

`benchmarks/kinds/fit` is such a set, twelve folders of the kinds that people have, written for this; `kinds/held` are
twelve more that are kept out of every fit.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.answers import Citation
from assistant.serving.evaluating.cases import Case, read_cases
from assistant.serving.evaluating.judging import holds_evidence, is_right
from benchmarks.reader import Question, choose_absent, name_file, normalise, write_clapnq, write_squad

QA_FILES = ("unansq",)  # for its near misses; what the cross-encoder was trained on besides says nothing more
LOWER_CASED = ("unansq", "nqg_pairs", "nqg_rest")
_SENTENCE_BEGINS = re.compile(r"([.!?][\"”)]? )([a-z])(?=\w* )")


@dataclass(frozen=True, slots=True)
class Example:
    """One question to be asked of the set's folder. answers: whether a sentence, cited, answers it."""

    text: str
    kind: str
    group: str
    answers: Callable[[Citation], bool]


@dataclass(frozen=True, slots=True)
class ReadingSet:
    """A set: its name, and for each folder that it makes what writes that and gives the questions."""

    name: str
    writers: Sequence[Callable[[Path], list[Example]]]


def find_sets(
    squad: Sequence[Path] = (), clapnq: Path | None = None, qa: Path | None = None, folders: Sequence[Path] = ()
) -> list[ReadingSet]:
    """The sets that are given."""
    sets = [ReadingSet(file.stem, [_write_articles(json.loads(file.read_text("utf-8"))["data"])]) for file in squad]
    if clapnq:
        sets.append(ReadingSet(clapnq.name, [_write_passages(clapnq)]))
    files = [qa / f"{name}.jsonl" for name in QA_FILES] if qa else []
    sets += [ReadingSet(file.stem, [_write_articles(list(_read_articles(file)))]) for file in files]
    for folder in folders:
        members = [folder] if (folder / "docs").is_dir() else sorted(file.parent for file in folder.glob("*/docs"))
        sets.append(ReadingSet(folder.name, [_write_folder(member) for member in members]))
    return sets


def _write_articles(articles: Sequence[Any]) -> Callable[[Path], list[Example]]:
    def write(folder: Path) -> list[Example]:
        questions = write_squad(folder, articles, choose_absent([article["title"] for article in articles], None))
        return [Example(q.text, q.kind, q.group, _hold_answer(q, name_file(q.group))) for q in questions]

    return write


def _write_passages(source: Path) -> Callable[[Path], list[Example]]:
    def write(folder: Path) -> list[Example]:
        return [Example(q.text, q.kind, q.group, _is_selected(q)) for q in write_clapnq(folder, source)]

    return write


def _write_folder(source: Path) -> Callable[[Path], list[Example]]:
    def write(folder: Path) -> list[Example]:
        shutil.copytree(source / "docs", folder, dirs_exist_ok=True)
        lines = (source / "questions.jsonl").read_text("utf-8").split("\n")
        rows = [json.loads(line) for line in lines if line.strip()]
        kinds = [row.pop("kind", None) for row in rows]
        with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as file:
            print(*map(json.dumps, rows), sep="\n", file=file, flush=True)
            cases = read_cases(Path(file.name))
        return [
            Example(case.question, _name_kind(case, kind), source.name, _is_expected(case))
            for case, kind in zip(cases, kinds, strict=True)
        ]

    return write


def _name_kind(case: Case, kind: str | None) -> str:
    return "answerable" if case.answerable else "absent" if kind == "absent" else "impossible"


def _hold_answer(question: Question, path: str) -> Callable[[Citation], bool]:
    return lambda c: c.path == path and any(answer in normalise(c.quote) for answer in question.answers)


def _is_selected(question: Question) -> Callable[[Citation], bool]:
    spans = {span for selected in question.selected for span in selected}
    return lambda c: any(path == c.path and start < c.end and end > c.start for path, start, end in spans)


def _is_expected(case: Case) -> Callable[[Citation], bool]:
    return lambda c: (holds_evidence if case.evidence else is_right)(case, c)


def raise_sentences(text: str, name: str) -> str:
    """A passage of a file, the beginnings of its sentences raised where all of it is in lower case."""
    return _SENTENCE_BEGINS.sub(lambda begin: begin[1] + begin[2].upper(), text) if name in LOWER_CASED else text


def _read_articles(file: Path) -> Iterator[Any]:
    """The articles of a file of questions, in SQuAD's form."""
    articles: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    with file.open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            text = raise_sentences(row["ctx"], file.stem)
            if not row["y"] or row.get("ans"):
                golds = [{"text": text[slice(*row["ans"])]}] if row["y"] else []
                entry = {"question": row["q"], "is_impossible": not row["y"], "answers": golds}
                articles[row["group"]][text].append(entry)
    for title, paragraphs in articles.items():
        yield {"title": title, "paragraphs": [{"context": text, "qas": qas} for text, qas in paragraphs.items()]}
