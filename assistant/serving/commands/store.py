"""The commands `footnote sync`, `check` and `documents`: a folder's store."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.serving.commands import Folder
from assistant.serving.commands.opening import open_folder, sync_folder
from assistant.serving.commands.workers import working_beside
from assistant.serving.progress import show_progress, tell
from assistant.showing.terminal import to_plain


def sync(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="The folder of documents.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would change.")] = False,
    checksum: Annotated[bool, typer.Option("--checksum", help="Read every file, whatever its time of change.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Throw the folder's store away and build it again.")] = False,
    workers: Annotated[
        int,
        typer.Option(
            help="How many processes read the folder; needs a Chroma server, FOOTNOTE_CHROMA_URL.", min=1, max=64
        ),
    ] = 1,
) -> None:
    """Make the store equal to the folder. Exit code 3 where some files could not be read, or only in part."""
    if anew and dry_run:
        raise typer.BadParameter("--anew throws the store away, so that a dry run of it cannot be had: choose one.")
    if workers > 1 and dry_run:
        raise typer.BadParameter("A dry run is one worker's: leave out --workers.")
    with working_beside(folder, workers - 1, anew=anew, checksum=checksum):
        _, report = show_progress(sync_folder(folder, patient=True, anew=anew, checksum=checksum, dry_run=dry_run))
    if dry_run:
        for name in ("added", "changed", "moved", "removed"):
            for path in getattr(report, name):
                print(f"{name:<9}{to_plain(path)}")
    for path, reason in sorted(report.skipped.items()):
        print(f"skipped  {to_plain(path)}: {to_plain(reason)}")
    for path, unread in sorted(report.partial.items()):
        print(f"partial  {to_plain(path)}: read in part: {to_plain(unread)}")
    print(report.summary())
    if report.skipped or report.partial:
        raise typer.Exit(3)


def check(
    folder: Folder = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is wrong.")] = False,
) -> None:
    """Verify that a folder's store is whole. Exit code 1 where it is not."""
    library = show_progress(open_folder(folder))
    with library.store.writing():
        with tell("passages") as told:
            wrong = library.store.check(told)
        if repair:
            library.store.repair(wrong)
    for problem in wrong.values():
        print(to_plain(problem))
    if repair and wrong:
        show_progress(library.sync())
        with library.store.writing(), tell("passages") as told:
            wrong = library.store.check(told)
        print("Mended." if not wrong else "Not mended: footnote sync --anew makes the store afresh.")
    elif not wrong:
        print("The store is whole.")
    if wrong:
        raise typer.Exit(1)


def copy(
    to: Annotated[str, typer.Argument(metavar="server|here", help="Where to: server, FOOTNOTE_CHROMA_URL; or here.")],
    folder: Folder = None,
) -> None:
    """Copy a folder's store to a Chroma server, or back to this machine. Nothing is embedded anew."""
    from index.library import copy_store
    from index.settings import Settings

    if to not in ("server", "here"):
        raise typer.BadParameter(f"A store is copied to the server or here, not to {to}: give server or here.")
    settings = Settings.from_environment()
    chosen = settings.documents if folder is None else folder
    count = show_progress(copy_store(chosen, settings, to_server=to == "server"))
    print(f"The store {'on the server' if to == 'server' else 'here'} holds {count:,} documents.")


store_command = typer.Typer(help="Move a folder's store between this machine and a Chroma server.")
store_command.command()(copy)
store_command.callback()(lambda: None)


def documents(folder: Folder = None) -> None:
    """List the documents that answers are made from."""
    library, _ = show_progress(sync_folder(folder))
    for record in library.store.lexicon.records():
        unread = f"  (read in part: {record.unread})" if record.unread else ""
        print(f"{record.date or '          '}  {to_plain(f'{record.path}  {record.title}{unread}')}")
