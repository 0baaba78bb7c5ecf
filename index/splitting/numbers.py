"""Numbers and dates: one way to write what is written in several.

A date becomes its day, the English name of its month, and its year, in this order: "2023-05-12", "20230512", "12. Mai
2023" and "12 мая 2023" are "12 may 2023", and "2023-05" is "may 2023". So a date has as many terms however it is
written, and shares its month and its year with a question that asks for no more. The American order is left as it
stands, its terms being the same.

Thousands are joined: "18,500", "18 500", "18'500" and "18.500" are 18500. A point or a comma before exactly three
digits parts thousands, unless a nought stands before it: what is meant as 18.5 still finds the very same, and fails
only where the one text has "18.500" and the other "18.5".

But: "05/12/2023" stays three numbers, since half the world reads it as May and half as December, and both readings
would let each find what only the other means. Numbers in words are left to others.
"""

from __future__ import annotations

import re

MONTH_NAMES = {
    name: line.split()[0]
    for line in (
        # English; German; Spanish; French; Italian; Dutch; Portuguese; the north; Finnish; Turkish; Russian;
        # Ukrainian; Polish; Arabic; Hindi; Greek. As they are folded.
        "january jan janner januar jan. enero ene janvier janv gennaio januari janeiro tammikuuta ocak января январь "
        "январе січня stycznia styczen يناير जनवरी ιανουαριου ιανουαριοσ",
        "february feb februar feber febrero fevrier fevr febbraio februari fevereiro helmikuuta subat февраля февраль "
        "феврале лютого lutego luty فبراير شباط फरवरी φεβρουαριου φεβρουαριοσ",
        "march mar marz marzo mars maart marco marts maaliskuuta mart марта март марте березня marca marzec مارس اذار "
        "मार्च μαρτιου μαρτιοσ",
        "april apr abril abr avril avr aprile huhtikuuta nisan апреля апрель апреле квітня kwietnia kwiecien ابريل "
        "افريل نيسان अप्रैल απριλιου απριλιοσ",
        "may mai mayo maggio mei maio maj toukokuuta mayis мая май мае травня maja مايو ماي ايار मई μαιου μαιοσ",
        "june jun juni junio juin giugno junho kesakuuta haziran июня июнь июне червня czerwca czerwiec يونيو جوان "
        "حزيران जून ιουνιου ιουνιοσ",
        "july jul juli julio juillet juil luglio julho heinakuuta temmuz июля июль июле липня lipca lipiec يوليو "
        "جويليه تموز जुलाई ιουλιου ιουλιοσ",
        "august aug agosto aout augustus augusti elokuuta agustos августа август августе серпня sierpnia sierpien "
        "اغسطس اوت अगस्त αυγουστου αυγουστοσ",
        "september sept sep septiembre setiembre septembre settembre setembro syyskuuta eylul сентября сентябрь "
        "сентябре вересня wrzesnia wrzesien سبتمبر ايلول सितंबर सितम्बर σεπτεμβριου σεπτεμβριοσ",
        "october oct oktober okt octubre octobre ottobre outubro lokakuuta ekim октября октябрь октябре жовтня "
        "pazdziernika pazdziernik اكتوبر अक्टूबर अक्तूबर οκτωβριου οκτωβριοσ",
        "november nov noviembre novembre novembro marraskuuta kasim ноября ноябрь ноябре листопада listopada listopad "
        "نوفمبر नवंबर नवम्बर νοεμβριου νοεμβριοσ",
        "december dec dezember dez diciembre dic decembre dicembre dezembro desember joulukuuta aralik декабря декабрь "
        "декабре грудня grudnia grudzien ديسمبر दिसंबर दिसम्बर δεκεμβριου δεκεμβριοσ",
    )
    for name in line.split()
}
_NAMES = tuple(dict.fromkeys(MONTH_NAMES.values()))

# Names of other things as well, which stand before a year as such: the mission "Mars 2020".
_OTHER_NAMES = {"mars", "marco", "mart"}

_END = r"(?![^\W_]|[.,:/-]\d)"
_OF = r"(?:of |de |del |di )?"
# What is tried at the first digit of a word, in this order; the last takes what none of the others takes.
_DIGITS = re.compile("[0-9]++")
# "v2.3.1" is version 2.3.1.
_VERSION = re.compile(r"(?<![^\W_])v\d++\.\d")
_NUMERAL = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d\d?)(?P=mark)(?P<day>\d\d?)(?:t(?=\d\d:)|(?![^\W_]|[.,:/-]\d))"
    rf"|(?P<month_year>(?:19|20)\d\d)-(?P<year_month>0[1-9]|1[0-2]){_END}"
    rf"|(?P<packed_year>(?:19|20)\d\d)(?P<packed_month>0[1-9]|1[0-2])(?P<packed_day>[0-2]\d|3[01])(?:t(?=\d{{4}})|{_END})"
    rf"|(?P<one>\d\d?)(?P<sign>[-/.])(?P<two>\d\d?)(?P=sign)(?P<their_year>\d{{4}}){_END}"
    r"|(?P<sun_year>\d{4}) ?[年년] ?(?P<moon>\d\d?) ?[月월](?: ?(?P<sun>\d\d?) ?[日号號일])?"
    rf"|(?P<of_month>\d\d?)(?:st|nd|rd|th|er|o|\.)?,? {_OF}(?P<name>[^\W\d_][^\s\d.,;:()'/-]{{1,12}})(?![^\W_])"
    rf"(?:[.,]? {_OF}(?P<its_year>\d{{4}}){_END})?"
    rf"|(?P<groups>\d{{1,3}}(?:(?: \d{{3}}(?!\d)){{1,6}}+|(?:'\d{{3}}(?!\d)){{1,6}}+)(?:[.,]\d\d?)?+)"
    r"(?![^\W_]| ?/?\d|-[^\W\d_]| ?-\d(?!\d{0,2}[ ']\d{3})|[.,:]\d)"
    r"|(?P<plain>\d{1,4}+)(?:[.,:]?\d)*+"
)
_AFTER_YEAR = frozenset("-/.,:'年년")
_LITTLE_WORDS = {"of", "de", "del", "di"}
_LONGEST_NAME = 30  # with what stands between it and the year
_MONEY_AFTER = re.compile(
    r" ?(?:[%€$£¥₽₴₺₹]|(?:kr|kc|zl|ft|lei|eur|euros?|usd|sek|nok|dkk|chf|pln|czk|gbp|tl|грн|лв)(?![^\W_])|(?:руб|тыс))"
)
_MONEY_BEFORE = re.compile(r"[€$£¥₽₴₺₹] ?\Z|(?<![^\W_])(?:eur|usd|chf|sek|nok|dkk) \Z")

_BY_COMMAS = re.compile(r"[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d+)?")
_BY_POINTS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?")
_DECIMAL_COMMA = re.compile(r"\d+,\d\d?|0,\d+|\d{1,3},\d{4,}")
_WHOLE = re.compile(r"(\d++)\.0++")


def write_numbers(folded: str) -> str:
    """The folded text with its dates written out, and with its thousands joined across blanks and apostrophes."""
    pieces: list[str] = []
    done = read = 0
    while digits := _DIGITS.search(folded, read):
        start, read = digits.span()
        before = folded[start - 1] if start else " "
        written = ""
        if not before.isalnum():
            start, read, written = _write(folded, done, start, read)
        elif before == "v" and _VERSION.match(folded, start - 1):
            start, written = start - 1, digits[0]
        if written:
            pieces += folded[done:start], " ", written, " " if read < len(folded) and folded[read] != "." else ""
            done = read
    return "".join(pieces) + folded[done:]


def _write(folded: str, done: int, start: int, end: int) -> tuple[int, int, str]:
    """The bounds of the numeral that begins with these digits, and what it becomes; "" where it stays.

    done: where that ends which is written already.
    """
    # Most are a year among words, and this is quickly told.
    if end - start == 4 and folded[end : end + 2].lstrip(" ")[:1] not in _AFTER_YEAR:
        match, kind = None, "plain"
    elif match := _NUMERAL.match(folded, start):
        end, kind = match.end(), match.lastgroup or ""
    written = ""
    if not match or kind == "plain":
        if folded[start - 1 : start] == " " and end - start in (1, 2, 4):
            begun, name = _find_month_before(folded, done, start)
            if name and (end - start == 4 or name.startswith(folded[begun : begun + 3])):
                start, written = begun, f"{name} {folded[start:end]}"
    elif kind == "groups":
        if _is_one_number(folded, done, match):
            written = re.sub("[ ']", "", match[0])
    elif kind == "day":
        written = _write_date(match["day"], match["month"], match["year"])
    elif kind == "year_month":
        written = _write_date(None, match["year_month"], match["month_year"])
    elif kind == "packed_day":
        written = _write_date(match["packed_day"], match["packed_month"], match["packed_year"])
    elif kind == "their_year":
        written = _write_ordered_date(match["one"], match["two"], match["their_year"], match["sign"])
    elif kind in ("sun", "moon"):
        written = _write_date(match["sun"], match["moon"], match["sun_year"])
    elif name := MONTH_NAMES.get(match["name"], ""):
        written = _write_date(match["of_month"], str(_NAMES.index(name) + 1), match["its_year"])
    return start, end, written


def write_number(digits: str) -> str:
    """A number as it is compared with others: 1500 for "1,500", 1.5 for "1,5", 15 for "15.0".

    What is no one number, as a time or a list is, stays as it stands.
    """
    if _BY_COMMAS.fullmatch(digits):
        digits = digits.replace(",", "")
    elif _BY_POINTS.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", ".")
    elif _DECIMAL_COMMA.fullmatch(digits):
        digits = digits.replace(",", ".")
    whole = _WHOLE.fullmatch(digits)
    return whole[1] if whole else digits


def _write_date(day: str | None, month: str, year: str | None) -> str:
    """The parts that there are, in the one order; "" where there is no such day or month."""
    if not 1 <= int(month) <= 12 or not 1 <= int(day or 1) <= 31:
        return ""
    return " ".join(part for part in (day and str(int(day)), _NAMES[int(month) - 1], year) if part)


def _write_ordered_date(one: str, two: str, year: str, sign: str) -> str:
    """A date with its year last: with points the day comes first, else where the numbers do not say it is left open."""
    if sign == "." or int(one) > 12 or int(one) == int(two):
        return _write_date(one, two, year)
    if int(two) > 12:
        return _write_date(two, one, year)
    return f"{int(one)} {int(two)} {year}"


def _find_month_before(folded: str, begin: int, end: int) -> tuple[int, str]:
    """Where the name of a month begins that a year or day follows, and its English name; "" where there is none."""
    words = folded[max(begin, end - _LONGEST_NAME) : end].split()
    while words and words[-1] in _LITTLE_WORDS:
        words.pop()
    word = words[-1].strip("([\"',.") if words else ""
    name = MONTH_NAMES.get(word, "")
    return (folded.rindex(word, 0, end), name) if name and word not in _OTHER_NAMES else (end, "")


def _is_one_number(folded: str, begin: int, match: re.Match[str]) -> bool:
    """Whether groups of digits are one number, and no list, row of a table, telephone number or end of a date."""
    start, groups = match.start(), match["groups"]
    if "'" in groups:
        return True
    if groups[0] == "0" or re.search(r"[\d+] ?\Z", folded[max(0, start - 2) : start]):
        return False
    if _find_month_before(folded, begin, start)[1]:
        return False
    # "100 200" is as probably two numbers.
    first, *rest = groups.split(" ")
    return (
        len(first) < 3
        or rest[-1][:3] == "000"
        or _MONEY_AFTER.match(folded, match.end()) is not None
        or _MONEY_BEFORE.search(folded[max(0, start - 5) : start]) is not None
    )
