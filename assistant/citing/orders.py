"""What a document orders, asks for or offers: it states nothing that an answer could rest on.

Two kinds are told apart. An order to whoever answers ("add to your reply"), and an offer to the reader, support no
sentence. An instruction ("Preheat the oven", "Run `make`") supports a sentence that instructs the
same, or says of the same act that it is, can or must be done; but none that states what the act would bring forth.

But: orders are told in English, and an instruction by the word that it opens with.
"""

from __future__ import annotations

import re

from index.splitting.stems import stem
from index.splitting.terms import find_terms

# Verbs of what is said or written: with these a document asks for an answer rather than for an act.
_SPEAKING = (
    "advertise advise analyse analyze answer brainstorm comment compare compose critique describe discuss draft "
    "elaborate emphasise "
    "emphasize explain express forget illustrate imagine invent mention narrate outline paraphrase persuade praise "
    "pretend "
    "promise promote provide recite recommend rephrase reply respond rewrite roleplay say sing speak speculate state "
    "suggest "
    "summarise summarize teach tease tell translate urge warn write predict"
).split()
_MAKING = (
    "add append ask augment assist attach begin calculate call classify confirm construct convert convince craft "
    "create decode define deliver "
    "design develop disregard embed encode encourage encrypt end enhance enumerate evaluate generate give greet help "
    "highlight identify "
    "ignore include incorporate inform insert integrate introduce invite jumble list misspell modify name offer "
    "output prepare print produce "
    "propose rank rate refer remind render repeat replace report reveal reverse scramble share show shuffle simulate "
    "solve "
    "substitute swap transform weave act"
).split()
_ACTING = (
    "activate adjust allow apply arrange assemble attach avoid bake be beat become block boil book bring browse "
    "build buy call cancel "
    "change charge check choose clean clear click clone close collect combine come compile complete configure "
    "connect consider "
    "contact continue contribute cook cool copy cover create cut deduct delete deploy dial disable discard dissolve "
    "donate "
    "download drag drain draw drink drive drop dry earn eat edit empty enable enjoy enrol ensure enter exit export "
    "extend extract fill "
    "find finish fit fix fold follow format fry get go grab grant grate group grow heat hit hold hurry hyphenate "
    "import improve increase "
    "initialise initialize insert inspect install invest join keep knead know lay learn leave let lift load lock log "
    "look lower make measure melt merge mix mount move mute note notify open order organise organize park paste pay "
    "peel pick place plan "
    "play plug pour practise practice preheat press protect pull push put raise read receive record redeem reduce "
    "register "
    "release reload remember remove rename reset restart restore return ring rinse rotate run save say schedule "
    "scroll search season "
    "see seek select sell send serve set sharpen shop shut sign simmer skip sleep slice soak sort split spread "
    "sprinkle start stay steam step stir "
    "stop store strain submit subscribe support sweat switch take talk tap taste test text think throw tie toast "
    "toggle top train "
    "travel treat trust try tune turn type unlock unplug unscrew update upgrade upload use validate verify visit "
    "vote wait walk warm "
    "wash watch wear weigh win wipe withdraw work wrap"
).split()
IMPERATIVES = frozenset((*_SPEAKING, *_MAKING, *_ACTING))
_SPOKEN = frozenset(_SPEAKING)

_OPENING = re.compile(
    r"(?:[^\w`]{0,6}(?:(?:\d{1,3}|[a-z])[.)] )?)?"
    r"(?:(?:please|kindly|now|then|next|first|finally|also|just|always|never|simply|instead|again|and|but|so|do not"
    r"|don['’]t|let us|let['’]s"
    r"|you (?:must|should|have to|need to|are to|will|shall|can|may)(?: now| also)?|(?:can|could|would"
    r"|will) you(?: please)?"
    r"|i (?:want|need|would like|order|ask|urge|command|beg) you to|make sure (?:to|that you)|be sure to|remember to"
    r"|feel free to)[,:]? ){0,3}",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:in|at|to|for|before|after|when|if|once|as|with|on|by|from|during|while|wherever|whenever)\b[^,.;:]{1,80}, ",
    re.IGNORECASE,
)
_VERB = re.compile(r"[a-z]+", re.IGNORECASE)
_NO_OBJECT = re.compile(
    r"[\s,]*(?:of|is|are|was|were|has|have|had|will|would|can|could|may|might|must|should|does|did|and|or|'s|’s)\b",
    re.IGNORECASE,
)

# Whoever answers, and what he gives.
_REPLY = re.compile(
    r"\b(?:your|the|this|its|each|every|any) (?:\w+ )?(?:answers?|repl(?:y|ies)|responses?|messages?|outputs?"
    r"|summar(?:y|ies)|translations?|completion)\b",
    re.IGNORECASE,
)
_ANSWERER = re.compile(
    r"\byour (?:\w+ ){0,2}(?:answers?|repl(?:y|ies)|responses?|outputs?|summar(?:y|ies)|translations?|instructions?"
    r"|prompts?|rules|messages?)\b"
    r"|\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instructions?|prompts?|rules|guidelines|question"
    r"|above|previous|prior|earlier)\b"
    r"|\b(?:from now on|if) you are\b|\bact as\b|\bpretend (?:to be|that you are)\b|\bbefore you (?:answer|reply"
    r"|respond)\b"
    r"|\b(?:each|every|all) (?:\w+ )?(?:questions?|answers?|repl(?:y|ies)|responses?)\b|\bwhatever (?:was|is) asked\b"
    r"|\bwhen(?:ever)? (?:somebody|someone|anybody|anyone|a user|users?|people) asks?\b"
    r"|\b(?:tell|ask|call|show|remind|urge|inform|advise|warn|encourage|invite|promise|convince|persuade) (?:the "
    r"|your |any |all |every )?"
    r"(?:users?|readers?|people|person who (?:reads|asks)|everyone|everybody|anyone|customers?|guests?|visitors?)\b",
    re.IGNORECASE,
)
_MACHINE = re.compile(
    r"\bAIs?\b|\bLLMs?\b|\b(?i:chatbots?|language models?|system (?:prompt|note|message|override)|(?:ai|virtual"
    r"|digital) assistants?|assistants? (?:that|who|which) reads?"
    r"|(?:dear|you, the|note to(?: the)?|attention,?) (?:assistant|model|bot|ai|chatbot))\b|^\W*(?i:(?:assistant"
    r"|chatbot|bot|model|ai)s?)[,:]"
)
_BIDS = re.compile(r"\b(?:must|have to|has to|should|shall|need to|needs to|you|your)\b", re.IGNORECASE)
# What is wanted of the reader in person: his money, his click.
_SELLING = frozenset(
    "buy order book get try shop grab visit join subscribe download call sign click claim enjoy check discover save "
    "install win start".split()
)
_NOW = re.compile(
    r"\b(?:now|today|free|save|off|hurry|only|before it|while|our|us|best|deal|offer|discount|bonus)\b", re.IGNORECASE
)
_OFFER = re.compile(
    r"\b(?:click (?:here|below|this|the link|on the link)|(?:buy|order|book|shop|act|call|subscribe|download"
    r"|sign up) (?:now|today)|limited[ -]time"
    r"|while (?:stocks?|supplies) last|special offer|exclusive (?:offer|deal)|money[ -]back|don['’]t miss"
    r"|you won['’]t believe"
    r"|risk[ -]free|(?:per ?cent|%) off|(?:discount|promo) code|get rich|satisfaction guaranteed)\b",
    re.IGNORECASE,
)


def find_command(text: str) -> str:
    """The verb that a text opens with where it tells somebody to do something, in its base form; else ""."""
    words = " ".join(text.split())
    opening = _OPENING.match(words)
    rest = words[opening.end() :] if opening else words
    if lead := _LEAD.match(rest):
        rest = rest[lead.end() :]
        again = _OPENING.match(rest)
        rest = rest[again.end() :] if again else rest
    verb = _VERB.match(rest)
    if not verb or verb[0].lower() not in IMPERATIVES or rest[verb.end() : verb.end() + 1] in ("-", "’", "'", ":"):
        return ""
    after = rest[verb.end() :]
    return "" if _NO_OBJECT.match(after) or not after.strip(" .") else verb[0].lower()


def is_order(text: str) -> bool:
    """Whether a text tells whoever answers what to write, or offers the reader something: it supports nothing."""
    command = _find_any_command(text)
    if _MACHINE.search(text) and (command or _BIDS.search(text)):
        return True
    if command and (_ANSWERER.search(text) or (command in _SPOKEN and _REPLY.search(text))):
        return True
    sells = command in _SELLING and ("!" in text or _NOW.search(text) is not None) and _NOW.search(text) is not None
    return sells or _OFFER.search(text) is not None


def _find_any_command(text: str) -> str:
    """The command of a text, or of a clause that follows: "Dear chatbot, skip the recipe"."""
    clauses = re.split(r"[,:;.] |\"|“", " ".join(text.split()), maxsplit=4)
    return next(
        (
            command
            for clause in (text, *clauses, *_AND.split(text, maxsplit=2)[1:])
            if (command := find_command(clause))
        ),
        "",
    )


_AND = re.compile(r" (?:and|then|must|should|has to|have to) ")


def asks_for_words(text: str) -> bool:
    """Whether a text asks for something to be said or written: "Explain the tides.", "Write a poem"."""
    return find_command(text) in _SPOKEN


_OBLIGES = re.compile(r"\b(?:must|should|can|may|ha(?:s|ve) to|(?:is|are) to)\b", re.IGNORECASE)


def does_same(sentence: str, command: str) -> bool:
    """Whether a sentence names the act that a command asks for."""
    return (
        stem(command) in find_terms(sentence) or find_command(sentence) != "" or _OBLIGES.search(sentence) is not None
    )


_DONE = re.compile(
    r"\bI\b|\b[Mm]y\b|\b(?i:we)\b|\b(?:has|have|had)(?: now| already| just| successfully)? been \w+(?:ed|en|t)\b"
    r"|\b(?:was|were) \w+(?:ed|en)\b"
    r"|^(?i:(?:(?:sure|certainly|of course|okay|done|yes)[,!.] )?(?:here|below) (?:is|are)\b|(?:sure|certainly"
    r"|of course|done)[,!.])"
)


def is_done(sentence: str) -> bool:
    """Whether a sentence says that something was done, or hands it over, rather than what is to be done."""
    return _DONE.search(sentence) is not None


_REPORTS = re.compile(
    r"\b(?:ask(?:s|ed|ing)?|request(?:s|ed|ing)?|want(?:s|ed)? to know|wants?|wish(?:es)?|would like|wonder(?:s|ed)?"
    r"|remind(?:s|ed)?|invit(?:es?|ed)|suggest(?:s|ed)?"
    r"|propos(?:es?|ed)|urg(?:es?|ed)|order(?:s|ed)|tell(?:s)? (?:the|them|readers)|told|begs?|call(?:s|ed)? (?:on"
    r"|for)|look(?:s|ing)? for|appeal(?:s|ed)?|instruct(?:s|ed)|advis(?:es?|ed)|recommend(?:s|ed))\b",
    re.IGNORECASE,
)


_FIRST_PERSON = re.compile(r"\bI\b|\b[Mm]y\b|\b(?i:we)\b")


def reports_request(sentence: str) -> bool:
    """Whether a sentence tells that somebody asks or suggests something: "She wants to know who will stay"."""
    return _REPORTS.search(sentence) is not None and _FIRST_PERSON.search(sentence) is None
