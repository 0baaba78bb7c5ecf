"""A Footnote: the answers of `answer`, from a folder that is opened once, in many threads, and let go by the last."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from openai_server import Fault, OpenAIServer, Reply

from assistant import AsyncFootnote, Footnote, InputError, Settings, TextDelta, answer
from assistant.chain import stream_answer
from index import library, watching
from index.errors import FolderError, FootnoteError
from index.settings import Changes

pytestmark = pytest.mark.usefixtures("embedding")

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "why was Israel skipped?"
SECONDS = 60.0  # that a busy machine may take


@pytest.fixture
def town(folder: Path) -> Path:
    """A folder of two documents, and a file that is none."""
    (folder / "bridge.txt").write_text("The bridge is closed until autumn.")
    (folder / "plans").mkdir()
    (folder / "plans" / "ferry.md").write_text("# Ferries\n\nThe ferry leaves at nine. Captain Ida Voss steers it.")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 and nothing else")
    for file in folder.rglob("*.*"):  # what was just written is read anew: its clock could not tell of another change
        os.utime(file, (1e9, 1e9))
    return folder


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    assert holds()


def is_open(settings: Settings) -> bool:
    """Whether this process has a file of the stores open."""
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            if descriptor.readlink().is_relative_to(settings.store_folder):
                return True
        except OSError:  # closed meanwhile
            continue
    return False


# -- the same answers -------------------------------------------------------------------------


def test_it_gives_the_answers_of_answer(samples: Settings) -> None:
    first = answer(QUESTION, settings=samples)
    follow_up = answer("Who criticised it?", settings=samples, history=[first], only=["*.md"])
    with Footnote(settings=samples) as footnote:
        assert footnote.answer(QUESTION) == first
        assert footnote.answer("Who criticised it?", history=[first], only=["*.md"]) == follow_up
        assert [*footnote.stream(QUESTION)] == [*stream_answer(QUESTION, settings=samples)]
    assert "Footnote" in repr(footnote)
    assert str(samples.documents) in repr(footnote)


def test_awaited_it_gives_the_same(samples: Settings) -> None:
    expected = [*stream_answer(QUESTION, settings=samples)]

    async def ask() -> None:
        async with AsyncFootnote(Footnote(settings=samples)) as footnote:
            assert [event async for event in footnote.stream(QUESTION)] == expected
            answers = await asyncio.gather(*(footnote.answer(QUESTION) for _ in range(6)))
            assert answers == [expected[-1]] * 6
            (found,) = await footnote.search("Israel", count=1)
            assert found.text == await footnote.read(found.path, found.start, found.end)
            assert len(await footnote.documents(["*.txt"])) == 2
            assert await footnote.skipped() == {}
            assert (await footnote.sync(checksum=True)).changed == []
            await footnote.watch()
            with pytest.raises(InputError, match="No document fits"):
                await footnote.documents(["nothing.md"])
        with pytest.raises(InputError, match="is closed"):
            await footnote.answer(QUESTION)
        await footnote.close()

    asyncio.run(ask())


# -- settings ---------------------------------------------------------------------------------


def test_settings_are_given_by_name(town: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_DOCUMENTS", str(town))
    with Footnote(passage_count=1) as footnote:
        assert footnote.folder == town
        assert footnote.settings == dataclasses.replace(settings, documents=town, passage_count=1)
        assert len(footnote.answer("Who steers the ferry?").passages) == 1
    given = settings.change(documents=town, timeout_seconds=3)
    assert Footnote(settings=given, check="model").settings == dataclasses.replace(given, check="model")
    assert answer("Who steers the ferry?", settings=given.change(passage_count=1)).passages[0].path == "plans/ferry.md"


def test_every_setting_can_be_given_by_name() -> None:
    assert {*Changes.__annotations__, "documents"} == {field.name for field in dataclasses.fields(Settings)}


def test_what_cannot_be_used_is_said_at_once(town: Path, settings: Settings) -> None:
    with pytest.raises(InputError, match=r"no setting 'modle': the settings are documents, .*, model, .*\.$"):
        Footnote(town, modle="m")  # type: ignore[call-arg]
    with pytest.raises(InputError, match="FOOTNOTE_PASSAGE_COUNT is 99"):
        Footnote(town, passage_count=99)
    with pytest.raises(InputError, match="The settings are of type str"):
        Footnote(town, settings="m")  # type: ignore[arg-type]
    with pytest.raises(FolderError, match="does not exist"):
        Footnote(town / "nowhere")
    assert not settings.store_folder.exists() or not [*settings.store_folder.iterdir()]


# -- what else is asked of it -----------------------------------------------------------------


def test_the_folder_can_be_looked_at(town: Path) -> None:
    with Footnote(town) as footnote:
        bridge, ferry = footnote.documents()
        assert (bridge.path, bridge.title, bridge.pages, bridge.passages, bridge.unread) == (
            "bridge.txt", "bridge", 0, 1, "",
        )  # fmt: skip
        assert ferry.size_bytes == (town / "plans" / "ferry.md").stat().st_size
        assert footnote.documents(["plans"]) == [ferry]
        assert [*footnote.skipped()] == ["broken.pdf"]
        (town / "mill.txt").write_text("The mill was built by Greta Lund.")
        assert [document.path for document in footnote.documents()] == ["bridge.txt", "mill.txt", "plans/ferry.md"]
        report = footnote.sync()
        assert (report.unchanged, [*report.skipped]) == (["bridge.txt", "mill.txt", "plans/ferry.md"], ["broken.pdf"])
        assert [passage.path for passage in footnote.search("Who built the mill?", count=1)] == ["mill.txt"]
        assert footnote.search("mill", only=["plans"])[0].path == "plans/ferry.md"


def test_a_documents_text_is_read_by_its_id_and_its_path(town: Path) -> None:
    with Footnote(town) as footnote:
        text = (town / "plans" / "ferry.md").read_text()
        assert footnote.read("plans/ferry.md") == text  # though nothing was asked before
        for citation in footnote.answer("Who steers the ferry?").citations:
            assert footnote.read(citation.document_id, citation.start, citation.end) == citation.quote
        assert footnote.read("plans/ferry.md", 5, 10) == text[5:10]
        assert footnote.read("plans/ferry.md", 10**6) == ""
        assert footnote.read("plans/ferry.md", 10**18, 10**19) == footnote.read("plans/ferry.md", 10**5000) == ""
        assert footnote.read("plans/ferry.md", 5, 10**30) == text[5:]
        with pytest.raises(InputError, match=r"There is no document 'ferry\.md'"):
            footnote.read("ferry.md")
        for start, end in ((-1, None), (3, 2), (1.5, None), (0, "9"), (True, None)):
            with pytest.raises(InputError, match="offsets that rise"):
                footnote.read("bridge.txt", start, end)  # type: ignore[arg-type]
        for nothing in ("\udc80x", "\ud800", "\0", ""):
            with pytest.raises(InputError, match="There is no document"):
                footnote.read(nothing)
        with pytest.raises(InputError, match="The document is of type"):
            footnote.read(town / "bridge.txt")  # type: ignore[arg-type]


def test_a_quotation_is_found_and_saved_citations_are_verified(town: Path) -> None:
    with Footnote(town) as footnote:
        (place,) = footnote.cite("Captain Ida Voss steers it.")
        assert (place.path, place.is_exact) == ("plans/ferry.md", True)
        assert footnote.read(place.document_id, place.start, place.end) == place.quote
        assert footnote.cite("Captain Ida Voss steers it.", only=["bridge.txt"]) == []
        saved = footnote.answer("Who steers the ferry?")
        assert saved.citations[0].content_hash
        forms = [saved, saved.to_json(), saved.to_markdown(), saved.to_html(), str(saved)]
        verdicts = [[one.verdict for one in footnote.verify(form).citations] for form in forms]
        assert verdicts == [["stands"] * len(saved.citations)] * 5
        for wrong in (1, None, ["a"]):
            with pytest.raises(InputError, match="The saved answers are of type"):
                footnote.verify(wrong)  # type: ignore[arg-type]
        ferry = town / "plans" / "ferry.md"
        ferry.write_text(ferry.read_text().replace("Ida Voss", "Nils Berg"))
        assert footnote.verify(saved).citations[-1].verdict == "changed"


# What a caller may give, rightly or not; few of each kind are right for any argument.
GIVEN = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=30)
    | st.integers() | st.integers().map(lambda power: 7 ** (abs(power) % 20_000)) | st.binary(max_size=30)
    | st.sampled_from(["bridge.txt", "plans", "*.md", "Who steers the ferry?", "Captain Ida Voss", 0, 5])
    | st.builds(range, st.integers()) | st.text(max_size=9).map(Path) | st.just(object()),
    lambda given: st.lists(given, max_size=3) | st.tuples(given, given)
    | st.dictionaries(st.sampled_from(["role", "content"]), given),
    max_leaves=4,
)  # fmt: skip
ARGUMENTS = {
    "answer": ("question", "history", "only"),
    "search": ("query", "count", "only"),
    "documents": ("only",),
    "read": ("document", "start", "end"),
    "cite": ("quote", "only"),
    "verify": ("saved",),
    "sync": ("checksum",),
}
RIGHT = {"question": "Who steers the ferry?", "query": "ferry", "document": "bridge.txt", "quote": "Captain Ida Voss"}


def test_nothing_that_is_given_ends_in_an_error_of_python(town: Path) -> None:
    with Footnote(town) as footnote:

        @settings_of_hypothesis(max_examples=120)
        @given(data=st.data())
        def ask(data: st.DataObject) -> None:
            method = data.draw(st.sampled_from([*ARGUMENTS]))
            wrong = data.draw(st.sampled_from(ARGUMENTS[method]))
            right = {name: RIGHT[name] for name in ARGUMENTS[method] if name in RIGHT}
            with suppress(FootnoteError):
                getattr(footnote, method)(**{**right, wrong: data.draw(GIVEN)})

        ask()
        assert footnote.answer("Who steers the ferry?").found


def test_a_watched_folder_is_followed_until_it_is_closed(town: Path, settings: Settings) -> None:
    footnote = Footnote(town)
    footnote.watch()
    footnote.watch()
    (town / "mill.txt").write_text("The mill was built by Greta Lund.")
    assert "Greta Lund" in footnote.answer("Who built the mill?").text
    (watcher,) = watching._watchers.values()
    with Footnote(town) as other:
        other.watch()
    assert watching._watchers  # for who is left
    footnote.close()
    assert not watching._watchers
    assert not any(thread.is_alive() for thread in watcher._threads)
    wait_until(lambda: not is_open(settings))


# -- closing ----------------------------------------------------------------------------------


def test_a_closed_one_says_so(town: Path) -> None:
    footnote = Footnote(town)
    footnote.close()  # before anything was opened
    footnote.close()
    asked: list[Callable[[], object]] = [
        lambda: footnote.answer(QUESTION),
        lambda: next(iter(footnote.stream(QUESTION))),
        lambda: footnote.search("ferry"),
        footnote.documents,
        footnote.skipped,
        lambda: footnote.cite("ferry"),
        lambda: footnote.verify("[]"),
        footnote.sync,
        footnote.watch,
        lambda: footnote.read("bridge.txt"),
    ]
    for ask in asked:
        with pytest.raises(InputError, match=r"^This Footnote over .* is closed: open another one\.$"):
            ask()


def test_the_last_one_over_a_folder_lets_its_store_go(town: Path, settings: Settings) -> None:
    first, second = Footnote(town), Footnote(town, passage_count=2)
    assert first.answer("Who steers the ferry?").found
    assert second.answer("Who steers the ferry?").found
    (store,) = library._stores.values()
    with ThreadPoolExecutor(1) as thread:  # which has a connection of its own
        thread.submit(second.search, "ferry").result()
        first.close()
        assert [*library._stores.values()] == [store]
        assert second.answer("Who steers the ferry?").found
        assert is_open(settings)
        second.close()
        assert not library._stores
        wait_until(lambda: not is_open(settings))
    with Footnote(town) as third:
        assert third.answer("Who steers the ferry?").found


def test_what_answer_has_opened_stays(town: Path) -> None:
    with Footnote(town) as footnote:
        expected = footnote.answer("Who steers the ferry?")
        assert answer("Who steers the ferry?", town) == expected
    assert library._stores
    with Footnote(town):
        pass
    assert answer("Who steers the ferry?", town) == expected


def test_what_is_under_way_is_ended_and_the_store_let_go_then(town: Path, settings: Settings) -> None:
    footnote = Footnote(town)
    expected = footnote.answer("Who steers the ferry?")
    steps = footnote.stream("Who steers the ferry?")
    first = next(steps)
    footnote.close()
    assert is_open(settings)
    assert isinstance(first, TextDelta)
    assert [*steps] == [expected]
    assert not library._stores
    wait_until(lambda: not is_open(settings))


def test_a_stream_that_nobody_follows_keeps_nothing_open(town: Path) -> None:
    footnote = Footnote(town)
    steps = footnote.stream("Who steers the ferry?")
    next(steps)
    del steps
    footnote.close()
    assert not library._stores


def test_one_that_is_forgotten_is_let_go(town: Path, settings: Settings) -> None:
    footnote = Footnote(town)
    footnote.watch()
    assert footnote.answer("Who steers the ferry?").found
    (watcher,) = watching._watchers.values()
    del footnote
    gc.collect()
    assert not library._stores
    assert not watching._watchers
    wait_until(lambda: not any(thread.is_alive() for thread in watcher._threads))


def test_many_threads_ask_sync_and_close(town: Path, settings: Settings) -> None:
    with Footnote(town) as footnote:
        expected = footnote.answer("Who steers the ferry?")
    shared = [Footnote(town) for _ in range(3)]

    def work(number: int) -> None:
        for turn in range(4):
            own = shared[(number + turn) % 3]
            try:
                match number % 4:
                    case 0:
                        own.sync(checksum=turn == 1)
                    case 1:
                        with Footnote(town) as brief:
                            assert brief.answer("Who steers the ferry?") == expected
                    case 2:
                        own.watch()
                        assert own.read("bridge.txt") == "The bridge is closed until autumn."
                    case _:
                        assert own.answer("Who steers the ferry?") == expected
            except InputError as error:
                assert "is closed" in str(error)
        shared[number % 3].close()

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(work, number) for number in range(8)]:
            done.result(2 * SECONDS)
    assert not library._stores
    assert not watching._watchers
    wait_until(lambda: not is_open(settings))
    with Footnote(town) as footnote:
        assert footnote.answer("Who steers the ferry?") == expected


def run_program(code: str, settings: Settings) -> str:
    """What a program prints, that ends in order."""
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", "import os, sys\n" + code],
        cwd=ROOT, env={**os.environ, "FOOTNOTE_STORE": str(settings.store_folder)},
        capture_output=True, text=True, timeout=2 * SECONDS, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


FORKED = """
def fork(work):
    child = os.fork()
    if not child:
        try:
            work()
        except InputError as error:
            print(error, flush=True)
        sys.exit(5)  # and not at once, as os._exit would
    assert os.waitpid(child, 0)[1] == 5 << 8
"""


def test_a_program_that_forks_after_use_is_told_so_and_ends_in_order(samples: Settings) -> None:
    code = f"""{FORKED}
from assistant import Footnote, InputError, answer
footnote, other = Footnote(), Footnote(passage_count=1)
footnote.watch()
assert footnote.answer({QUESTION!r}).found
steps = footnote.stream({QUESTION!r})
next(steps)
fork(lambda: footnote.answer({QUESTION!r}))
fork(lambda: other.search("Israel"))
fork(lambda: answer({QUESTION!r}))
fork(lambda: Footnote().documents())
fork(lambda: answer({QUESTION!r}, footnote._opened._held.library))
fork(lambda: (footnote.close(), steps.close()))
assert footnote.answer({QUESTION!r}) == [*steps][-1]
footnote.close()
fork(lambda: Footnote().skipped())
"""
    sentence = (
        "This process was forked from one that had used Footnote already: have processes started anew "
        "(multiprocessing's “spawn”), or fork before Footnote is first used."
    )
    assert run_program(code, samples).splitlines() == [sentence] * 6


def test_a_program_may_fork_before_use(samples: Settings) -> None:
    code = f"""{FORKED}
from assistant import Footnote, InputError
inherited = Footnote()
def ask():
    with Footnote() as footnote:
        footnote.watch()
        print(footnote.answer({QUESTION!r}).status, flush=True)
fork(ask)
fork(inherited.documents)
ask()
"""
    first, told, last = run_program(code, samples).splitlines()
    assert (first, last) == ("answered", "answered")
    assert told.endswith("is that of the process that was forked: open one in each.")


# -- awaited ----------------------------------------------------------------------------------


def test_what_is_cancelled_ends_at_its_next_step(town: Path) -> None:
    async def ask(footnote: Footnote, server: OpenAIServer) -> None:
        asking = AsyncFootnote(footnote)
        task = asyncio.create_task(asking.answer("Who steers the ferry?"))
        while not server.chats:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async for event in asking.stream("Who steers the ferry?"):
            if isinstance(event, TextDelta):
                break
        end = time.monotonic() + SECONDS
        while footnote._opened._walks and time.monotonic() < end:
            await asyncio.sleep(0.01)
        assert not footnote._opened._walks
        await asking.close()

    with OpenAIServer(Reply("Ida Voss steers it [1]. " * 3, then=Fault.ENDLESS)) as server:
        footnote = Footnote(town, base_url=server.base_url, model="m")
        asyncio.run(asyncio.wait_for(ask(footnote, server), 2 * SECONDS))
    wait_until(lambda: not any(thread.name.startswith("footnote-asking") for thread in threading.enumerate()))


def test_an_awaited_question_is_no_other_loops(samples: Settings) -> None:
    asking = AsyncFootnote(Footnote(settings=samples))
    answers = [asyncio.run(asking.answer(QUESTION)) for _ in range(2)]
    assert answers[0] == answers[1]
    asyncio.run(asking.close())


def test_what_is_no_footnote_is_not_awaited() -> None:
    with pytest.raises(InputError, match=r'^AsyncFootnote takes a Footnote: AsyncFootnote\(Footnote\("folder"\)\)\.$'):
        AsyncFootnote("folder")  # type: ignore[arg-type]


# -- types ------------------------------------------------------------------------------------

PROGRAM = """
import asyncio
from collections.abc import Iterator
from assistant import Answer, AsyncFootnote, Footnote, ListedDocument, Passage, Settings, answer

def ask() -> Iterator[str]:
    with Footnote("news/", model="m", passage_count=4) as footnote:
        result: Answer = footnote.answer("why?", history=[("who?", "he")], only=["*.md"])
        yield result.to_markdown() + result.to_html() + str(result)
        found: list[Passage] = footnote.search("why", count=3)
        listed: list[ListedDocument] = footnote.documents()
        yield footnote.read(listed[0].id, 0, found[0].end)
    settings = Settings.from_environment().change(documents="news/", model="m")
    yield answer("why?", settings=settings).text

async def ask_later() -> str:
    async with AsyncFootnote(Footnote()) as footnote:
        async for event in footnote.stream("why?"):
            if isinstance(event, Answer):
                return event.text
        return (await footnote.answer("why?")).text

wrong: int = Footnote().answer("why?").text
Footnote(modle="m")
"""


def test_a_typed_program_is_checked_against_the_package(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    # With the configuration and the cache of `make lint`, or it would take a minute.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(tmp_path / "program.py")],
        cwd=ROOT, env={**os.environ, "MYPYPATH": "."}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert [line.partition(" error: ")[2].partition("  [")[0] for line in lines if " error: " in line] == [
        'Incompatible types in assignment (expression has type "str", variable has type "int")',
        'Unexpected keyword argument "modle" for "Footnote"; did you mean "model"?',
    ], done.stdout + done.stderr


def test_every_package_of_the_wheel_says_that_it_is_typed() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert built["packages"] == ["assistant", "index", "prompts"]
    assert not {"exclude", "include", "only-include"} & built.keys()
    for package in built["packages"]:
        assert (ROOT / package / "py.typed").is_file()
