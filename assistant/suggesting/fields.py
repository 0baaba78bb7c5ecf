"""Questions from what is laid out: a label with its value, a table's row, an option of a program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.citing.orders import IMPERATIVES
from assistant.question.vocabulary import DAYS, MONTHS
from assistant.suggesting.candidates import Candidate, Source
from assistant.suggesting.words import read_pattern
from index.splitting.blocks import CELL_BAR, find_cells
from index.splitting.languages import ENGLISH, find_running_language

_LABEL = re.compile(r"[A-Za-z][A-Za-z’'/& -]{1,38}[A-Za-z]")
_MOST_LABEL_WORDS, _MOST_VALUE_CHARACTERS, _MOST_VALUE_WORDS = 5, 70, 10
_NO_LABEL = read_pattern("no_label")
_STARTS = re.compile(
    r"(?:if|when|for|in|on|at|by|as|and|but|or|with|from|to|we|i|you|he|she|it|they|there|this|that|these|those"
    r"|please|do|does"
    r"|is|are|can|how|what|why|who|where|not|no|so|because|while|also|all|any|some|one|two|three|first|second|third"
    r"|your|my"
    r"|our|their|his|her|its)\b",
    re.IGNORECASE,
)
# What makes a label, or the name of a row, a statement or an instruction.
_SAYS = re.compile(r"\b(?:is|are|was|were|be|can|has|have|will|must|not|do|does)\b|^\w+ing\b", re.IGNORECASE)
_PERSON_ROLE = re.compile(
    r"\b(?:head|manager|director|contact|contact person|owner|chair|chairman|chairwoman|chairperson|editor|ceo|cfo|cto"
    r"|teacher|supervisor|tenant|landlord|landlady|customer|client|supplier|seller|buyer|president|secretary|treasurer"
    r"|leader|lead|coordinator|organiser|organizer|host|speaker|trainer|inspector|caretaker|doctor|nurse|officer"
    r"|captain"
    r"|conductor|founder|architect|engineer|mayor|partner|recipient|applicant|employee|employer|insurer|guest|librarian"
    r"|instructor|chef|driver|auditor|lawyer|notary|keeper|assistant)\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:(?:Dr|Prof|Mr|Mrs|Ms)\.? )?[A-Z][\w’'.-]+(?: (?:of|de|van|von|bin|al))?(?: [A-Z][\w’'&.-]+){0,3}\Z"
)
_CALLED = {
    "phone": "phone number", "telephone": "phone number", "tel": "phone number", "fax": "fax number",
    "email": "e-mail address", "e-mail": "e-mail address", "mail": "e-mail address", "mobile": "mobile number",
}  # fmt: skip
_MONEY = re.compile(r"[$€£] ?\d|\d[\d.,]* ?(?:crowns?|euros?|dollars?|pounds?|EUR|USD|GBP|CHF|kr|€)\b")
_FOR = re.compile(
    r"\b(?:price|rate|cost|fee|charge|deadline|limit|budget|fine|tariff|rent|deposit|total|amount|salary|balance)s?\b",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[A-Z][a-z’'-]+|[a-z’'-]+")
_YEAR = re.compile(r"(?:FY ?)?(?:19|20)\d\d\Z")
_DAY_OR_MONTH = frozenset((*DAYS, *MONTHS, "mon", "tue", "wed", "thu", "fri", "sat", "sun"))
_OPTION = re.compile(r"(?:`|\s|^|\*)(?P<option>--[a-z][a-z0-9]+(?:-[a-z0-9]+)*)(?=[\s`=,|<\[*]|$)")
_NUMBER_START = re.compile(r"[-+(]?[$€£¥]?\s?\d")


def ask_of_field(source: Source) -> Iterator[Candidate]:
    """The question for a label's value: "Who is the head of sales?" """
    label, value = part_field(source.line)
    if label.endswith("?") and len(label.split()) > 2:
        yield source.make(label[:1].upper() + label[1:], "faq", 0.97)
        return
    if not _is_label(label) or not _is_value(value):
        return
    asked = say_label(label)
    is_person = _PERSON_ROLE.search(label) and _NAME.fullmatch(value)
    be = "are" if _is_plural(asked) else "is"
    asks = "Who" if is_person else "How much" if _MONEY.match(value) and not _FOR.search(label) else "What"
    question = f"{asks} {be} the {asked}"
    worth = 0.86 if is_person else 0.74
    yield source.make(f"{question}?", "field", worth)
    title = source.passage.title
    if is_title(title) and len(title) <= 40:
        yield source.make(f"{question} in “{title}”?", "field", worth - 0.2)


def ask_of_row(source: Source, lines: Sequence[str]) -> Iterator[Candidate]:
    """The questions for a row's cells: "What is the price per day for the Canoe?"

    lines: those of all rows beside it.
    """
    cells = read_row(source)
    if len(cells) < 2:
        return
    (corner, label), *others = cells
    if not _is_row_label(label) or label.casefold() in ("total", "totals", "sum", "average"):
        return
    if sum(label in _find_cells(line)[:1] for line in lines) > 1:
        return  # of several rows of one name it would have to be said which
    for place, (column, value) in enumerate(others):
        if not value or len(value) > _MOST_VALUE_CHARACTERS:
            continue
        worth = 0.8 - 0.04 * place
        if _YEAR.match(column):
            if _NUMBER_START.match(value) and _is_label(label) and not _is_label(corner):
                asked = say_label(label)
                be = "were" if _is_plural(asked) else "was"
                yield source.make(f"What {be} the {asked} in {column.removeprefix('FY').strip()}?", "row", worth)
            continue
        if not _is_label(column) or not (_NUMBER_START.match(value) or len(value) <= 60):
            continue
        if label.casefold() in _DAY_OR_MONTH and not _FOR.search(column):
            continue  # "What is the noon of Monday?"
        asked = say_label(column)
        if asked in ("opens", "closes", "starts", "ends", "begins"):
            continue
        be = "are" if _is_plural(asked) else "is"
        if _is_plural(asked) and _NUMBER_START.match(value) and not re.search(r"[$€£%]", value):
            be = "are"
        who = "Who" if _PERSON_ROLE.search(column) and _NAME.fullmatch(value) else "What"
        on = "for" if _FOR.search(column) else "of"
        yield source.make(f"{who} {be} the {asked} {on} {_say_row(label)}?", "row", worth)


def ask_of_option(source: Source) -> Iterator[Candidate]:
    """The question for an option of a program that a line explains: "What does --dry-run do?" """
    found = _OPTION.search(source.line)
    explained = source.line[found.end() :].strip("`*,|:=<>[] -") if found else ""
    if found and len(explained.split()) >= 3 and source.line.find(found["option"]) < 60:
        yield source.make(f"What does {found['option']} do?", "option", 0.66)


def read_row(source: Source) -> list[tuple[str, str]]:
    """The cells of a row, each with the name of its column; none where the columns have no names."""
    line = source.line
    if (columns := source.context[-1:]) and CELL_BAR in columns[0] and CELL_BAR in line:
        names, cells = columns[0].split(CELL_BAR), find_cells(line)
        return list(zip(names, cells, strict=True)) if len(names) == len(cells) else []
    parts = [part.partition(": ") for part in line.split("; ")]
    return [(name, value) for name, _, value in parts] if all(sep for _, sep, _ in parts) and len(parts) > 1 else []


def _find_cells(line: str) -> list[str]:
    """What stands in a row's cells, without the names of the columns."""
    return find_cells(line) if CELL_BAR in line else [part.partition(": ")[2] for part in line.split("; ")]


def part_field(line: str) -> tuple[str, str]:
    """A line as label and value; both are empty where it is no field."""
    if "?: " in line:
        label, _, value = line.partition("?: ")
        return f"{label.strip()}?", value.strip()
    found = re.match(r"(?P<label>[^:=\t|]{2,60}?)(?: ?: | = | ?\t| \| )(?P<value>\S.*)\Z", line)
    if not found:
        return "", ""
    return found["label"].strip(" -•–—*"), found["value"].strip()


def _is_label(label: str) -> bool:
    words = label.split()
    return (
        bool(_LABEL.fullmatch(label))
        and len(words) <= _MOST_LABEL_WORDS
        and not _NO_LABEL.match(label)
        and not _STARTS.match(label)
        and words[0].lower() not in IMPERATIVES - {"contact", "cost", "rank", "rate", "test", "record", "order"}
        and not any(word.lower() in _DAY_OR_MONTH for word in words)
        and find_running_language(label) in ("", ENGLISH)
        and not _SAYS.search(label)
        and not (label.isupper() and len(label) > 5)
    )


def _is_value(value: str) -> bool:
    return (
        0 < len(value) <= _MOST_VALUE_CHARACTERS
        and len(value.split()) <= _MOST_VALUE_WORDS
        and not value.endswith((":", ";", "?", "!"))
        and not (value.endswith(".") and len(value.split()) > 3)  # what somebody says
        and any(map(str.isalnum, value))
        and value.casefold() not in ("yes", "no", "true", "false", "none", "n/a", "-", "tbd", "unknown")
        and not re.search(r"[{}<>\[\]]|https?:|\\", value)
    )


def _is_row_label(label: str) -> bool:
    letters = sum(map(str.isalpha, label))
    return (
        2 <= len(label) <= 38
        and letters >= 2
        and letters >= len(label) / 2
        and label.count(" ") <= 5
        and not _SAYS.search(label)
    )


def say_label(label: str) -> str:
    """A label as a question has it: in small letters, but for what has other capitals than its first."""
    words = label.strip(" *").split(" ")
    shown = " ".join(word.lower() if _PLAIN.fullmatch(word) else word for word in words)
    return _CALLED.get(shown.lower(), shown)


def _say_row(label: str) -> str:
    """The name of a row as a question has it: some countries' with an article."""
    return f"the {label}" if re.match(r"United (?:States|Kingdom|Arab)|Netherlands\Z|Philippines\Z", label) else label


def _is_plural(label: str) -> bool:
    head = re.split(r" (?:of|for|per|in|on|to|with|by) ", label)[0].split(" ")[-1].lower()
    return (head.endswith("s") and not head.endswith(("ss", "us", "is", "as"))) or head in ("people", "children")


_TITLE = re.compile(r"[^\W\d_][\w’'.,&:()–-]*(?: [\w’'.,&:()#–-]+)*[?!]?\Z")
_NO_TITLE = read_pattern("no_title")


def is_title(title: str) -> bool:
    """Whether a title is one that a person gave: words, and no hash or name of a file."""
    words = title.split()
    letters = sum(map(str.isalpha, title))
    return (
        4 <= len(title) <= 70
        and not (title.isupper() and len(title) > 16)
        and bool(_TITLE.match(title))
        and not _NO_TITLE.match(title)
        and letters >= 0.6 * len(title.replace(" ", ""))
        and "_" not in title
        and not re.search(r"\.[a-z0-9]{2,5}\Z|[a-z][A-Z]{2}|\d[a-z]+\d|[a-z]\d[a-z]", title)
        and (len(words) > 1 or (title[0].isupper() and len(title) >= 5 and title.isalpha()))
        and not re.search(r"[bcdfghjklmnpqrstvwxz]{6}", title, re.IGNORECASE)
    )
