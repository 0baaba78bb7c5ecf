"""Texts that are made to hang: whatever a document, a model or a user writes, time grows in step with its length.

Every regular expression of the product is found by itself, in the modules and in their source, and tried over texts
that are made from it; the functions that walk a text are tried over what has hung others. Time is the processor's own,
and only its growth is judged, so that a busy machine is no failure.
"""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from itertools import product
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import FrameType, ModuleType
from typing import Any

import pytest
from hashed import HashEmbedding
from openai_server import OpenAIServer
from test_citations import SEEK, SOURCES
from test_command_line import ROOT, run_process
from test_language_model import settings_for

import assistant
import index
import prompts
from assistant.citing import (
    bindings,
    claiming,
    claims,
    differences,
    entailed,
    markers,
    names,
    orders,
    plain_words,
    quantities,
    second_opinion,
)
from assistant.citing.cited_text import CitedText
from assistant.citing.closeness import describe
from assistant.citing.support import find_support, find_wrong_facts
from assistant.question import about, asked, comparison, followup, forms
from assistant.question.question import read_question
from assistant.question.wording import AT_START, LONGEST_CHARACTERS, load_wordings
from assistant.quoting import choice, conflicts
from assistant.serving.evaluating import texts
from assistant.showing.markdown import written_to_markdown
from assistant.suggesting import foreign, words
from assistant.writing.language_model import LanguageModel
from assistant.writing.reply import LONGEST_REPLY_CHARACTERS
from assistant.writing.silence import SilenceFilter
from assistant.writing.thoughts import Thoughts
from index.embedding.protocol import Embedding
from index.errors import ModelError
from index.loading.formats import _UNSUPPORTED, UnreadableError, find_format
from index.loading.formats.text import find_title_and_date
from index.loading.sections import cut_sections, to_pieces
from index.splitting.outline import Outline
from index.splitting.sentences import LONGEST_SENTENCE_CHARACTERS, find_sentences
from index.splitting.splitter import MOST_CHARACTERS_A_TOKEN, split
from index.splitting.terms import find_phrases, find_terms
from index.viewing.blocks import find_blocks
from index.viewing.finding import find_words
from index.viewing.inline import part_inline

# -- what grows faster than its input ---------------------------------------------------------

LIMIT_SECONDS = 1.0

Takes = Callable[[int], float]  # the seconds that so many characters take


class TooLongError(Exception):
    """It took longer than anything here may take."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Break off what computes for longer, also within a regular expression."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def count_seconds(act: Callable[[str], object], text: str, limit_seconds: float = LIMIT_SECONDS) -> float:
    begun = time.thread_time()
    try:
        with limited(limit_seconds), suppress(UnreadableError):
            act(text)
    except TooLongError:
        return float("inf")
    return time.thread_time() - begun


def grows_too_fast(takes: Takes, characters: int, quick_seconds: float) -> bool:
    """Whether four times as much takes more than eight times as long, again and again; what is quick is not judged."""
    for _ in range(3):
        long = takes(characters)
        if long < quick_seconds or (long < float("inf") and long <= 8 * takes(characters // 4)):
            return False
    return True


# -- every pattern of the product -------------------------------------------------------------

# What stands in a pattern that is made within a function.
LOCALS: dict[str, dict[str, Sequence[Any]]] = {
    "assistant.suggesting.foreign": {"form": tomllib.loads(foreign._FILE.read_text(encoding="utf-8"))["form"]},
    "assistant.saved": {"opening": [["`"], ["``"], ["`" * 40]]},
    "assistant.question.wording": {"pattern": ["warum"], "flags": [0]},
    "assistant.citing.names": {"name": ["united states"], "names": [["Ida", "Voss"]]},
    "assistant.question.forms": {"form": [form for _, line in forms._lines(": ") for form in forms._part(line)]},
    "assistant.serving.evaluating.texts": {
        "before": [r"(?<!\d)(?<!\d[.,])"],
        "wanted": ["1 cat"],
        "after": [r"(?![.,]?\d)"],
    },
    "index.loading.formats": {"begin": [begin for begin, _ in _UNSUPPORTED]},
    "assistant.suggesting.words": {"each": ["|".join(words._read()[n].split()) for n in ("no_label", "no_title")]},
    "index.viewing.finding": {"typed": [["a", "b"], ["a", "a", "a"]], "odd": ["", "\u00c5"]},
    "index.searching.selection": {"wanted": ["*a*a*a*b", "*?*?*a", "*[!a]*[a-z]x*", "**"]},
    "index.loading.omissions": {"name": ["*a*a*a*b", "*?*?*a", "*[!a]*[a-z]x*", "**"]},
}
# The patterns that are shown no more than so many characters, whatever the text, and of what.
BOUNDED = {
    "assistant.question.about._ADDRESS": (201, "read_about reads no longer question"),
    "assistant.question.about._POLITE_AFTER": (201, "read_about reads no longer question"),
    "assistant.question.forms: re.compile(_write_pattern(form, _pieces()))": (202, "and one blank is put behind it"),
    "assistant.question.asked._SEVERAL": (300, "asks_for_several reads no longer question"),
    "assistant.citing.plain_text._STOP": (40, "the last of the text so far"),
    "assistant.citing.plain_text._WIDE_STOP": (40, "the last of the text so far"),
    "assistant.question.comparison._BOTH": (300, "find_sides reads no longer question"),
    "assistant.question.comparison._FORM_PATTERNS": (300, "find_sides reads no longer question"),
    "assistant.question.comparison._JOINING": (300, "find_sides reads no longer question"),
    "assistant.citing.markers._NAME_BEFORE": (40, "the last of the line before a marker"),
    "assistant.citing.markers._STOP": (20, "the last of the line before a marker"),
    "assistant.citing.markers._VARIABLE": (40, "the last of what stands before a marker"),
    "assistant.suggesting.candidates._RANDOM": (501, "read_sources gives no longer line"),
    "assistant.suggesting.headings._TO": (501, "read_sources gives no longer line"),
    "assistant.suggesting.prose._MONEY": (501, "read_sources gives no longer line"),
    "assistant.suggesting.prose._SPAN": (501, "read_sources gives no longer line"),
    "assistant.suggesting.prose._ACRONYM": (501, "read_sources gives no longer line"),
    "assistant.suggesting.foreign: re.compile(form['statement'].replace('{NAME}', _NAME).replace('{YEAR}', _YEAR))": (
        501,
        "read_sources gives no longer line",
    ),
    "assistant.suggesting.prose: re.sub('(?: \\\\w+ly)+\\\\Z', '', kept)": (501, "read_sources gives no longer line"),
    "index.splitting.sentences._ENDS": (100, "a block that may be a heading"),
}
FLAGS_PLACE = {"compile": 1, "split": 3, "sub": 4, "subn": 4}  # of the arguments; in all others 2


@dataclass(slots=True)
class Used:
    """A pattern and how it is used: by "match", by "fullmatch", or by "finditer", which stands for all others."""

    name: str
    pattern: re.Pattern[Any]
    ways: set[str] = field(default_factory=set)

    def use(self, method: str) -> None:
        self.ways.add(method if method in ("match", "fullmatch") else "finditer")

    def run(self, text: str) -> None:
        hostile = text.encode() if isinstance(self.pattern.pattern, bytes) else text
        for way in self.ways or {"finditer"}:
            found = getattr(self.pattern, way)(hostile)
            if way == "finditer":
                sum(1 for _ in found)


def find_modules() -> list[ModuleType]:
    packages = (assistant, index, prompts)
    names = [info.name for each in packages for info in pkgutil.walk_packages(each.__path__, f"{each.__name__}.")]
    return [*packages, *(importlib.import_module(name) for name in names if not name.endswith(".__main__"))]


def find_patterns() -> list[Used]:
    """Those that stand in the modules' variables, then those that are written where they are used."""
    modules = find_modules()
    named: dict[int, Used] = {}
    for module in modules:
        for name, value in vars(module).items():
            for place, pattern in unfold(f"{module.__name__}.{name}", value):
                named.setdefault(id(pattern), Used(place, pattern))
    for wording in (*asked._ENGLISH, *load_wordings()):
        for group in fields(wording):
            for key, pattern in unfold_keyed(getattr(wording, group.name)):
                used = named.setdefault(id(pattern), Used(f"{wording.language}.{group.name}", pattern))
                used.use("match" if key in AT_START else "search")
    written: list[Used] = []
    for module in modules:
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        inner = {id(node) for kind in ast.walk(tree) if isinstance(kind, ast.FunctionDef) for node in ast.walk(kind)}
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(name), attr=method):
                    pattern = vars(module).get(name)
                    if isinstance(pattern, re.Pattern) and method != "pattern":
                        named[id(pattern)].use(method)
                case ast.Call(func=ast.Attribute(value=ast.Name("re"), attr=method)) if method != "escape":
                    if method != "compile" or id(node) in inner:  # else it stands in a variable
                        written += find_written(module, node, method)
    return [*named.values(), *written]


@functools.cache
def known_patterns() -> tuple[Used, ...]:
    """The patterns of the product as it stands."""
    return tuple(find_patterns())


def unfold(name: str, value: object) -> Iterator[tuple[str, re.Pattern[Any]]]:
    if isinstance(value, re.Pattern):
        yield name, value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from unfold(name, inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from unfold(name, inner)


def unfold_keyed(value: object) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """The patterns of a wording's field, each with what it is for."""
    for key, inner in value.items() if isinstance(value, dict) else [("", value)]:
        if isinstance(inner, re.Pattern):
            yield key, inner


def find_written(module: ModuleType, call: ast.Call, method: str) -> Iterator[Used]:
    """The patterns of a call such as `re.search(rf"...", text)`; a NameError tells that LOCALS lacks a name."""
    place = FLAGS_PLACE.get(method, 2)
    flags = next((word.value for word in call.keywords if word.arg == "flags"), None)
    flags = flags or (call.args[place] if len(call.args) > place else ast.Constant(0))
    known = LOCALS.get(module.__name__, {})
    for values in product(*known.values()):
        names = {**vars(module), **dict(zip(known, values, strict=True))}
        source, options = (eval(ast.unparse(part), names) for part in (call.args[0], flags))
        used = Used(f"{module.__name__}: {ast.unparse(call)[:80]}", re.compile(source, options))
        used.use(method)
        yield used


# -- hostile texts, made from the pattern -----------------------------------------------------

LIKELY = 'a1 \nA.-[“漢_"<\x00'
REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d", codes.CATEGORY_NOT_DIGIT: r"\D", codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S", codes.CATEGORY_WORD: r"\w", codes.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
NASTY = (
    *" aAeEnN1.,;:!?-_'\"`´*/\\|+=~^#%&$@<>()[]{}", *"\t\n\r\x0b\x00é漢ひกš¹“”’…。•–\u0301\u00a0\u2028\u200b\ufeff😀",
    "[1", "[[", "]]", "(a(b", "**", "``` ", "```\n", "~~~\n", "a. ", "A. ", "1) ", "“a", "<think>", "<!--", "-->",
    "<!-- a -->\n", "| ", "|\n", "- ", "> ", "# ", "a b", "Ab ", "A-", "1,", "1 ", "not ", "is it ", "what did ", "a, ",
    "\r\n", "\n ", " \n", "\\[", "[1](", "[1†", "<sup>1", "''", "a'", "(1)", "one ", "one and ", "www.", "\u0301\u0327",
)  # fmt: skip


def holds(members: Sequence[tuple[Any, Any]], character: str) -> bool:
    """Whether a class of characters has this one."""
    held = negated = False
    for kind, value in members:
        negated |= kind is codes.NEGATE
        held |= kind is codes.LITERAL and ord(character) == value
        held |= kind is codes.RANGE and value[0] <= ord(character) <= value[1]
        held |= kind is codes.CATEGORY and re.match(CATEGORIES[value], character) is not None
    return held != negated


def join(parts: Sequence[Sequence[str]], most: int = 3) -> list[str]:
    """A few texts, each of one variant of each part."""
    count = min(most, max(map(len, parts), default=1))
    return list(dict.fromkeys("".join(part[i % len(part)] for part in parts) for i in range(count)))


def sample(items: Sequence[tuple[Any, Any]]) -> list[str]:
    """A few texts that a parsed pattern matches, or nearly."""
    return join([sample_one(kind, value) for kind, value in items]) or [""]


def sample_one(kind: Any, value: Any) -> list[str]:
    if kind is codes.LITERAL:
        return [chr(value)]
    if kind in (codes.ANY, codes.NOT_LITERAL):
        return [character for character in "a [" if value is None or ord(character) != value]
    if kind is codes.IN:
        own = [chr(member) for of, member in value if of is codes.LITERAL]
        own += [chr(least) for of, (least, _) in (each for each in value if each[0] is codes.RANGE)]
        return [each for each in dict.fromkeys([*own[:6], *LIKELY]) if holds(value, each)][:4] or [""]
    if kind is codes.BRANCH:
        return list(dict.fromkeys(text for branch in value[1] for text in sample(branch)[:2]))[:6]
    if kind in REPEATS:
        return [text * max(value[0], 1) for text in sample(value[2])]
    if kind in (codes.SUBPATTERN, codes.ATOMIC_GROUP):
        return sample(value[-1] if kind is codes.SUBPATTERN else value)
    return [""]


def find_repeats(items: Sequence[tuple[Any, Any]], before: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """For each repeat what may stand before it, and what is repeated."""
    for kind, value in items:
        if kind in REPEATS and value[1] > 8:
            yield before, sample(value[2])
        if kind is codes.BRANCH:
            for branch in value[1]:
                yield from find_repeats(branch, before)
        elif kind in (*REPEATS, codes.SUBPATTERN, codes.ASSERT, codes.ASSERT_NOT):
            yield from find_repeats(value[-1], before)
        elif kind is codes.ATOMIC_GROUP:
            yield from find_repeats(value, before)
        before = join([before, sample_one(kind, value)], 6 if kind is codes.BRANCH else 4)


def make_hostile(pattern: re.Pattern[Any]) -> set[tuple[str, str]]:
    """What to begin with and what to repeat: bodies of repeats, alone and in pairs, and beginnings of the pattern."""
    tree = parser.parse(pattern.pattern, pattern.flags)
    hostile = {("", nasty) for nasty in NASTY}
    for befores, bodies in find_repeats(tree, [""]):
        for before, body, other in product(befores, bodies, ["", " ", *bodies[:1]]):
            hostile |= {(before, body + other), ("", before + body + other)}
    before = [""]
    for kind, value in tree:
        before = join([before, sample_one(kind, value)])
        hostile |= {("", text + end) for text in before for end in ("", " ")}
    return {(before, unit) for before, unit in hostile if unit}


def find_bad(used: Used, characters: int = 3000) -> tuple[str, str] | None:
    """What a pattern takes too long over, or None."""
    for before, unit in sorted(make_hostile(used.pattern)):
        for end in ("\x00a",) if unit in NASTY else ("", "\x00a"):

            def takes(size: int, before: str = before, unit: str = unit, end: str = end) -> float:
                return count_seconds(used.run, before + unit * (size // len(unit)) + end)

            if grows_too_fast(takes, characters, quick_seconds=0.0015):
                return before, unit
    return None


def is_bounded(used: Used) -> bool:
    return used.name in BOUNDED


def is_shown_questions(used: Used) -> bool:
    """Whether it is a pattern of a language's wording that is shown the first 300 characters of a question alone."""
    return used.name.endswith((".asked", ".asks"))


def test_the_time_of_no_pattern_grows_faster_than_its_text() -> None:
    unbounded = [used for used in known_patterns() if not is_bounded(used) and not is_shown_questions(used)]
    # Those that are alike and are used alike are tried once.
    alike = {(used.pattern, frozenset(used.ways)): used for used in unbounded}
    assert not {used.name: found for used in alike.values() if (found := find_bad(used))}


def test_what_is_bounded_is_quick_at_its_bound() -> None:
    bounded = [used for used in known_patterns() if is_bounded(used) or is_shown_questions(used)]
    assert set(BOUNDED) <= {used.name for used in bounded}
    for used in bounded:
        size, _ = BOUNDED.get(used.name, (LONGEST_CHARACTERS, "what is asked is read in no longer question"))
        for before, unit in sorted(make_hostile(used.pattern)):
            text = (before + unit * size)[: size - 1] + "\x00"
            assert min(count_seconds(used.run, text) for _ in range(2)) < 0.1, (used.name, before, unit)


@pytest.mark.parametrize(
    ("pattern", "way"),
    [
        (r"(?:<!--.*?-->\s*)*<html", "match"),
        (r"\s*$", "search"),
        (r"\[†[^\]]*\]", "sub"),
        (r"\b(?:what|how) did .*\bsay", "search"),
        (r"[ \t]*[^\r\n]*\r\n", "fullmatch"),
        (r"([¹²]+)(?=[^¹²])", "search"),
    ],
)
def test_a_bad_pattern_is_found_out(pattern: str, way: str) -> None:
    used = Used("bad", re.compile(pattern))
    used.use(way)
    assert find_bad(used, characters=18_000)  # so many that a fast machine takes its time over them too


def test_patterns_are_found_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {used.name for used in known_patterns()}
    assert names >= {
        "index.loading.formats._HTML",
        "assistant.question.asked._ASKED_PATTERNS",
        "assistant.question.comparison._FORM_PATTERNS",
    }
    assert any("ufeff" in name and name.startswith("index.loading.formats.web: ") for name in names)
    assert sum(name.startswith("index.loading.formats: re.match(begin") for name in names) == 1
    monkeypatch.setattr(index, "_NEW", {"a": [(re.compile("a+b"),)]}, raising=False)
    assert "index._NEW" in {used.name for used in find_patterns()}


# -- every function that walks a text ---------------------------------------------------------

SENTENCE = "The ferry left Brenholm at noon with 214 passengers, and was “not a day late”."
UNITS = (
    *(unit for unit in NASTY if len(unit) > 1 or not unit.isascii()), *" \na1.,'\"-*([|#`<",
    "Ab. ", "don't ", "x = 1 # ", "1 cat ", "1 million ", "“a b c” ", "[1] ", "[99]", "a. [1] ", "`a", "|a", "e.g. ",
    "a<think>", "</think>a", "\n</think>", "NOT_IN_", "NOT_IN_DOCUMENTS ", "1. a\n", "a; ", "。", "a¹ ", "[1](a",
    '[1](http://a "', "[3, ", "[source 1 ", "\\[1\\] ", "~~~ ", "Who is it? ", "A-'", "a,b ",
)  # fmt: skip


def read_in_pieces(make: Callable[[], Any]) -> Callable[[str], None]:
    """Give a text to a reader of replies in pieces of one to five characters."""

    def read(text: str) -> None:
        reader, place, size = make(), 0, 1
        while place < len(text):
            reader.feed(text[place : place + size])
            place, size = place + size, size % 5 + 1
        reader.finish()

    return read


def read_whole_reply(text: str) -> None:
    cited = CitedText(SOURCES, SEEK)
    cited.feed(text)
    cited.finish()
    cited.sentences()


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "sentences": find_sentences,
    "chunks": lambda text: split(Outline(text), HashEmbedding().count_tokens, 100),
    "terms": find_terms,
    "phrases": find_phrases,
    "sections": lambda text: list(cut_sections(to_pieces(text))),
    "title": find_title_and_date,
    "format": lambda text: find_format(text.encode(), "notes.md"),
    "format of mail": lambda text: find_format(f"From: a\nTo: b\n{text}".encode(), "notes.eml"),
    "numbers": lambda text: (quantities.find_quantities(text), quantities.write_dates_out(text)),
    "names": lambda text: (names.find_missing_name(SENTENCE, text), names.find_missing_name(text, SENTENCE)),
    "denials": lambda text: (claims.is_denied_otherwise(SENTENCE, text), claims.is_denied_otherwise(text, SENTENCE)),
    "denials of a copy": lambda text: claims.is_denied_otherwise_in_copy(text, text),
    "opposites": lambda text: claims.find_opposite(text, text),
    "quoted words": lambda text: (claims.misses_quotation(SENTENCE, text), claims.misses_quotation(text, SENTENCE)),
    "numbers of things": lambda text: (
        quantities.misses_binding(SENTENCE, text),
        quantities.misses_binding(text, SENTENCE),
    ),
    "records": lambda text: (
        bindings.misreads_record(SENTENCE, text),
        bindings.misplaces_number(text, [text, SENTENCE]),
    ),
    "differences": lambda text: differences.compare(text[:LONGEST_SENTENCE_CHARACTERS], [text[:1000], SENTENCE]),
    "turned round": lambda text: differences.turns_comparison(text, text),
    "limits": lambda text: differences.changes_limit(text, text, 1.0),
    "claims": lambda text: claiming.claims_nothing(text[:LONGEST_SENTENCE_CHARACTERS], [SENTENCE]),
    "orders": lambda text: (orders.is_order(text), orders.is_done(text), orders.reports_request(text)),
    "plain words": lambda text: plain_words.make_plain_statement(text).codes,
    "markers of a document": markers.find_numbers,
    "marker": lambda text: (markers.read_marker(text, "a", {1}, False), markers.read_marker("(1) ", text, {1}, False)),
    "line and target": lambda text: (markers.opens_line(text), markers.skip_target(f"({text}"), markers.expand(text)),
    "code line": markers.split_code_line,
    "kind of question": lambda text: (asked.asks_for(text), asked.asks_for_several(text), asked.asks_how(text)),
    "kind of sentence": lambda text: [asked.holds(kind, text, "who?") for kind in ("person", "reason", "statement")],
    "list or manner": lambda text: (asked.lists(text), asked.tells_how(text), asked.goes_on(text)),
    "answer words": lambda text: [asked.find_answer_words(kind, set(), text) for kind in ("number", "time", "person")],
    "sides": comparison.find_sides,
    "about the folder": about.read_about,
    "question": read_question,
    "conflicts": lambda text: conflicts.find_conflicts(read_question(text), text, text),
    "steps": lambda text: (choice._STEP.match(text), choice._ITEM.match(text)),
    "hypothesis": lambda text: entailed.make_hypothesis(text, "Who is it?"),
    "verdicts": second_opinion.read_verdicts,
    # Apart from what may settle it before, such as another language.
    "support by a text": lambda text: (find_wrong_facts(SENTENCE, [text]), describe(SENTENCE, [text])),
    "support of a sentence": lambda text: find_support(text[:LONGEST_SENTENCE_CHARACTERS], [text, SENTENCE]),
    "leaning": followup.leans_on_conversation,
    "reply as Markdown": lambda text: written_to_markdown(text, 1),
    "blocks of a document": lambda text: list(find_blocks(text, Outline(text).between(0, len(text))[0])),
    "words in a line": lambda text: list(part_inline(text, 0, len(text))),
    "words to find": lambda text: (find_words([(0, text)], "a b"), find_words([(0, SENTENCE)], text)),
    "comparing texts": lambda text: texts.stands_in("1 cat", text),
    "silence": read_in_pieces(SilenceFilter),
    "thoughts": read_in_pieces(Thoughts),
    "thoughts at once": lambda text: Thoughts().feed(text),
    "reply": read_in_pieces(lambda: CitedText(SOURCES)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_time_of_no_function_grows_faster_than_its_text(name: str) -> None:
    act, size, bad = FUNCTIONS[name], 8000, []
    # A reply whose every second character may end a sentence is slow at any length.
    for unit in (unit for unit in UNITS if name != "reply" or ". " not in unit):

        def takes(characters: int, unit: str = unit) -> float:
            return count_seconds(act, f"A word. {unit * (characters // len(unit))} words", 20 * LIMIT_SECONDS)

        if grows_too_fast(takes, size, quick_seconds=size / 125_000):
            bad.append(unit)
    assert not bad


@pytest.mark.parametrize("unit", ["Ab. ", "*", "\u0301\u0327", "a" * 1500 + " "])
def test_a_whole_section_takes_ten_times_as_long_as_a_tenth_of_it(unit: str) -> None:
    def walk(text: str) -> None:
        for start, end in split(Outline(text), HashEmbedding().count_tokens, 200):
            find_terms(text[start:end])

    seconds = [count_seconds(walk, f"{unit * (size // len(unit))} word", 60) for size in (100_000, 1_000_000)]
    assert seconds[1] < 25 * max(seconds[0], 0.05)


def test_a_long_reply_takes_ten_times_as_long_as_a_tenth_of_it() -> None:
    read = read_in_pieces(lambda: CitedText(SOURCES, SEEK))
    line = "The ferry reached Tarnsund at four [6](http://a.example). It carried 214 passengers [2, 99].\n"
    seconds = [count_seconds(read, line * (size // len(line)), 60) for size in (20_000, 200_000)]
    assert seconds[1] < 20 * seconds[0]


@pytest.mark.parametrize("opening", ["[", "【", "\\[", "[[", "[3, ", "(", "<sup>", "[1](", "```", "`", "¹", "```\n"])
def test_a_form_that_nobody_closes_is_read_alike_however_it_comes(opening: str) -> None:
    reply = f"It sank {opening}{'1, ' * 3000}9] and rose [2]. {'x' * 5000}"
    texts = []
    for size in (1, 7, 999, 100_000):
        cited = CitedText(SOURCES)
        for place in range(0, len(reply), size):
            cited.feed(reply[place : place + size])
        cited.finish()
        texts.append(cited.text)
        assert len(cited._marked._held) == 0
    assert len(set(texts)) == 1
    assert set(re.findall(r"\[(\d+)\]", texts[0])) <= {str(citation.number) for citation in cited.citations}


def test_numbers_in_square_brackets_without_end_are_dropped_as_short_ones_are() -> None:
    cited = CitedText(SOURCES)
    cited.feed(f"It sank [{'99, ' * 3000}99]. It rose [2].")
    cited.finish()
    assert cited.text == "It sank. It rose [1]."


# -- replies and documents without end --------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        "x" * (LONGEST_REPLY_CHARACTERS + 1),
        f"x{' ' * LONGEST_REPLY_CHARACTERS}",
        " " * (LONGEST_REPLY_CHARACTERS + 1),
        f"One <think>{'hm ' * LONGEST_REPLY_CHARACTERS}",
        f"{'hm ' * 3000}\n</think>\n" * 5,
    ],
    ids=["words", "space", "nothing but space", "a thought that is none", "thoughts without end"],
)
def test_no_reply_is_longer_than_its_limit(reply: str) -> None:
    given = ""
    with OpenAIServer(reply, delta_characters=500) as server:
        model = LanguageModel(settings_for(server.base_url))
        with pytest.raises(ModelError, match=r"longer than 20,000 characters"):
            for piece in model.stream("rules", "request"):
                given = given + piece if isinstance(piece, str) else ""
    assert len(given) <= LONGEST_REPLY_CHARACTERS


@pytest.mark.parametrize("unit", ["*", "a*", " ", "\u0301", "a", "漢"])
def test_no_chunk_is_larger_than_its_tokens_allow_and_few_are_counted_at_once(
    unit: str, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    def count_tokens(texts: Sequence[str]) -> list[int]:
        counted.extend(map(len, texts))
        return embedding.count_tokens(texts)

    text = f"words {unit * (100_000 // len(unit))} words"
    spans = split(Outline(text), count_tokens, 100)
    assert "".join(text[start:end] for start, end in spans) == text
    assert max(end - start for start, end in spans) <= 101 * MOST_CHARACTERS_A_TOKEN
    assert max(counted) <= 101 * MOST_CHARACTERS_A_TOKEN


MEMORY = """
import resource, sys
from pathlib import Path
from index.library import finish
from index.embedding.engines import open_embedding
from index.settings import Settings
from index.splitting.outline import Outline
from index.splitting.splitter import split
embedding = finish(open_embedding(Settings.from_environment()))
embedding.embed(["words"])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
split(Outline("words " + "*" * 400_000), embedding.count_tokens, 200)
split(Outline("a*" * 200_000), embedding.count_tokens, 200)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_text_of_nothing_but_marks_takes_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert int(done.stdout) < 100_000  # kilobytes


def test_a_page_of_comments_is_indexed_and_asked_of(folder: Path) -> None:
    (folder / "z.md").write_text("<!-- a -->\n" * 40 + "words\n", encoding="utf-8")
    (folder / "y.html").write_text("<?xml version='1.0'?>" + "<!-- a -->\n" * 5000 + "<htm", encoding="utf-8")
    (folder / "ferry.md").write_text("Captain Ida Voss steers the Brenholm ferry.\n", encoding="utf-8")
    done = run_process("ask", "Who steers the Brenholm ferry?", "--documents", folder)
    assert (done.returncode, "Ida Voss" in done.stdout) == (0, True)
    assert "3 documents" in run_process("sync", folder).stdout
