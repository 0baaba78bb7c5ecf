"""Functions of a test module in processes of their own, forked off one that has loaded everything: 0.1 s each, not 2.

with Nursery("test_hard_folders") as nursery:
    child = nursery.fork("compare", folder, stores)
    child.stdout.readline()

What brings a process down, or hangs in it, brings down no test.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent

# A keeper stands between each child and the nursery, so that each is waited for by itself.
_NURSERY = """
import importlib, json, os, signal, socket, sys, traceback
sys.path.insert(0, sys.argv[1])
import chromadb, chromadb.api.rust, numpy, index.sync
module = importlib.import_module(sys.argv[2])
asked = socket.socket(fileno=int(sys.argv[3]))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    task, ends, _, _ = socket.recv_fds(asked, 65536, 4)
    if not task:
        break
    if not os.fork():
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        asked.close()
        *standard, told = ends
        if not (child := os.fork()):
            os.close(told)
            for number, end in enumerate(standard):
                os.dup2(end, number)
                os.close(end)
            code = 1
            try:
                name, arguments = json.loads(task)
                getattr(module, name)(*arguments)
                code = 0
            except SystemExit as end:
                print(end.code, file=sys.stderr)
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        for end in standard:
            os.close(end)
        os.write(told, f"{child}\\n".encode())
        os.write(told, f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\\n".encode())
        os._exit(0)
    for end in ends:
        os.close(end)
"""


class Child:
    """A process, as `subprocess.Popen` gives one: what it is told, what it says, and how it ended."""

    def __init__(self, stdin: int, stdout: int, stderr: int, told: int) -> None:
        self.stdin = os.fdopen(stdin, "w", encoding="utf-8")
        self.stdout = os.fdopen(stdout, encoding="utf-8")
        self.stderr = os.fdopen(stderr, encoding="utf-8")
        self.returncode: int | None = None
        self._told = os.fdopen(told, encoding="utf-8")
        self.pid = int(self._told.readline())

    def poll(self) -> int | None:
        """How it ended, or None while it has not."""
        return self._look(0)

    def wait(self, timeout: float) -> int:
        """How it ends. Raises TimeoutError where it does not within so many seconds."""
        if self._look(timeout) is None:
            raise TimeoutError(f"the process did not end within {timeout:g} s")
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """End it, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def communicate(self, timeout: float) -> tuple[str, str]:
        """What it still says, to its end."""
        with suppress(BrokenPipeError):
            self.stdin.close()
        self.wait(timeout)
        said = self.stdout.read(), self.stderr.read()
        for end in (self.stdout, self.stderr, self._told):
            end.close()
        return said

    def _look(self, timeout: float) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            self.returncode = int(self._told.readline())
        return self.returncode


class Nursery:
    """Forks children that have loaded Chroma, the walk of a sync and one module of the tests."""

    def __init__(self, module: str) -> None:
        self._asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with asked:
            command = [sys.executable, "-c", _NURSERY, str(HERE), module, str(asked.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[asked.fileno()])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._asking.close()
        self._process.wait(timeout=30)

    def fork(self, function: str, *arguments: Any) -> Child:
        """Call a function of the module in a process of its own. arguments: as JSON takes them, or paths."""
        pipes = [os.pipe() for _ in range(4)]  # for it to read, and thrice for us
        theirs = [pipes[0][0], *(into for _, into in pipes[1:])]
        task = json.dumps([function, arguments], default=str)
        socket.send_fds(self._asking, [task.encode()], theirs)
        for end in theirs:
            os.close(end)
        return Child(pipes[0][1], *(out for out, _ in pipes[1:]))
