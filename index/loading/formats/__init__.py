"""What a file is, told by its content, and what a reader makes of it.

`find_format` looks at the first bytes (and at the members of a zip); the suffix of the name only tells apart what
content cannot: a table from prose with commas, an e-mail kept as a note from an e-mail.

    text.py   plain text, Markdown, source code      web.py    web pages
    pdf.py    PDF                                    mail.py   e-mail
    word.py   .docx                                  outlook.py .msg
    slides.py .pptx                                  book.py   .epub
    sheet.py  .xlsx, .csv                            rtf.py    .rtf
    data.py   JSON, XML                              notebook.py .ipynb
    opendocument.py .odt, .odp, .ods                 bundle.py .zip
    subtitles.py .srt, .vtt                          picture.py .png, .jpg, .tiff, .webp, .bmp

Each has functions from a file's bytes to an `Extract`, and imports its library when first called. All write with
blocks.py, and tables with grid.py; fields.py reads titles, authors and dates, encodings.py tells old encodings. PDF has
modules of its own, pdf_*.py.
Office files share archive.py (their zip), asides.py (what stands beside the text) and numbering.py (the numbers of
lists); messages and archives share enclosed.py (what lies in them); scans share recognition.py (pictures become lines)
and scan.py (lines become text).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath
from typing import cast

HEAD_BYTES = 65_536  # what `find_format` looks at, but for a zip
MEGABYTE = 1_000_000


class UnreadableError(Exception):
    """A file that cannot be indexed; the message says why. It never stops its neighbours."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What a reader makes of a file.

    text: canonical; for plain text the decoded file itself.
    title, date: what the file's own fields say, the date in ISO 8601; None where they are silent.
    pages: the offset at which each page starts, or empty where there are no pages.
    unread: what of the file could not be read, for people ("2 of 9 pages"); empty where all of it was.
    enclosed: the files that lie in it, and those that lie in them.
    """

    text: str
    title: str | None = None
    date: str | None = None
    pages: tuple[int, ...] = ()
    unread: str = ""
    enclosed: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be read.

    name: for people.
    reader: its module and function, as "pdf.read_pdf".
    largest_bytes: of a file that is worth a try.
    prose: whether the first lines of the text may tell its title and date where its fields do not.
    """

    name: str
    reader: str
    largest_bytes: int
    prose: bool = True

    def read(self, content: bytes) -> Extract:
        """The extract of a file's bytes. Raises UnreadableError."""
        module, _, function = self.reader.partition(".")
        reader = getattr(import_module(f"index.loading.formats.{module}"), function)
        return cast(Callable[[bytes], Extract], reader)(content)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that lies in another: an attachment of a message, a member of an archive.

    name: its path within that, safe to be shown and distinct from those of the others.
    content_hash: SHA-256 of its bytes, in hexadecimal.
    extract: what its reader makes of it alone, without what lies in it.
    """

    name: str
    form: Format
    content_hash: str
    extract: Extract


TEXT = Format("plain text", "text.read_text", 512 * MEGABYTE)
_WEB = Format("web page", "web.read_page", 64 * MEGABYTE)
_MAIL = Format("e-mail", "mail.read_mail", 128 * MEGABYTE, prose=False)
_OUTLOOK = Format("Outlook message", "outlook.read_outlook", 128 * MEGABYTE, prose=False)
_JSON = Format("JSON", "data.read_json", 64 * MEGABYTE, prose=False)
_XML = Format("XML", "data.read_xml", 128 * MEGABYTE, prose=False)
_CSV = Format("CSV", "sheet.read_csv", 128 * MEGABYTE, prose=False)
_SUBTITLES = Format("subtitles", "subtitles.read_subtitles", 64 * MEGABYTE, prose=False)
_RTF = Format("RTF", "rtf.read_rtf", 64 * MEGABYTE)
_PDF = Format("PDF", "pdf.read_pdf", 512 * MEGABYTE)

# The zip formats, by a member that each has, or by what its member `mimetype` says.
_BY_MEMBER = {
    "word/": Format("Word document", "word.read_docx", 256 * MEGABYTE),
    "ppt/": Format("PowerPoint presentation", "slides.read_pptx", 512 * MEGABYTE),
    "xl/": Format("Excel workbook", "sheet.read_xlsx", 256 * MEGABYTE, prose=False),
    "META-INF/container.xml": Format("EPUB book", "book.read_epub", 256 * MEGABYTE),
}
_BUNDLE = Format("ZIP archive", "bundle.read_bundle", 256 * MEGABYTE, prose=False)
_OPEN_DOCUMENT = Format("OpenDocument", "opendocument.read_opendocument", 256 * MEGABYTE)
_BY_SUFFIX = {
    ".html": _WEB,
    ".htm": _WEB,
    ".xhtml": _WEB,
    ".eml": _MAIL,
    ".mht": _MAIL,
    ".mhtml": _MAIL,
    ".json": _JSON,
    ".jsonl": _JSON,
    ".ndjson": _JSON,
    ".geojson": _JSON,
    ".ipynb": _JSON,
    ".csv": _CSV,
    ".tsv": _CSV,
    ".tab": _CSV,
    ".srt": _SUBTITLES,
    ".vtt": _SUBTITLES,
}
_ZIPPED = {".zip", ".docx", ".pptx", ".xlsx", ".epub", ".odt", ".odp", ".ods", ".docm", ".pptm", ".xlsm"}

# How pictures begin that can be read where a library for it is installed.
_PICTURES = tuple(
    (begin, Format(name, "picture.read_picture", 256 * MEGABYTE))
    for begin, name in (
        (rb"\x89PNG\r\n\x1a\n", "PNG image"),
        (rb"\xff\xd8\xff", "JPEG image"),
        (rb"II\*\x00|MM\x00\*", "TIFF image"),
        (rb"BM.{4}\x00{4}", "BMP image"),
        (rb"RIFF.{4}WEBP", "WebP image"),
    )
)

_PICTURE_FORMATS = tuple(form for _, form in _PICTURES)
# What names promise of content that is no text.
_KINDS_BY_SUFFIX = {
    **dict.fromkeys(_ZIPPED, "zip"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"), "picture"),
    ".pdf": _PDF.name,
    ".rtf": _RTF.name,
    ".msg": "compound",
}

# How files begin that hold no text that we could read, and what to call them.
_UNSUPPORTED = (
    (rb"GIF8[79]a", "GIF image"),
    (rb"\x00\x00[\x01\x02]\x00", "icon"),
    (rb"8BPS", "Photoshop image"),
    (rb"RIFF.{4}WAVE|ID3|OggS|fLaC|\xff[\xfb\xf3\xf2]", "audio"),
    (rb".{4}ftyp(?:heic|heix|mif1|avif)", "image"),
    (rb".{4}ftypM4A", "audio"),
    (rb".{4}ftyp|\x1a\x45\xdf\xa3|RIFF.{4}AVI |\x00\x00\x01\xba", "video"),
    (rb"\x1f\x8b|BZh[1-9]|\xfd7zXZ\x00|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\x28\xb5\x2f\xfd|.{257}ustar", "archive"),
    (rb"\x7fELF|MZ.{58}|\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe", "program"),
    (rb"SQLite format 3\x00", "SQLite database"),
    (rb"wOF[F2]|\x00\x01\x00\x00\x00|OTTO", "font"),
    (rb"!BDN", "Outlook mailbox"),
    (rb"%!PS", "PostScript"),
)
_MAIL_FIELD = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9-]{1,60}):[ \t]*+(?P<value>[^\r\n]*+(?:\r?\n[ \t][^\r\n]*+)*+)(?:\r?\n|\Z)"
)
# Fields that a mail program writes and a person's memo does not.
_MAIL_MARKS = {"message-id", "received", "mime-version", "return-path", "dkim-signature", "x-mailer"}
_HTML = re.compile(
    r"(?:<\?xml[^>]*+>\s*+)?+(?:<!--(?>.*?-->)\s*+)*+(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE | re.DOTALL
)
_XML_HEAD = re.compile(r"<\?xml\s|<!DOCTYPE\s+\w", re.IGNORECASE)


def find_format(content: bytes, path: str) -> Format:
    """The format of a file, by its first HEAD_BYTES bytes, or by the whole of it where it is a zip.

    Raises UnreadableError where nothing here can read it: "unsupported format (GIF image)", "encrypted", "damaged".
    """
    head = content[:HEAD_BYTES]
    suffix = PurePosixPath(path).suffix.lower()
    plain = _is_plain(head)
    if head.lstrip().startswith(b"%PDF-") or (b"%PDF-" in head[:1024] and not plain):
        return _PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _find_zipped(content, suffix)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _find_compound(content)
    for begin, picture in _PICTURES:
        if re.match(begin, head, re.DOTALL) and not plain:
            return picture
    for begin, name in _UNSUPPORTED:
        # "MZ twins" and "ID3 inhibits" begin sentences too.
        if re.match(begin, head, re.DOTALL) and (not plain or name == "PostScript"):
            raise UnreadableError(f"unsupported format ({name})")
    return _find_textual(_peek(head).lstrip("\ufeff \t\r\n"), suffix)


def check_kind(head: bytes, path: str) -> None:
    """Raise UnreadableError where nothing here reads a file of such a name that begins with these HEAD_BYTES bytes.

    But: of containers, a zip or Microsoft's, the name alone is looked at; what is in them, their readers tell.
    """
    suffix = PurePosixPath(path).suffix.lower()
    if head.startswith(b"PK"):
        kind = "zip"
        if suffix not in _ZIPPED:
            raise UnreadableError("unsupported format (archive)")
    elif head.startswith(b"\xd0\xcf\x11\xe0"):
        kind = "compound"
        if suffix != ".msg":
            raise UnreadableError("unsupported format (Office of before 2007: save it as .docx, .pptx or .xlsx)")
    else:
        form = find_format(head, path)
        kind = "picture" if form in _PICTURE_FORMATS else form.name
        if form is TEXT:
            from index.loading.formats.text import decode

            decode(head)
    if _KINDS_BY_SUFFIX.get(suffix, kind) != kind:
        raise UnreadableError(f"named {suffix}, and no such file")


def _is_plain(head: bytes) -> bool:
    """Whether these bytes are UTF-8 without control characters, as no binary format's first ones are."""
    if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]", head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.end == len(head) and error.reason == "unexpected end of data"  # cut within a character
    return True


def _find_textual(head: str, suffix: str) -> Format:
    """The format of a file that is readable as it stands, by its first characters."""
    if head.startswith("{\\rtf"):
        return _RTF
    if _HTML.match(head):
        return _WEB
    if _looks_like_mail(head):
        return _MAIL
    if _XML_HEAD.match(head) or (suffix == ".xml" and head.startswith("<")):
        return _XML
    form = _BY_SUFFIX.get(suffix, TEXT)
    # A suffix is believed only where the content could be what it says.
    if (form is _WEB and "<" not in head) or (form is _MAIL and not _MAIL_FIELD.match(head)):
        return TEXT
    if (form is _JSON and not head.startswith(("{", "[", '"'))) or (form is _SUBTITLES and "-->" not in head):
        return TEXT
    return form


def _peek(head: bytes) -> str:
    """The first characters, near enough to tell the format by."""
    from index.loading.formats.text import find_encoding

    return head.decode(find_encoding(head) or "utf-8", "replace")


def _looks_like_mail(head: str) -> bool:
    """Whether a text begins with an e-mail's header; a memo's "From: … To: …" is not enough."""
    offset = head.index("\n") + 1 if head.startswith("From ") and "\n" in head else 0
    names = set()
    while field := _MAIL_FIELD.match(head, offset):
        names.add(field["name"].lower())
        offset = field.end()
    return bool(names & _MAIL_MARKS) and bool(names & {"from", "to", "subject", "date", "content-type"})


def _find_zipped(content: bytes, suffix: str) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            kind = archive.read("mimetype")[:100] if "mimetype" in names[:3] else b""
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, NotImplementedError) as error:
        raise UnreadableError("damaged" if suffix in _ZIPPED else "unsupported format (archive)") from error
    if suffix == ".zip" and not {"[Content_Types].xml", "mimetype"} & {*names}:
        return _BUNDLE
    if kind.startswith(b"application/vnd.oasis.opendocument."):
        return _OPEN_DOCUMENT
    for member, form in _BY_MEMBER.items():
        if any(name.replace("\\", "/").startswith(member) for name in names):
            return form
    raise UnreadableError("damaged" if suffix in _ZIPPED else "unsupported format (archive)")


def _find_compound(content: bytes) -> Format:
    """The format of a file that is Microsoft's container of before 2007, by what lies at its root.

    Raises UnreadableError where that is no message, with what it is, or seems to be where it is damaged.
    """
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(content)) as container:
            names = {str(kid.name) for kid in container.root.kids}
    except Exception:  # whatever its library meets in it
        names = None
    if names is not None and "__properties_version1.0" in names:
        return _OUTLOOK
    for stream, reason in (
        ("EncryptedPackage", "encrypted"),
        ("WordDocument", "unsupported format (Word of before 2007: save it as .docx)"),
        ("PowerPoint Document", "unsupported format (PowerPoint of before 2007: save it as .pptx)"),
        ("Workbook", "unsupported format (Excel of before 2007: save it as .xlsx)"),
        ("__properties_version1.0", "damaged"),
    ):
        if stream in names if names else stream.encode("utf-16-le") in content:
            raise UnreadableError(reason)
    raise UnreadableError("unsupported format (Microsoft compound file)")
