"""A sentence-transformers model that the user names, run by OpenVINO from its own export, without PyTorch.

A text's vector is pooled as the model was trained. A sentence's is pooled from the states of its tokens in the same
way, except that where a text is known by its first token alone ("cls"), which no sentence has, the mean stands for it.

But: the reader and the checks were fitted on the embedded model's cosines, and another's are brought to their scale
only roughly; see `index.embedding.centre`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from index.embedding.centre import TEXTS, find_centre
from index.embedding.encoder import Encoder, no_panic, to_tokens, to_unit
from index.embedding.export import compile_export, find_padding_token, read_tokenizer, refuse_model, refuse_tokenizer
from index.embedding.layout import Layout
from index.embedding.protocol import Vectors
from index.errors import InputError

_STATES = ("last_hidden_state", "token_embeddings")  # as an export names the states of all tokens
_SENTENCE = "sentence_embedding"  # or the vector of the text, of exports that give no states
_PROBE = "Whether the model works is seen by one sentence, with a letter that no tokenizer knows: \ue000."


class Transformer(Encoder):
    """A model of a `Layout` as an `Embedding`. Safe to share between threads.

    name: the model's label and a hash of all that its vectors depend on.
    """

    def __init__(self, layout: Layout, chunk_tokens: int) -> None:
        """Open a model for chunks of so many of its tokens.

        Raises WeightsError where its files cannot be used, InputError where its texts are shorter than a chunk.
        """
        tokenizer = read_tokenizer(layout, lower_cases=layout.lower_cases)
        # A model of gigabytes is hashed in the time that it takes to be compiled.
        with ThreadPoolExecutor(1) as threads:
            digest = threads.submit(_hash, layout)
            run, output = compile_export(layout, (*_STATES, _SENTENCE), lone_rank=3)
            self.name = f"{layout.label}+{digest.result()[:12]}"
        self.embeds_sentences = output != _SENTENCE
        self._layout = layout

        def run_texts(ids: NDArray[np.int32], mask: NDArray[np.float32]) -> Vectors:
            return run(ids, mask, np.zeros_like(ids))

        super().__init__(tokenizer, run_texts, 0, layout.most_tokens, find_padding_token(layout, tokenizer))
        self._centres: dict[str, Vectors] = {}
        self._dimensions = self._probe()
        self._centres = self._find_centres()
        self._check_room(chunk_tokens)

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        """Unit vectors of texts, one row each, and of each one's sentences, where the export gives its tokens' states.

        A sentence beyond what the model reads has the vector of its text.
        """
        return self._embed(texts, spans, self._layout.document_prompt)

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of one query, which has a prompt of its own."""
        vector: Vectors = self._embed([text], [()], self._layout.query_prompt)[0][0]
        return vector

    def _pool(self, states: Vectors, mask: NDArray[np.float32], prompt: str) -> Vectors:
        if states.ndim == 2:
            return states
        lengths = mask.sum(axis=1).astype(np.int64)
        if not self._layout.pools_prompt and prompt:
            rest = mask.copy()
            rest[:, : self._count_prompt(prompt)] = 0
            mask = np.where(rest.any(axis=1, keepdims=True), rest, mask)
        match self._layout.pooling:
            case "cls":
                first: Vectors = states[:, 0]
                return first
            case "lasttoken":
                last: Vectors = states[np.arange(len(states)), lengths - 1]
                return last
            case "max":
                highest: Vectors = np.where(mask[:, :, None] > 0, states, -np.inf).max(axis=1)
                return highest
        return super()._pool(states, mask, prompt)

    def _pool_sentences(self, states: Vectors, inside: NDArray[np.bool_]) -> Vectors:
        match self._layout.pooling:
            case "lasttoken":
                last: Vectors = states[inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)]
                return last
            case "max":
                highest: Vectors = np.where(inside[:, :, None], states, -np.inf).max(axis=1)
                return highest
        return super()._pool_sentences(states, inside)

    def _finish(self, pooled: Vectors, prompt: str) -> Vectors:
        unit = to_unit(pooled)
        return to_unit(unit - self._centres[prompt]) if self._centres else unit

    def _find_centres(self) -> dict[str, Vectors]:
        """What is taken off each vector, by the prompt of its text; nothing where texts have little in common."""
        prompts = {self._layout.query_prompt, self._layout.document_prompt}
        found = {prompt: find_centre(self._embed(TEXTS, [()] * len(TEXTS), prompt)[0]) for prompt in prompts}
        centres = {prompt: centre for prompt, centre in found.items() if centre is not None}
        return centres if len(centres) == len(prompts) else {}

    def _count_prompt(self, prompt: str) -> int:
        """How many tokens at the beginning of a text are its prompt's, as sentence-transformers counts them."""
        encoding = self._tokenizer.encode(prompt)
        return len(encoding.ids) - int(encoding.special_tokens_mask[-1:] == [1])

    def _probe(self) -> int:
        """The length of the vectors that the model gives. Raises WeightsError where it gives none."""
        layout = self._layout
        try:
            with no_panic():
                tokens = self._tokenizer.encode(layout.document_prompt + _PROBE).ids[: self._most_tokens]
        except Exception as error:  # the library raises no kind of its own
            raise refuse_tokenizer(layout, error) from error
        if not tokens:
            raise refuse_tokenizer(layout, "it makes no tokens of a text")
        try:
            states, vectors = self._embed_batch([to_tokens(tokens)], "")
            is_sound = states.ndim in (2, 3) and vectors.ndim == 2 and np.isfinite(vectors).all() and vectors.any()
        except Exception as error:  # OpenVINO's are of many kinds, and what it gives may have any shape
            raise refuse_model(layout, error) from error
        if not is_sound:
            raise refuse_model(layout, "it gives no vector of a text")
        return int(vectors.shape[1])

    def _check_room(self, chunk_tokens: int) -> None:
        """Refuse chunks that the model would not read to their end."""
        room = self._most_tokens - len(self._tokenizer.encode(self._layout.document_prompt).ids)
        if room < chunk_tokens:
            raise InputError(
                f"{self._layout.label} reads {room} tokens of a text, and chunks have up to {chunk_tokens}: set "
                f"FOOTNOTE_CHUNK_TOKENS to {room} or less, or FOOTNOTE_EMBEDDING to another model."
            )


def _hash(layout: Layout) -> str:
    """SHA-256 of all that the model's vectors depend on."""
    whole = hashlib.sha256()
    for file in layout.files:
        with file.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    settings = [layout.pooling, layout.pools_prompt, layout.query_prompt, layout.document_prompt]
    whole.update(json.dumps([*settings, layout.most_tokens, layout.lower_cases, layout.padding, TEXTS]).encode())
    return whole.hexdigest()
