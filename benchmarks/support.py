"""How well the check tells a supported sentence from one that its cited text does not support.

    python -m benchmarks.support [--replies FILE...] [--wice FOLDER] [--squad FILE] [--pairs N] [--fit [--write]]
                                 [--json FILE]

--replies: sentences of answers, a row each with `sentence`, `quotes`, `label` (supported, partial, unsupported or
no_claim) and maybe `context` and `question`, judged as the product judges them. faithful_doubted: of those labelled
supported, the share called neither that nor no claim; the share called unchecked, for another language, is in it and
apart. false_passed: of those labelled unsupported, the share called supported. partial_VERDICT: what those labelled
partial are called. no_claim_judged: of those that claim nothing, the share that was judged. The system "model" is a
language model that judges as the labels say but for one row in twenty, chosen by chance, and what words overrule of it.

--wice: `claim.jsonl`. auroc_wice is the chance that a supported claim has more surety than one not supported, each with
all the sentences of its web page as evidence; auroc_wice_rest the same against those supported in part too.

Faithful sentences are WiCE's supported claims with the sentences that their annotators chose, and sentences of SQuAD
paragraphs put lightly into other words, which cite the original: a leading phrase moved to the end, brackets left out,
synonyms, numbers written otherwise, the first of two clauses alone. --pairs: at most so many SQuAD sentences (1000).

doubted_restated: sentences that people worded, not called `supported`: SQuAD's questions after the subject with the
answer put in ("Who was X?": "Y was X."), which cite the sentence that the answer stands in. It often needs others too.

Each faithful sentence is corrupted in every way that it can be:
number: one number changed, to another of the same document or by its digits. name: one name swapped for another of the
same document. negation: a "not" or "never" put in, or one taken out. other document, neighbour: the words stay, and
cite a sentence of another document, or another of the same article. What is caught is whatever is not `supported`.
recall_NAME: the share caught. precision_NAME: of what is caught among these sentences and as many faithful ones (those
they were made of), the share that was corrupted. auroc_NAME: by surety. false_alarms: faithful sentences not called
`supported`, of each source, and of both by `false_alarms`.

The systems: the product, with the embedded model; words, the same without an embedding.

--fit: the logistic model is fitted anew, to the faithful sentences of --replies too, and every sentence judged by one
that saw nothing of its article (of WiCE: of its claim's article; of an answer: of its document); with
--write, the fit to everything becomes `assistant/citing/support.json`. Without --fit the shipped
model judges: on the data that it was fitted to that flatters it.

But: corruptions made by rule are easier than the mistakes of a model; and some leave a sentence true.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from assistant.answers import AnswerSentence, Citation, Support
from assistant.citing.citations import Remembering
from assistant.citing.claiming import claims_nothing
from assistant.citing.closeness import describe
from assistant.citing.second_opinion import apply_verdicts
from assistant.citing.sums import estimate
from assistant.citing.support import (
    CONTRADICTIONS,
    MODEL_FILE,
    Fact,
    Verdict,
    decide,
    find_wrong_facts,
    judge,
    load_model,
)
from benchmarks.reader import auroc, mean, read_rows, report
from index.embedding.engines import open_embedding
from index.embedding.protocol import Embedding
from index.library import finish
from index.settings import Settings
from index.splitting.sentences import find_sentences

FOLDS = 5
MODEL_ERRS = 0.05  # the share of sentences that the scripted model misjudges
CORRUPTIONS = ("number", "name", "negation", "other document", "neighbour")
FALSE_ALARMS = 0.02  # the share of faithful sentences that closeness alone may doubt
REGULARISATION = 1.0

Model = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence and what it cites.

    kind: "faithful", a corruption, "restated", "told" for one of a real answer, or a label of WiCE.
    group: the article, which no model that judges it saw.
    made_of: the place of the faithful pair that was corrupted, or -1.
    """

    kind: str
    source: str
    group: str
    sentence: str
    quotes: tuple[str, ...]
    context: str = ""
    made_of: int = -1


@dataclass(slots=True)
class Judged:
    """A pair as the check sees it, with an embedding and without one."""

    pair: Pair
    wrong: frozenset[Fact]
    features: dict[str, dict[str, float]] = field(default_factory=dict)


def main() -> None:
    """Make the pairs, judge them, print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--replies", type=Path, metavar="FILE", nargs="+", default=[])
    arguments.add_argument("--wice", type=Path, metavar="FOLDER")
    arguments.add_argument("--squad", type=Path, metavar="FILE")
    arguments.add_argument("--pairs", type=int, metavar="N", default=1000)
    arguments.add_argument("--fit", action="store_true")
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("--json", type=Path, metavar="FILE")
    given = arguments.parse_args()
    if not (given.replies or given.wice or given.squad):
        arguments.error("give --replies, --wice or --squad")
    embedding = finish(open_embedding(Settings.from_environment({})))
    for file in given.replies:
        show_replies(file, list(read_rows(file)), embedding, None if given.wice or given.squad else given.json)
    if not (given.wice or given.squad):
        return
    pairs = [pair for file in given.replies for pair in read_replies(file)]
    pairs += read_wice(given.wice) if given.wice else []
    if given.squad:
        articles = json.loads(given.squad.read_text(encoding="utf-8"))["data"]
        pairs += read_squad(articles, given.pairs) + read_questions(articles)
    pairs += corrupt_all(pairs)
    judged = judge_all(pairs, embedding)
    models = {pair.group: load_model() for pair in pairs}
    if given.fit:
        models = fit_folds(judged)
    if given.fit and given.write:
        MODEL_FILE.write_text(json.dumps(fit(judged), indent=1) + "\n", encoding="utf-8")
    systems = {name: measure(judged, models, system) for name, system in SYSTEMS.items()}
    report(" and ".join(path.name for path in (given.wice, given.squad) if path), systems, given.json)


SYSTEMS = {"product": "with_meaning", "words": "words"}

# -- sentences of answers ---------------------------------------------------------------------

VERDICTS: tuple[Support, ...] = get_args(Support)


def read_replies(file: Path) -> list[Pair]:
    """The faithful sentences of answers, which teach what a faithful sentence is like."""
    return [
        Pair(
            "told",
            "replies",
            str(row.get("document") or row.get("question")),
            row["sentence"],
            tuple(row["quotes"]),
            row.get("context") or "",
        )
        for row in read_rows(file)
        if row["label"] == "supported" and row["quotes"] and not claims_nothing(row["sentence"], row["quotes"])
    ]


def show_replies(name: Path, rows: Sequence[Mapping[str, Any]], embedding: Embedding, to: Path | None) -> None:
    """Judge the labelled sentences of answers and print the table."""
    judges = {"product": embedding, "words": None}
    verdicts = {system: judge_rows(rows, judging) for system, judging in judges.items()}
    verdicts["model"] = judge_with_scripted_model(rows, verdicts["product"])
    systems = {system: measure_replies(rows, given) for system, given in verdicts.items()}
    report(f"{name.name}, {len(rows)} sentences", systems, to)


def judge_with_scripted_model(rows: Sequence[Mapping[str, Any]], by_words: Sequence[Support]) -> list[Support]:
    """The verdicts where a model judges that errs on some rows, over those of words."""
    chance = random.Random(0)
    told: tuple[Support, ...] = ("supported", "partial", "unsupported")
    verdicts = []
    for row, own in zip(rows, by_words, strict=True):
        right: Support = row["label"] if row["label"] in told else "supported"
        errs = chance.random() < MODEL_ERRS
        given = chance.choice([verdict for verdict in told if verdict != right]) if errs else right
        cited = tuple(
            Citation(number, "", "", row.get("context") or "", None, 0, 0, quote)
            for number, quote in enumerate(row["quotes"], start=1)
        )
        sentence = AnswerSentence(row["sentence"], tuple(citation.number for citation in cited), own)
        [judged] = apply_verdicts([sentence], cited, {1: Verdict(given)})
        verdicts.append(judged.support)
    return verdicts


def judge_rows(rows: Sequence[Mapping[str, Any]], embedding: Embedding | None) -> list[Support]:
    """The verdict on each row."""
    return [
        judge(row["sentence"], row["quotes"], embedding, row.get("context") or "", row.get("question") or "").support
        for row in rows
    ]


def measure_replies(rows: Sequence[Mapping[str, Any]], verdicts: Sequence[Support]) -> dict[str, float | list[float]]:
    """The figures of one system, as the module says."""
    called: dict[str, list[Support]] = defaultdict(list)
    for row, verdict in zip(rows, verdicts, strict=True):
        called[row["label"]].append(verdict)

    def share(label: str, wanted: Container[Support]) -> float:
        return mean([verdict in wanted for verdict in called[label]])

    figures: dict[str, float | list[float]] = {f"rows_{label}": float(len(found)) for label, found in called.items()}
    if called["supported"]:
        figures["faithful_doubted"] = 1 - share("supported", ("supported", "no_claim"))
        figures["faithful_unchecked"] = share("supported", ("unchecked",))
    if called["unsupported"]:
        figures["false_passed"] = share("unsupported", ("supported",))
    if called["partial"]:
        figures |= {f"partial_{verdict}": share("partial", (verdict,)) for verdict in VERDICTS[:3]}
    if called["no_claim"]:
        figures["no_claim_judged"] = 1 - share("no_claim", ("no_claim",))
    return figures


# -- the pairs --------------------------------------------------------------------------------


def read_wice(folder: Path) -> list[Pair]:
    """Every claim with its whole page, and every supported one, faithful, with the sentences chosen for it."""
    pairs = []
    for row in read_rows(folder / "claim.jsonl"):
        title = row["meta"]["claim_title"]
        evidence = tuple(row["evidence"])
        pairs.append(Pair(row["label"], "wice", title, row["claim"], evidence, title))
        chosen = sorted({place for places in row["supporting_sentences"] for place in places})
        if row["label"] == "supported" and chosen:
            pairs.append(Pair("faithful", "wice", title, row["claim"], tuple(evidence[i] for i in chosen), title))
    return pairs


def read_squad(articles: Sequence[Any], most: int) -> list[Pair]:
    """Sentences of the articles' paragraphs in slightly other words, which cite the original."""
    chance = random.Random(0)
    found = [
        (article["title"], sentence)
        for article in articles
        for paragraph in article["paragraphs"]
        for sentence in _sentences_of(paragraph["context"])
        if 8 <= len(sentence.split()) <= 45 and sentence[0].isupper() and sentence[-1] in ".!"
    ]
    chosen = chance.sample(found, min(most, len(found)))
    return [
        Pair("faithful", "squad", title, paraphrase(sentence, chance), (sentence,), title.replace("_", " "))
        for title, sentence in chosen
    ]


_SUBJECT_QUESTION = re.compile(
    r"(?:Who|(?:What|Which)(?: \w+)?) (?P<rest>(?:is|was|are|were|has|had|can|could|will|made|\w{3,}ed)\b.*)\?$"
)


def read_questions(articles: Sequence[Any]) -> list[Pair]:
    """Questions after the subject, with their answers put in, which cite the sentence that holds the answer."""
    pairs = []
    for article in articles:
        title = article["title"].replace("_", " ")
        for paragraph in article["paragraphs"]:
            text, spans = paragraph["context"], find_sentences(paragraph["context"])
            for entry in paragraph["qas"]:
                asked = _SUBJECT_QUESTION.match(entry["question"])
                if asked and entry["answers"]:
                    gold = entry["answers"][0]
                    said = f"{_capitalise(gold['text'])} {asked['rest'].strip()}."
                    quotes = tuple(text[s.start : s.end] for s in spans if s.start <= gold["answer_start"] < s.end)
                    pairs.append(Pair("restated", "questions", article["title"], said, quotes, title))
    return pairs


def _sentences_of(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_sentences(text) if span.kind == "prose"]


# -- other words ------------------------------------------------------------------------------

_SYNONYMS = dict(
    pair.split("/")
    for pair in (
        "began/started, many/numerous, large/big, however/but, several/various, located/situated, used/employed, "
        "significant/important, often/frequently, built/constructed, known/famed, approximately/about, main/chief, "
        "created/made, area/region, primarily/mainly, although/though, required/needed, published/issued, "
        "took place/happened, such as/like, due to/because of"
    ).split(", ")
)
_SPELLED = {"2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "8": "eight", "10": "ten", "12": "twelve"}


def paraphrase(sentence: str, chance: random.Random) -> str:
    """The sentence with a few of the changes that keep its meaning; at least one wherever one can be made."""
    changed = sentence
    for rule in chance.sample(_CHANGES, 3):
        changed = rule(changed)
    return changed if changed != sentence else next((c for r in _CHANGES if (c := r(sentence)) != sentence), sentence)


def _move_lead(sentence: str) -> str:
    lead = re.match(r"((?:In|On|At|By|During|After|Since|Under|From|For) [^,;()]{3,60}), ([^,;]{20,})([.!])$", sentence)
    if not lead:
        return sentence
    first, rest, stop = lead.groups()
    return f"{_capitalise(rest)} {first[0].lower()}{first[1:]}{stop}"


def _leave_out_brackets(sentence: str) -> str:
    return re.sub(r"\s+\([^()]*\)", "", sentence)


def _use_synonyms(sentence: str) -> str:
    for word, other in _SYNONYMS.items():
        sentence = re.sub(rf"\b{word}\b", other, sentence)
    return sentence


def _respell_numbers(sentence: str) -> str:
    sentence = re.sub(r"\b(\d{1,3}),(\d{3})\b(?!,)", r"\1\2", sentence)
    sentence = re.sub(r"\b(\d+(?:\.\d+)?)\s?%", r"\1 percent", sentence)
    # Only where a plain noun follows is a digit surely a count.
    return re.sub(
        r"(?<![\d.,])\b(\d{1,2})(?= [a-z]{4,}s\b)", lambda digits: _SPELLED.get(digits[1], digits[1]), sentence
    )


def _keep_first_clause(sentence: str) -> str:
    parts = re.split(r"; |, (?:and|but|while|whereas) (?=(?:it|he|she|they|the|this)\b)", sentence, maxsplit=1)
    return f"{parts[0]}." if len(parts) == 2 and len(parts[0].split()) >= 7 else sentence


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


_CHANGES: list[Callable[[str], str]] = [
    _move_lead, _leave_out_brackets, _use_synonyms, _respell_numbers, _keep_first_clause,
]  # fmt: skip

# -- corruptions ------------------------------------------------------------------------------


def corrupt_all(pairs: Sequence[Pair]) -> list[Pair]:
    """Every faithful pair, corrupted in every way that it can be."""
    chance = random.Random(1)
    texts: dict[str, list[str]] = defaultdict(list)  # what the document says, by article
    for pair in pairs:
        texts[pair.group] += [*pair.quotes, pair.sentence]
    faithful = [(number, pair) for number, pair in enumerate(pairs) if pair.kind == "faithful"]
    made = []
    for number, pair in faithful:
        document = " ".join(dict.fromkeys(texts[pair.group]))
        changes = {
            "number": change_number(pair.sentence, document, chance),
            "name": swap_name(pair.sentence, document, chance),
            "negation": negate(pair.sentence, chance),
        }
        made += [
            replace(pair, kind=kind, sentence=changed, made_of=number)
            for kind, changed in changes.items()
            if changed and changed != pair.sentence
        ]
        others = [other for _, other in faithful if other.source == pair.source and other.group != pair.group]
        beside = [q for _, o in faithful if o.group == pair.group for q in o.quotes if q not in pair.quotes]
        if others:
            made.append(replace(pair, kind="other document", quotes=chance.choice(others).quotes, made_of=number))
        if beside and pair.source == "squad":
            made.append(replace(pair, kind="neighbour", quotes=(chance.choice(beside),), made_of=number))
    return made


_A_NUMBER = re.compile(
    r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w]|[.,]\d)"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred|million)\b"
)
_OTHER_WORDS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve", "twenty"]


def change_number(sentence: str, document: str, chance: random.Random) -> str | None:
    """Another number in the place of one."""
    places = list(_A_NUMBER.finditer(sentence))
    if not places:
        return None
    place = chance.choice(places)
    old = place[0]
    if old in ("hundred", "million"):
        new = {"hundred": "thousand", "million": "billion"}[old]
    elif old.isalpha():
        new = chance.choice([word for word in _OTHER_WORDS if word != old])
    else:
        same_kind = [n for n in _A_NUMBER.findall(document) if n[0].isdigit() and len(n) == len(old) and n != old]
        digits = [i for i, character in enumerate(old) if character.isdigit()]
        at = chance.choice(digits[-2:])
        altered = old[:at] + str((int(old[at]) + chance.randint(1, 8)) % 10) + old[at + 1 :]
        new = chance.choice(same_kind) if same_kind and chance.random() < 0.5 else altered
    return sentence[: place.start()] + new + sentence[place.end() :]


_A_NAME = re.compile(r"[A-Z][a-z]+(?: [A-Z][a-z]+)*")
_NO_NAMES = set("The A An In On At By It He She They This That These His Her Its Their As For From When While".split())


def swap_name(sentence: str, document: str, chance: random.Random) -> str | None:
    """Another name of the document, of about as many words, in the place of one."""
    inner = [
        m for m in _A_NAME.finditer(sentence) if m.start() and sentence[m.start() - 2 : m.start() - 1] not in ".!?:"
    ]
    own = {word for m in inner for word in m[0].split()}
    names = {
        m[0]
        for m in _A_NAME.finditer(document)
        if m.start() and document[m.start() - 2 : m.start() - 1].isalpha() and not own & set(m[0].split())
    }
    names = {name for name in names if not _NO_NAMES & set(name.split()) and len(name) > 3 and name not in sentence}
    places = [m for m in inner if not _NO_NAMES & set(m[0].split()) and len(m[0]) > 3]
    if not places or not names:
        return None
    place = chance.choice(places)
    ranked = sorted(sorted(names), key=lambda name: abs(len(name.split()) - len(place[0].split())))
    return sentence[: place.start()] + chance.choice(ranked[:10]) + sentence[place.end() :]


_AUXILIARY = re.compile(
    r"\b(?:is|was|are|were|has|have|had|can|could|will|would|may|might|should|must|did|does|do)\b(?! not)"
)
_PAST = re.compile(r"(?<=[a-z)] )(?<!(?:is|as|re|ve|ad|be|en|ly|he|of|in|an|to) )[a-z]{3,}ed(?= [a-z])")
_DENIAL = re.compile(r"\b(?:not|never|no longer)\s+|n[’']t\b")


def negate(sentence: str, chance: random.Random) -> str | None:
    """A "not" taken out, or one put in."""
    if denial := _DENIAL.search(sentence):
        return sentence[: denial.start()] + sentence[denial.end() :]
    if places := list(_AUXILIARY.finditer(sentence)):
        place = places[0]
        return f"{sentence[: place.end()]} {chance.choice(['not', 'never'])}{sentence[place.end() :]}"
    if places := list(_PAST.finditer(sentence)):
        return f"{sentence[: places[0].start()]}never {sentence[places[0].start() :]}"
    return None


# -- judging and fitting ----------------------------------------------------------------------


def judge_all(pairs: Sequence[Pair], embedding: Embedding) -> list[Judged]:
    """What the check sees of every pair."""
    embedding, judged = Remembering(embedding), []
    for number, pair in enumerate(pairs):
        wrong = find_wrong_facts(pair.sentence, pair.quotes, pair.context)
        features = {
            "with_meaning": describe(pair.sentence, pair.quotes, embedding, pair.context),
            "words": describe(pair.sentence, pair.quotes, None, pair.context),
        }
        judged.append(Judged(pair, wrong, features))
        if number % 500 == 499:
            print(f"{number + 1} of {len(pairs)} pairs", flush=True)
    return judged


def _teaches(pair: Pair) -> float | None:
    """1 for a pair that closeness is to call supported, 0 for one that it is not to; None for what teaches nothing."""
    if pair.kind in ("faithful", "supported", "restated", "told"):
        return 1.0
    return 0.0 if pair.kind in ("not_supported", "other document", "neighbour") else None


def fit(judged: Sequence[Judged]) -> Model:
    """The coefficients, and the closeness from which a sentence is supported, and supported in part."""
    from sklearn.linear_model import LogisticRegression

    rows = [row for row in judged if _teaches(row.pair) is not None]
    labels = np.array([_teaches(row.pair) for row in rows])
    kinds = np.array([f"{row.pair.kind} {row.pair.source}" for row in rows])
    # Every kind weighs the same among those of its label.
    weights = np.array(
        [
            1 / np.sum(kinds == kind) / len(set(kinds[labels == label]))
            for kind, label in zip(kinds, labels, strict=True)
        ]
    )
    model: Model = {}
    for system in SYSTEMS.values():
        names = list(rows[0].features[system])
        features = np.array([[row.features[system][name] for name in names] for row in rows])
        fitted = LogisticRegression(C=REGULARISATION, max_iter=2000)
        fitted.fit(features, labels, sample_weight=weights * len(rows) / 2)
        numbers = zip(names, fitted.coef_[0], strict=True)
        model[system] = {
            "intercept": round(float(fitted.intercept_[0]), 3),
            **{n: round(float(c), 3) for n, c in numbers},
        }
        close = np.array([estimate(model[system], row.features[system]) for row in rows])
        trusted = np.array([row.pair.kind in ("faithful", "told") for row in rows])
        supported = float(np.quantile(close[trusted], FALSE_ALARMS, weights=weights[trusted], method="inverted_cdf"))
        model[f"threshold_{system}"] = {"supported": round(supported, 3), "partial": round(supported / 3, 3)}
    return model


def fit_folds(judged: Sequence[Judged]) -> dict[str, Model]:
    """For each article, a model fitted to the others."""
    groups = sorted({row.pair.group for row in judged})
    random.Random(2).shuffle(groups)
    models: dict[str, Model] = {}
    for fold in range(FOLDS):
        held = set(groups[fold::FOLDS])
        models |= dict.fromkeys(held, fit([row for row in judged if row.pair.group not in held]))
    return models


# -- measuring --------------------------------------------------------------------------------


def weigh_facts(closeness: float, wrong: frozenset[Fact]) -> float:
    """The closeness that is left where facts are wrong: how surely the sentence is supported."""
    return closeness * (0.1 if wrong & CONTRADICTIONS else 0.5 if wrong else 1.0)


def measure(judged: Sequence[Judged], models: Mapping[str, Model], system: str) -> dict[str, float | list[float]]:
    """The figures of one system."""
    closeness = [estimate(models[row.pair.group][system], row.features[system]) for row in judged]
    sureties = np.array([weigh_facts(close, row.wrong) for close, row in zip(closeness, judged, strict=True)])
    verdicts = [
        decide(close, row.wrong, models[row.pair.group][f"threshold_{system}"])
        for close, row in zip(closeness, judged, strict=True)
    ]
    doubted = np.array([verdict != "supported" for verdict in verdicts])
    kinds = np.array([row.pair.kind for row in judged])
    sources = np.array([row.pair.source for row in judged])
    made_of = np.array([row.pair.made_of for row in judged])
    figures: dict[str, float | list[float]] = {
        "auroc_wice": auroc(sureties[kinds == "supported"], sureties[kinds == "not_supported"]),
        "auroc_wice_rest": auroc(
            sureties[kinds == "supported"], sureties[(kinds == "not_supported") | (kinds == "partially_supported")]
        ),
    }
    for label in ("supported", "partially_supported", "not_supported"):
        figures[f"doubted_wice_{label}"] = mean(doubted[kinds == label])
    if (kinds == "restated").any():
        figures["doubted_restated"] = mean(doubted[kinds == "restated"])
    faithful = kinds == "faithful"
    figures["false_alarms"] = mean(doubted[faithful])
    for source in np.unique(sources[faithful]):
        figures[f"false_alarms_{source}"] = mean(doubted[faithful & (sources == source)])
    for kind in CORRUPTIONS:
        mine = kinds == kind
        if mine.any():
            caught, alarms = doubted[mine].sum(), doubted[made_of[mine]].sum()
            name = kind.replace(" ", "_")
            figures[f"pairs_{name}"] = float(mine.sum())
            figures[f"recall_{name}"] = mean(doubted[mine])
            figures[f"precision_{name}"] = float(caught / (caught + alarms)) if caught else 0.0
            figures[f"auroc_{name}"] = auroc(sureties[made_of[mine]], sureties[mine])
    return figures


if __name__ == "__main__":
    main()
