"""Verbs of plain statements, in English: from "skipped" to "skip", from "wrote" to "write".

Only verbs that stand here are known: a word that merely looks like one ("the speed limit bed") makes no question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_REGULAR = (
    "abandon abolish accept accuse achieve acquire adapt add address adjust administer adopt advise affect agree aim "
    "allow amend analyse analyze announce answer appear apply appoint approve argue arrest arrive ask assassinate "
    "assign attack attract authorise authorize avoid award ban believe belong block boost borrow call cancel "
    "capture carry cause celebrate change charge claim close collect combine compare compete complete compose "
    "comprise concern conclude condemn conduct confirm connect conquer consider consist contain continue contribute "
    "control convert cooperate cover create criticise criticize declare decline decrease defeat defend define delay "
    "deliver "
    "demand demonstrate deny depend deploy describe design destroy detect determine develop die differ direct "
    "disappear disclose discover discuss display dissolve distribute divide donate double drop earn eliminate elect "
    "emerge employ enable encourage end enforce enhance ensure enter escape establish estimate examine exceed exclude "
    "execute expand expect expire explain export express extend fail favour file finance finish follow force form "
    "found fund gain generate govern grant handle happen hire hold host hope identify implement import impose improve "
    "include incorporate increase indicate infect influence inform inherit inhibit install intend introduce invade "
    "invent "
    "invest investigate invite involve issue join kill lack last launch license lift limit live locate look lower "
    "maintain manage mark marry measure mediate merge mention mix move murder name need negotiate note notify obtain "
    "occupy occur offer open operate oppose order organise organize originate own paint participate pass perform "
    "permit persuade pioneer place plan plant play pledge predict prefer prepare present preserve prevent process "
    "produce prohibit promise promote propose protect prove provide publish purchase pursue push raise reach "
    "receive recommend record recover reduce refer reflect refuse register regulate reject release rely remain remove "
    "rename renew replace report represent request require rescue reserve reside resign resolve respond result retain "
    "retire return reveal review sail sanction save score secure seize select separate serve settle share sign "
    "skip specialise specialize spread start state stop store strengthen succeed suffer suggest supply support "
    "suppress surrender survive suspend target test threaten track trade train transfer transform translate transmit "
    "travel treat trigger turn uncover unite update urge use value visit vote vow walk want warn waste watch weigh "
    "welcome work worry threaten base situate house bury film locate damage sponsor repeal ratify rank rate recruit "
    "encrypt configure upload download submit book heat clean lock park print refund scan wash repair inspect calculate "
    "compute validate verify check compile render load sort filter assemble adapt attach mount pump cool dry ferry rent "
    "admit convict charter headquarter schedule divert list detail outline"
)
# base, past, participle where it differs.
_IRREGULAR = (
    "become/became/become begin/began/begun bind/bound break/broke/broken bring/brought build/built buy/bought "
    "catch/caught choose/chose/chosen come/came/come cost/cost cut/cut deal/dealt draw/drew/drawn drive/drove/driven "
    "eat/ate/eaten fall/fell/fallen feed/fed fight/fought find/found fly/flew/flown forbid/forbade/forbidden "
    "get/got give/gave/given go/went/gone grow/grew/grown hear/heard hide/hid/hidden hold/held keep/kept know/knew/known "
    "lay/laid lead/led leave/left lend/lent lose/lost make/made mean/meant meet/met pay/paid put/put read/read "
    "ride/rode/ridden rise/rose/risen run/ran/run say/said see/saw/seen seek/sought sell/sold send/sent set/set "
    "shoot/shot show/showed/shown shut/shut sink/sank/sunk speak/spoke/spoken spend/spent split/split stand/stood "
    "steal/stole/stolen strike/struck swear/swore/sworn take/took/taken teach/taught tell/told think/thought "
    "throw/threw/thrown undergo/underwent/undergone understand/understood win/won withdraw/withdrew/withdrawn "
    "write/wrote/written bear/bore/born overthrow/overthrew/overthrown hit/hit let/let"
)
_DOUBLED = frozenset("ban drop permit refer skip stop transfer travel plan commit admit cancel".split())
_STRANGE_S = {"go": "goes", "do": "does"}
_VOWELS = "aeiou"


@dataclass(frozen=True, slots=True)
class Verb:
    """base: "write". past: "wrote". participle: "written". third: "writes"."""

    base: str
    past: str
    participle: str
    third: str
    gerund: str


def _inflect(base: str) -> Verb:
    if base.endswith("e"):
        past, gerund = f"{base}d", f"{base[:-1]}ing"
    elif base.endswith("y") and base[-2] not in _VOWELS:
        past, gerund = f"{base[:-1]}ied", f"{base}ing"
    elif base in _DOUBLED:
        past, gerund = f"{base}{base[-1]}ed", f"{base}{base[-1]}ing"
    else:
        past, gerund = f"{base}ed", f"{base}ing"
    return Verb(base, past, past, _add_s(base), gerund)


def _add_s(base: str) -> str:
    if base in _STRANGE_S:
        return _STRANGE_S[base]
    if base.endswith("y") and base[-2] not in _VOWELS:
        return f"{base[:-1]}ies"
    return f"{base}es" if base.endswith(("s", "x", "z", "ch", "sh")) else f"{base}s"


@cache
def _verbs() -> tuple[Verb, ...]:
    regular = [_inflect(base) for base in _REGULAR.split() if base not in ("found", "hold")]
    regular.append(Verb("found", "founded", "founded", "founds", "founding"))
    irregular = []
    for forms in _IRREGULAR.split():
        base, past, *participle = forms.split("/")
        gerund = _inflect(base).gerund
        gerund = {
            "begin": "beginning", "cut": "cutting", "get": "getting", "put": "putting", "run": "running",
            "set": "setting", "shut": "shutting", "split": "splitting", "win": "winning", "forbid": "forbidding",
            "hit": "hitting", "let": "letting", "see": "seeing",
        }.get(base, gerund)  # fmt: skip
        irregular.append(Verb(base, past, participle[0] if participle else past, _add_s(base), gerund))
    return (*irregular, *regular)


@cache
def _by(form: str) -> dict[str, Verb]:
    found: dict[str, Verb] = {}
    for verb in _verbs():
        found.setdefault(getattr(verb, form), verb)
    return found


def find_past(word: str) -> Verb | None:
    """The verb whose past a word is."""
    return _by("past").get(word)


def find_participle(word: str) -> Verb | None:
    """The verb whose participle a word is; the past of none that has another: "wrote"."""
    return _by("participle").get(word)


def find_third(word: str) -> Verb | None:
    """The verb whose third person a word is: "includes"."""
    return _by("third").get(word)


def find_base(word: str) -> Verb | None:
    """The verb that a word is the plain form of."""
    return _by("base").get(word)


def find_gerund(word: str) -> Verb | None:
    """The verb of "installing"."""
    return _by("gerund").get(word)


LOOKS_LIKE_VERB = re.compile(r"\w{3,}(?:ed|ing)\Z")
