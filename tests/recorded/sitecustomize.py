"""Writes down whom a Python process and its children turn to over the network, into the file FOOTNOTE_RECORD.

Python imports this by its name where the folder stands in PYTHONPATH. But: what compiled code does by itself it does
not see.
"""

from __future__ import annotations

import json
import os
import socket
import sys

_TOLD = {
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
    "socket.getnameinfo",
    "socket.sendto",
    "socket.sendmsg",
}


def _record(event: str, details: tuple[object, ...]) -> None:
    if event not in _TOLD:
        return
    if event.startswith("socket.get"):
        whom = details[0]
    else:  # a socket and an address, of which a socket between processes has none
        whom = details[-1] if getattr(details[0], "family", None) != socket.AF_UNIX else None
    if whom is not None:
        line = json.dumps([event, whom[0] if isinstance(whom, tuple) else str(whom)])
        descriptor = os.open(os.environ["FOOTNOTE_RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, f"{line}\n".encode())
        os.close(descriptor)


if "FOOTNOTE_RECORD" in os.environ:
    sys.addaudithook(_record)
