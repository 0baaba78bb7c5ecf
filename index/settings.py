"""The one settings object: frozen, read from the environment, passed in and never global."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from index.errors import InputError

LOCAL_EMBEDDING = "local"
LOCAL_CHUNK_TOKENS = 200

# An installed package carries the sample folder inside `assistant`; a checkout has it beside.
_HOME = Path(__file__).resolve().parent.parent
_SAMPLES = (_HOME / "assistant" / "documents", _HOME / "documents")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user may set. `Settings.from_environment()` reads it; the README lists the variables.

    documents: the folder that a question without one is asked of.
    store_folder: where the stores live, one sub-folder for each documents folder.
    cache_folder: where fetched model weights are kept.
    embedding: "local", or the name of an OpenAI embedding model.
    model: the language model's name, or None to let the server decide.
    api_key, base_url: the OpenAI-compatible server; with neither, answers are quotations.
    timeout_seconds: how long the language model may be silent.
    passage_count: how many passages an answer is quoted from.
    evidence_tokens: how much of the passages a language model is shown, in its tokens.
    chunk_tokens: the largest chunk, in the embedding model's tokens.
    checks_with_model: whether the language model judges too whether its sentences are supported.
    """

    documents: Path
    store_folder: Path
    cache_folder: Path
    embedding: str = LOCAL_EMBEDDING
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = field(default=None, repr=False)  # may hold a password
    timeout_seconds: float = 60.0
    passage_count: int = 8
    evidence_tokens: int = 2000
    chunk_tokens: int = LOCAL_CHUNK_TOKENS
    checks_with_model: bool = False

    @property
    def uses_language_model(self) -> bool:
        """Whether answers are written by a language model rather than quoted."""
        return bool(self.api_key or self.base_url)

    @property
    def server(self) -> str | None:
        """The base URL as it may be shown, and asked: without a user's name and password."""
        return self.base_url and re.sub(r"^(\w+://)?[^/?#]*@", r"\1", self.base_url)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; an empty variable counts as unset.

        Raises InputError where a value is not of its kind.
        """
        import platformdirs

        given = {k: v.strip() for k, v in (os.environ if environment is None else environment).items() if v.strip()}
        timeout_seconds = _number(given, "FOOTNOTE_TIMEOUT_SECONDS", 60.0, least=1.0)
        passage_count = int(_number(given, "FOOTNOTE_PASSAGE_COUNT", 8, least=1, most=50))
        evidence_tokens = int(_number(given, "FOOTNOTE_EVIDENCE_TOKENS", 2000, least=100, most=1_000_000))
        chunk_tokens = int(_number(given, "FOOTNOTE_CHUNK_TOKENS", LOCAL_CHUNK_TOKENS, least=32, most=250))
        check = given.get("FOOTNOTE_CHECK", "words")
        if check not in ("words", "model"):
            raise InputError(f"FOOTNOTE_CHECK is {check!r}: give words, or model to have the language model judge too.")
        return cls(
            documents=Path(given["FOOTNOTE_DOCUMENTS"]).expanduser()
            if "FOOTNOTE_DOCUMENTS" in given
            else sample_folder(),
            store_folder=Path(
                given.get("FOOTNOTE_STORE", platformdirs.user_data_dir("footnote", appauthor=False))
            ).expanduser(),
            cache_folder=Path(
                given.get("FOOTNOTE_CACHE", platformdirs.user_cache_dir("footnote", appauthor=False))
            ).expanduser(),
            embedding=given.get("FOOTNOTE_EMBEDDING", LOCAL_EMBEDDING),
            model=given.get("FOOTNOTE_MODEL"),
            api_key=given.get("OPENAI_API_KEY"),
            base_url=given.get("OPENAI_BASE_URL"),
            timeout_seconds=timeout_seconds,
            passage_count=passage_count,
            evidence_tokens=evidence_tokens,
            chunk_tokens=chunk_tokens,
            checks_with_model=check == "model",
        )


def sample_folder() -> Path:
    """The sample folder that a first run answers from."""
    return next((folder for folder in _SAMPLES if folder.is_dir()), _SAMPLES[-1])


def _number(given: Mapping[str, str], name: str, default: float, *, least: float, most: float = float("inf")) -> float:
    try:
        value = float(given.get(name, default))
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        bounds = f"from {least:g} to {most:,.15g}" if most < float("inf") else f"of {least:g} or more"
        raise InputError(f"{name} is {given[name]!r}: give a number {bounds}.")
    return value
