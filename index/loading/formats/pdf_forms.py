"""What stands on a page of a PDF beside its letters: what a form's fields hold, and links that have no words."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from index.loading.formats.blocks import tidy
from index.loading.formats.pdf_letters import Bounds, Piece, turn_boxes

_MOST_ANNOTATIONS = 1_000  # of a page
_MOST_VALUE_BYTES = 200_000
_MOST_ADDRESS_BYTES = 2_000
_HIDDEN = 2 | 32
_LABEL_POINTS = 200.0  # between a field and its label, at most


def take_fields(page: Any, forms: Any) -> list[Piece]:
    """What a page's fields hold, which are taken off the page; boxes to be ticked as "[x]" or "[ ]".

    The pieces' places are those of the fields; `name_fields` puts them beside their labels.
    """
    from pypdfium2 import raw

    texts = (raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX)
    found: list[Piece] = []
    taken = []
    for number in range(min(raw.FPDFPage_GetAnnotCount(page.raw), _MOST_ANNOTATIONS)):
        with _open(page, number) as annotation:
            if not annotation or raw.FPDFAnnot_GetSubtype(annotation) != raw.FPDF_ANNOT_WIDGET:
                continue
            kind = raw.FPDFAnnot_GetFormFieldType(forms, annotation)
            is_box = kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON)
            if not is_box and kind not in texts:
                continue
            taken.append(number)
            if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
                continue
            if is_box:
                value = "[x]" if raw.FPDFAnnot_IsChecked(forms, annotation) else "[ ]"
            else:
                value = _read_text(raw.FPDFAnnot_GetFormFieldValue, forms, annotation)
            if value:
                name = _read_text(raw.FPDFAnnot_GetFormFieldAlternateName, forms, annotation)
                name = name or _read_text(raw.FPDFAnnot_GetFormFieldName, forms, annotation)
                piece = Piece(
                    value,
                    0,
                    0,
                    *_read_bounds(annotation, raw.FPDFPage_GetRotation(page.raw)),
                    0,
                    0,
                    0,
                    is_filled_in=True,
                )
                piece.name = name
                found.append(piece)
    for number in reversed(taken):
        raw.FPDFPage_RemoveAnnot(page.raw, number)
    return found


def turn_fields(fields: list[Piece], turn: int) -> None:
    """Turn the places of fields by quarters, clockwise, as those of the page's letters are."""
    for piece in fields if turn % 4 else []:
        piece.left, piece.bottom, piece.right, piece.top = _turn(
            (piece.left, piece.bottom, piece.right, piece.top), turn
        )


def name_fields(fields: list[Piece], pieces: list[Piece]) -> None:
    """Give each field the place of its label, on its line or above it, or its own name where it has none.

    A box's label is what stands to its right, else to its left.
    """
    for number, field in enumerate(fields, 1):
        is_box = field.text in ("[x]", "[ ]")
        field.size = min(field.top - field.bottom, 12.0)
        beside = [
            piece
            for piece in pieces
            if min(piece.top, field.top) - max(piece.bottom, field.bottom) > 0.4 * (piece.top - piece.bottom)
        ]
        before = [piece for piece in beside if piece.left < field.left and field.left - piece.right < _LABEL_POINTS]
        after = [piece for piece in beside if 0 <= piece.left - field.right + 2 < 3 * piece.size]
        above = [
            piece
            for piece in pieces
            if -2 < piece.bottom - field.top + 4 < 2 * piece.size
            and piece.left < field.right
            and piece.right > field.left
        ]
        if is_box and after:
            label, shift = min(after, key=lambda piece: piece.left), -0.5
        elif before:
            label, shift = max(before, key=lambda piece: (piece.right, piece.order)), 0.5
        elif above and not is_box:
            label, shift = min(above, key=lambda piece: piece.bottom), 0.5
            field.order, field.line = label.order + shift, -number
            continue
        else:
            higher = [piece for piece in pieces if piece.middle > field.middle]
            label, shift = min(higher, key=lambda piece: piece.middle, default=field), 0.75
            if field.name:
                field.text = f"{field.text} {field.name}" if is_box else f"{field.name}: {field.text}"
            field.order, field.line = label.order + shift, -number
            continue
        field.order, field.line, field.size = label.order + shift, label.line, label.size
        field.bottom, field.top = label.bottom, label.top
    # What two fields have of one label keeps the order in which they stand.
    for place, field in enumerate(sorted(fields, key=lambda field: (-field.middle, field.left))):
        field.order += place * 1e-4


def find_addresses(page: Any, pieces: list[Piece], turn: int) -> list[str]:
    """The addresses of the links on a page that have no words. turn: of the pieces, in quarters, clockwise."""
    from pypdfium2 import raw

    found = []
    for number in range(min(raw.FPDFPage_GetAnnotCount(page.raw), _MOST_ANNOTATIONS)):
        with _open(page, number) as annotation:
            if not annotation or raw.FPDFAnnot_GetSubtype(annotation) != raw.FPDF_ANNOT_LINK:
                continue
            link = raw.FPDFAnnot_GetLink(annotation)
            action = link and raw.FPDFLink_GetAction(link)
            if not action or raw.FPDFAction_GetType(action) != raw.PDFACTION_URI:
                continue
            left, bottom, right, top = _read_bounds(annotation, turn)
            if any(p.left < right and p.right > left and bottom - 1 <= p.middle <= top + 1 for p in pieces):
                continue
            buffer = ctypes.create_string_buffer(_MOST_ADDRESS_BYTES)
            document = page.pdf.raw
            length = raw.FPDFAction_GetURIPath(document, action, buffer, _MOST_ADDRESS_BYTES)
            address = (
                buffer.raw[: max(length - 1, 0)].decode("utf-8", "replace") if length <= _MOST_ADDRESS_BYTES else ""
            )
            if address.startswith(("http://", "https://", "mailto:")):
                found.append(tidy(address))
    return found


@contextmanager
def _open(page: Any, number: int) -> Iterator[Any]:
    from pypdfium2 import raw

    annotation = raw.FPDFPage_GetAnnot(page.raw, number)
    try:
        yield annotation
    finally:
        if annotation:
            raw.FPDFPage_CloseAnnot(annotation)


def _read_text(read: Callable[..., int], forms: Any, annotation: Any) -> str:
    """A field's text, on one line."""
    from pypdfium2.raw import FPDF_WCHAR

    length = min(read(forms, annotation, None, 0), _MOST_VALUE_BYTES)
    if length <= 2:
        return ""
    buffer = (FPDF_WCHAR * (length // 2 + 1))()
    if read(forms, annotation, buffer, length) > length:
        return ""
    return tidy(bytes(buffer)[: length - 2].decode("utf-16-le", "replace")).replace("\n", " ")


def _read_bounds(annotation: Any, turn: int) -> Bounds:
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, box)
    return _turn((box.left, box.bottom, box.right, box.top), turn)


def _turn(bounds: Bounds, turn: int) -> Bounds:
    left, bottom, right, top = turn_boxes(np.array([bounds], np.float64), turn)[0].tolist()
    return (min(left, right), min(bottom, top), max(left, right), max(bottom, top))
