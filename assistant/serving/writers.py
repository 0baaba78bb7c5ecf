"""Who writes the answers: what a user chose on the page, kept on this machine, and what runs here that could write.

But: the environment goes first. Where OPENAI_API_KEY or OPENAI_BASE_URL is set, nothing that was kept is looked at.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from index.errors import FootnoteError, InputError, ModelError
from index.settings import Settings, find_user_folder, shorten

LOCAL_SERVERS = {"Ollama": "http://127.0.0.1:11434/v1", "LM Studio": "http://127.0.0.1:1234/v1"}
PROBE_SECONDS = 0.7  # how long a server on this machine may take to say which models it has
TRIAL_SECONDS = 45.0  # how long a model may take that is tried out; it may have to be loaded first
MOST_MODELS = 200  # of one server, that are offered
LONGEST_CHARACTERS = 1_000  # of an address, a key or a name that is typed in
LARGEST_FILE_BYTES = 40_000  # which three of these stay below, however they are escaped


@dataclass(frozen=True, slots=True)
class Writer:
    """A language model of a server; with neither address nor key, there is none, and answers are quotations.

    base_url: None for OpenAI's own. model: None to let the server decide.
    """

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A server that runs on this machine: what it is called, its address, and its models."""

    name: str
    base_url: str
    models: tuple[str, ...]


def apply(settings: Settings, writer: Writer) -> Settings:
    """The settings with another writer. Raises InputError where an address, a key or a name is none."""
    return replace(settings, base_url=writer.base_url, api_key=writer.api_key, model=writer.model)


def find_file() -> Path:
    """Where the choice is kept. Raises InputError where no home folder is known."""
    return find_user_folder("config") / "writer.json"


def keep(file: Path, writer: Writer) -> None:
    """Keep a choice for the next start, for nobody else on this machine to read.

    Raises InputError where it cannot be written; what was kept before then stays.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent)  # which only its owner may read
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as written:
                json.dump(asdict(writer), written)
            Path(name).replace(file)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise InputError(
            f"{file} cannot be written ({error.strerror}): the choice holds until the server ends."
        ) from error


def recall(file: Path, settings: Settings) -> Settings:
    """The settings with the writer that was kept, unless they name one themselves.

    Raises InputError where the file is none that `keep` wrote.
    """
    if settings.uses_language_model:
        return settings
    refusal = InputError(f"{file} does not say who writes the answers: remove it, and choose again on the page.")
    try:
        with file.open("rb") as opened:
            given = json.loads(opened.read(LARGEST_FILE_BYTES))
        return apply(settings, Writer(**given))
    except FileNotFoundError:
        return settings
    except OSError as error:
        raise InputError(
            f"{file} cannot be read ({error.strerror}): give yourself the right to, or remove it."
        ) from error
    except (ValueError, TypeError, RecursionError, InputError):
        raise refusal from None


def list_models(settings: Settings, seconds: float = PROBE_SECONDS) -> tuple[str, ...]:
    """The models that the settings' server offers for writing. Raises ModelError, InputError."""
    from assistant.writing.server import Server

    # With a name given, the server is not asked before it has to be.
    server = Server(replace(settings, model=settings.model or "none", timeout_seconds=seconds))
    return tuple(server.list_writing()[:MOST_MODELS])


def find_offers(settings: Settings, servers: Iterable[tuple[str, str]] = tuple(LOCAL_SERVERS.items())) -> list[Offer]:
    """The servers of language models that run on this machine. They are asked for their models, and sent nothing."""

    def ask(named: tuple[str, str]) -> Offer | None:
        name, base_url = named
        try:
            models = list_models(apply(settings, Writer(base_url)))
        except FootnoteError:
            return None  # which is no error: most machines have none
        return Offer(name, base_url, models) if models else None

    with ThreadPoolExecutor(max_workers=4) as pool:
        return [offer for offer in pool.map(ask, servers) if offer]


def try_out(settings: Settings) -> tuple[str, float]:
    """Have the writer write one word: its name, and how many seconds that took.

    Raises ModelError where it does not, InputError where there is none.
    """
    from assistant.writing.language_model import LanguageModel
    from index.documents import Progress
    from prompts import render

    if not settings.uses_language_model:
        raise InputError("No language model is chosen: give the address of a server, or a key.")
    begun = time.monotonic()
    model = LanguageModel(replace(settings, timeout_seconds=min(settings.timeout_seconds, TRIAL_SECONDS)))
    pieces = model.stream(render("trial_rules"), render("trial_request"), attempts=1, seconds=TRIAL_SECONDS)
    text = "".join(piece for piece in pieces if isinstance(piece, str) and not isinstance(piece, Progress))
    if not text.strip():
        raise ModelError(f"{model.name} wrote nothing when it was asked for one word: try another model.")
    return model.name, time.monotonic() - begun


def read_writer(kind: str, base_url: str, api_key: str, model: str, before: Settings) -> Writer:
    """What a user filled in. A key that is left empty is the one before, where the server is the same.

    kind: "quotations", "openai" or "server". Raises InputError with what is missing.
    """
    base_url, api_key, model = (text.strip() for text in (base_url, api_key, model))
    if kind == "quotations":
        return Writer()
    if kind not in ("openai", "server"):
        raise InputError(f"{shorten(kind)} writes no answers: choose one of the three.")
    if kind == "openai":
        base_url = ""
    elif not base_url:
        raise InputError("The server's address is missing: give one like http://127.0.0.1:8080/v1.")
    elif not _is_address(base_url):
        raise InputError(f"{shorten(base_url)} is no address of a server: give one like http://127.0.0.1:8080/v1.")
    if max(len(base_url), len(api_key), len(model)) > LONGEST_CHARACTERS:
        raise InputError(f"An address, a key and a name have {LONGEST_CHARACTERS:,} characters at most: shorten it.")
    # A key is never sent to another server than the one that it was given for.
    if not api_key and before.api_key and (before.base_url or "") == base_url:
        api_key = before.api_key
    if kind == "openai" and not api_key:
        raise InputError("The key is missing: copy it from OpenAI's page of API keys.")
    return Writer(base_url or None, api_key or None, model or None)


def _is_address(given: str) -> bool:
    try:
        parts = urlsplit(given)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
