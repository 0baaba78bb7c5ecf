"""Words of closed classes: numbers, months and days in English, and those by which questions lean on others."""

from typing import NamedTuple

SMALL_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
MONTHS = "january february march april may june july august september october november december".split()
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()

ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth last".split()
# What a question says that is of something else, which it need not name: "What are common causes?"
COMMON_ADJECTIVES = "common best better good main other different further similar usual normal typical next".split()
RELATIONS = (
    "type kind sort example cause symptom treatment difference alternative effect consequence advantage disadvantage "
    "benefit pros cons reason result purpose origin role"
).split()
VERBS_OF_SOMETHING = "help consider try use need get choose know give take make do".split()
# In a question they ask, join or point; no thing is called so.
NO_THINGS = frozenset(
    "who whom whose what when where why how which is are was were do does did has have had can could will would should "
    "must i you we it he she they them this that these those there one ones else more not yes no if so then than "
    "wer was wann wo warum wieso wie welche welcher welches ist sind hat es sie er "
    "qui quoi quand où pourquoi comment combien quel quelle est sont il elle "
    "quién qué cuándo dónde cómo cuánto cuál es son está wie wat wanneer waar waarom hoe welke hoeveel hij zij".split()
)


class Language(NamedTuple):
    """The words of a language that questions lean by.

    asking: those that open a question. pronouns: those that point back. light: others that say nothing of the matter.
    """

    asking: frozenset[str]
    pronouns: frozenset[str]
    light: frozenset[str]


def _split(*words: str) -> Language:
    return Language(*(frozenset(some.split()) for some in words))


LANGUAGES = {
    "german": _split(
        "wer wen wem wann wo wohin woher warum wieso weshalb wie was welche welcher welches wieviel seit ab",
        "er sie es ihn ihm ihr sein seine seinen seiner ihre ihren ihrer dort davon darüber dazu dafür diese dieser",
        "ist sind war hat haben wird viel viele lange oft der die das ein eine",
    ),
    "french": _split(
        "qui que quoi quand où pourquoi comment combien quel quelle quels quelles depuis",
        "il elle ils elles lui leur leurs cela ça ceci celui celle ceux",
        "est sont était a le la les l un une de du des temps",
    ),
    "spanish": _split(
        "por quién quiénes qué cuándo dónde cómo cuánto cuánta cuántos cuántas cuál cuáles desde",
        "él ella ellos ellas su sus eso esto ese esa esos esas allí",
        "es son está era el la los las un una de por qué mucho",
    ),
    "dutch": _split(
        "wie wat wanneer waar waarom hoe welke hoeveel sinds",
        "hij zij ze hem haar hen dit dat daar ervan daarvan",
        "is was heeft zijn de het een veel lang vaak",
    ),
}
