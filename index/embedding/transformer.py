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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.centre import TEXTS, find_centre
from index.embedding.encoder import Encoder, Run, lower_case, no_panic, open_tokenizer, to_tokens, to_unit
from index.embedding.engine import compile_model, import_openvino, read_model
from index.embedding.layout import Layout
from index.embedding.protocol import Vectors
from index.errors import InputError, WeightsError

_REQUIRED_INPUTS = ("input_ids", "attention_mask")
_INPUTS = (*_REQUIRED_INPUTS, "token_type_ids")
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
        tokenizer = _read_tokenizer(layout)
        # A model of gigabytes is hashed in the time that it takes to be compiled.
        with ThreadPoolExecutor(1) as threads:
            digest = threads.submit(_hash, layout)
            run, has_states = _compile(layout)
            self.name = f"{layout.label}+{digest.result()[:12]}"
        self.embeds_sentences = has_states
        self._layout = layout
        padding = layout.padding if isinstance(layout.padding, int) else tokenizer.token_to_id(layout.padding or "")
        super().__init__(tokenizer, run, 0, layout.most_tokens, padding or 0)
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
            raise _refuse_tokenizer(layout, _shorten(error)) from error
        if not tokens:
            raise _refuse_tokenizer(layout, "it makes no tokens of a text")
        try:
            states, vectors = self._embed_batch([to_tokens(tokens)], "")
            is_sound = states.ndim in (2, 3) and vectors.ndim == 2 and np.isfinite(vectors).all() and vectors.any()
        except Exception as error:  # OpenVINO's are of many kinds, and what it gives may have any shape
            raise _refuse_model(layout, _shorten(error)) from error
        if not is_sound:
            raise _refuse_model(layout, "it gives no vector of a text")
        return int(vectors.shape[1])

    def _check_room(self, chunk_tokens: int) -> None:
        """Refuse chunks that the model would not read to their end."""
        room = self._most_tokens - len(self._tokenizer.encode(self._layout.document_prompt).ids)
        if room < chunk_tokens:
            raise InputError(
                f"{self._layout.label} reads {room} tokens of a text, and chunks have up to {chunk_tokens}: set "
                f"FOOTNOTE_CHUNK_TOKENS to {room} or less, or FOOTNOTE_EMBEDDING to another model."
            )


def _read_tokenizer(layout: Layout) -> Any:
    try:
        with no_panic():
            tokenizer = open_tokenizer(layout.tokenizer.read_text(encoding="utf-8"))
            if layout.lower_cases:
                lower_case(tokenizer)
            size = tokenizer.get_vocab_size(True)
    except Exception as error:  # the library raises no kind of its own
        raise _refuse_tokenizer(layout, _shorten(error)) from error
    if layout.vocabulary_size is not None and size > layout.vocabulary_size:
        raise _refuse_tokenizer(layout, f"it knows {size:,} tokens, and the model {layout.vocabulary_size:,}")
    return tokenizer


def _compile(layout: Layout) -> tuple[Run, bool]:
    """What runs the model, and whether it gives the states of its tokens, rather than the text's vector alone."""
    try:
        model = read_model(layout.model)
        inputs = {name: port for port in model.inputs for name in port.get_names() if name in _INPUTS}
        names = {str(name) for port in (*model.inputs, *model.outputs) for name in port.get_names()}
        output, has_states = _find_output(model)
        if len(inputs) == len(model.inputs) and set(_REQUIRED_INPUTS) <= inputs.keys() and output is not None:
            model.reshape({name: import_openvino().PartialShape([-1, -1]) for name in inputs})
            types = {name: port.get_element_type().to_dtype() for name, port in inputs.items()}
            request = compile_model(model)
        else:
            raise ValueError(
                f"of what it takes and gives, {', '.join(sorted(names))[:300]}, not all is understood: it should take "
                f"{', '.join(_INPUTS)}, and give one of {', '.join((*_STATES, _SENTENCE))}"
            )
    except Exception as error:  # OpenVINO's are of many kinds
        raise _refuse_model(layout, _shorten(error)) from error

    def run(ids: NDArray[np.int32], mask: NDArray[np.float32]) -> Vectors:
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        results = request.infer({name: given[name].astype(kind) for name, kind in types.items()}, share_outputs=True)
        states: Vectors = np.asarray(results[output], dtype=np.float32)
        return states

    return run, has_states


def _find_output(model: Any) -> tuple[int | None, bool]:
    names = [port.get_names() for port in model.outputs]
    for name in (*_STATES, _SENTENCE):
        for place, given in enumerate(names):
            if name in given:
                return place, name != _SENTENCE
    # Exports of one output may call it as they like.
    is_alone = len(names) == 1 and model.outputs[0].get_partial_shape().rank.get_length() == 3
    return (0, True) if is_alone else (None, False)


def _hash(layout: Layout) -> str:
    """SHA-256 of all that the model's vectors depend on."""
    whole = hashlib.sha256()
    for file in layout.files:
        with file.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    settings = [layout.pooling, layout.pools_prompt, layout.query_prompt, layout.document_prompt]
    whole.update(json.dumps([*settings, layout.most_tokens, layout.lower_cases, layout.padding, TEXTS]).encode())
    return whole.hexdigest()


def _refuse_model(layout: Layout, reason: str) -> WeightsError:
    return WeightsError(
        f"{layout.model} cannot be used ({reason}): where it is damaged or cut off, remove it and get the model anew; "
        "else set FOOTNOTE_EMBEDDING to another."
    )


def _refuse_tokenizer(layout: Layout, reason: str) -> WeightsError:
    return WeightsError(
        f"{layout.tokenizer} cannot be used ({reason}): remove it and get the model anew, or set FOOTNOTE_EMBEDDING to "
        "another."
    )


def _shorten(error: Exception) -> str:
    """What a library says at last, which is the reason; what it says before is where in its own code that was."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip()[:500] if lines else type(error).__name__
