"""What a forked process inherits and cannot use: the threads of the store and of the engine are not in it."""

from __future__ import annotations

import os

from index.errors import InputError

_processes: set[int] = set()  # the ids of those that have used Footnote: this one, and what it was forked from


def note_use(*held: object) -> None:
    """This process opens something. held: what refers to all that it opens."""
    if os.getpid() in _processes:
        return
    _processes.add(os.getpid())
    if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
        os.register_at_fork(after_in_child=lambda: _keep(held))


def refuse_inherited() -> None:
    """Raise InputError where this process was forked from one that had used Footnote. Waits for nothing."""
    if _processes - {os.getpid()}:
        raise InputError(
            "This process was forked from one that had used Footnote already: have processes started anew "
            "(multiprocessing's “spawn”), or fork before Footnote is first used."
        )


def _keep(held: object) -> None:
    """Keep something beyond the end of Python: to take it down would be to wait for threads that are not there."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(held))
