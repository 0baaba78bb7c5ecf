"""The commands `footnote verify` and `footnote cite`: whether saved citations still stand, and where words stand."""

from __future__ import annotations

import json as json_format
import textwrap
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.serving.commands.opening import sync_folder
from assistant.serving.progress import show_progress
from assistant.showing.terminal import to_plain
from index.settings import read_path

if TYPE_CHECKING:
    from assistant.verifying import Verification, VerifiedCitation
    from index.searching.quotations import QuotePlace

_WIDTH = 96
_BY_DEFAULT = "By default FOOTNOTE_DOCUMENTS, else the samples."


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Answers saved as JSON, HTML, Markdown or printed text.")],
    documents: Annotated[
        str | None,
        typer.Option(
            "--documents", metavar="FOLDER", help=f"The folder that the citations are held against. {_BY_DEFAULT}"
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the whole as JSON.")] = False,
) -> None:
    """Say of each citation in a file of saved answers whether it stands. Exit code 1 where some changed or are gone."""
    from assistant.verifying import verify as hold_against

    saved = read_path(file, "The file")
    library, _ = show_progress(sync_folder(documents))
    verified = hold_against(saved, library)
    print(verified.to_json(indent=1) if json else lay_out(verified, library.address))
    if not verified.holds:
        raise typer.Exit(1)


def cite(
    quote: Annotated[str, typer.Argument(metavar="QUOTE", help="The words to look for, in quotation marks.")],
    documents: Annotated[
        str | None, typer.Option("--documents", metavar="FOLDER", help=f"The folder to look in. {_BY_DEFAULT}")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PATH", help="A file or folder in it, or a pattern, to look in; repeatable."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the places as JSON.")] = False,
) -> None:
    """Find where a quotation stands, exactly or nearly. Exit code 1 where it stands nowhere."""
    from index.searching.quotations import find_quote
    from index.searching.selection import read_patterns

    patterns = read_patterns(only or ())
    library, report = show_progress(sync_folder(documents))
    places = find_quote(library.select(patterns, report.skipped), quote)
    if json:
        print(json_format.dumps([asdict(place) for place in places], ensure_ascii=False, indent=1))
    else:
        print("\n".join(line for place in places for line in _lay_out_place(place)) or "It stands nowhere.")
    if not places:
        raise typer.Exit(1)


def lay_out(verified: Verification, folder: Path | str) -> str:
    """What has become of the citations of a file, for the terminal. folder: that they were held against."""
    if not verified.citations:
        return "The answers in this file cite nothing: there is nothing to verify."
    lines = [line for citation in verified.citations for line in _lay_out_citation(citation)]
    counts: Counter[str] = Counter(citation.verdict for citation in verified.citations)
    told = ", ".join(f"{counts[one]:,} {words[counts[one] > 1]}" for one, words in _TOLD.items() if counts[one])
    count = len(verified.citations)
    lines += ["", to_plain(f"Held against the documents in {folder}.")]
    if counts["gone"] == count:
        lines.append("If they were cited from another folder, give it with --documents.")
    return "\n".join([*lines, f"{count:,} {'citation' if count == 1 else 'citations'}: {told}."])


_TOLD = {
    "stands": ("stands", "stand"),
    "moved": ("has moved", "have moved"),
    "changed": ("is changed", "are changed"),
    "gone": ("is gone", "are gone"),
}


def _lay_out_citation(citation: VerifiedCitation) -> list[str]:
    place = citation.place
    is_other = citation.is_file_unchanged is False and citation.verdict == "stands"
    note = ", though the file has changed" if is_other else ""
    lines = [f"[{citation.number}] {citation.verdict:<8}{to_plain(_describe_way(citation))}{note}"]
    if citation.quote and citation.verdict != "stands":
        lines += _wrap(f"“{citation.quote}”")
    if citation.difference:
        lines += _wrap(f"now: {citation.difference}")
        if place and place.quote:
            lines += [f"    there: {to_plain(_describe_place(place))}", *_wrap(f"“{place.quote}”")]
    return lines


def _describe_way(citation: VerifiedCitation) -> str:
    """Where a citation stood, and where it stands now: "a.md → b.md, characters 3-8"."""
    place = citation.place
    if place is None or (citation.verdict == "changed" and place.path == citation.path):
        return citation.path
    if citation.kind == "document":
        return citation.path if citation.verdict == "stands" else f"{citation.path} → {place.path}"
    if citation.verdict == "stands":
        return _describe_place(place)
    if place.path != citation.path or citation.start < 0:
        return f"{citation.path} → {_describe_place(place)}"
    page = f", page {place.page}" if place.page else ""
    return f"{place.path}{page}, characters {citation.start}-{citation.end} → {place.start}-{place.end}"


def _lay_out_place(place: QuotePlace) -> list[str]:
    lines = [to_plain(_describe_place(place)), *_wrap(f"“{place.quote}”")]
    return lines if place.is_exact else [*lines, *_wrap(place.difference)]


def _describe_place(place: QuotePlace) -> str:
    page = f", page {place.page}" if place.page else ""
    return f"{place.path}{page}, characters {place.start}-{place.end}"


def _wrap(words: str) -> list[str]:
    line = textwrap.shorten(to_plain(" ".join(words.split())), 600, placeholder=" …")
    return textwrap.wrap(line, _WIDTH, initial_indent="    ", subsequent_indent="    ")
