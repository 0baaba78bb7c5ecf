"""Which old encoding some bytes are in, by what they would say in each.

Every encoding is tried with the languages that were written in it: how likely is each character beyond ASCII, by how
common it is in the language and by what stands beside it? In "85 m²" a square is likely and an ogonek is not; in
"Muñoz" both ñ and ń are, and then the encoding that more files are in is.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

_HEARD_BYTES = 6_000  # of lines that are not of ASCII alone
_LINE_BYTES = 2_000  # of one of them
_BEFORE = 40  # bytes of ASCII before what is beyond it in a line
_CUT_BYTES = 4  # of a character that the sample's end may cut
# Logarithms of how likely something is.
_UNLIKELY = math.log(1e-5)
_LEAST = math.log(3e-3)  # on average, each character of what is text in an encoding at all
_LEAST_OF_THOUSANDS = math.log(3e-5)  # where each character is one of thousands
_COMMON_WORD = 1.2

# By family: its encodings with how much rarer they are than the first, and its languages: how much rarer than others,
# the letters beyond ASCII (the most common first), and some of the most common words.
_WESTERN = {"cp1252": 0.0, "mac_roman": 3.5, "cp850": 3.0, "cp437": 3.3, "iso8859_15": 2.5}
_CENTRAL = {"cp1250": 1.5, "iso8859_2": 2.0, "cp852": 4.5, "mac_latin2": 6.0}
_TURKISH = {"cp1254": 1.0, "iso8859_9": 1.1, "cp857": 4.5}
_BALTIC = {"cp1257": 2.0, "iso8859_13": 3.0, "cp775": 5.0}
_CYRILLIC = {"cp1251": 0.5, "koi8_r": 1.5, "koi8_u": 2.5, "cp866": 2.0, "iso8859_5": 3.0, "mac_cyrillic": 4.0}
_GREEK = {"cp1253": 1.0, "iso8859_7": 1.2, "cp737": 4.0, "mac_greek": 5.0}
_LATIN: tuple[tuple[dict[str, float], float, str, str], ...] = (
    (_WESTERN, 0.0, "éèàüöäçñêïôßáóí", "the and of to is in for with on at was are"),
    (_WESTERN, 0.0, "üäößé", "der die das und ist im den von zu mit für ein eine auf nicht"),
    (_WESTERN, 0.0, "éàèêçôùîâûëïœüÿæ", "le la les de des du et est un une en au pour dans"),
    (_WESTERN, 0.0, "óíáéñúü", "el la los las de del que en un una es por con se para"),
    (_WESTERN, 0.3, "ãçáéíóêõúâàôü", "os as de do da que em um uma para com não no na"),
    (_WESTERN, 0.3, "àèùòéìî", "il la le di che un una per in con non del della sono"),
    (_WESTERN, 0.5, "äåöé", "och att det en som på är av för den till med ett"),
    (_WESTERN, 0.5, "øåæéòôö", "og det en er på som til av at for med den et ikke vi"),
    (_WESTERN, 0.5, "äöåé", "ja on ei se että oli hän mutta kun niin ovat tai"),
    (_WESTERN, 0.8, "ëéïèöüóáê", "de het een en van is dat niet op te in met voor zijn"),
    (_WESTERN, 1.5, "áðíóþéúæöý", "og að er sem það var til við ekki en um ég"),
    (_WESTERN, 1.5, "àéèóçíòúïü·", "el la de que en un una per amb és no els"),
    (_WESTERN, 2.5, "äõüöšž", "ja on ei see et ta kui oli mis ning ka"),
    (_WESTERN, 1.5, "éèàüöäçñêïôßáóíúåøæãâîûùòìõëœýšžðþÿ", ""),  # many languages, as in a list of names
    (_CENTRAL, 0.0, "łąężóśćńź", "na do nie się jest od po za jak dla oraz"),
    (_CENTRAL, 0.0, "íáéěýřčšžůúťňďó", "na se je do pro to že jsou ve od"),
    (_CENTRAL, 0.7, "áíéýčžšúľťôňďóäĺŕ", "na sa je do pre to že sú od"),
    (_CENTRAL, 0.0, "áéőöíóüúű", "az és egy nem hogy is van ez de meg ki"),
    (_CENTRAL, 0.0, "ăîâţş", "de la si din cu este pe un care nu in mai pentru"),
    (_CENTRAL, 0.5, "čšžćđ", "je na se za da od su ne kao ili in na"),
    (_TURKISH, 0.0, "ıüşğçöİâî", "ve bir bu da de için ile ne en çok gibi var"),
    (_BALTIC, 0.0, "ėšįųžąčęū", "ir kad su yra tai iš bet ar kaip už nuo"),
    (_BALTIC, 0.0, "āīēšūņļžčģķ", "un ir ar no par ka uz kas tas arī lai pie"),
    (_BALTIC, 1.0, "äõüöšž", "ja on ei see et ta kui oli mis ning ka"),
)
_OTHER: tuple[tuple[dict[str, float], float, str], ...] = (
    (_CYRILLIC, 0.0, "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"),
    (_CYRILLIC, 0.7, "оанивіертсклумдпязьбгчйхєжїцшющфґ"),
    (_CYRILLIC, 0.7, "аиоетнрсвлпкдмзяъубгчщйжхцшюфь"),
    (_CYRILLIC, 1.5, "аиоенртсјвкудмплзбгчшцжњхљћђџфѓќ"),
    (_GREEK, 0.0, "αοιετσνηυρπκμλςωάίόγδέήθχύώβφξζψϊΰϋΐ"),
    ({"cp1255": 1.0, "iso8859_8": 1.5, "cp862": 4.0}, 0.0, "יוהלארתבשמנעחדקכםפצטגזסןךץף"),
    ({"cp1256": 1.0, "iso8859_6": 1.5}, 0.0, "اليمنرتوبةعدسفهكقحجأشصطخىءإضذثزغظئؤآ،"),
    ({"cp874": 1.5}, 0.0, "านรกอเงมยลวดทสตะปบคหแจพชขไใโผิี่้ัืุ์ึู็ำซศถณธภญ"),
)
_COMMON_HAN = (
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起"
    "还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理美点月明其种"
    "全部业工产经济社会新区市场请电话地址号"
)
_COMMON_HAN_OLD = (
    "的一是不了在人有我他這中大來上國個到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可她裡後小麼心多天而能好都然沒日於起"
    "還發成事只作當想看文無開手十用主行方又如前所本見經頭面公同三已老從動兩長知民樣現分將外但身些與高意進把法此實回二理美點月明其種"
    "全部業工產經濟社新區市場請電話地址號"
)
_COMMON_HANGUL = (
    "이다는에을의가고하은지로를한기사인도자리어서나시있대해정일그아라수들부것만제보스전과주여했조원으게장상동면성구요와안년화러우"
    "거위소적니공계관문간경신당비오방내중유마말치회무김트때연습진영분개실생물입합"
)
_COMMON_KANJI = (
    "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語"
    "土木聞食車何南万毎白天母火右読友左休父雨会社料部屋場所的要内"
)
_KANA = "".join(map(chr, range(0x3041, 0x3094))) + "".join(map(chr, range(0x30A1, 0x30F7))) + "ー"
_PUNCTUATION = "、。，．！？：；（）「」『』・　～《》“”"
_WORDS = re.compile(r"[^\W\d_]++")
_FOREIGN = re.compile(r"[^\x00-\x7f\ufffd]")
_LONELY = frozenset("àéèôóíáúåöæâêyавикосуяізйїєјηοό")  # letters that are words
_NEVER_FIRST = frozenset("ðßğьъы")
_UNITS = re.compile(r"(?<![^\W\d_])(?:[mk]?m|cm|dm|ft|in|s|qm|м|км|см)$")


@dataclass(frozen=True, slots=True)
class _Language:
    """letters: how likely each is among those beyond ASCII; rarity: how much less likely the language is than others;
    other: how likely a character is that is none of the letters."""

    letters: dict[str, float]
    rarity: float
    words: frozenset[str] = frozenset()
    is_latin: bool = False
    other: float = _UNLIKELY
    least: float = _LEAST


def find_old_encoding(sample: bytes, is_cut: bool = False) -> str | None:
    """The likeliest encoding of a text that is not in Unicode; None where it is hardly text in any known here.

    is_cut: whether the sample may end within a character.
    """
    heard = _listen(sample)
    best, best_score = None, -math.inf
    for encoding, rarity, languages in _list_encodings():
        try:
            sample.decode(encoding)
        except UnicodeDecodeError as error:
            if not is_cut or error.start < len(sample) - _CUT_BYTES:
                continue
        text = heard.decode(encoding, "replace")
        letters, symbols, count = _look(text)
        words = Counter(_WORDS.findall(text.lower()))
        for language in languages:
            score = symbols + sum(times * _weigh(letter, language) for letter, times in letters.items())
            if score < count * language.least:
                continue
            score += _COMMON_WORD * sum(words[word] for word in language.words) - rarity - language.rarity
            if score > best_score:
                best, best_score = encoding, score
    return best


def _listen(sample: bytes) -> bytes:
    """The lines that tell something, one after another."""
    lines, size_bytes = [], 0
    for line in sample.split(b"\n"):
        if line.isascii():
            continue
        first = next(place for place, byte in enumerate(line) if byte > 127)
        start = max(0, first - _BEFORE)
        lines.append(line[start : start + _LINE_BYTES])
        size_bytes += len(lines[-1])
        if size_bytes > _HEARD_BYTES:
            break
    return b"\n".join(lines)


# A letter beyond ASCII, how unlikely it is where it stands in any language, whether a letter of ASCII stands beside it,
# and how many others beyond ASCII before it, up to two; -1 where it stands alone.
_Letter = tuple[str, float, bool, int]


def _look(text: str) -> tuple[Counter[_Letter], float, int]:
    """The letters beyond ASCII, how likely the other characters beyond it are, and how many both are."""
    letters: Counter[_Letter] = Counter()
    symbols, count = 0.0, 0
    for match in _FOREIGN.finditer(text):
        count += 1
        place, char = match.start(), match[0]
        before, after = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
        if not _is_letter(char):
            symbols += _judge_symbol(text[max(0, place - 4) : place], char, after)
            continue
        beside = [other for other in (before, after) if _is_letter(other)]
        run = 0
        while run < 2 and place > run and text[place - run - 1] > "\x7f" and _is_letter(text[place - run - 1]):
            run += 1
        misplaced = 0.0
        if char.isupper():
            misplaced += math.log(1e-3) if before.islower() else math.log(0.3)
        elif char.islower() and before.isupper() and after.isupper():
            misplaced += math.log(0.02)
        if char.lower() in _NEVER_FIRST and not _is_letter(before):
            misplaced += math.log(0.01)
        if before.isdigit() or after.isdigit():
            misplaced += math.log(0.05)
        lower = char.lower() if char != "İ" else char  # whose lower case is two characters
        letters[lower, misplaced, any(map(str.isascii, beside)), run if beside else -1] += 1
    return letters, symbols, count


def _is_letter(char: str) -> bool:
    return (char.isalpha() and char not in "ªºµ") or (bool(char) and unicodedata.category(char).startswith("M"))


def _weigh(letter: _Letter, language: _Language) -> float:
    char, misplaced, is_beside_ascii, run = letter
    score = language.letters.get(char, language.other) + misplaced
    if language.is_latin:
        if run == -1:
            return score + (0 if char in _LONELY else math.log(0.01))
        return score + (0, math.log(0.25), math.log(0.05))[run]
    return score + (math.log(0.01) if is_beside_ascii else 0)


_GOOD, _FAIR, _BAD = math.log(0.05), math.log(0.005), math.log(1e-5)


def _judge_symbol(before: str, char: str, after: str) -> float:
    """How likely a character that is no letter is where it stands."""
    previous = before[-1:]
    is_after_word, is_before_word = previous.isalpha(), after.isalpha()
    if char in "²³":
        good = not after.isalnum() and (_UNITS.search(before) or previous.isalnum() or previous == ")")
        return math.log(0.2) if good and _UNITS.search(before) else _FAIR if good else _BAD
    if char in "°":
        return _GOOD if previous.isdigit() or (previous == " " and after in "CFK") else _FAIR if after == " " else _BAD
    if char in "½¼¾":
        return _GOOD if not is_after_word and not is_before_word else _BAD
    if char in "€£¥":
        near = previous.isdigit() or after.isdigit() or previous in " \t(;,|\n\"'" or after in " ,.;)"
        return _GOOD if near and not is_before_word else _BAD
    if char == "’":
        return _GOOD if previous.strip() and not after.isdigit() else _FAIR
    if char in "“„‘«‚‹":
        return _judge_opening(char, previous, after)
    if char in "”»›":
        return _GOOD if not is_before_word and not after.isdigit() else _FAIR
    if char in "–—…•·":
        return _GOOD if char in "–—" or not (is_after_word and is_before_word) else _FAIR
    if char in "¿¡":
        return _GOOD if not is_after_word and is_before_word else _BAD
    if char in "ªº":
        return _GOOD if (previous.isdigit() or previous in "nNoO.") and not is_before_word else _BAD
    if char in "×±÷":
        return _GOOD if not is_after_word and not is_before_word else _BAD
    if char == "µ":
        return _GOOD if not is_after_word and after in "mgslFAVWC" else _BAD
    if char == "№":
        return _GOOD if not is_after_word else _BAD
    if char in "§©®™\xa0":
        return _GOOD if char in "®™\xa0" or not is_after_word else _BAD
    if "\u2500" <= char <= "\u259f":
        return _GOOD if previous == char or after == char or not (is_after_word or is_before_word) else _BAD
    if char in _PUNCTUATION:
        return _GOOD
    return math.log(1e-6) if unicodedata.category(char) in ("Cc", "Cn", "Co") else _BAD


def _judge_opening(char: str, previous: str, after: str) -> float:
    if previous.isalpha() and after.isalpha():
        return _BAD
    # Which opens in one language closes in another.
    opens = not previous.isalnum() and bool(after.strip())
    return _GOOD if opens or (char in "“‘«‹" and not after.isalnum()) else _FAIR


@cache
def _list_encodings() -> tuple[tuple[str, float, tuple[_Language, ...]], ...]:
    """Each encoding, how much rarer it is than the others, and its languages."""
    languages: dict[str, list[_Language]] = {}
    rarities: dict[str, float] = {}

    def add(family: dict[str, float], language: _Language) -> None:
        for encoding, rarity in family.items():
            rarities[encoding] = rarity
            languages.setdefault(encoding, []).append(language)

    for family, rarity, letters, words in _LATIN:
        add(family, _Language(_rank(letters, 0.85), rarity, frozenset(words.split()), is_latin=True))
    for family, rarity, letters in _OTHER:
        add(family, _Language(_rank(letters, 0.95), rarity))
    for encoding, rarity, language in _list_of_thousands():
        add({encoding: rarity}, language)
    return tuple((encoding, rarity, tuple(languages[encoding])) for encoding, rarity in rarities.items())


def _rank(letters: str, share: float) -> dict[str, float]:
    """How likely each letter is, the most common first, where together they are a share of all."""
    weights = {letter: 1 / (number + 3) for number, letter in enumerate(dict.fromkeys(letters))}
    total = sum(weights.values())
    return {letter: math.log(share * weight / total) for letter, weight in weights.items()}


def _list_of_thousands() -> Iterator[tuple[str, float, _Language]]:
    """The languages of East Asia: what is neither among the common characters nor in the first, common part of their
    encoding is unlikely."""

    def decode(leads: tuple[int, int], trails: tuple[int, int], encoding: str) -> dict[str, float]:
        pairs = (bytes((lead, trail)) for lead in range(*leads) for trail in range(*trails))
        found = [char for char in (pair.decode(encoding, "ignore") for pair in pairs) if len(char) == 1]
        return dict.fromkeys(found, math.log(0.4 / len(found)))

    def make(usual: dict[str, float], *common: dict[str, float]) -> _Language:
        letters = dict(usual)
        for ranked in common:
            letters |= ranked
        return _Language(letters, 0.0, other=math.log(1e-6), least=_LEAST_OF_THOUSANDS)

    yield "gb18030", 1.0, make(decode((0xB0, 0xD8), (0xA1, 0xFF), "gb2312"), _rank(_COMMON_HAN, 0.5))
    yield "big5", 1.5, make(decode((0xA4, 0xC7), (0x40, 0xFF), "big5"), _rank(_COMMON_HAN_OLD, 0.5))
    yield "cp949", 1.0, make(decode((0xB0, 0xC9), (0xA1, 0xFF), "euc_kr"), _rank(_COMMON_HANGUL, 0.6))
    kanji = _rank(_COMMON_KANJI, 0.15)
    kana = dict.fromkeys(_KANA, math.log(0.5 / len(_KANA)))
    usual = decode((0xB0, 0xD0), (0xA1, 0xFF), "euc_jp")
    yield "cp932", 1.0, make(usual, kanji, kana)
    yield "euc_jp", 2.0, make(usual, kanji, kana)
