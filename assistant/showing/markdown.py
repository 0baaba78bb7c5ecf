"""A reply as Markdown for the page: what formats it stays, code and formulas come out as written, nothing else is live.

The page's parser, marked, need not see what we see. So that it cannot take one thing for another:

    a block of code       stands at the left edge between empty lines, in a fence longer than any within
    the same with tabs    would be changed by the page: HTML, every character of it an entity
    code in line          is HTML as well; no mark of its own is left
    a formula             stands between characters that no text has, which the page knows as its delimiters
    a marker              is a chip, a link to "#cite-TURN-NUMBER"; our numbers rise from 1: one beyond the next is text
    all else              keeps stars, lines and bars; brackets, tags, addresses and escapes become entities
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape, unescape

from assistant.answers import AnswerSentence
from assistant.citing.markers import split_code_line
from assistant.citing.verbatim import CODE, LONGEST_FORMULA, Fence, find_formula, read_fence
from assistant.showing.chips import CHIP, STOP, Places, ShowChip, ShowDoubt

# Of a formula in line, and of one by itself. Unicode keeps these for a program's own use.
_DELIMITERS = (("\ufdd0", "\ufdd1"), ("\ufdd2", "\ufdd3"))
LATEX_DELIMITERS = [
    {"left": left, "right": right, "display": display}
    for (left, right), display in zip(_DELIMITERS, (False, True), strict=True)
]
FORMULA = re.compile("\ufdd0(?P<in_line>[^\ufdd0\ufdd1]*+)\ufdd1|\ufdd2(?P<by_itself>[^\ufdd2\ufdd3]*+)\ufdd3")
_OURS = {ord(character): "\ufffd" for characters in (*_DELIMITERS, CHIP, STOP) for character in characters}

_MARKUP = re.compile(r"([\\`*_\[\]#|~$])")
_WEB = re.compile(r"www\.", re.IGNORECASE)
_PAUSE = re.compile(r"`+|~{3,}|[$\\]")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_QUOTED_LINE = re.compile(r"^ *+(?:&gt; )+", re.MULTILINE)
_MARKER = re.compile(
    r"!?\[(?P<number>\d{1,9})\]|[\[\]]"
    # Where a sentence may be over: at its stop, or at a line's end.
    r"|(?<=[.!?…。！？])[\"'”’»)*_]*+(?![\w.!?…])|(?P<end>(?<=[^\n \t|])[ \t|]*+(?=\n|\Z))"
)
_RUN = re.compile(r"`{3,}+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9+#-]{0,19}")
# What the page would draw, or find in its own table of languages though it is none.
_NO_NAMES = {
    *"mermaid latex math constructor extend insertbefore dfs tostring valueof tolocalestring".split(),
    *"hasownproperty isprototypeof propertyisenumerable".split(),
}
# What with these would draw over the page, load or link stands as it was written.
_UNSAFE_FORMULA = re.compile(
    r"\\(?:href|url|html|include|input|def|gdef|edef|xdef|let|futurelet|newcommand|renewcommand|providecommand|global|rule"
    r"|kern|mkern|hskip|mskip|raise|hspace|vspace|mspace|[lrc]lap|math[lrc]lap|csname)|://|www\."
)
_ITEM = re.compile(r"([-*+]|\d{1,9}[.)])[ \t]+")
_BEFORE_MARKS = re.compile(r"[^`~]*+")
_QUOTE = re.compile(r"\A( *+)((?:>[ \t]?)++)( {0,2})[ \t]*+")
_QUOTE_MARKS = re.compile(r"[ \t]*+(?:>[ \t]?)+")
_CODE_COLUMNS = 4  # by so many deeper than the text around it, a paragraph is code
# With what copies the code, which Gradio finds by its name.
_COPY = '<button title="copy" class="copy_code_button"><span class="copy-text"></span><span></span></button>'


def written_to_markdown(
    text: str,
    turn: int,
    sentences: Sequence[AnswerSentence] = (),
    chip: ShowChip | None = None,
    doubt: ShowDoubt = lambda sentence: "",
) -> str:
    """A language model's words: formatting, code and formulas stay; links, images and HTML become plain text.

    sentences: of the text, in order, as far as they are known. chip: shows the marker of a number in a sentence, by
    default as one of which nothing is known yet. doubt: shows what follows a sentence that cites nothing.
    """
    reply = _Reply(text)
    return reply.places.fill(reply.shown, sentences, chip or (lambda number, _: to_chip(number, turn)), doubt)


def draft_to_markdown(text: str) -> str:
    """Words that may not stay, quiet, and as they are: nothing in them is markup."""
    return f'<div class="draft">{_to_entities(text.translate(_OURS))}</div>'


def escape_text(text: str) -> str:
    """A document's words, so that they read as they are and nothing in them is markup."""
    return _unlink(_MARKUP.sub(r"\\\1", escape(text.translate(_OURS), quote=False)))


def to_chip(number: int, turn: int, verdict: str = "unchecked pending", title: str = "") -> str:
    """The marker of a citation. verdict: of its sentence, as class. title: the words cited, and where they stand."""
    told = f' title="{to_attribute(title)}"' if title else ""
    return f'<a href="#cite-{turn}-{number}" class="chip {verdict}"{told}>{number}</a>'


def to_attribute(text: str) -> str:
    """Text in one line for an attribute of HTML within Markdown."""
    return _to_entities(" ".join(text.translate(_OURS).split()))


def _unlink(text: str) -> str:
    """Escaped text in which no address becomes a link by itself, and nothing one of the page's own placeholders."""
    text = text.replace("://", ":&#47;&#47;").replace("@", "&#64;").replace("%%%", "&#37;%%")
    return _WEB.sub(lambda web: f"{web[0][:-1]}&#46;", text)


def _to_entities(text: str) -> str:
    return "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in text)


class _Reply:
    """A reply, and what is shown of it. places: of its markers and stops in it."""

    def __init__(self, text: str) -> None:
        self.places = Places()
        self._last_number = 0  # of our own so far, which rise from 1
        self._blocks: list[str] = []
        for lines, fence in _part(text.translate(_OURS).replace("\r\n", "\n").replace("\r", " ").split("\n")):
            self._blocks.append(self._show_code(lines, fence) if fence else self._show_prose("\n".join(lines)))
            self.places.read("\n")

    @property
    def shown(self) -> str:
        """As Markdown."""
        return "\n\n".join(block for block in self._blocks if block)

    def _show_code(self, lines: list[str], fence: Fence) -> str:
        """A block of code as it was written, and below it the markers that were in it."""
        cited: dict[int, None] = {}
        written = []
        self.places.read(fence.name)
        for line in lines:
            code, markers, stop = split_code_line(line)
            numbers = [number for marker in markers for number in marker]
            are_ours = [self._is_ours(number) for number in numbers]
            if numbers and all(are_ours):
                cited |= dict.fromkeys(numbers)
                line = code.rstrip() + stop
            self.places.read(line)
            written.append(line)
        code = "\n".join(written)
        if "\t" in code or "%%%" in code:
            # In Markdown the page would change these.
            shown = f'<div class="code_wrap">{_COPY}<pre><code>{_to_entities(code)}</code></pre></div>'
        else:
            longest = max((len(run) for run in _RUN.findall(code)), default=2)
            name = fence.name.partition(" ")[0]
            marks = "`" * (longest + 1)
            name = name if _NAME.fullmatch(name) and name.casefold() not in _NO_NAMES else "text" if name else ""
            shown = f"{marks}{name}\n{code}\n{marks}" if code else f"{marks}{name}\n{marks}"
        return f"{shown}\n\n{''.join(map(self.places.add_chip, cited))}" if cited else shown

    def _show_prose(self, text: str) -> str:
        shown, place = [], 0
        while pause := _PAUSE.search(text, place):
            shown.append(self._show_words(text[place : pause.start()]))
            rest = text[pause.start() : pause.start() + LONGEST_FORMULA + 100]
            if code := CODE.match(rest) if rest[0] == "`" else None:
                line = text[text.rfind("\n", 0, pause.start()) + 1 :][:100]
                self.places.read(code[2])
                in_table = line.lstrip().startswith("|")
                shown.append(_show_code_in_line(code[2], in_table=in_table))
                length = code.end()
            elif rest[0] in "`~":
                shown.append(_to_entities(pause[0]))
                length = len(pause[0])
            elif formula := find_formula(rest):
                words, by_itself, length = formula
                self.places.read(words)
                left, right = _DELIMITERS[by_itself]
                is_safe = not _UNSAFE_FORMULA.search(words)
                shown.append(f"{left}{escape(words)}{right}" if is_safe else _to_entities(rest[:length]))
            elif escaped := _ESCAPE.match(rest):
                shown.append(_to_entities(escaped[1]))
                length = 2
            else:
                shown.append("&#92;" if rest[0] == "\\" else "$")
                length = 1
            place = pause.start() + length
            # Where more than space follows, it brings a stop of its own.
            shown.append("" if text[place : place + 1].strip() else self.places.add_stop())
        return "".join([*shown, self._show_words(text[place:])]).strip("\n")

    def _show_words(self, text: str) -> str:
        """Words with stars, lines and bars, and places for markers."""
        text = _QUOTED_LINE.sub(lambda quoted: quoted[0].replace("&gt;", ">"), escape(text, quote=False))
        text, place, shown = _unlink(text), 0, []
        for found in _MARKER.finditer(text):
            self.places.read(unescape(text[place : found.start()]))
            shown += [text[place : found.start()], self._show_place(found)]
            place = found.end()
        self.places.read(unescape(text[place:]))
        return "".join([*shown, text[place:]])

    def _show_place(self, found: re.Match[str]) -> str:
        """A marker, another bracket, or where a sentence may be over."""
        if found["end"] is not None:  # a table's last bar stays the last
            return self.places.add_stop() + found[0]
        if "[" not in found[0] and "]" not in found[0]:
            return found[0] + self.places.add_stop()
        if found["number"] and self._is_ours(int(found["number"])):
            return f"{'&#33;' if found[0][0] == '!' else ''}{self.places.add_chip(int(found['number']))}"
        self.places.read(found[0])
        return _to_entities(found[0])

    def _is_ours(self, number: int) -> bool:
        """Whether a number is one of ours."""
        if not 1 <= number <= self._last_number + 1:
            return False
        self._last_number = max(self._last_number, number)
        return True


def _show_code_in_line(code: str, in_table: bool) -> str:
    words = code.replace("\n", " ")
    if words[0] == words[-1] == " " and words.strip():
        words = words[1:-1]
    return f"<code>{_to_entities(words.replace(chr(92) + '|', '|') if in_table else words)}</code>"


def _part(lines: list[str]) -> Iterator[tuple[list[str], Fence | None]]:
    """The lines of a reply in blocks: prose, and code with the fence that opens it.

    Code loses the indent of the list item or the quotation that it stands in; since it ends that list on the page, what
    follows in the item loses it too.
    """
    prose: list[str] = []
    columns = [0]  # where the text of each list item begins that we are in
    cut, place = 0, 0
    follows_gap = True
    prose_until = 0
    while place < len(lines):
        line = lines[place]
        before = _BEFORE_MARKS.match(line)[0]  # type: ignore[index]
        place += 1
        if fence := read_fence(f"{line[len(before) :]}\n", before):
            end = next((n for n in range(place, len(lines)) if fence.is_closed_by(lines[n])), len(lines))
            if number := before.strip(" \t>*+|#–-"):
                prose += ["", number]
            yield prose, None
            yield [_take_out(inside, before) for inside in lines[place:end]], fence
            prose, columns, follows_gap = [], [0], True
            cut, place = len(before), end + 1
            continue
        if not line.strip():
            prose.append("")
            follows_gap = True
            continue
        line = line.expandtabs(4)
        indent = len(line) - len(line.lstrip(" "))
        if indent < cut:
            cut, columns = indent, [0]
            prose += [""] * bool(prose)  # a list's second item ends no paragraph
        line, indent = line[cut:], indent - cut
        while indent < columns[-1]:
            columns.pop()
        item = _ITEM.match(line.lstrip(" "))
        if indent >= columns[-1] + _CODE_COLUMNS:
            margin = cut + columns[-1] + _CODE_COLUMNS
            end = 0 if item or not follows_gap or place < prose_until else _find_end(lines, place, margin)
            prose_until = max(prose_until, -end)
            if end > 0:
                yield prose, None
                inside = [row.expandtabs(4)[margin:] for row in lines[place - 1 : end]]
                yield inside, Fence("```", "", 0, 0)
                prose, cut, columns, place = [], cut + columns[-1], [0], end
                continue
            line, indent = " " * columns[-1] + line.lstrip(" "), columns[-1]
        if item:
            columns.append(indent + min(item.end(), 4))
            if item.end() - len(item[1]) > _CODE_COLUMNS:  # the page would take what follows for code
                line = f"{line[:indent]}{item[1]} {line[indent + item.end() :]}"
        prose.append(_QUOTE.sub(lambda marks: f"{marks[1]}{'> ' * marks[2].count('>')}{marks[3]}", line))
        follows_gap = False
    yield prose, None


def _find_end(lines: list[str], place: int, columns: int) -> int:
    """Where a paragraph of code ends that began before `place`; as a negative number where prose follows at once."""
    end = place
    while place < len(lines):
        line = lines[place].expandtabs(4)
        if line.strip():
            if len(line) - len(line.lstrip(" ")) < columns or line.lstrip(" ")[:3] in ("```", "~~~"):
                return end if not lines[place - 1].strip() else -place
            end = place + 1
        place += 1
    return end


def _take_out(line: str, before: str) -> str:
    """A line of a block of code without what stands before the marks that open it."""
    if ">" in before and (quoted := _QUOTE_MARKS.match(line)):
        return line[quoted.end() :]
    spaces = len(line) - len(line.lstrip())
    return line[min(spaces, len(before)) :]
