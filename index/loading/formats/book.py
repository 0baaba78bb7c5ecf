"""Books (.epub): their chapters in reading order."""

from __future__ import annotations

import posixpath

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import Archive, attribute, local_name, resolve
from index.loading.formats.blocks import Blocks
from index.loading.formats.fields import read_author, read_date, read_title

_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})
_FONTS_ONLY = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


def read_epub(content: bytes) -> Extract:
    """The text of the chapters, under the book's title and author. Raises UnreadableError."""
    from index.loading.formats.web import decode_page, write_page

    archive = Archive(content)
    _refuse_encrypted(archive)
    container = archive.read_xml("META-INF/container.xml")
    place = container.find("{*}rootfiles/{*}rootfile") if container is not None else None
    name = resolve("", attribute(place, "full-path") or "") if place is not None else ""
    package = archive.read_xml(name)
    if package is None:
        raise UnreadableError("damaged")
    fields: dict[str, str] = {}
    creators: list[str] = []
    for field in package.iterfind("{*}metadata//*"):
        if field.text and field.text.strip():
            fields.setdefault(local_name(field), " ".join(field.text.split()))
            # Of those with a role, an illustrator or a translator is no author.
            if local_name(field) == "creator" and attribute(field, "role") in {None, "aut"}:
                creators.append(field.text)
    items = {attribute(item, "id"): item for item in package.iterfind("{*}manifest/{*}item")}
    blocks = Blocks()
    title = read_title(fields.get("title"))
    blocks.author(read_author(*creators))
    blocks.heading(title or "")
    chapters: dict[str, str] = {}  # what is wrong with each; a book that names one over and over is read once
    for entry in package.iterfind("{*}spine/{*}itemref"):
        item = items.get(attribute(entry, "idref"))
        if item is None:
            chapters[f"#{attribute(entry, 'idref')}"] = "missing"
            continue
        if attribute(item, "media-type") not in _PAGES or "nav" in (attribute(item, "properties") or ""):
            continue
        chapter = resolve(posixpath.dirname(name), attribute(item, "href") or "")
        if chapter in chapters:
            continue
        try:
            page = archive.read(chapter)
            chapters[chapter] = "" if chapter in archive else "missing"
            write_page(decode_page(page), blocks)
        except UnreadableError as error:
            chapters[chapter] = str(error)
    faults = list(filter(None, chapters.values()))
    if faults and len(faults) == len(chapters):
        raise UnreadableError(faults[0])
    blocks.miss_some(len(faults), len(chapters), "chapter", "missing or damaged")
    archive.tell_unread(blocks)
    return Extract(blocks.text, title, read_date(fields.get("date")), unread=blocks.unread)


def _refuse_encrypted(archive: Archive) -> None:
    """Books that are only sold encrypted say so; a book whose fonts alone are garbled can be read."""
    root = archive.read_xml("META-INF/encryption.xml")
    for method in root.iterdescendants("{*}EncryptionMethod") if root is not None else ():
        if not (attribute(method, "Algorithm") or "").startswith(_FONTS_ONLY):
            raise UnreadableError("encrypted")
