"""What becomes of small folders of the kinds of files that people have, each with a question about it.

    python -m benchmarks.cases FOLDER [--json FILE]

FOLDER holds NAME/docs/ and NAME/case.json: `question`, `expect` (a person's words, as "380 with Brenvale named"),
`fault` (what was once wrong), and for a follow-up `history`, the questions asked before it. The first word of NAME is
the kind. Answers are the documents' own sentences; no language model is asked.

Of `expect`, what is looked for is its words and numbers, by their stems, without little words, words about the answer
("first", "named") and what follows ", or"; of what stands in brackets, the names and numbers alone; and names of files.

right: the sentence shown first holds all of it, in 400 characters at most; or every citation is of the files named; or
it is refused and may be. poor: what stands outside the brackets is shown, but not so: later, strewn over sentences, or
in too long a one. wrong: it is not. nearest: it is shown, but as no more than the nearest there is. refused: the
documents are said not to say, or something else is the nearest. unclear: `expect` has neither a number nor a name, and
its words do not stand together in the documents; or it leaves another way open.
loaded: how what is looked for stands in the text that a reader makes of the files: yes, within one sentence as short;
apart, strewn, or in a longer one; no, where some of it is missing; "-", where that is unclear.

But: words are compared, not meanings. A right answer in other words counts as wrong; a value under a wrong heading, or
one beside false ones, counts as right and as loaded. Read the answers.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import textwrap
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from assistant import answer
from assistant.answers import NOT_FOUND, Answer
from benchmarks.command import describe_machine, heed_signals, tell, write_json
from index.errors import InputError
from index.loading.loader import UnreadableError
from index.loading.worker import Loader
from index.settings import Settings
from index.splitting.outline import follow
from index.splitting.sentences import find_sentences
from index.splitting.terms import find_content_terms, find_terms

VERDICTS = ("right", "poor", "wrong", "nearest", "refused", "unclear")
LOADED = ("yes", "apart", "no", "-")
LONGEST_CHARACTERS = 400  # of a sentence that shows its reader where to look
_ABOUT = frozenset(
    find_terms("first second only named row column cell shows line sentence note unmixed under least refusal refused")
)
_OTHERWISE = re.compile(r"[,;(]\s*or\b")
_ASIDE = re.compile(r"\(([^()]*)\)")
_REFUSAL = re.compile(r"\brefus|\bdo(?:es)? not say\b")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. terms: of the expectation itself. aside: those that its brackets add.

    files: the paths to cite. refusal: whether refusing is right. otherwise: whether another way is left open.
    named: whether a number or a name is among the terms, so that they are surely words of the documents.
    """

    terms: frozenset[str]
    aside: frozenset[str]
    files: tuple[str, ...]
    refusal: bool
    otherwise: bool
    named: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case. verdict: one of VERDICTS. loaded: one of LOADED. answer: in one line."""

    name: str
    fault: str
    verdict: str
    loaded: str
    answer: str


def main() -> None:
    """Ask the question of every case, print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path, metavar="FOLDER")
    arguments.add_argument("--json", type=Path, metavar="FILE")
    given = arguments.parse_args()
    heed_signals()
    try:
        with tempfile.TemporaryDirectory() as temporary:
            # Of an environment of their own, settings name no language model.
            settings = Settings.from_environment({"FOOTNOTE_STORE": temporary})
            outcomes = list(print_outcomes(measure(given.folder, settings)))
    except InputError as error:
        raise SystemExit(str(error)) from error
    counts = count(outcomes)
    print(f"\n| kind | {' | '.join(VERDICTS)} |\n|{'---|' * (len(VERDICTS) + 1)}")
    for kind, row in counts.items():
        print(f"| {kind} | {' | '.join(str(number) for number in row.values())} |")
    print(f"\n{describe_machine()}")
    cases = [asdict(outcome) for outcome in outcomes]
    write_json(given.json, {"set": given.folder.resolve().name, "counts": counts, "cases": cases})


def measure(folder: Path, settings: Settings) -> Iterator[Outcome]:
    """The outcome of each case, by name. Raises InputError where the folder holds none."""
    files = sorted(folder.glob("*/case.json"))
    if not files:
        raise InputError(f"{folder} holds no case: give a folder of NAME/case.json and NAME/docs/.")
    with Loader() as loader:
        for file in files:
            tell(file.parent.name)
            case, documents = json.loads(file.read_text(encoding="utf-8")), file.parent / "docs"
            texts = load(documents, loader)
            wanted = read_expectation(case["expect"], list(texts))
            loaded = find_loaded(wanted, list(texts.values()))
            reply = ask(case, documents, settings)
            verdict = judge(wanted, reply, is_sure=wanted.named or loaded == "yes")
            line = " ".join(reply.text.split())
            yield Outcome(file.parent.name, case.get("fault", ""), verdict, loaded, line)


def load(documents: Path, loader: Loader) -> dict[str, str]:
    """The text of every file, by its path; "" of one that cannot be read."""
    texts = {}
    for file in sorted(path for path in documents.rglob("*") if path.is_file()):
        path = file.relative_to(documents).as_posix()
        try:
            texts[path] = loader.load(file, path).text
        except UnreadableError:
            texts[path] = ""
    return texts


def ask(case: Mapping[str, Any], documents: Path, settings: Settings) -> Answer:
    """The answer to the question of a case, after those that were asked before."""
    history: list[Answer] = []
    for question in [*case.get("history", ()), case["question"]]:
        history.append(answer(question, documents, history=history, settings=settings))
    return history[-1]


def read_expectation(expect: str, paths: Sequence[str]) -> Wanted:
    """What to look for of a person's words, in the documents of these paths."""
    files = tuple(path for path in paths if path in expect)
    for path in files:
        expect = expect.replace(path, " ")
    body, *other = _OTHERWISE.split(expect, maxsplit=1)
    # No word of an aside opens a sentence, so that each capital there is a name's.
    names = [name for aside in _ASIDE.findall(body) for name in find_names(f"- {aside}")]
    body = _ASIDE.sub(" ", body)
    terms = frozenset(find_content_terms(body)) - _ABOUT
    return Wanted(
        terms,
        frozenset(find_terms(" ".join(names))) - terms - _ABOUT,
        files,
        refusal=bool(_REFUSAL.search(expect)),
        otherwise=bool(other),
        named=len(body.split()) == 1 or bool(find_names(body)),
    )


def find_names(text: str) -> list[str]:
    """The words with a digit or a capital, without the one that opens the text: any word has a capital there."""
    first, *rest = text.split() or [""]
    names = [word for word in rest if any(c.isdigit() or c.isupper() for c in word)]
    return [first, *names] if any(c.isdigit() for c in first) else names


def find_loaded(wanted: Wanted, texts: Sequence[str]) -> str:
    """How what is looked for stands in the texts: one of LOADED."""
    terms = wanted.terms | wanted.aside
    if terms and any(holds(part, terms) for text in texts for part in find_parts(text)):
        return "yes"
    if not terms or not wanted.named:
        return "-"
    return "apart" if holds("\n".join(texts), terms) else "no"


def find_parts(text: str) -> Iterator[str]:
    """The sentences of a text that are no longer than a quotation may be, each with what it stands under."""
    sentences = find_sentences(text)
    for sentence, above in zip(sentences, follow((), sentences, text)[0], strict=True):
        if sentence.end - sentence.start <= LONGEST_CHARACTERS:
            yield "\n".join((*(head.words for head in above), text[sentence.start : sentence.end]))


def holds(text: str, terms: Collection[str]) -> bool:
    """Whether all of the terms are among those of a text."""
    return set(terms) <= set(find_terms(text))


def judge(wanted: Wanted, reply: Answer, *, is_sure: bool) -> str:
    """One of VERDICTS. is_sure: whether the terms are surely words of the documents."""
    if reply.status == "nearest" and not wanted.refusal:
        # What is shown as no more than the nearest is either what is looked for, or not given as an answer.
        verdict = judge(wanted, replace(reply, status="answered"), is_sure=is_sure)
        return {"right": "nearest", "poor": "nearest", "wrong": "refused"}.get(verdict, verdict)
    if not reply.found:
        if wanted.refusal:
            return "right"
        # Another way may be a notice beside the refusal, or a reply that speaks of the question.
        is_plain = reply.text.startswith(NOT_FOUND) and not (wanted.otherwise and reply.notice)
        return "refused" if is_plain else "unclear"
    cited = [citation.path in wanted.files for citation in reply.citations]
    if wanted.files and not wanted.terms:
        return "right" if all(cited) else "poor" if any(cited) else "wrong"
    if not wanted.terms or not is_sure:
        return "unclear"
    first, *_ = shown = [sentence.text for sentence in reply.sentences]
    is_cited = not wanted.files or all(cited)
    # What is said aside may stand beside the quotation, as what it stands under does.
    beside = [words for c in reply.citations if c.number in reply.sentences[0].citations for words in c.context]
    is_whole = holds(first, wanted.terms) and holds("\n".join([first, *beside]), wanted.aside)
    if is_cited and len(first) <= LONGEST_CHARACTERS and is_whole:
        return "right"
    if holds("\n".join(shown), wanted.terms):
        return "poor"
    return "unclear" if wanted.otherwise and not wanted.refusal else "wrong"


def count(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """How many cases of each kind came to each verdict; the last kind is all of them."""
    counted = Counter((kind, o.verdict) for o in outcomes for kind in (o.name.partition("-")[0], "all"))
    kinds = [*sorted({kind for kind, _ in counted} - {"all"}), "all"]
    return {kind: {verdict: counted[kind, verdict] for verdict in VERDICTS} for kind in kinds}


def print_outcomes(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """Print a row for each as it comes, and hand it on."""
    print("| case | fault | answered | loaded | answer |\n|---|---|---|---|---|")
    for outcome in outcomes:
        cells = (outcome.name, outcome.fault, outcome.verdict, outcome.loaded, textwrap.shorten(outcome.answer, 160))
        print(f"| {' | '.join(cell.replace('|', '¦') for cell in cells)} |", flush=True)
        yield outcome


if __name__ == "__main__":
    main()
