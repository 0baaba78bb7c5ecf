"""The command `footnote serve`."""

from __future__ import annotations

from assistant.serving.commands import Folders, Host, Log, Names, Port, Uploads, UsersFile
from assistant.serving.commands.opening import open_libraries, open_way_in


def serve(
    folders: Folders = None,
    port: Port = 7860,
    uploads: Uploads = None,
    host: Host = "127.0.0.1",
    name: Names = None,
    users: UsersFile = None,
    log: Log = None,
) -> None:
    """Serve one or several folders to programs, over HTTP without a page."""
    entrance = open_way_in(host, name, users)
    served = open_libraries(folders, uploads, entrance)

    from assistant.serving.server import build_server, run_server

    run_server(build_server(served, entrance, log=log), served, entrance, port=port)
