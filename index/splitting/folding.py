"""Folding: one way to write what is written in several, so that a word is found however it is typed.

Case, accents and points are dropped, and so are the marks that only show how letters are joined. What carries meaning
stays: the vowel signs of the Indic scripts, of Thai, Khmer and Burmese, the voicing of kana, the й of Cyrillic.
Digits of all scripts become those of ASCII.

But: to drop accents makes "résumé" and "resume" one word, in languages too that take the letters for two.
"""

from __future__ import annotations

import re
import unicodedata

# Accents and other signs on letters of Latin, Greek and Cyrillic; points of Hebrew; vowels of Arabic; the dot of
# Devanagari that is as often left out (nukta); joiners and direction marks, soft hyphens, byte order marks.
_DROPPED = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u093c\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f"
    "\ufe20-\ufe2f\u00ad\u200d-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
)
# Letters that no normalisation takes apart, and the forms that Persian, Urdu and others have of Arabic letters.
_LETTERS = {
    **dict(zip("ıøłđðħŧ", "iolddht", strict=True)),
    **dict(zip("ىیېکہەھةٱ", "يييكهههها", strict=True)),
    **dict(zip("’‘ʼ“”‐‑–—٫٬", "'''\"\"----.,", strict=True)),
    "þ": "th",
    "æ": "ae",
    "œ": "oe",
    "ŋ": "ng",
}
_ZEROS = "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀႐០᠐᥆᧐᪀᪐᭐᮰᱀꘠꣐꤀꧐꧰꩐꯰"  # of all scripts; the nine other digits follow each
_FOLDS = {
    **_LETTERS,
    **{chr(ord(zero) + digit): str(digit) for zero in _ZEROS for digit in range(10)},
}
# Between letters of India the non-joiner joins nothing and parts nothing; in Persian it stands before an ending.
_FOLDED = re.compile(f"[{_DROPPED}{''.join(_FOLDS)}]|(?<=[\u0900-\u0dff])\u200c")
# A text is folded so much at a time, which comes to the same: accents in a row are put in order, and that takes their
# number squared. A piece does not end before what belongs to the letter in front of it.
_PIECE = re.compile("(?s:.{1,500})[\u0300-\u036f\u093c\u1160-\u11ff\u3099\u309a]{0,100}+")

# Blanks that are written for no other end than to keep the groups of a number together.
_GROUPING = re.compile("[\u00a0\u2007\u2009\u202f](?<=[0-9].)(?=[0-9]{3}(?![0-9]))")


def fold(text: str) -> str:
    """The text with its letters, marks and digits written in one way; what parts words stays.

    A blank that keeps the groups of a number together is written as an apostrophe: 18'500.
    """
    if text.isascii():
        return text.casefold()
    return "".join(_fold_piece(piece) for piece in _PIECE.findall(text))


def _fold_piece(text: str) -> str:
    text = _GROUPING.sub("'", text)
    # Folded between two normalisations: the first turns up new capitals ("™" is "TM").
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    if folded.isascii():
        return folded
    folded = _FOLDED.sub(lambda found: _FOLDS.get(found[0], ""), folded.replace("и\u0306", "й"))
    # Syllables of Hangul and voiced kana are put together again.
    return unicodedata.normalize("NFC", folded)
