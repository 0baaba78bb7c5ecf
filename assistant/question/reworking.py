"""What is wanted of the last answer itself: in another form or language, or more of it, or of one of its points.

A language model does it; without one the question before is asked again, or nothing is done. The forms are those of
English, German, Dutch, French and Spanish, and say nothing but that: "as a table", not "as a table of the fees".
"""

from __future__ import annotations

import re
from typing import Literal

from assistant.question.again import WHAT_ABOUT, asks_for_length
from assistant.question.opening import WORD, strip_opening
from assistant.question.vocabulary import ORDINALS
from index.splitting.folding import fold

Reworking = Literal["", "restates", "extends"]

LONGEST_CHARACTERS = 120  # of a question that only wants the last answer reworked

# What asks a yes or no, or for something: it is no request to rewrite.
_ASKING = re.compile(r"(?:is|are|was|were|does|did|has|who|which|when|where|why|how|ist|sind|war|est|es|son|zijn)\b")
_LITTLE = frozenset(
    (
        "please can could would will you me us i d to like want need give make put say tell keep turn convert change "
        "present show write do that this these those them all the your my last previous answer reply response above "
        "text result whole it its a an some few in into as of with by for from and or but just only now then so also "
        "again up out instead s very more understand bit little much still too one few format form version "
        "style way have use using every everything same again let get there here go on about any "
        "bitte das es mir uns noch einmal mal kannst konntest konnen sie du mach mache machen gib stelle stell zeig "
        "schreib schreibe sag sage sagen machen geben schreiben etwas in einem einer "
        "eine ein ins auf als der die den dem deine deiner letzte letzten antwort daraus davon dar um ganze "
        "alles nun jetzt fur mehr zu ist was "
        "donner faire mettre dans s' il te vous plait peux tu pouvez mets met mettez fais faites donne donnez ecris "
        "dis en un une le la les l' "
        "ta ton votre derniere reponse sous forme de d' du des avec plus ca cela moi c' encore a au aux pour ce m' et "
        "dar hacer poner por favor puedes puede podrias pon ponlo haz hazlo da dame dilo di escribe lo el los las tu "
        "su ultima "
        "respuesta en forma de con mas eso esto un una al me otra vez del a y "
        "geven maken zetten graag alsjeblieft alstublieft kun kunt je u jouw uw laatste antwoord het dat dit die zet "
        "maak geef schrijf zeg in "
        "een van een met als nog eens wat meer om naar op aan deze mij er voor"
    ).split()
)
_LANGUAGES = (
    "english german french spanish dutch italian portuguese polish russian ukrainian turkish arabic hebrew persian "
    "chinese mandarin japanese korean hindi swedish norwegian danish finnish czech greek hungarian romanian vietnamese "
    "indonesian thai catalan "
    "englisch englische deutsch deutsche franzosisch franzosische spanisch spanische niederlandisch italienisch "
    "portugiesisch polnisch russisch ukrainisch turkisch arabisch chinesisch japanisch schwedisch norwegisch danisch "
    "anglais allemand francais espagnol neerlandais italien portugais polonais russe ukrainien turc arabe chinois "
    "japonais ingles aleman frances espanol castellano neerlandes italiano portugues polaco ruso ucraniano turco chino "
    "japones engels duits frans spaans nederlands italiaans portugees pools oekraiens turks chinees japans"
)
_RESTATING = frozenset(
    (
        "table tabular columns bullet bullets bulleted list listed numbered enumerated prose paragraph "
        "paragraphs summarise summarize summary shorten condense shorter brief "
        "concise sentence sentences "
        "markdown csv json email e-mail headings points simpler simple simply plainer plain easier easy layman terms "
        "language words eli5 child five-year beginner translate translated translation rephrase reword rewrite "
        "paraphrase reformat reformulate repeat differently "
        "tabelle tabellarisch liste stichpunkte stichpunkten stichworten aufzahlung punkten satzen einfacher einfachen "
        "einfacheren kurzer einfach verstandlicher worten ubersetze ubersetz ubersetzen ubersetzung umformulieren "
        "formuliere wiederhole "
        "tableau puces points traduis traduire traduisez traduction simple simples simplement court courte bref mots "
        "phrases reformule "
        "reformulez repete "
        "tabla lista vinetas puntos traduce traducir traducelo traduccion simple simples corto breve sencillo "
        "sencilla sencillas "
        "palabras frases reformula repite "
        "tabel lijst opsomming opsommingstekens puntsgewijs punten vertaal vertalen vertaling eenvoudiger eenvoudige "
        "eenvoudigere "
        f"makkelijker korter woorden zinnen herformuleer herhaal {_LANGUAGES}"
    ).split()
)
_EXTENDING = frozenset(
    (
        "example examples instance illustrate continue proceed explain clarify longer detail details elaborate expand "
        "beispiel beispiele weiter fortfahren fahre fort erklare erklar erlautere genauer naher "
        "exemple exemples continue continuez poursuis suite explique expliquez developpe developpez "
        "ejemplo ejemplos continua sigue prosigue explica explicalo detalle detalles "
        "voorbeeld voorbeelden doorgaan verder uitleg leg uit"
    ).split()
)
_SUMMARY, _WHOLE = (
    frozenset("summarise summarize summary".split()),
    frozenset("all everything whole text every".split()),
)
_NOUNS = frozenset(
    "words points language terms child list sentence sentences brief phrases mots palabras frases puntos punten "
    "woorden".split()
)
_COUNTS = frozenset(
    "two three four five six seven eight nine ten zwei drei vier funf sechs sieben acht deux trois quatre cinq dos "
    "tres cuatro cinco twee drie vijf zes 2 3 4 5 6 7 8 9 10 12".split()
)
_GOING_ON = re.compile(
    r"(?:please )?(?:(?:go|carry) on|keep going|and then|ga (?:door|verder)|et ensuite)(?: (?:please|bitte|graag))?\Z"
)
_POINTS = frozenset(
    (
        "point points item step reason one part bullet sentence paragraph row line thing option argument explain "
        "describe detail details elaborate expand what "
        "punkt schritt grund satz absatz teil zeile nahere naher genauer erklare erklar erlautere "
        "etape raison phrase partie ligne explique expliquez detaille developpe "
        "punto paso razon frase parte linea explica detalla punt stap reden zin deel regel leg uit"
    ).split()
)
_ORDINALS = {
    word: english
    for english, words in zip(
        ORDINALS,
        (
            "first 1st erste ersten erster premier premiere primer primero primera eerste",
            "second 2nd zweite zweiten zweiter deuxieme seconde segundo segunda tweede",
            "third 3rd dritte dritten dritter troisieme tercer tercero tercera derde",
            "fourth 4th vierte vierten vierter quatrieme cuarto cuarta vierde",
            "fifth 5th funfte funften funfter cinquieme quinto quinta vijfde",
            "sixth 6th sechste sechsten sixieme sexto sexta zesde",
            "seventh 7th siebte siebten septieme septimo septima zevende",
            "eighth 8th achte achten huitieme octavo octava achtste",
            "ninth 9th neunte neunten neuvieme noveno novena negende",
            "tenth 10th zehnte zehnten dixieme decimo decima tiende",
            "last letzte letzten letzter dernier derniere ultimo ultima laatste",
        ),
        strict=True,
    )
    for word in words.split()
}
_NUMBERED_POINT = re.compile(
    r"\b(?:points?|items?|step|number|reason|punkt|nummer|schritt|punto|punt|numéro|étape|paso) ([1-9])(?![\w.,])",
    re.IGNORECASE,
)


def find_reworking(sentence: str) -> Reworking:
    """Whether the last answer is wanted in another form, "as a table", or more of it, "give me an example"; or neither.

    Shorter is another form, longer is more.
    """
    if len(sentence) > LONGEST_CHARACTERS:
        return ""
    if length := asks_for_length(sentence):
        return "restates" if length == "shorter" else "extends"
    words = _find_words(sentence)
    if find_point(sentence) or _GOING_ON.fullmatch(" ".join(words)):
        return "extends"
    known, said = _LITTLE | _RESTATING | _EXTENDING, set(words) - _COUNTS
    if not words or _ASKING.match(words[0]) or not said <= known or (len(words) == 1 and said <= _NOUNS):
        return ""
    if said & _SUMMARY and said & _WHOLE:  # "Summarise the whole text": of the documents
        return ""
    return "restates" if said & _RESTATING else "extends" if said & _EXTENDING else ""


def find_point(sentence: str) -> str:
    """Which of its points the last answer is to say more of, an English ordinal or a number: "the second point"."""
    rest = strip_opening(sentence)
    what_about = WHAT_ABOUT.match(rest)
    words = _find_words(rest[what_about.end() :] if what_about else rest)
    which = [_ORDINALS[word] for word in words if word in _ORDINALS]
    if numbered := _NUMBERED_POINT.search(rest):  # "point 2"
        words = [word for word in words if word != numbered[1]]
        which = [numbered[1]]
    others = {word for word in words if word not in _ORDINALS}
    # "The last one" alone may be wanted of anything: "Who is the last one?" is asked elsewhere.
    asked = what_about or others & _POINTS or len(words) <= 2
    is_point = len(which) == 1 and asked and others <= _LITTLE | _POINTS | _EXTENDING
    return which[0] if is_point and "answer" not in others and "antwort" not in others else ""


def _find_words(sentence: str) -> list[str]:
    return WORD.findall(fold(sentence).replace("’", "'").replace("'", "' ").replace("-", " "))
