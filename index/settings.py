"""The one settings object: frozen, read from the environment, passed in and never global."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

from index.errors import InputError

LOCAL_EMBEDDING = "local"
LOCAL_PREFIX = "local:"  # before the name of another model that runs on this machine
ENTAILMENT_PREFIX = "nli:"  # before the name of an entailment model
LOCAL_CHUNK_TOKENS = 200
LONGEST_PATH_CHARACTERS = 32_767  # Windows' limit, which is the widest

# An installed package carries the sample folder inside `assistant`; a checkout has it beside.
_HOME = Path(__file__).resolve().parent.parent
_SAMPLES = (_HOME / "assistant" / "documents", _HOME / "documents")

# Which variable sets which field; errors name a field by its variable, wherever its value came from.
_VARIABLES = {
    "documents": "FOOTNOTE_DOCUMENTS",
    "store_folder": "FOOTNOTE_STORE",
    "cache_folder": "FOOTNOTE_CACHE",
    "embedding": "FOOTNOTE_EMBEDDING",
    "embedding_url": "FOOTNOTE_EMBEDDING_URL",
    "embedding_key": "FOOTNOTE_EMBEDDING_KEY",
    "reranker": "FOOTNOTE_RERANKER",
    "reranker_url": "FOOTNOTE_RERANKER_URL",
    "reranker_key": "FOOTNOTE_RERANKER_KEY",
    "model": "FOOTNOTE_MODEL",
    "api_key": "OPENAI_API_KEY",
    "base_url": "OPENAI_BASE_URL",
    "timeout_seconds": "FOOTNOTE_TIMEOUT_SECONDS",
    "passage_count": "FOOTNOTE_PASSAGE_COUNT",
    "evidence_tokens": "FOOTNOTE_EVIDENCE_TOKENS",
    "chunk_tokens": "FOOTNOTE_CHUNK_TOKENS",
    "check": "FOOTNOTE_CHECK",
    "chroma_url": "FOOTNOTE_CHROMA_URL",
    "chroma_token": "FOOTNOTE_CHROMA_TOKEN",
    "chroma_tenant": "FOOTNOTE_CHROMA_TENANT",
    "chroma_database": "FOOTNOTE_CHROMA_DATABASE",
    "chroma_collection": "FOOTNOTE_CHROMA_COLLECTION",
}
# Chroma's own, which count only where the server is Chroma's cloud: to no other does its key go.
_CLOUD_VARIABLES = {
    "chroma_token": "CHROMA_API_KEY",
    "chroma_tenant": "CHROMA_TENANT",
    "chroma_database": "CHROMA_DATABASE",
}
_CLOUD_HOST = re.compile(r"https://([a-z0-9-]+\.)*trychroma\.com(:\d+)?/?", re.IGNORECASE)
_COLLECTION = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9._-]{1,98})[a-zA-Z0-9]")
# The kind of number, the least and the most. A longer timeout than a day is more than a socket takes.
_NUMBERS: dict[str, tuple[type[int] | type[float], float, float]] = {
    "timeout_seconds": (float, 0.01, 86_400),
    "passage_count": (int, 1, 50),
    "evidence_tokens": (int, 100, 1_000_000),
    "chunk_tokens": (int, 32, 250),
}
_CHECKS = ("words", "model")


class Changes(TypedDict, total=False):
    """What of the settings may be given by name, but for the documents; see `Settings`."""

    store_folder: str | Path
    cache_folder: str | Path
    embedding: str
    embedding_url: str | None
    embedding_key: str | None
    reranker: str | None
    reranker_url: str | None
    reranker_key: str | None
    model: str | None
    api_key: str | None
    base_url: str | None
    timeout_seconds: float
    passage_count: int
    evidence_tokens: int | None
    chunk_tokens: int
    check: str
    chroma_url: str | None
    chroma_token: str | None
    chroma_tenant: str | None
    chroma_database: str | None
    chroma_collection: str | None


class EveryChange(Changes, total=False):
    """The same, and the documents."""

    documents: str | Path


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user may set. `Settings.from_environment()` reads it; the README lists the variables.

    documents: the folder that a question without one is asked of.
    store_folder: where the stores live, one sub-folder for each documents folder.
    cache_folder: where fetched model weights are kept.
    embedding: "local"; "local:multilingual", or "local:" and the folder or the name on the model hub of a
        sentence-transformers model; or the name of a model of a server.
    embedding_url, embedding_key: that server, where it is not the language model's.
    reranker: the model of a server that orders the passages found, or None for the order of the search.
    reranker_url, reranker_key: that server, where it is not the language model's.
    model: the language model's name, or None to let the server decide.
    api_key, base_url: the OpenAI-compatible server; with neither, answers are quotations.
    timeout_seconds: how long a model's server may be silent.
    passage_count: how many passages an answer is quoted from.
    evidence_tokens: how much of the documents a language model is shown, in its tokens; None for a tenth of its
        context, between 3,000 and 12,000.
    chunk_tokens: the largest chunk, in the embedding model's tokens.
    check: what judges whether a language model's sentences are supported: "words" alone; the "model" itself, in one
        more call; or "nli:" and the folder or the name on the model hub of an entailment model.
    chroma_url: the Chroma server that keeps the stores, or None to keep them in `store_folder`.
    chroma_token, chroma_tenant, chroma_database: what it lets in by, and where in it they are kept.
    chroma_collection: what its collections are called that keep a folder's store, where that is not to be made of the
        folder's path.

    Raises InputError, which names the variable, where a value is not of its kind.
    """

    documents: Path
    store_folder: Path
    cache_folder: Path
    embedding: str = LOCAL_EMBEDDING
    embedding_url: str | None = field(default=None, repr=False)
    embedding_key: str | None = field(default=None, repr=False)
    reranker: str | None = None
    reranker_url: str | None = field(default=None, repr=False)
    reranker_key: str | None = field(default=None, repr=False)
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = field(default=None, repr=False)  # may hold a password
    timeout_seconds: float = 60.0
    passage_count: int = 8
    evidence_tokens: int | None = None
    chunk_tokens: int = LOCAL_CHUNK_TOKENS
    check: str = "model"
    chroma_url: str | None = field(default=None, repr=False)
    chroma_token: str | None = field(default=None, repr=False)
    chroma_tenant: str | None = None
    chroma_database: str | None = None
    chroma_collection: str | None = None

    def __post_init__(self) -> None:
        for name, variable in _VARIABLES.items():
            object.__setattr__(self, name, _read(name, variable, getattr(self, name)))

    @property
    def uses_language_model(self) -> bool:
        """Whether answers are written by a language model rather than quoted."""
        return bool(self.api_key or self.base_url)

    @property
    def checks_entailment(self) -> bool:
        """Whether an entailment model judges what a language model writes."""
        return self.check.startswith(ENTAILMENT_PREFIX)

    @property
    def server(self) -> str | None:
        """The base URL as it may be shown, and asked: without a user's name and password."""
        return self.base_url and hide_password(self.base_url)

    @classmethod
    def from_environment(cls, environment: Mapping[str, Any] | None = None) -> Settings:
        """Read the settings; an empty variable counts as unset.

        Raises InputError where a value is not of its kind.
        """
        given: dict[str, Any] = {"documents": sample_folder()}
        for name, variable in _VARIABLES.items():
            value = (os.environ if environment is None else environment).get(variable)
            value = value.strip() if isinstance(value, str) else value
            if value not in (None, ""):
                given[name] = value
        if isinstance(url := given.get("chroma_url"), str) and _CLOUD_HOST.fullmatch(hide_password(url)):
            for name, variable in _CLOUD_VARIABLES.items():
                if value := (os.environ if environment is None else environment).get(variable):
                    given.setdefault(name, value.strip())
        for name, kind in (("store_folder", "data"), ("cache_folder", "cache")):
            if name not in given:
                given[name] = find_user_folder(kind, _VARIABLES[name])
        return cls(**given)

    @classmethod
    def choose(cls, given: object) -> Settings:
        """The settings that a caller gives, or those of the environment for None.

        Raises InputError where it is neither, or where the environment's cannot be used.
        """
        if given is None:
            return cls.from_environment()
        if not isinstance(given, cls):
            raise InputError(f"The settings are of type {type(given).__name__}: give a Settings, or None.")
        return given

    def change(self, **changes: Unpack[EveryChange]) -> Settings:
        """The same settings, but for those that are given by name: `settings.change(model="qwen3:8b")`.

        Raises InputError where there is none of a name, or where a value is not of its kind.
        """
        if unknown := changes.keys() - _VARIABLES.keys():
            names = ", ".join(sorted(unknown))
            raise InputError(f"There is no setting {shorten(names)}: the settings are {', '.join(_VARIABLES)}.")
        return replace(self, **changes)  # type: ignore[arg-type]


def sample_folder() -> Path:
    """The sample folder that a first run answers from."""
    return next((folder for folder in _SAMPLES if folder.is_dir()), _SAMPLES[-1])


def find_user_folder(kind: str, *variables: str) -> Path:
    """The folder of this user's in which Footnote keeps things of a kind: data, cache, config.

    variables: those that name another folder.

    Raises InputError where no home folder is known, as in a container that is run by a number that no user has.
    """
    import platformdirs

    find = {
        "data": platformdirs.user_data_dir,
        "cache": platformdirs.user_cache_dir,
        "config": platformdirs.user_config_dir,
    }[kind]
    try:
        return Path(find("footnote", appauthor=False)).expanduser()
    except RuntimeError as error:
        wanted = " or ".join(("HOME", *variables))
        raise InputError(f"This user has no home folder for Footnote to keep its files in: set {wanted}.") from error


def read_path(given: object, name: str) -> Path:
    """The path that a caller gives as text, bytes or a Path; "~" is the home folder. name: what it is, for the error.

    Raises InputError where it is none.
    """
    try:
        path = os.fsdecode(given)  # type: ignore[arg-type]
    except Exception as error:  # a path-like object runs its own code, which may raise anything
        raise InputError(f"{name} is of type {type(given).__name__}: give a path.") from error
    if not path:
        raise InputError(f"{name} is empty: give a path.")
    try:
        os.fsencode(path)
        if "\0" in path or len(path) > LONGEST_PATH_CHARACTERS:
            raise ValueError
        return Path(path).expanduser()
    except ValueError as error:
        raise InputError(f"{name} is {shorten(path)}, which no path can be: give a path.") from error
    except RuntimeError as error:
        raise InputError(f"{name} is {shorten(path)}, whose home folder is not known: give a whole path.") from error


def hide_password(url: str) -> str:
    """An address without a user's name and password."""
    return re.sub(r"^(\w+://)?[^/?#]*@", r"\1", url)


def shorten(value: object) -> str:
    """A value as a message shows it, however long it is; of what is neither text nor a number, its type."""
    if isinstance(value, str | bytes):
        shown = repr(value[:80])
        return shown if len(value) <= 80 else f"{shown}…"
    # Python does not write numbers of thousands of digits.
    is_short = isinstance(value, float) or (isinstance(value, int) and -(10**18) < value < 10**18)
    return repr(value) if is_short else f"of type {type(value).__name__}"


def _read(name: str, variable: str, value: Any) -> Any:
    """A field's value, of its kind; text that says the same, as a variable does, is taken too."""
    if name in _NUMBERS and not (name == "evidence_tokens" and value is None):
        return _read_number(variable, value, *_NUMBERS[name])
    if name in ("documents", "store_folder", "cache_folder"):
        path = read_path(value, variable)
        if name == "store_folder" and any("\ud800" <= character <= "\udfff" for character in str(path)):
            raise InputError(f"{variable} is {shorten(str(path))}: give a path in UTF-8, for Chroma opens no other.")
        return path
    if name == "check":
        named = value.removeprefix(ENTAILMENT_PREFIX) if isinstance(value, str) and value.isprintable() else ""
        if value not in _CHECKS and (named == value or not named.strip()):
            raise InputError(
                f"{variable} is {shorten(value)}: give words; model, to have the language model judge; or "
                f"{ENTAILMENT_PREFIX} and the name or the folder of an entailment model."
            )
        return value
    if value is None and name != "embedding":
        return None
    if not isinstance(value, str) or not value or not value.isprintable():
        # Not the value, which may be a key.
        raise InputError(f"{variable} holds what is no printable text: give it anew.")
    if name == "embedding" and value.startswith(LOCAL_PREFIX) and not value.removeprefix(LOCAL_PREFIX).strip():
        raise InputError(
            f"{variable} is {shorten(value)}: give a model behind it, as in local:multilingual, or local alone for the "
            "embedded one."
        )
    if name == "chroma_collection" and not _COLLECTION.fullmatch(value):
        raise InputError(
            f"{variable} is {shorten(value)}: give a name of 3 to 100 letters, digits, dots, dashes and underscores, "
            "that begins and ends with a letter or digit."
        )
    if name.endswith(("_key", "_token")) and not value.isascii():
        raise InputError(f"{variable} holds characters that no key has: copy the key anew.")
    return value


def _read_number(variable: str, value: Any, kind: type[int] | type[float], least: float, most: float) -> int | float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not least <= number <= most:
        raise InputError(f"{variable} is {shorten(value)}: give a number from {least:g} to {most:,.15g}.")
    return kind(number)
