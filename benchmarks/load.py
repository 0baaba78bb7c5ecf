"""Many clients at once: each asks the chat for a fact of its own, again and again, over HTTP and as the page does.

    python -m benchmarks.load [--clients 50] [--seconds 300] [--page] [--loads 7] [--json FILE]

The real server runs over a made folder with a document for each client. Every answer must hold the client's own fact
and no other's. Told are the answers, those that were wrong, refusals for too much at once (429) apart from errors, how
long an answer took from the first try on, and the server's memory, in the first minute and in the last.

--page: instead, how long headless Chromium takes until a question can be typed, in our page and in a bare
`gradio.ChatInterface` that is mounted alike, in turn; medians. But: each page is loaded by a browser that has nothing
cached, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.command import Row, describe_machine, heed_signals, print_rows, tell, write_json

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS_OF_A_SESSION = 20  # then a client opens the page anew
PATIENCE_SECONDS = 120.0  # for one answer
MEMORY_SECONDS = 1.0  # between two looks at the server's memory
SYLLABLES = "bren tarn orm vel sund hask mire dal fen gryt holm lund skar tove ulv wick yst nor kvist aas".split()

# The same page as most others make, mounted as ours is.
_BARE = """
import os, sys
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
import gradio, uvicorn
from fastapi import FastAPI
app = gradio.mount_gradio_app(
    FastAPI(), gradio.ChatInterface(lambda message, history: message, analytics_enabled=False), path="/",
    run_history=False,
)
print("It answers at http://127.0.0.1:" + sys.argv[1], flush=True)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


@dataclass(frozen=True, slots=True)
class Fact:
    """What one client asks, and what stands in the answer and in no other client's."""

    place: str
    code: str

    @property
    def question(self) -> str:
        """The question that has it for an answer."""
        return f"What is the gate code of {self.place} harbour?"

    @property
    def text(self) -> str:
        """The document that says it."""
        return (
            f"# {self.place} harbour\n\nThe gate code of {self.place} harbour is {self.code}. "
            f"Boats for {self.place} leave from the old quay, and nobody is let in without a ticket.\n"
        )


@dataclass(slots=True)
class Outcome:
    """What became of the questions of all clients."""

    seconds: list[float] = field(default_factory=list)  # of each answer
    answered: set[str] = field(default_factory=set)  # the codes that were asked for and given
    refusals: int = 0
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # answers without the fact, or with another's
    memory: list[tuple[float, float]] = field(default_factory=list)  # the second, and the server's MB then
    computed_seconds: float | None = None  # by the server, on all cores together

    def describe(self) -> dict[str, float | None]:
        """The numbers of the table."""
        ranks = statistics.quantiles(self.seconds, n=100) if len(self.seconds) > 1 else [0.0] * 99
        computed = self.computed_seconds / len(self.seconds) if self.computed_seconds and self.seconds else None
        first, last = self.memory_between(0, 60), self.memory_between(-60, None)
        return {
            "answers": len(self.seconds),
            "errors": len(self.errors),
            "wrong": len(self.wrong),
            "refusals": self.refusals,
            "p50 s": ranks[49],
            "p95 s": ranks[94],
            "p99 s": ranks[98],
            "CPU s an answer": computed,
            "MB, first minute": first,
            "MB, last minute": last,
        }

    def memory_between(self, start: float, end: float | None) -> float | None:
        """The median of the memory in a span of seconds; below 0: counted from the end."""
        whole = self.memory[-1][0] if self.memory else 0.0
        begin = max(0.0, whole + start) if start < 0 else start
        seen = [size for second, size in self.memory if begin <= second <= (whole if end is None else end)]
        return statistics.median(seen) if seen else None


@dataclass(frozen=True, slots=True)
class Events:
    """The page's events that a question needs, by number, with how many inputs each takes."""

    take: int
    take_inputs: int
    ask: int
    ask_inputs: int
    end: int
    end_inputs: int


def main() -> None:
    """Measure, and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--clients", type=int, default=50)
    arguments.add_argument("--seconds", type=float, default=300.0)
    arguments.add_argument("--page", action="store_true", help="measure how soon the page is usable")
    arguments.add_argument("--loads", type=int, default=7, help="how often each page is loaded")
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    heed_signals()
    print(describe_machine())
    with tempfile.TemporaryDirectory() as temporary:
        if given.page:
            measured = measure_pages(Path(temporary), given.loads)
            list(print_rows("page", iter(_page_rows(measured))))
            write_json(given.json, {"set": "page", "seconds": measured})
            return
        outcome = measure_load(Path(temporary), given.clients, given.seconds)
    row = outcome.describe()
    list(print_rows(f"{given.clients} clients, {given.seconds:.0f} s", iter([("the chat", row)])))
    for trouble in (outcome.errors + outcome.wrong)[:10]:
        tell(trouble)
    write_json(given.json, {"set": "load", "clients": given.clients, **row, "memory": outcome.memory})


# -- asking -----------------------------------------------------------------------------------


def measure_load(temporary: Path, client_count: int, seconds: float) -> Outcome:
    """Ask for so long with so many clients."""
    facts = make_facts(client_count)
    folder = temporary / "documents"
    folder.mkdir()
    for fact in facts:
        (folder / f"{fact.place.lower()}.md").write_text(fact.text, encoding="utf-8")
    command = [str(ROOT / "app.py"), str(folder), "--port", "7980"]
    with serving(command, FOOTNOTE_STORE=str(temporary / "store")) as (address, process_id):
        return asyncio.run(_ask_all(address, process_id, facts, seconds))


def make_facts(count: int) -> list[Fact]:
    """So many facts about places that are called by no other's name, the same at every run."""
    chance = random.Random(7)
    places: set[str] = set()
    while len(places) < count:
        places.add("".join(chance.sample(SYLLABLES, 3)).capitalize())
    codes = chance.sample(range(10_000, 100_000), count)
    return [Fact(place, str(code)) for place, code in zip(sorted(places), codes, strict=True)]


async def _ask_all(address: str, process_id: int, facts: Sequence[Fact], seconds: float) -> Outcome:
    outcome, codes = Outcome(), frozenset(fact.code for fact in facts)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS, limits=limits) as http:
        events = find_events((await http.get("/")).text)
        end, computed = time.monotonic() + seconds, _read_computed(process_id)
        watching = asyncio.create_task(_watch(process_id, outcome))
        await asyncio.gather(*(_ask_on(http, events, fact, codes, end, outcome) for fact in facts))
        watching.cancel()
        if computed is not None and (now := _read_computed(process_id)) is not None:
            outcome.computed_seconds = now - computed
    return outcome


def _read_computed(process_id: int) -> float | None:
    """The seconds that a process has computed, where the system tells it."""
    try:
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))


async def _watch(process_id: int, outcome: Outcome) -> None:
    """Note the server's memory again and again, where the system tells it."""
    begun = time.monotonic()
    with suppress(OSError):
        while True:
            pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
            outcome.memory.append((time.monotonic() - begun, pages * os.sysconf("SC_PAGE_SIZE") / 1e6))
            await asyncio.sleep(MEMORY_SECONDS)


async def _ask_on(
    http: httpx.AsyncClient, events: Events, fact: Fact, codes: frozenset[str], end: float, outcome: Outcome
) -> None:
    """One client, to the end: it opens the page, asks its question so many times, and opens the page anew."""
    number = 0
    while time.monotonic() < end:
        session = f"load{fact.code}n{number}"
        number += 1
        try:
            async with http.stream("GET", f"/gradio_api/heartbeat/{session}") as beat:
                beat.raise_for_status()
                for _ in range(QUESTIONS_OF_A_SESSION):
                    if time.monotonic() >= end:
                        return
                    begun = time.monotonic()
                    shown = await _ask(http, events, session, fact.question, outcome)
                    outcome.seconds.append(time.monotonic() - begun)
                    _check(shown, fact, codes, outcome)
        except (httpx.HTTPError, ValueError, TimeoutError) as error:
            outcome.errors.append(f"{fact.question} {type(error).__name__}: {error}")
            await asyncio.sleep(1)


def _check(shown: Sequence[Any], fact: Fact, codes: frozenset[str], outcome: Outcome) -> None:
    conversation = json.dumps(shown)
    given = codes.intersection(re.findall(r"\d{5}", json.dumps(shown[-1:])))
    if given == {fact.code} and not codes.intersection(re.findall(r"\d{5}", conversation)) - {fact.code}:
        outcome.answered.add(fact.code)
    else:
        outcome.wrong.append(f"{fact.question} {conversation[-1000:]}")


async def _ask(http: httpx.AsyncClient, events: Events, session: str, question: str, outcome: Outcome) -> Sequence[Any]:
    """What the page does for one question; gives the conversation as it then shows it."""
    await _post(http, "run/predict", events.take, [question, *[None] * (events.take_inputs - 1)], session, outcome)
    joined = await _post(http, "queue/join", events.ask, [None] * events.ask_inputs, session, outcome)
    shown = await _follow(http, session, joined["event_id"])
    await _post(http, "run/predict", events.end, [None] * events.end_inputs, session, outcome)
    return shown


async def _post(
    http: httpx.AsyncClient, place: str, event: int, data: list[Any], session: str, outcome: Outcome
) -> dict[str, Any]:
    """Send an event, again and again while there is too much to do; each refusal is counted."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while True:
        body = {"data": data, "fn_index": event, "session_hash": session}
        reply = await http.post(f"/gradio_api/{place}", json=body)
        if reply.status_code != 429 or time.monotonic() > patience:
            reply.raise_for_status()
            answer: dict[str, Any] = reply.json()
            return answer
        outcome.refusals += 1
        await asyncio.sleep(float(reply.headers.get("retry-after", 1)))


async def _follow(http: httpx.AsyncClient, session: str, event_id: str) -> Sequence[Any]:
    """Read what the server sends of an answer, and give the conversation at its end."""
    async with http.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        stream.raise_for_status()
        async for line in stream.aiter_lines():
            if not line.startswith("data:"):
                continue
            message = json.loads(line.removeprefix("data:"))
            if message.get("msg") == "process_completed" and message.get("event_id") == event_id:
                if not message.get("success"):
                    raise ValueError(f"the answer failed: {message.get('output')}")
                shown: Sequence[Any] = message["output"]["data"][0]
                return shown
    raise ValueError("the stream ended before the answer was complete")


def find_events(page: str) -> Events:
    """What the page's own script finds in the page: which event takes a question, which answers it, which ends it."""
    config, _ = json.JSONDecoder().raw_decode(page.partition("window.gradio_config = ")[2])
    box = next(each["id"] for each in config["components"] if each["props"].get("elem_id") == "question")
    events = config["dependencies"]
    take = next(event for event in events if [box, "submit"] in event["targets"])
    ask = next(event for event in events if event.get("trigger_after") == take["id"])
    end = next(event for event in events if event.get("trigger_after") == ask["id"])
    return Events(take["id"], len(take["inputs"]), ask["id"], len(ask["inputs"]), end["id"], len(end["inputs"]))


# -- the page ---------------------------------------------------------------------------------


def measure_pages(temporary: Path, loads: int) -> dict[str, list[float]]:
    """The seconds until a question can be typed, of each page and load; the first load of each does not count."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next(found for name in names if (found := shutil.which(name)))
    seconds: dict[str, list[float]] = {"the chat": [], "a bare ChatInterface": []}
    command = [str(ROOT / "app.py"), "--port", "7980"]
    with (
        serving(command, FOOTNOTE_STORE=str(temporary / "store")) as (ours, _),
        serving(["-c", _BARE, "7979"]) as (bare, _),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for load in range(loads + 1):
            for name, address in zip(seconds, (ours, bare), strict=True):
                context = browser.new_context()
                page = context.new_page()
                begun = time.monotonic()
                page.goto(address, wait_until="commit")
                page.wait_for_selector("textarea:not([disabled])", state="visible")
                if load:
                    seconds[name].append(time.monotonic() - begun)
                context.close()
        browser.close()
    return seconds


def _page_rows(measured: dict[str, list[float]]) -> list[Row]:
    bare = statistics.median(measured["a bare ChatInterface"])
    rows: list[Row] = []
    for name, seconds in measured.items():
        median = statistics.median(seconds)
        rows.append((name, {"usable after s": median, "slowest s": max(seconds), "times as long": median / bare}))
    return rows


# -- the server -------------------------------------------------------------------------------


@contextmanager
def serving(command: Sequence[str], **environment: str) -> Iterator[tuple[str, int]]:
    """A server that says where it answers, in a process of its own: its address, and its process."""
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    try:
        assert process.stdout is not None
        said = next((line for line in process.stdout if "http://" in line), "")
        found = re.search(r"http://[\w.\[\]:]+", said)
        if not found:
            raise RuntimeError(f"the server did not start; it said {said!r}")
        with httpx.Client() as http:
            for _ in range(100):
                with suppress(httpx.TransportError):
                    http.get(found.group())
                    break
                time.sleep(0.1)
        yield found.group(), process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


if __name__ == "__main__":
    main()
