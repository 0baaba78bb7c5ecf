"""Files made for the tests, as real programs write them or as nobody should."""

from __future__ import annotations

import io
import struct
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


Tree = Mapping[str, "bytes | Tree"]


def make_compound(tree: Tree) -> bytes:
    """Microsoft's compound file ([MS-CFB], version 3) of these files and folders."""
    entries: list[list[object]] = []  # name, kind, left, right, child, first sector, size
    small, large = bytearray(), bytearray()  # files below 4,096 bytes lie in sectors of 64 bytes, within one file
    small_chains: list[int] = []
    chains: list[int] = []

    def chain(table: list[int], count: int) -> int:
        first = len(table)
        table.extend(range(first + 1, first + count))
        table.append(0xFFFFFFFE)
        return first

    def store(content: bytes) -> int:
        first = chain(chains, -(-len(content) // 512))
        large.extend(content + bytes(-len(content) % 512))
        return first

    def add(name: str, value: bytes | Tree) -> int:
        entry: list[object] = [name, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0]
        entries.append(entry)
        number = len(entries) - 1
        if isinstance(value, bytes):
            entry[1], entry[6] = 2, len(value)
            if not value:
                entry[5] = 0xFFFFFFFE
            elif len(value) < 4096:
                entry[5] = chain(small_chains, -(-len(value) // 64))
                small.extend(value + bytes(-len(value) % 64))
            else:
                entry[5] = store(value)
        else:
            kids = sorted(value, key=lambda kid: (len(kid), kid.upper()))
            entry[4] = grow([add(kid, value[kid]) for kid in kids])
        return number

    def grow(kids: list[int]) -> int:
        if not kids:
            return 0xFFFFFFFF
        middle = len(kids) // 2
        entries[kids[middle]][2:4] = grow(kids[:middle]), grow(kids[middle + 1 :])
        return kids[middle]

    add("Root Entry", tree)
    entries[0][1], entries[0][5], entries[0][6] = 5, store(bytes(small)) if small else 0xFFFFFFFE, len(small)
    directory = b""
    for name, kind, left, right, child, first, size in entries:
        encoded = str(name).encode("utf-16-le") + b"\0\0"
        directory += struct.pack("<64sHBBIII", encoded, len(encoded), kind, 1, left, right, child) + bytes(36)
        directory += struct.pack("<IQ", first, size)
    directory_start = store(directory)
    small_table = struct.pack(f"<{len(small_chains)}I", *small_chains)
    small_table += b"\xff" * (-len(small_table) % 512)
    small_start = store(small_table) if small_table else 0xFFFFFFFE
    table_count = 0
    while (len(chains) + table_count) * 4 > table_count * 512:
        table_count += 1
    assert table_count <= 109
    tables = [len(chains) + number for number in range(table_count)]
    table = struct.pack(f"<{len(chains)}I", *chains) + struct.pack("<I", 0xFFFFFFFD) * table_count
    table += b"\xff" * (-len(table) % 512)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, table_count, directory_start, 0, 4096,
                        small_start, len(small_table) // 512, 0xFFFFFFFE, 0, 0xFFFFFFFF)[:-4]  # fmt: skip
    head += struct.pack("<109I", *tables, *[0xFFFFFFFF] * (109 - table_count))
    return head + bytes(large) + table


def make_outlook(
    texts: Mapping[str, str | bytes],
    numbers: Mapping[int, int] | None = None,
    *,
    recipients: Sequence[tuple[int, Mapping[str, str | bytes]]] = (),
    attachments: Sequence[Mapping[str, str | bytes | Tree]] = (),
    head_bytes: int = 32,
) -> Tree:
    """What a compound file of an Outlook message holds; texts by property, bytes by property and type ("10130102")."""
    tree: dict[str, bytes | Tree] = {"__properties_version1.0": _to_table(head_bytes, numbers or {})}
    tree |= _to_properties(texts)
    for place, (kind, properties) in enumerate(recipients):
        table = {"__properties_version1.0": _to_table(8, {0x0C15: kind})}
        tree[f"__recip_version1.0_#{place:08X}"] = {**table, **_to_properties(properties)}
    for place, attachment in enumerate(attachments):
        tree[f"__attach_version1.0_#{place:08X}"] = {
            "__properties_version1.0": _to_table(8, {}),
            **_to_properties(attachment),
        }
    return tree


def _to_table(head_bytes: int, numbers: Mapping[int, int]) -> bytes:
    rows = (struct.pack("<HHIQ", 3, number, 6, value) for number, value in numbers.items())
    return bytes(head_bytes) + b"".join(rows)


def _to_properties(texts: Mapping[str, str | bytes | Tree]) -> dict[str, bytes | Tree]:
    return {
        f"__substg1.0_{name}001F" if isinstance(value, str) else f"__substg1.0_{name}": value.encode("utf-16-le")
        if isinstance(value, str)
        else value
        for name, value in texts.items()
    }
