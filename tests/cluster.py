"""Workers and chats in processes of their own, over one folder and one Chroma server: what they are asked, and told.

Each is a machine of its own, with its own place for stores. Every file of the folder holds one fact that no other has,
so that of every answer it can be said whether it is right, whatever goes on.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

from assistant.answers.answer import Answer
from index.documents import identify

ROOT = Path(__file__).resolve().parent.parent
ASK_SECONDS = 0.3  # between two questions to a chat
START_SECONDS = 60.0  # that a chat may take to listen, on a busy machine
END_SECONDS = 600.0  # that a worker may take


class Facts:
    """A folder of small files, and all that each of them ever said.

    What a file says is noted before it is written, so that nobody can have read what is not noted.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.said: list[list[str]] = []
        self.deleted: set[int] = set()  # from before a file is deleted on
        for _ in range(count):
            self.write(len(self.said))

    def write(self, number: int) -> None:
        """Write a file, a new one or another version, in one go."""
        if number == len(self.said):
            self.said.append([])
        version = len(self.said[number])
        place, person = _name(f"place {number}"), _name(f"person {number} {version}")
        self.said[number].append(f"The keeper of the {place} lighthouse is {person}.")
        file = self.file(number)
        file.parent.mkdir(exist_ok=True)
        beside = self.folder / ".being-written"
        beside.write_text(self.said[number][-1] + "\n", encoding="utf-8")
        beside.replace(file)

    def delete(self, number: int) -> None:
        """Delete a file, for good."""
        self.deleted.add(number)
        self.file(number).unlink()

    def choose(self, chance: random.Random) -> int:
        """A file, mostly one that is there."""
        number = chance.randrange(len(self.said))
        return chance.randrange(len(self.said)) if number in self.deleted else number

    def change(self, chance: random.Random) -> None:
        """Add, change or delete a file."""
        number = chance.choice([n for n in range(len(self.said)) if n not in self.deleted])
        match chance.randrange(3):
            case 0:
                self.write(len(self.said))
            case 1:
                self.write(number)
            case 2:
                self.delete(number)

    def file(self, number: int) -> Path:
        """Where a file lies, some hundred in a folder."""
        return self.folder / f"{number // 100:02}" / f"{number:04}.txt"

    def question(self, number: int) -> str:
        """What is answered by a file's fact, and by nothing else."""
        return f"Who is the keeper of the {_name(f'place {number}')} lighthouse?"

    def find_version(self, number: int, answer: Answer) -> int:
        """Which of a file's versions an answer is made from; -1 for none. Raises AssertionError where it is wrong."""
        if not answer.found:
            assert not answer.citations, f"{number}: not found, and cited: {answer.text}"
            return -1
        [citation] = answer.citations
        said = self.said[number]
        assert citation.quote in said, f"{number}: {answer.text}"
        assert answer.text == f"“{citation.quote}” [1]"
        assert (citation.path, citation.start, citation.end) == (
            self.file(number).relative_to(self.folder).as_posix(),
            0,
            len(citation.quote),
        )
        assert citation.document_id == identify(citation.path)
        return said.index(citation.quote)


def _name(of: str) -> str:
    """A made-up name, unlike all others, so that none is taken for another that is mistyped."""
    chance = random.Random(of)
    return "".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(6)).capitalize()


class Machine:
    """A place for stores, and the process that runs there."""

    def __init__(self, place: Path, environment: Mapping[str, str]) -> None:
        self.place = place
        self.stores = place / "stores"
        self.told = place / "told"
        self._environment = {**os.environ, **environment, "FOOTNOTE_STORE": str(self.stores), "PYTHONPATH": str(ROOT)}
        self._process: subprocess.Popen[bytes] | None = None
        place.mkdir(parents=True)

    def start(self, *arguments: str | Path) -> None:
        """Start a command of Footnote's."""
        with self.told.open("ab") as told:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "assistant", *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                env=self._environment,
                cwd=ROOT,
                start_new_session=True,
            )

    def kill(self) -> bool:
        """End the process, its children too, as a machine does that loses its power; whether it was running."""
        if self._process is None or self._process.poll() is not None:
            return False
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        return True

    def kill_one(self, chance: random.Random) -> bool:
        """End one of the processes alone, by chance; whether one was running."""
        if not self.is_running or self._process is None:
            return False
        listed = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        with suppress(ProcessLookupError):
            os.kill(chance.choice([self._process.pid, *map(int, listed)]), signal.SIGKILL)
        return True

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def code(self) -> int | None:
        """How the last process ended; None where there was none, or it runs."""
        return self._process.poll() if self._process else None

    def wait(self, seconds: float = END_SECONDS) -> int:
        """Wait for the process to end; its exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    def read(self) -> str:
        """All that the machine's processes have told."""
        return self.told.read_text(encoding="utf-8", errors="replace") if self.told.exists() else ""


class Chat(Machine):
    """A machine with a chat, which is asked without end, in a thread, and must never say what is half or wrong.

    asked, found: how many questions it was asked, and answered by their facts. wrong: what it said that it must not.
    refused: errors that it gave for an answer, each a sentence.
    """

    def __init__(self, place: Path, environment: Mapping[str, str], facts: Facts, chance: random.Random) -> None:
        super().__init__(place, environment)
        self.asked, self.found = 0, 0
        self.wrong: list[str] = []
        self.refused: list[str] = []
        self._facts = facts
        self._chance = chance
        self._seen: dict[int, int] = {}  # the version of a file that was last answered from
        self._address = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask_until_ended)

    def serve(self) -> None:
        """Start the chat, and wait until it listens."""
        before = len(self.read())
        self.start("serve", self._facts.folder, "--port", str(20_000 + self._chance.randrange(10_000)))
        end = time.monotonic() + START_SECONDS
        while not (found := re.search(r"answers at (http://127\.0\.0\.1:\d+)", self.read()[before:])):
            assert self.is_running, self.read()
            assert time.monotonic() < end, self.read()
            time.sleep(0.05)
        self._address = found.group(1)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()
        self.kill()

    def ask(self, question: str) -> Answer | str:
        """The answer to a question, or the sentence that is given for it. Raises httpx.HTTPError where it is down."""
        reply = httpx.post(f"{self._address}/api/answer", json={"question": question}, timeout=60)
        if reply.status_code == 200:
            return Answer.from_json(reply.text)
        return str(reply.json()["detail"])

    def wait_until_read(self) -> None:
        """Wait until the chat knows that it has read everything: until then each answer says how much is left."""
        end = time.monotonic() + START_SECONDS
        while isinstance(answer := self.ask(self._facts.question(0)), str) or answer.notice:
            assert time.monotonic() < end, answer
            time.sleep(ASK_SECONDS)

    def _ask_until_ended(self) -> None:
        while not self._ended.wait(ASK_SECONDS):
            if not self._address:
                continue
            number = self._facts.choose(self._chance)
            with suppress(httpx.HTTPError):  # it was killed
                self._judge(number, self.ask(self._facts.question(number)))

    def _judge(self, number: int, answer: Answer | str) -> None:
        self.asked += 1
        if isinstance(answer, str):
            self.refused.append(answer)
            return
        try:
            version = self._facts.find_version(number, answer)
            before = self._seen.get(number, -1)
            if number not in self._facts.deleted:
                assert version >= before, f"{number}: version {version} after {before}"
                self._seen[number] = version
            self.found += version >= 0
        except (AssertionError, ValueError) as error:
            self.wrong.append(str(error))
