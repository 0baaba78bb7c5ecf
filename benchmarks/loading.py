"""How much of what stands in files comes out of their readers, and how long that takes.

    python -m benchmarks.loading FOLDER [FOLDER ...] [--json FILE]

Each FOLDER holds docs/, and questions.jsonl in the form of `footnote eval`, whose `evidence` are strings that stand in
the documents (with `path`, or in any of them); or it is a folder of files alone.

read, in part, refused: files, by what their readers say. seconds: to read all of them, one after the other, in one
process. parts: sentences by kind. under: the share of those that may answer which stand under something.
evidence: how many strings there are. whole: those that stand in a text, white space aside. by letters: those that do
by their letters and digits, since such strings are often copied without dashes, quotation marks and bars of tables.

But: evidence that somebody has shortened, or put together of two places, stands nowhere.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.command import Row, describe_machine, heed_signals, print_rows, tell, write_json
from index.documents import Document
from index.loading.folder import scan
from index.loading.loader import UnreadableError
from index.loading.worker import Loader
from index.splitting.outline import follow
from index.splitting.sentences import CONTENT, KINDS, find_sentences

_SPACE, _MARKS = re.compile(r"\s+"), re.compile(r"[\W_]+")


def main() -> None:
    """Run the command."""
    heed_signals()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading", description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file too")
    given = parser.parse_args()
    missing: dict[str, list[str]] = {}
    rows = dict(print_rows("folder", measure_all(given.folders, missing)))
    for name, strings in missing.items():
        print(f"\nOf {name} these stand in no text, not even by their letters:\n")
        print("\n".join(f"- {string[:100]!r}" for string in strings))
    print(f"\n{describe_machine()}")
    write_json(given.json, {"rows": rows, "missing": missing, "machine": describe_machine()})


def measure_all(folders: list[Path], missing: dict[str, list[str]]) -> Iterator[Row]:
    """A row for each folder. missing: takes the evidence that stands nowhere, by folder."""
    for folder in folders:
        numbers, absent = measure(folder)
        if absent:
            missing[folder.name] = absent
        yield folder.name, numbers


def measure(folder: Path) -> tuple[dict[str, float | None], list[str]]:
    """The figures of one folder, and the evidence that stands in none of its texts."""
    docs = folder / "docs" if (folder / "docs").is_dir() else folder
    begun = time.perf_counter()
    documents, refused = read(docs)
    seconds = time.perf_counter() - begun
    kinds, under = Counter[str](), 0
    for document in documents:
        sentences = find_sentences(document.text)
        kinds.update(sentence.kind for sentence in sentences)
        above, _ = follow((), sentences, document.text)
        under += sum(bool(heads) for s, heads in zip(sentences, above, strict=True) if s.kind in CONTENT)
    numbers: dict[str, float | None] = {
        "read": len(documents),
        "in part": sum(bool(document.unread) for document in documents),
        "refused": refused,
        "seconds": seconds,
        **{f"{kind}": kinds[kind] for kind in KINDS},
        "under": under / max(1, sum(kinds[kind] for kind in CONTENT)),
    }
    questions = folder / "questions.jsonl"
    strings = list(read_evidence(questions)) if questions.is_file() else []
    whole = find_absent(strings, documents, lambda text: _SPACE.sub("", text))
    absent = find_absent(strings, documents, lambda text: _MARKS.sub("", text))
    count = len(strings)
    found = {"evidence": count, "whole": count - len(whole), "by letters": count - len(absent)}
    return {**numbers, **{name: number if strings else None for name, number in found.items()}}, absent


def read(docs: Path) -> tuple[list[Document], int]:
    """The documents of a folder, with what lies in its files, and how many files are refused."""
    documents: list[Document] = []
    files, skipped = scan(docs)
    refused = len(skipped)
    with Loader() as loader:
        for file in files:
            tell(file.path)
            try:
                document = loader.load(docs / file.path, file.path)
            except UnreadableError:
                refused += 1
                continue
            documents += [document, *document.enclosed]
    return documents, refused


def read_evidence(questions: Path) -> Iterator[tuple[str, str]]:
    """Each piece of evidence once, with the path that it is said to stand at, or ""."""
    seen = set[tuple[str, str]]()
    for line in questions.read_text(encoding="utf-8").splitlines():
        for evidence in json.loads(line).get("evidence", ()) if line.strip() else ():
            entry = (evidence["text"], evidence.get("path") or "")
            if entry not in seen:
                seen.add(entry)
                yield entry


def find_absent(strings: list[tuple[str, str]], documents: list[Document], squeeze: Callable[[str], str]) -> list[str]:
    """The strings that do not stand in the text of their document, or of any, once both are squeezed."""
    texts: Mapping[str, str] = {document.path: squeeze(document.text) for document in documents}
    absent = []
    for string, path in strings:
        where = [texts[path]] if path in texts else texts.values()
        if not any(squeeze(string) in text for text in where):
            absent.append(string)
    return absent


if __name__ == "__main__":
    main()
