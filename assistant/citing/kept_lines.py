"""The lines of a reply that are worth showing: no long one twice, and no list of sources at its end.

Our own citations say what an answer rests on; a list that the model adds says it again, or otherwise. It is one where a
line says nothing but "Sources:", in one of many languages, the text before it cites, and each line after it, to the
end, begins with a marker, or names a document, a file or an address. But: "Sources:" over what a question asks for is
none: "- Old paint [3]" names no document.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator

from assistant.citing.verbatim import Fence, read_fence

_LONGEST_DECORATION = 12  # characters, of a rule and of what stands before "Sources:"
_LEAST_REPEATED, _MOST_COMPARED = 40, 1000  # characters of a line, without white space and markers
_LONGEST_HEADING, _LONGEST_LIST, _SHORTEST_NAME = 300, 4000, 6  # characters

_HEADINGS = {
    *"source sources reference references citation citations bibliography footnotes".split(),
    *"quelle quellen quellenangaben quellenangabe quellenverzeichnis belege nachweise referenzen literatur".split(),
    *"fuente fuentes referencias bibliografía références référence fonte fonti riferimenti fontes referências".split(),
    *"bronnen bron källor källa kilder kilde lähteet źródła źródło zdroje kaynaklar kaynakça források surse".split(),
    *"источники источник ссылки литература джерела πηγές المصادر المراجع מקורות स्रोत nguồn".split(),
    *"来源 來源 资料来源 資料來源 参考 参考文献 参考资料 參考資料 引用 出典 출처 참고문헌".split(),
    *("works cited", "sources used", "sources cited", "source list", "list of sources", "sources consulted"),
}
_DECORATION = " \t\r>#*_-–—"
_ENDS = _DECORATION + ":："
_RULE = re.compile(r"[ \t]{0,3}(?:-{3,}|\*{3,}|_{3,})[ \t\r]*")
_MARK = r"(?:\\?[\[【［(（{]\s*+[^\W\d_]{0,12}\.?:?\s*+[\d\^#][^\]】］)）}\n]{0,60}[\]】］)）}]|[¹²³⁴-⁹]|\[\^)"
_ITEM = re.compile(
    rf"[\s>*_+•–-]*+(?:\d{{1,3}}[.)][\s*_]++)?(?:{_MARK}|[“\"«„「]|(?:sentences?|satz|lines?)\s\d)"
    r"|[^\n]{0,200}?(?:://|\bwww\.|[\w)]\.(?:md|txt|pdf|html?|docx?|odt|rst|csv|xlsx?|pptx?|eml|json)\b)",
    re.IGNORECASE,
)


class KeptLines:
    """A model's reply, taken in piece by piece: `feed` gives what stays, `finish` the rest.

    names: the titles and paths of the documents. is_cited: whether what was given so far cites one.
    """

    def __init__(self, names: Iterable[str], is_cited: Callable[[], bool]) -> None:
        self._names = {name.casefold() for name in names if len(name) >= _SHORTEST_NAME}
        self._is_cited = is_cited
        self._earlier: list[str] = []  # the keys of the long lines so far, sorted
        self._line = ""  # the line that grows, as far as it is looked at
        self._key = ""  # its characters, without white space and markers
        self._in_brackets = False
        self._passes = False  # whether it was found worth showing, and what it still gets with it
        self._held = ""  # what of it was not given, and before it what may be a list of sources
        self._in_list = self._has_heading = False
        self._follows_gap = self._skips_gap = False  # so that what stood around a line that was dropped closes up
        self._fence: Fence | None = None

    @property
    def held(self) -> str:
        """What has come and is likely to stay, though it is not certain."""
        is_doubtful = _split_heading(self._line)[0] in _HEADINGS or len(self._key) >= _LEAST_REPEATED
        return "" if self._in_list or is_doubtful else self._held

    def feed(self, delta: str) -> Iterator[str]:
        """Take in a delta; give what now stays, piece by piece, so that `is_cited` knows of each before the next."""
        ready = ""
        for character in delta:
            if character == "\n":
                yield ready
                ready = ""
                yield self._end_line()
                continue
            self._grow(character)
            self._held += character
            if self._passes or not self._waits():
                self._passes, self._in_list = True, False
                ready, self._held = ready + self._held, ""
        yield ready

    def finish(self) -> Iterator[str]:
        """Give what was held back and stays, now that nothing more comes."""
        if self._line or self._in_list:
            yield self._end_line().removesuffix("\n")
        if not self._has_heading:
            yield self._held

    def _grow(self, character: str) -> None:
        if len(self._line) >= _MOST_COMPARED:
            return
        self._line += character
        if character in "[【":
            self._in_brackets = True
        elif character in "]】":
            self._in_brackets = False
        elif not (self._in_brackets or character.isspace()):
            self._key += character

    def _waits(self) -> bool:
        """Whether what follows in the line decides whether it is worth showing."""
        if len(self._line) >= _MOST_COMPARED or len(self._held) > _LONGEST_LIST:
            return False
        return self._in_list or (not self._fence and (_may_be_heading(self._line) or self._may_be_repeated()))

    def _may_be_repeated(self) -> bool:
        place = bisect_left(self._earlier, self._key)
        return place < len(self._earlier) and self._earlier[place].startswith(self._key)

    def _end_line(self) -> str:
        """End the line; give what of it stays."""
        line, key, passes = self._line, self._key, self._passes
        self._line = self._key = ""
        self._in_brackets = self._passes = False
        self._held += "\n"
        if self._fence:
            self._fence = None if self._fence.is_closed_by(line) else self._fence
            return self._give()
        if not passes:
            if self._may_go_on(line):
                return ""
            if len(key) >= _LEAST_REPEATED and key in self._earlier and not self._in_list:
                self._held, self._skips_gap = "", self._follows_gap
                return ""
        self._in_list = self._has_heading = False
        if len(key) >= _LEAST_REPEATED and not key.startswith("|"):
            insort(self._earlier, key)
        before = re.match(r"[^`~]*+", line)[0]  # type: ignore[index]
        self._fence = read_fence(f"{line[len(before) :]}\n", before)
        if line.strip():
            self._follows_gap = self._skips_gap = False
        elif self._skips_gap:
            self._held = ""
        else:
            self._follows_gap = True
        return self._give()

    def _give(self) -> str:
        given, self._held = self._held, ""
        return given

    def _may_go_on(self, line: str) -> bool:
        """Whether the lines that are held, this one with them, may end the reply as a list of sources."""
        if not self._in_list:
            if not self._is_cited():
                return False
            self._has_heading = self._is_heading(line)
            self._in_list = self._has_heading or _RULE.fullmatch(line) is not None
            return self._in_list
        if not line.strip():
            return True
        if self._has_heading:
            return self._is_item(line)
        self._has_heading = self._is_heading(line)
        return self._has_heading

    def _is_heading(self, line: str) -> bool:
        head, rest = _split_heading(line)
        return head in _HEADINGS and (not rest.strip(_ENDS) or self._is_item(rest))

    def _is_item(self, line: str) -> bool:
        words = line.casefold()
        return _ITEM.match(line) is not None or any(name in words for name in self._names)


def _may_be_heading(line: str) -> bool:
    """Whether a line that grows may become "**Sources:** [1], [2]", or the rule above it."""
    head, rest = _split_heading(line)
    if len(line) > (_LONGEST_HEADING if head else _LONGEST_DECORATION):
        return False
    return head in _HEADINGS or (not rest and any(heading.startswith(head) for heading in _HEADINGS))


def _split_heading(line: str) -> tuple[str, str]:
    """What stands before the first colon, without what decorates it, and the rest."""
    head, colon, rest = line.replace("：", ":").partition(":")
    return head.strip(_DECORATION).casefold(), rest or colon
