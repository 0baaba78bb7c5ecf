"""Files made for the tests, as real programs write them or as nobody should."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from index.documents import Document
from index.loading.loader import load

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def read(tmp_path: Path, name: str, content: bytes | str) -> Document:
    """The document that a file of this content is."""
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(file, name)


def make_zip(members: Mapping[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def make_docx(body: str, **parts: str) -> bytes:
    """A Word document by the XML of its body and that of other parts ("footnotes", "styles")."""
    relations = "".join(f'<Relationship Id="r{name}" Type="{RELATIONS}/{name}" Target="{name}.xml"/>' for name in parts)
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    return make_zip(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r" Type="{RELATIONS}/officeDocument" '
            'Target="word/document.xml"/></Relationships>',
            "word/document.xml": f"<w:document {WORD}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{package}">{relations}</Relationships>',
            **{f"word/{name}.xml": content for name, content in parts.items()},
        }
    )


def make_pdf(pages: Sequence[str | bytes], *, trailer: str = "", info: str = "", filters: str = "") -> bytes:
    """A PDF with these lines of text on its pages; bytes are a page's content stream as it stands."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        if isinstance(page, str):
            lines = "".join(f"({line}) Tj 0 -14 Td " for line in page.split("\n"))
            page = f"BT /F1 12 Tf 72 720 Td {lines} ET".encode("cp1252")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {5 + 2 * number} 0 R >>".encode()
        )
        objects.append(f"<< /Length {len(page)} {filters} >>\nstream\n".encode() + page + b"\nendstream")
    objects.append(f"<< {info} >>".encode())
    return join_pdf(objects, f"/Root 1 0 R /Info {len(objects)} 0 R {trailer}")


def join_pdf(objects: Sequence[bytes], trailer: str) -> bytes:
    content = b"%PDF-1.7\n"
    places = []
    for number, value in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, value)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        content
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer\n<< /Size {len(objects) + 1} {trailer} >>\nstartxref\n{len(content)}\n%%EOF\n"
        ).encode()
    )


def deflate(content: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        content = zlib.compress(content, 9)
    return content
