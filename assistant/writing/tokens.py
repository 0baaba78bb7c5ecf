"""How many tokens a language model makes of a text: counted where its tokenizer is here, else estimated.

Nothing is fetched. But: for a model that tiktoken does not know, the figure is an estimate that errs on the high side.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

_FILE = "https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
_CACHE = "TIKTOKEN_CACHE_DIR"
_loading = threading.Lock()


def open_counter(model: str) -> Callable[[str], int]:
    """What counts the tokens of a text for a model."""
    import tiktoken

    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        return estimate_tokens
    key = hashlib.sha1(_FILE.format(name=name.replace("harmony", "base")).encode(), usedforsecurity=False).hexdigest()
    folder = next((folder for folder in _cache_folders() if (folder / key).is_file()), None)
    if folder is None:
        return estimate_tokens  # tiktoken would fetch the file
    with _loading:
        before = os.environ.get(_CACHE)
        os.environ[_CACHE] = str(folder)
        try:
            encoding = tiktoken.get_encoding(name)
        finally:
            os.environ.pop(_CACHE) if before is None else os.environ.update({_CACHE: before})
    return lambda text: len(encoding.encode_ordinary(text))


def estimate_tokens(text: str) -> int:
    """A quarter of the characters, and more where they are not Latin: a Chinese character is nearly one token."""
    further_bytes = len(text.encode(errors="replace")) - len(text)
    return -(-len(text) // 4) + further_bytes // 3


def _cache_folders() -> list[Path]:
    """The user's own, and the one that llama-index brings along."""
    spec = find_spec("llama_index.core")
    bundled = [Path(place) / "_static" / "tiktoken_cache" for place in (spec and spec.submodule_search_locations) or ()]
    return [Path(os.environ[_CACHE]), *bundled] if os.environ.get(_CACHE) else bundled
