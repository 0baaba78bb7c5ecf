"""Zip files and their XML members, opened with care: nothing swells, nothing is fetched, nothing is written."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Container, Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from index.loading.formats import MEGABYTE, UnreadableError

if TYPE_CHECKING:
    from lxml.etree import _Element

    from index.loading.formats.blocks import Blocks

LARGEST_MEMBER_BYTES = 256 * MEGABYTE  # of one member, unpacked
_LARGEST_BYTES = 1024 * MEGABYTE  # of all that is read of one archive, unpacked
# Kinds of parts that hold text and are not read, and what to call them.
_UNREAD_KINDS = {
    "chart": "chart",
    "chartEx": "chart",
    "diagramData": "diagram",
    "oleObject": "embedded file",
    "package": "embedded file",
    "aFChunk": "embedded file",
}
# When the templates of libraries were made, which files that they wrote still say.
_TEMPLATES = frozenset({"2013-12-23T23:15:00Z", "2013-01-27T09:14:16Z", "2013-01-27T09:15:58Z"})


class Archive:
    """The members of a zip, by name. Every method raises UnreadableError: "damaged", "encrypted", "too large"."""

    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise UnreadableError("damaged") from error
        # Some programs write the backslashes of their system, and some begin names with a slash.
        self._members = {info.filename.replace("\\", "/").lstrip("/"): info for info in self._zip.infolist()}
        self._left = _LARGEST_BYTES
        self._faults: list[str] = []
        self._unread: Counter[str] = Counter()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    @property
    def names(self) -> list[str]:
        """The members' names."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """The bytes of a member; empty where there is none of that name."""
        info = self._members.get(name)
        if info is None:
            return b""
        if info.flag_bits & 1:
            raise UnreadableError("encrypted")
        limit = min(LARGEST_MEMBER_BYTES, self._left)
        try:
            # What the directory declares may be a lie: no more is unpacked than the limit and one byte.
            with self._zip.open(info) as member:
                content = member.read(limit + 1) if info.file_size <= limit else b""
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError) as error:
            raise UnreadableError("damaged") from error
        self._left = max(0, self._left - len(content))
        if info.file_size > limit or len(content) > limit:
            raise UnreadableError("too large (once unpacked)")
        return content

    def replace(self, members: Container[str], content: bytes) -> bytes:
        """The same archive with something else in some members."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as copy:
            for name in self.names:
                copy.writestr(name, content if name in members else self.read(name))
        return buffer.getvalue()

    def read_xml(self, name: str) -> _Element | None:
        """The root element of an XML member, or None where there is none of that name."""
        content = self.read(name)
        return parse_xml(content) if content else None

    def try_xml(self, name: str) -> _Element | None:
        """The same of a member that the others can be read without: what is wrong with it is noted."""
        try:
            return self.read_xml(name)
        except UnreadableError as error:
            self._faults.append(f"the part {name} is {error}")
            return None

    def try_related(self, name: str, kind: str) -> _Element | None:
        """The root of the first part of a kind that a part refers to, where there is one that can be read."""
        return next((root for _, root in self.try_all_related(name, kind)), None)

    def try_all_related(self, name: str, *kinds: str) -> Iterator[tuple[str, _Element]]:
        """The kind and the root of each part of some kinds that a part refers to, where it can be read."""
        for kind, place in dict.fromkeys(self.read_relations(name).values()):
            if kind in kinds and place not in self:
                self._faults.append(f"the part {place} is missing")
            elif kind in kinds and (root := self.try_xml(place)) is not None:
                yield kind, root

    def note_unread(self, name: str, read: Container[str] = ()) -> None:
        """Count what a part refers to that holds text and is not read, but for the members that are."""
        kinds = (_UNREAD_KINDS.get(kind) for kind, place in self.read_relations(name).values() if place not in read)
        self._unread.update(kind for kind in kinds if kind)

    def tell_unread(self, blocks: Blocks) -> None:
        """Say which parts could not be read."""
        for fault in dict.fromkeys(self._faults):
            blocks.miss(fault)
        for kind, count in self._unread.items():
            blocks.miss(f"{count:,} {kind}{'s' * (count > 1)}")

    def read_relations(self, name: str) -> dict[str, tuple[str, str]]:
        """The parts that a part of an Office file refers to: identifier to (kind, member's name)."""
        folder, file = posixpath.split(name)
        root = self.try_xml(posixpath.join(folder, "_rels", f"{file}.rels"))
        relations: dict[str, tuple[str, str]] = {}
        for relation in root if root is not None else ():
            if isinstance(relation.tag, str) and relation.get("TargetMode") != "External":
                kind = (relation.get("Type") or "").rpartition("/")[2]
                relations[relation.get("Id") or ""] = kind, resolve(folder, relation.get("Target") or "")
        return relations

    def find_related(self, name: str, kind: str) -> str | None:
        """The first part of a kind that a part refers to; the name "" stands for the package."""
        return next((target for other, target in self.read_relations(name).values() if other == kind), None)

    def read_properties(self) -> tuple[str | None, str, str | None]:
        """An Office file's title, author ("" where none is named) and date, as its properties say."""
        from index.loading.formats.fields import read_author, read_date, read_title

        root = self.try_xml(self.find_related("", "core-properties") or "docProps/core.xml")
        fields = {local_name(field): field.text for field in root if field.text} if root is not None else {}
        dates = (fields.get(name) for name in ("modified", "created"))
        found = next(filter(None, (read_date(day) for day in dates if day not in _TEMPLATES)), None)
        return read_title(fields.get("title")), read_author(fields.get("creator")), found


def resolve(folder: str, target: str) -> str:
    """The name of the member that a reference from within a folder means."""
    target = unquote(target.partition("#")[0]).replace("\\", "/")
    return posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")


def parse_xml(content: bytes) -> _Element:
    """The root element of an XML document; nothing outside it is fetched, and no entity swells.

    Raises UnreadableError("damaged") where it is not well-formed, MemoryError where it does not fit.
    """
    import lxml.etree

    # Of entities, libxml2 expands those that the document itself declares, up to a factor; files and addresses never.
    # What is too deep or too long for its caution is parsed again, up to 2,048 levels, and with no entity expanded.
    for entities, huge in ("internal", False), (False, True):
        parser = lxml.etree.XMLParser(
            resolve_entities=entities,
            no_network=True,
            load_dtd=False,
            huge_tree=huge,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            return lxml.etree.fromstring(content, parser)
        except lxml.etree.XMLSyntaxError as error:
            if "allocation" in str(error):
                raise MemoryError from error
            if "huge" not in str(error).lower():
                break
        except ValueError:
            break
    raise UnreadableError("damaged")


def find_children(parent: _Element, wrappers: Container[str]) -> Iterator[_Element]:
    """The children of an element, with the children of wrappers in their place, however deep these lie."""
    waiting = [iter(parent)]
    while waiting:
        for child in waiting[-1]:
            if local_name(child) in wrappers:
                waiting.append(iter(child))
                break
            yield child
        else:
            waiting.pop()


def local_name(element: _Element) -> str:
    """An element's name without its name space; empty for comments and the like."""
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: _Element, name: str) -> str | None:
    """An attribute, whatever its name space: the strict variants of formats have others."""
    return next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), None)


def whole_number(element: _Element | None, name: str, otherwise: int) -> int:
    """The whole number that an attribute gives, or another where it gives none."""
    try:
        return int((attribute(element, name) if element is not None else None) or otherwise)
    except ValueError:
        return otherwise


def join_text(cell: _Element, find_text: Callable[[_Element], tuple[str, list[_Element]]]) -> str:
    """The text of a cell and of the boxes in it, and of those within them.

    find_text: gives the text of an element without that of the boxes in it, and these.
    """
    texts = []
    waiting = [cell]
    for element in waiting:
        text, boxes = find_text(element)
        texts.append(text)
        waiting += boxes
    return " ".join(texts)
