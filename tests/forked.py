"""The command `footnote` in processes of its own, forked off one that has loaded everything: 0.1 s each, not 2.

Its embedding costs nothing. What brings a process down, brings down no test.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

HERE = Path(__file__).parent
SECONDS = 60  # that a command may take

_LOADED = f'''
import ctypes, json, os, signal, sys, traceback
sys.path.insert(0, {str(HERE)!r})
import chromadb, chromadb.api.rust, filelock, numpy
import assistant.chain, index.library, index.sync
exec(sys.argv[1])
from assistant.__main__ import main
from hashed import WideEmbedding
class Words(WideEmbedding):
    """Texts are near each other that share words."""
    def _hash(self, texts):
        words = [text.lower().replace(".", "").replace("?", "").split() or ["nothing"] for text in texts]
        vectors = numpy.array([super(Words, self)._hash(each).sum(axis=0) for each in words], numpy.float32)
        vectors = vectors.reshape(len(texts), self.dimensions)
        return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)
def open_embedding(settings):
    return Words()
    yield
index.library.open_embedding = open_embedding
for line in sys.stdin:
    task = json.loads(line)
    if not (child := os.fork()):
        signal.alarm({SECONDS})
        os.environ.update(task["environment"])
        for number, name in enumerate((os.devnull, *task["outputs"])):
            os.dup2(os.open(name, os.O_RDWR), number)
        if task["is_powerless"]:
            none = (ctypes.c_uint32 * 6)()
            assert not ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), none)
        sys.argv[1:] = task["arguments"]
        try:
            main()
        except SystemExit as end:
            os._exit(end.code or 0)  # at once: to take all down that was loaded would take half of the time
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
'''


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, or the signal that ended it, below 0; and what it said."""

    code: int
    output: str
    errors: str


class Footnote:
    """Runs commands, one at a time; `first`: Python that is run before them."""

    def __init__(self, first: str = "") -> None:
        command = [sys.executable, "-c", _LOADED, first]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate(timeout=SECONDS)

    def run(
        self,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        output: str = "",
        is_powerless: bool = False,
        until: str = "",
    ) -> Ended:
        """Run one command to its end.

        output: where its output goes, if not here. is_powerless: whether it may do no more than any user, even if it
        is root's. until: what ends it once it is said.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as errors:
            task = {
                "arguments": [*map(str, arguments)],
                "environment": {**os.environ, **(environment or {})},
                "outputs": [output or out.name, errors.name],
                "is_powerless": is_powerless,
            }
            self._process.stdin.write(json.dumps(task) + "\n")
            self._process.stdin.flush()
            child = int(self._process.stdout.readline())
            while until and not select.select([self._process.stdout], [], [], 0.1)[0]:
                if until in Path(out.name).read_text():
                    os.kill(child, signal.SIGKILL)
                    break
            code = int(self._process.stdout.readline())
            return Ended(code, out.read(), errors.read())
