"""Which language a text is in, told by its little words, or by its script where only one great language has it.

But: a text of a few words may leave it open, and so does one in a language that is not listed. Danish and Norwegian
are one here, since most of their little words are the same.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from index.splitting.folding import fold
from index.splitting.terms import STOP_WORDS

ENGLISH = "English"
LONGEST_CHARACTERS = 2000  # of a text; what is told from these is told

LEAST_LITTLE_WORDS = 2  # different ones, of running text

# Words that join others or ask, as they are folded. What means something of its own is no little word.
LITTLE_WORDS = {
    ENGLISH: STOP_WORDS,
    "German": frozenset(
        (
            "aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis da damit dann das dass dem "
            "den denn der des die dies diese diesem diesen dieser dieses doch dort durch ein eine einem einen einer "
            "eines er es etwas euer fur gegen gibt hab habe haben hat hatte hatten hier ich ihm ihn ihnen ihr ihre "
            "ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes kann kein keine keinem keinen keiner "
            "konnen man mein meine meinem meinen meiner mich mir mit muss mussen nach nicht noch nur ob oder ohne sein "
            "seine seinem seinen seiner sich sie sind so soll sollen sollte uber um und uns unser unsere unter vom von "
            "vor war waren warum was weil welche welchem welchen welcher welches wem wen wenn wer werde werden weshalb "
            "wessen wie wieso wieviel wievielen will wir wird wo wobei wodurch wofur woher wohin womit woran worauf "
            "woraus wovon wozu wurde wurden zu zum zur zwischen durfen darf"
        ).split()
    ),
    "Dutch": frozenset(
        (
            "aan aangaande al als ben bij dan dat de deze die dit door een en er geen had hadden heb hebben heeft hem "
            "het hier hij hoe hoeveel hun ik in is je jij jullie kan kunnen maar me men met mij mijn moet moeten mag "
            "mogen na naar niet nog of om onder ons onze ook op over te tegen tot u uit van voor waar waaraan waarbij "
            "waardoor waarheen waarin waarmee waarom waaruit waarvan waarvoor wanneer want waren was wat we welk welke "
            "werd werden wie wiens wij worden wordt ze zich zij zijn zo zonder zou zijn"
        ).split()
    ),
    "French": frozenset(
        (
            "a afin ai ainsi apres au aucun aucune aussi autre autres aux avant avec avez avoir avons c car ce ceci "
            "cela celle celles celui ces cet cette chaque chez combien comme comment d dans de depuis des donc dont du "
            "elle elles en entre es est et etaient etait ete etes etre eux faut il ils j je jusqu l la laquelle le "
            "lequel les lesquelles lesquels leur leurs lors lui m ma mais me meme mes mon n ne ni nos notre nous on "
            "ont ou par parce pas pendant peut peuvent plus pour pourquoi puis qu quand que quel quelle quelles quels "
            "qui quoi s sa sans se selon sera ses si son sont sous sur t ta te tes toi ton tous tout toute toutes tres "
            "tu un une vers vos votre vous y"
        ).split()
    ),
    "Spanish": frozenset(
        (
            "a al algo ante aquel aquella asi aun aunque cada como con contra cual cuales cuando cuanta cuantas cuanto "
            "cuantos cuyo de del desde donde durante e el ella ellas ellos en entre era eran es esa esas ese eso esos "
            "esta estaba estan estar estas este esto estos estoy fue fueron ha han hasta hay la las le les lo los mas "
            "me mi mis mucho muy ni no nos nosotros o os otra otro para pero por porque puede pueden pues que quien "
            "quienes se sea segun ser si sido sin sobre son su sus tambien tan te tener tiene tienen toda todas todo "
            "todos tu un una unas uno unos y ya yo"
        ).split()
    ),
    "Italian": frozenset(
        (
            "a ad agli ai al alla alle allo anche c che chi ci come con cosa cui d da dagli dai dal dalla dalle dallo "
            "degli dei del dell della delle dello di dov dove e era erano essere fra fu gli ha hanno i il in io l "
            "la le li lo loro ma mi mia mio ne negli nei nel nell nella nelle nello no noi non o ogni per perche piu "
            "puo possono qual quale quali quando quant quanta quante quanti quanto quella quelle quelli quello questa "
            "queste questi questo se senza si sia sono sta stata stato su sua sue sugli sui sul sulla sulle sullo suo "
            "suoi tra tutte tutti tutto un una uno vi viene vengono"
        ).split()
    ),
    "Portuguese": frozenset(
        (
            "a ao aos as ate cada com como da das de dela dele deles depois do dos e ela elas ele eles em entre era "
            "eram essa esse esta estao estava este esteja estes eu foi foram ha isso isto ja lhe mais mas me mesmo meu "
            "minha muito na nao nas nem no nos nossa nosso num numa o onde os ou para pela pelas pelo pelos pode podem "
            "por porque qual quais quando quanta quantas quanto quantos que quem se sem ser seu seus sua suas sao "
            "sobre so sao tambem te tem tenho ter um uma voce voces"
        ).split()
    ),
    "Swedish": frozenset(
        (
            "alla allt att av bara de dem den denna deras dess dessa det detta dig din dina du efter eller en ett fran "
            "far for fick finns ha hade han har hans henne hon honom hos hur i ifran ingen inget inom inte ja jag kan "
            "kunde man maste med mellan men mig min mina mot mycket nagon nagot nar nej ni nu och om oss pa sa samma "
            "sedan ska skulle som till under upp ut utan vad var vara vart varfor varje vart vem vems vi vid vilka "
            "vilken vilket ar over"
        ).split()
    ),
    "Danish or Norwegian": frozenset(
        (
            "af alle alt at av blev ble bliver blir da de deg dem den denne der deres det dette dig din du eller en er "
            "et ett etter efter fordi for fra far ham han hans har havde hadde hende henne her hos hun hva hvad hvem "
            "hver hvilke hvilken hvilket hvis hvor hvordan hvorfor hvornar i ikke ingen jeg kan kunne man med mellem "
            "mellom men mig meg min mod mot ma na nar noen nogen noget noe nu og om op opp os oss over pa sa sin skal "
            "skulle som til ud ut uden under uten var ved vi vil vaere vaeret blitt vare"
        ).split()
    ),
    "Polish": frozenset(
        (
            "a aby albo ale bez bo byc byl byla bylo byly bez co czy dla dlaczego do gdy gdzie go i ich ile ilu im "
            "jak jaka jaki jakie jakiego jakiej jako je jego jej jest jestem kiedy komu kto ktora ktore ktorego ktorej "
            "ktory ktorych ktorym ktorzy ma maja mnie moze mozna na nad nas nie niej nim o od oraz po pod podczas "
            "ponad poniewaz przed przez przy sa sie skad ta tak te tego tej ten to tym u w we wszystkie z za ze"
        ).split()
    ),
    "Turkish": frozenset(
        (
            "ama ancak bir biz bu bunu bunun cok da daha de degil diye gibi hangi hangisi hem icin ile ise kac kadar "
            "kim kime kimin ki mi midir misin mu mudur nasil ne neden nerede nereden nereye neresi nicin niye o olan "
            "nedir neydi nelerdir kimdi kimdir kimler hangisidir hangisiydi neyi olarak oldu oldugu olup olur onun "
            "sonra su var vardir ve veya ya yok zaman"
        ).split()
    ),
}
# A letter that a language has nearly alone; it decides where the words do not.
_LETTERS = {
    "German": "ßäöü",
    "French": "èêœù",
    "Italian": "èìò",
    "Spanish": "ñ¿¡",
    "Portuguese": "ãõ",
    "Swedish": "å",
    "Danish or Norwegian": "øæå",
    "Polish": "łąęśżźćń",
    "Turkish": "şğı",
}
# The first whose letters are as many as a third of all: Japanese stands before Chinese, whose signs it has too.
_SCRIPTS = {
    "Thai": "\u0e00-\u0e7f",
    "Japanese": "\u3040-\u30ff",
    "Korean": "\uac00-\ud7a3",
    "Chinese": "\u4e00-\u9fff",
    "Arabic": "\u0621-\u06ff",
    "Hindi": "\u0900-\u097f",
    "Russian": "\u0400-\u052f",
    "Greek": "\u0370-\u03ff",
    "Hebrew": "\u0590-\u05ff",
}
_SCRIPT_PATTERNS = {language: re.compile(f"[{letters}]") for language, letters in _SCRIPTS.items()}
LANGUAGES = (*LITTLE_WORDS, *_SCRIPTS)

_WORD = re.compile(r"[^\W\d_]+")
_LEAST_SCRIPT = 1 / 3
_OF_LETTERS = 0.6  # what special letters count, beside a word that one language alone has
_SHARING = Counter(word for words in LITTLE_WORDS.values() for word in words)


def count_little(text: str, language: str) -> int:
    """How many little words of a language stand in a text; of one that is told by its script, how many letters."""
    if language in _SCRIPT_PATTERNS:
        return len(_SCRIPT_PATTERNS[language].findall(text))
    return sum(fold(word) in LITTLE_WORDS[language] for word in _WORD.findall(text[:LONGEST_CHARACTERS]))


def find_running_language(text: str) -> str:
    """The language that a text is written in; "" where it leaves that open, or where one little word alone tells.

    Rows of a table hold none or one: "Dog walk", "Per week".
    """
    found = find_languages(text)
    if len(found) != 1 or found[0] in _SCRIPT_PATTERNS:
        return found[0] if len(found) == 1 else ""
    words = {fold(word) for word in _WORD.findall(text[:LONGEST_CHARACTERS]) if len(word) > 1 or word.islower()}
    return found[0] if len(words & LITTLE_WORDS[found[0]]) >= LEAST_LITTLE_WORDS else ""


@lru_cache(maxsize=2000)
def find_languages(text: str) -> tuple[str, ...]:
    """The languages that a text may be in: one mostly, several where it leaves that open, none where nothing tells.

    One that may be English is.
    """
    text = text[:LONGEST_CHARACTERS]
    if not text.isascii():
        letters = sum(map(str.isalpha, text))
        for language, pattern in _SCRIPT_PATTERNS.items():
            if letters and len(pattern.findall(text)) >= _LEAST_SCRIPT * letters:
                return (language,)
    scores = _score(text)
    most = max(scores.values(), default=0)
    if scores.get(ENGLISH, 0) == most > 0:
        return (ENGLISH,)
    return tuple(language for language in LITTLE_WORDS if scores.get(language) == most)


def _score(text: str) -> dict[str, float]:
    """How much tells of each language: its little words, each counting the more the fewer languages share it."""
    # A capital alone is an initial, and no word.
    words = [fold(word) for word in _WORD.findall(text) if len(word) > 1 or word.islower()]
    words = [word for word in words if word in _SHARING]
    scores = {
        language: sum(1 / _SHARING[word] for word in words if word in little)
        for language, little in LITTLE_WORDS.items()
    }
    if not text.isascii():
        held = set(text.casefold())
        for language, letters in _LETTERS.items():
            scores[language] += _OF_LETTERS * (not held.isdisjoint(letters))
    return {language: round(score, 6) for language, score in scores.items() if score}
