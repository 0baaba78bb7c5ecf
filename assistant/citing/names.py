"""The names of a text, and whether another text has them.

But: they are what Latin script writes with a capital.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set

from assistant.citing.orders import IMPERATIVES
from index.splitting.terms import STOP_WORDS, find_terms

_NAME = re.compile(r"(?<![\w’'])[^\W\d_a-z][\w’'-]*(?:\.(?=\w))?")
_UNIT_BEFORE = re.compile(r"\d ?$")  # "2 GiB"
# What opens a sentence, or stands in a title, without being a name.
_COMMON = STOP_WORDS | frozenset(
    (
        "after although another around before both during each early either even every few finally first following "
        "further however i later many meanwhile moreover much nevertheless new next now once one only other overall "
        "per prior several since still the though thus today two three unlike unless until upon whereas whether while "
        "within without yet not according additionally also among despite like together mr mrs ms dr sir st instead"
    ).split()
)
_INFLECTED = re.compile(r"(?:ing|ed|ly|ers|ists|ions|ments?|ness)$")
_STATES = (
    {"us", "usa", "united states", "america", "american"},
    {"uk", "united kingdom", "britain", "british"},
    {"eu", "european union"},
    {"un", "united nations"},
)


def find_names(text: str) -> list[tuple[list[str], bool]]:
    """The names of a text, each as its words, and whether it is one word that opens a sentence."""
    found: list[tuple[list[str], bool]] = []
    last_end = -9
    for match in _NAME.finditer(text):
        word = re.sub(r"['’]s?$|(?<!['’-])['’-]++$", "", match[0])
        if word.casefold() in _COMMON or len(word.rstrip(".")) < 2:
            continue
        gap = re.fullmatch(r"\.? (?:(?:of|the|de|von|van) )*", text[last_end : match.start()]) if found else None
        # A full stop within a name is that of "St." or "J.", and no sentence's end.
        joined = gap and not ("." in gap[0] and len(found[-1][0][-1]) > 3)
        if _UNIT_BEFORE.search(text[max(0, match.start() - 4) : match.start()]):
            continue
        before = text[max(0, match.start() - 6) : match.start()].rstrip()
        opens = not re.match(r"[\w,;’'”\")(&%-]", before[-1:])
        if joined:
            found[-1][0].append(word)
            found[-1] = (found[-1][0], False)
        else:
            found.append(([word], opens))
        last_end = match.end()
    return found


def _same_name(name: str, said: set[str], beginnings: Set[tuple[int, str]], capitals: str, states: Set[str]) -> bool:
    terms = find_terms(name)
    if all(term in said for term in terms):
        return True
    bare = name.casefold().replace(".", "")
    if (len(bare) > 1 and bare in capitals) or bare in states:
        return True
    if len(bare) > 1 and name.isupper() and any(state.startswith(bare) for state in states):
        return True
    # "German" and "Germany", "Voss" and "Vosses".
    lengths = range(max(4, len(bare) - 4), len(bare) + 5) if len(bare) >= 4 else ()
    return any((length, bare[: max(4, min(len(bare), length) - 2)]) in beginnings for length in lengths)


def _find_beginnings(words: Iterable[str]) -> set[tuple[int, str]]:
    """The lengths of words, each with every beginning by which another form of the word may be told."""
    return {
        (len(word), word[:size])
        for word in words
        if len(word) >= 4
        for size in range(max(4, len(word) - 6), max(4, len(word) - 2) + 1)
    }


def find_missing_name(sentence: str, cited: str, context: str = "") -> str:
    """A name of the sentence of which the cited text and its context (its title) hold half or less; or "".

    A word that opens the sentence counts only where the cited text has a name that the sentence lacks. A last name may
    stand for the whole.
    """
    everything = f"{cited} {context}"
    said = set(find_terms(everything))
    words = {re.sub(r"['’]s$", "", word).casefold() for word in re.findall(r"[\w’'-]+", everything)}
    beginnings, capitals = _find_beginnings(words), _find_capitals(everything)
    states = _find_states(everything, capitals)
    own = set(find_terms(sentence))
    unmatched = any(
        not set(find_terms(name)) <= own for names, opens in find_names(cited) if not opens for name in names
    )
    speaks = _SPEAKS.search(cited) is not None
    for names, opens in find_names(sentence):
        held = [_same_name(name, said, beginnings, capitals, states) for name in names]
        if 2 * sum(held) > len(names) or (opens and (not unmatched or _is_common(names[0]))):
            continue
        if len(names) > 1 and held[-1] and not _has_other_first_name(names, cited):
            continue
        # Who speaks, or of whom is spoken, is named elsewhere: "I am writing about the hedge."
        if speaks and names[0] in " ".join(sentence.split()[:2]):
            continue
        return " ".join(names)
    return ""


_SPEAKS = re.compile(r"\b(?:I|[Ww]e|[Mm]y|[Oo]ur)\b|^(?:He|She|They|It|His|Her|Their|Its)\b")
_TITLES = frozenset(
    "President Mr Mrs Ms Miss Dr Sir Dame Lord Lady Captain Minister Professor Prof Judge King Queen Prince Rep "
    "Sen".split()
)


def _is_common(word: str) -> bool:
    return _INFLECTED.search(word) is not None or word.lower() in IMPERATIVES


def _has_other_first_name(names: list[str], cited: str) -> bool:
    """Whether the cited text knows the last of the names by another first name: "Ida Voss" for "Nils Voss"."""
    before = re.findall(rf"(?<![\w’'-])([A-Z][\w’'-]*+) {re.escape(names[-1])}\b", cited)
    return any(word not in names and word not in _TITLES and word.casefold() not in _COMMON for word in before)


def _find_capitals(text: str) -> str:
    """What the capitals of neighbouring words spell: every part of it may be an acronym."""
    return "".join(word[0] if word[0].isupper() else "|" for word in re.findall(r"[^\W\d_]+", text)).casefold()


def _find_states(text: str, capitals: str) -> set[str]:
    """The names of the states that have many, of those that the text names, and the words of these names."""
    names: set[str] = set()
    for state in _STATES:
        if any(name in capitals for name in state) or any(
            re.search(rf"\b{name}\b", text, re.IGNORECASE) for name in state if len(name) > 3
        ):
            names |= state | {word for name in state for word in name.split()}
    return names
