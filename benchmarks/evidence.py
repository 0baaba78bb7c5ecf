"""How much of the evidence for an answer would be sent to a language model, and how much besides.

    python -m benchmarks.evidence --data FOLDER [--peers yes|no] [--questions N] [--tokens N] [--json FILE]

FOLDER holds corpora, NAME.md, and questions.jsonl, whose rows have a `question`, the name of its `corpus` and the
`references` that answer it, with `start` and `end` in the corpus's text: the form of "Evaluating Chunking Strategies
for Retrieval" (Smith and Troynikov 2024, Chroma). All corpora are searched together, as one folder.

Each system fills a budget of characters. "product" retrieves passages and chooses sentences from them, as it does for
a language model. "dense" and "lexical" are its two searches alone, whose chunks are taken in order, the last one cut
where the budget ends. llama-index and LangChain are taken so too; their splitters and searches keep to their defaults,
see `benchmarks.retrieval`.

recall: the share of the references' characters that are sent. precision: the share of what is sent that is of the
references. iou: what is both over what is either. What is sent twice, as overlapping chunks are, counts twice in what
is sent, as in the paper. all: the share of questions of whose references nothing is missing. Each is the mean over the
questions, from 0 to 1 (in per cent in the table). --questions takes so many of them, the same at every run.

FOLDER may also hold files as people have them, in docs/, with questions.jsonl in the form of `footnote eval`. Then the
product is measured alone, as a language model with a budget of --tokens (3,000; estimated) is served: what of the
questions' evidence is sent. held: the share of the evidences of which half, or two lines, stands in one piece of it
(see `benchmarks.folders`); whole: of which nothing is missing; any: the share of questions of which some is held.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.chain import retrieve_passages
from assistant.question.followup import rewrite
from assistant.question.question import read_question
from assistant.serving.evaluating.texts import cover
from assistant.writing.tokens import estimate_tokens
from benchmarks.command import Row, describe_machine, heed_signals, print_rows, tell, write_json
from benchmarks.folders import Folder, choose, count_held, is_folder, is_in, load_folder
from benchmarks.retrieval import make_settings, open_langchain, open_llama_index
from benchmarks.systems import Found, sync_folder
from index.documents import identify
from index.embedding.protocol import Vectors
from index.errors import FootnoteError, InputError
from index.library import Library, finish, open_library
from index.searching.evidence import EVIDENCE_PASSAGES, choose_evidence
from index.searching.retriever import CANDIDATES
from index.settings import Settings

BUDGETS = (2000, 4000, 8000)  # characters
MEASURES = ("recall", "precision", "iou", "all")

Span = tuple[str, int, int]  # a corpus, start and end
System = Callable[[str, Vectors, int], list[Span]]  # from a question, its vector and a budget to what is sent


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the spans that answer it."""

    text: str
    references: tuple[Span, ...]


def main() -> None:
    """Measure every system, print the tables, write the JSON."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    arguments.add_argument("--peers", choices=("yes", "no"), default="yes")
    arguments.add_argument("--questions", type=int, help="ask no more than so many, chosen by chance with a fixed seed")
    arguments.add_argument("--tokens", type=int, default=3000, help="the budget, of a folder of files")
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    heed_signals()
    if is_folder(given.data):
        main_of_folder(given.data, given.questions, given.tokens, given.json)
        return
    try:
        corpora, questions = load(given.data)
        if given.questions is not None and given.questions < len(questions):
            questions = random.Random(0).sample(questions, given.questions)
        with tempfile.TemporaryDirectory() as temporary:
            systems, missing = measure(corpora, questions, Path(temporary), PEERS if given.peers == "yes" else {})
    except FootnoteError as error:
        sys.exit(str(error))
    print(f"{time.strftime('%Y-%m-%d')}, {describe_machine()}")
    print(f"{given.data.resolve().name}: {len(questions):,} questions, {len(corpora):,} corpora, figures in per cent")
    for budget in BUDGETS:
        for _ in print_rows(f"{budget:,} characters", to_rows(systems, missing, budget)):
            pass
    write_json(given.json, {"set": given.data.resolve().name, "systems": systems, "missing": missing})


def main_of_folder(data: Path, most_questions: int | None, tokens: int, json_file: Path | None) -> None:
    """The same for a folder of files."""
    try:
        folder = choose(load_folder(data), most_questions)
        with tempfile.TemporaryDirectory() as temporary:
            figures = measure_folder(folder, Path(temporary), tokens)
    except FootnoteError as error:
        sys.exit(str(error))
    print(f"{time.strftime('%Y-%m-%d')}, {describe_machine()}")
    print(f"{folder.name}: {len(folder.cases):,} questions, figures in per cent")
    row: Row = ("product", {name: 100 * value for name, value in figures.items()})
    for _ in print_rows(f"{tokens:,} tokens", iter([row])):
        pass
    write_json(json_file, {"set": folder.name, "tokens": tokens, "systems": {"product": figures}, "missing": {}})


def measure_folder(folder: Folder, place: Path, tokens: int) -> dict[str, float]:
    """What of the evidence a language model with such a budget is sent, as means over the questions."""
    library = sync_folder(folder.documents, make_settings(place))
    totals = dict.fromkeys(("held", "whole", "any"), 0.0)
    for case in folder.cases:
        asked = read_question(rewrite(case.question, case.history))
        passages = retrieve_passages(asked, library, EVIDENCE_PASSAGES, widely=True)
        chosen = library.choose_evidence(passages, asked.query, tokens, size_of_numbered)
        sent = [Found(passage.path, passage.text) for passage in chosen]
        held = count_held(case.evidence, sent)
        whole = sum(
            cover(evidence.text, [text for path, text in sent if is_in(evidence, path)]) == 1
            for evidence in case.evidence
        )
        for name, figure in (("held", held), ("whole", whole)):
            totals[name] += figure / len(case.evidence) / len(folder.cases)
        totals["any"] += (held > 0) / len(folder.cases)
    return totals


def size_of_numbered(words: str) -> int:
    """The tokens of a sentence with its number, as an answer's prompt counts them."""
    return estimate_tokens(f"[100] {words}\n") if words.strip() else 0


def to_rows(systems: Mapping[str, Mapping[str, float]], missing: Mapping[str, str], budget: int) -> Iterator[Row]:
    """The rows of one budget's table."""
    for name, figures in systems.items():
        yield name, {measure: 100 * figures[f"{measure}@{budget}"] for measure in MEASURES}
    yield from missing.items()


def load(folder: Path) -> tuple[dict[str, str], list[Question]]:
    """The corpora's texts by name, line ends as they are, and the questions; InputError where they do not fit."""
    corpora = {file.stem: file.read_bytes().decode() for file in sorted(folder.glob("*.md"))}
    questions = []
    try:
        with (folder / "questions.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                references = tuple((row["corpus"], part["start"], part["end"]) for part in row["references"])
                for part in row["references"]:
                    if part["text"] != corpora[row["corpus"]][part["start"] : part["end"]]:
                        raise ValueError(f"{part['text']!r} does not stand where it should")
                questions.append(Question(row["question"], references))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} is not of the form that python -m benchmarks.evidence --help tells: {error}."
        ) from error
    return corpora, questions


def measure(
    corpora: Mapping[str, str], questions: Sequence[Question], place: Path, peers: Iterable[str]
) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """The figures of every system, by name, and why a peer has none."""
    settings = make_settings(place)
    library = sync_corpora(corpora, place / "documents", settings)
    vectors = library.embedding.embed([question.text for question in questions])
    systems = {name: judge(name, questions, vectors, system) for name, system in open_product(library, corpora).items()}
    missing: dict[str, str] = {}
    for name in peers:
        tell(f"{name}: indexing")
        try:
            system = open_peer(name, corpora, library, settings, place / name)
        except ImportError as error:
            missing[name] = f"not installed ({error})"
            continue
        systems[name] = judge(name, questions, vectors, system)
    return systems, missing


# -- the systems ------------------------------------------------------------------------------


def sync_corpora(corpora: Mapping[str, str], folder: Path, settings: Settings) -> Library:
    """The product's library of a folder that holds each corpus as a file."""
    folder.mkdir()
    for name, text in corpora.items():
        (folder / f"{name}.md").write_bytes(text.encode())
    library = finish(open_library(folder, settings))
    tell("product: indexing")
    report = finish(library.sync())
    if report.skipped:
        raise InputError(f"Not every corpus can be read: {dict(report.skipped)}.")
    return library


def open_product(library: Library, corpora: Mapping[str, str]) -> dict[str, System]:
    """The product and its two searches."""
    store = library.store
    names = {identify(f"{name}.md"): name for name in corpora}

    def find_evidence(question: str, vector: Vectors, budget: int) -> list[Span]:
        passages = library.retrieve(question, EVIDENCE_PASSAGES)
        chosen = choose_evidence(passages, question, store.lexicon, budget)
        return [check(corpora, (names[p.document_id], p.start, p.end), p.text) for p in chosen]

    def fill_from(chunk_ids: Iterable[str], budget: int) -> list[Span]:
        found = list(chunk_ids)
        chunks = store.lexicon.chunks(found)
        in_order = (chunks[chunk_id] for chunk_id in found)
        return fill([check(corpora, (names[c.document_id], c.start, c.end), c.text) for c in in_order], budget)

    return {
        "product": find_evidence,
        "dense": lambda question, vector, budget: fill_from(store.nearest(vector, CANDIDATES), budget),
        "lexical": lambda question, vector, budget: fill_from(store.lexicon.search(question, CANDIDATES), budget),
    }


def open_peer(name: str, corpora: Mapping[str, str], library: Library, settings: Settings, place: Path) -> System:
    """A peer whose chunks are documents of their own to `benchmarks.retrieval`, so that it tells which it finds."""
    split, opener = PEERS[name]
    chunks = {
        f"{corpus} {start} {end}": check(corpora, (corpus, start, end), chunk)
        for corpus, text in corpora.items()
        for start, end, chunk in split(text)
    }
    texts = {key: corpora[corpus][start:end] for key, (corpus, start, end) in chunks.items()}
    search = opener(texts, library.embedding, settings, place)

    def find(question: str, vector: Vectors, budget: int) -> list[Span]:
        # What is split already is hardly ever split again; where it is, the chunk counts once.
        return fill([chunks[key] for key in dict.fromkeys(search(question, vector, CANDIDATES))], budget)

    return find


def split_as_llama_index(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and text of the chunks of llama-index's default splitter."""
    from llama_index.core import Document
    from llama_index.core.node_parser import SentenceSplitter

    for node in SentenceSplitter().get_nodes_from_documents([Document(text=text)]):
        yield node.start_char_idx, node.end_char_idx, node.text


def split_as_langchain(text: str) -> Iterator[tuple[int, int, str]]:
    """The same of LangChain's usual splitter."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)
    for document in splitter.create_documents([text]):
        start, chunk = document.metadata["start_index"], document.page_content
        yield start, start + len(chunk), chunk


PEERS = {
    "llama-index": (split_as_llama_index, open_llama_index),
    "LangChain": (split_as_langchain, open_langchain),
}


def check(corpora: Mapping[str, str], span: Span, text: str) -> Span:
    """The span, if this is the text there: every figure hangs on that."""
    corpus, start, end = span
    if corpora[corpus][start:end] != text:
        raise RuntimeError(f"{corpus}[{start}:{end}] is {corpora[corpus][start:end]!r}, not {text!r}")
    return span


def fill(spans: Iterable[Span], budget: int) -> list[Span]:
    """The first spans that fit into the budget, the last of them cut."""
    sent: list[Span] = []
    for corpus, start, end in spans:
        end = min(end, start + budget)
        if start < end:
            sent.append((corpus, start, end))
            budget -= end - start
    return sent


# -- the figures ------------------------------------------------------------------------------


def judge(name: str, questions: Sequence[Question], vectors: Vectors, system: System) -> dict[str, float]:
    """Each measure's mean over the questions, at each budget."""
    totals = dict.fromkeys((f"{measure}@{budget}" for budget in BUDGETS for measure in MEASURES), 0.0)
    for number, (question, vector) in enumerate(zip(questions, vectors, strict=True)):
        if number % 100 == 0:
            tell(f"{name}: {number:,} of {len(questions):,} questions")
        for budget in BUDGETS:
            sent = system(question.text, vector, budget)
            if sum(end - start for _, start, end in sent) > budget:
                raise RuntimeError(f"{name} sends more than {budget} characters")
            for measure, figure in score(sent, question.references).items():
                totals[f"{measure}@{budget}"] += figure / len(questions)
    return totals


def score(sent: Sequence[Span], references: Iterable[Span]) -> dict[str, float]:
    """Every measure of what was sent for one question."""
    wanted = to_characters(references)
    hits = len(to_characters(sent) & wanted)
    length = sum(end - start for _, start, end in sent)
    return {
        "recall": hits / len(wanted),
        "precision": hits / length if length else 0.0,
        "iou": hits / (length + len(wanted) - hits),
        "all": float(hits == len(wanted)),
    }


def to_characters(spans: Iterable[Span]) -> set[tuple[str, int]]:
    """Every character of the spans by its place, once."""
    return {(corpus, place) for corpus, start, end in spans for place in range(start, end)}


if __name__ == "__main__":
    main()
