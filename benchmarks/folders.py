"""How often the passages found hold the evidence of a question, over a folder of files as people have them.

    folder = load_folder(Path("handbook"))  # docs/, and questions.jsonl in the form of `footnote eval`
    result = measure(folder, place, SYSTEMS, kept)

Of the passages that a question is answered from (8, unless FOOTNOTE_PASSAGE_COUNT says otherwise):

    hit                  the share of questions of which some evidence is held
    recall               the share of a question's evidences that are held
    document             whether the first passage is of a document that an evidence names; or, of evidence that names
                         none, of one that holds it
    hit in N characters  hit again, where the ranking is cut after so much text, so that larger passages are no help

Texts are compared by their letters and digits alone, without case and without the targets of links: white space, marks
and the bars of tables are whoever's who wrote them down. Of an evidence a passage *shows* the runs of 20 letters or
more that both have (of a shorter evidence all or nothing), so that a word left out, a link between or cells in another
order cost little. An evidence is *held* where one passage, of the document that the evidence names if it does, shows
half of it, as `footnote eval` has it too; or a run of 200 letters, which is two lines or five rows of a table: evidence
may be a whole page, of which no passage can show half. The amounts are the same for everyone, so that small passages
have no advantage.

A follow-up is searched by what the product makes of it without a language model; everyone is given the same query.
Questions without evidence are left out. llama-index is given the files' paths too, since its own reader of folders has
them embedded with each chunk; for everything else see `benchmarks.systems`.

But: of a long evidence any part counts, also one without the row that is asked for, and rows that a report repeats
elsewhere. What the product found for 34 questions to annual reports was read beside the evidence: one counts as held
that a reader would not count, a table that repeats rows of the evidence and lacks the one that answers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from assistant.question.followup import rewrite
from assistant.serving.evaluating.cases import Case, Evidence, read_cases
from assistant.serving.evaluating.judging import ENOUGH
from assistant.serving.evaluating.texts import normalise
from benchmarks.command import tell
from benchmarks.figures import average
from benchmarks.systems import (
    PEERS,
    Find,
    Found,
    Opener,
    make_settings,
    open_llama_index,
    open_systems,
    read_texts,
    sync_folder,
)
from index.embedding.protocol import Vectors
from index.errors import InputError

BUDGET = 4000  # characters
MEASURES = ("hit", "recall", "document", f"hit in {BUDGET:,} characters")
WITH_INTERVAL = MEASURES[:2]
RUN, LONG_RUN = 20, 200  # letters and digits
MANY = 50  # passages, which are more than the budget

_TARGET = re.compile(r"\]\([^()\s]{0,2000}\)")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of documents, and the questions that have evidence there."""

    name: str
    documents: Path
    cases: Sequence[Case]


def is_folder(data: Path) -> bool:
    """Whether data is of this form."""
    return (data / "docs").is_dir() and (data / "questions.jsonl").is_file()


def load_folder(data: Path) -> Folder:
    """Read the questions. Raises InputError where they cannot be read, or none has evidence."""
    file = data / "questions.jsonl"
    cases = [case for case in read_cases(file) if case.evidence]
    if not cases:
        raise InputError(f"{file} has no question with evidence.")
    return Folder(data.resolve().name, data / "docs", cases)


def choose(folder: Folder, most: int | None) -> Folder:
    """The folder with no more than so many questions."""
    if most is None or most >= len(folder.cases):
        return folder
    return replace(folder, cases=random.Random(0).sample(folder.cases, most))


def measure(folder: Folder, place: Path, names: Collection[str], kept: Path | None = None) -> dict[str, Any]:
    """The figures of every system, by name; why a peer has none; and of each the questions without a hit.

    place: an empty folder. kept: where the product's store is kept, if it is.
    """
    library = sync_folder(folder.documents, make_settings(kept or place))
    texts = read_texts(library)
    queries = [rewrite(case.question, case.history) for case in folder.cases]
    vectors = library.embedding.embed(queries)
    squeezed = {path: squeeze(text) for path, text in texts.items()}
    holders = [find_holders(case.evidence, squeezed) for case in folder.cases]
    missing: dict[str, str] = {}
    systems: dict[str, Any] = {}
    missed: dict[str, list[str]] = {}
    # As llama-index's own reader of folders does.
    peers: dict[str, Opener] = {**PEERS, "llama-index": partial(open_llama_index, names_files=True)}
    for name, find in open_systems(names, library, texts, place, missing, peers):
        tell(f"{name}: {len(queries):,} questions")
        rows = [
            score(case.evidence, held_by, *search(find, query, vector, library.settings.passage_count))
            for case, held_by, query, vector in zip(folder.cases, holders, queries, vectors, strict=True)
        ]
        systems[name] = average(rows, MEASURES, WITH_INTERVAL if name == "product" else ())
        missed[name] = [case.question for case, row in zip(folder.cases, rows, strict=True) if not row["hit"]]
    counts = {
        "documents": len(texts),
        "questions": len(folder.cases),
        "evidences": sum(len(case.evidence) for case in folder.cases),
        "evidences_in_the_texts": sum(bool(paths) for held_by in holders for paths in held_by),
    }
    return {"set": folder.name, **counts, "systems": systems, "missing": missing, "missed": missed}


def search(find: Find, query: str, vector: Vectors, count: int) -> tuple[list[Found], list[Found]]:
    """The passages that a question is answered from, and those that fill the budget, the last one cut."""
    found = find(query, vector, count)
    ranking = list(found)
    if sum(len(passage.text) for passage in found) < BUDGET:
        # What a larger count finds stands behind these, since it may rank them otherwise.
        ranking += [passage for passage in find(query, vector, MANY) if passage not in found]
    filled, left = [], BUDGET
    for passage in ranking:
        filled.append(Found(passage.document, passage.text[:left]))
        left -= len(filled[-1].text)
        if not left:
            break
    return found, filled


def find_holders(evidences: Iterable[Evidence], squeezed: Mapping[str, str]) -> list[set[str]]:
    """Of each evidence the paths of the documents that hold it."""
    return [
        {path for path, text in squeezed.items() if is_in(evidence, path) and is_held(squeeze(evidence.text), text)}
        for evidence in evidences
    ]


def score(
    evidences: Sequence[Evidence], holders: Sequence[Collection[str]], found: Sequence[Found], filled: Sequence[Found]
) -> dict[str, float]:
    """Every measure of one question. holders: of each evidence the documents that hold it."""
    held = count_held(evidences, found)
    first = found[0].document if found else ""
    is_right = any(
        first in paths if evidence.path is None else is_in(evidence, first)
        for evidence, paths in zip(evidences, holders, strict=True)
    )
    figures = (held > 0, held / len(evidences), is_right, count_held(evidences, filled) > 0)
    return dict(zip(MEASURES, map(float, figures), strict=True))


# -- whether evidence is held -----------------------------------------------------------------


def count_held(evidences: Iterable[Evidence], passages: Iterable[Found]) -> int:
    """How many of the evidences the passages hold."""
    texts = [(passage.document, squeeze(passage.text)) for passage in passages]
    return sum(
        any(is_in(evidence, path) and is_held(squeeze(evidence.text), text) for path, text in texts)
        for evidence in evidences
    )


def is_in(evidence: Evidence, path: str) -> bool:
    """Whether evidence may stand in a document: its file, what lies in that, or any where it names none."""
    return evidence.path is None or path == evidence.path or path.startswith(f"{evidence.path}/")


def is_held(wanted: str, text: str) -> bool:
    """Whether a text shows enough of an evidence, both squeezed; see above."""
    runs = find_runs(wanted, text)
    return sum(runs) >= ENOUGH * len(wanted) or max(runs, default=0) >= LONG_RUN


def find_runs(wanted: str, text: str) -> list[int]:
    """The lengths of what two texts have in common, in the order of the wanted one."""
    if wanted in text:
        return [len(wanted)]
    runs = []
    start = 0
    while start + RUN <= len(wanted):
        end = start + RUN
        if wanted[start:end] not in text:
            start += 1
            continue
        while end < len(wanted) and wanted[end + 1 - RUN : end + 1] in text:
            end += 1
        runs.append(end - start)
        start = end
    return runs


def squeeze(text: str) -> str:
    """The letters and digits of a text, without case and without the targets of its links."""
    return "".join(character for character in normalise(_TARGET.sub("]", text)) if character.isalnum())
