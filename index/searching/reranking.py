"""A server's reranker orders the passages of a search: it reads each together with the query.

Servers have two forms for that, each at an address of its own: Cohere's and Jina's, which vLLM, llama.cpp and most
others speak, and that of Hugging Face's text-embeddings-inference. Which one answers is tried out once.

A reranker orders what was found and adds nothing; where it fails, the order of the search stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, NamedTuple

from index.documents import Passage
from index.endpoint import Endpoint, RefusedError, Served, find_reranker
from index.errors import InputError, ModelError
from index.settings import Settings, hide_password
from index.splitting.terms import find_phrases, find_terms, holds_phrase
from index.steps import step

RERANKED_PASSAGES = 28  # that are found, for the best of them to be chosen
MOST_TEXTS = 32  # that are sent at once: as many as the most cautious servers take
LONGEST_TEXTS = (4000, 1000, 400)  # characters; the next where the server says that it is too much, half of it a query


class _Form(NamedTuple):
    """How a server wants to be asked: where, and what it calls the texts."""

    url: str
    texts: str


_known: dict[Served, _Form] = {}


class Reranker:
    """Orders the passages of one question.

    failure: why it did not, in a sentence; "" where it did. After that it asks no more.
    """

    def __init__(self, served: Served) -> None:
        self.failure = ""
        self._served = served

    def order(self, query: str, passages: Sequence[Passage]) -> list[Passage]:
        """The passages, those that the reranker scores highest first; as they are where it fails.

        They keep the scores of the search among them, the highest for the first: these are what all that reads them
        was fitted to. Those that hold a phrase which the query has in quotation marks stay before all others.
        """
        first, rest = passages[:MOST_TEXTS], passages[MOST_TEXTS:]
        if self.failure or len(first) < 2:
            return list(passages)
        try:
            scores = self.score(query, [_write(passage) for passage in first])
        except ModelError as error:
            self.failure = str(error)
            return list(passages)
        phrases = find_phrases(query)
        terms = [find_terms(passage.text) if phrases else [] for passage in first]
        holds = [any(holds_phrase(each, phrase) for phrase in phrases) for each in terms]
        ranked = sorted(range(len(first)), key=lambda place: (not holds[place], -scores[place], place))
        given = sorted((passage.score for passage in first), reverse=True)
        return [*(replace(first[i], score=score) for i, score in zip(ranked, given, strict=True)), *rest]

    @step("rerank")
    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the query, on the server's own scale; higher is better.

        Raises ModelError where the server does not answer, or not with a number for each text.
        """
        with Endpoint(self._served) as endpoint:
            for longest in LONGEST_TEXTS:
                try:
                    return self._ask(endpoint, query[: longest // 2], [text[:longest] for text in texts])
                except RefusedError as error:
                    refusal = error
                    if not refusal.is_too_long:
                        break
        raise refusal

    def _ask(self, endpoint: Endpoint, query: str, texts: Sequence[str]) -> list[float]:
        known = _known.get(self._served)
        refusals = []
        missing = ""
        for form in sorted(_forms(self._served.url), key=lambda form: form != known):
            if form.url == missing:
                continue
            try:
                answer = endpoint.ask(form.url, _write_request(form, self._served.model, query, texts))
            except RefusedError as refusal:
                if refusal.is_too_long:
                    raise
                missing = form.url if refusal.is_unknown else missing
                refusals.append(refusal)
                continue
            scores = _read(answer, endpoint, len(texts))
            _known[self._served] = form
            return scores
        # That something is not there says less than why it is not taken.
        raise min(refusals, key=lambda refusal: refusal.is_unknown)


def open_reranker(settings: Settings) -> Reranker | None:
    """The reranker that the settings name, for one question; None where they name none.

    Raises InputError where they do not say on which server it is.
    """
    served = find_reranker(settings)
    if settings.reranker and not served:
        raise InputError(
            f"FOOTNOTE_RERANKER is {settings.reranker!r}, but no server is named: set FOOTNOTE_RERANKER_URL."
        )
    return Reranker(served) if served else None


def _forms(url: str) -> list[_Form]:
    """The forms to try, the likeliest first; an address that names the endpoint itself is the only one."""
    root, mark, query = hide_password(url).partition("?")
    root = root.rstrip("/")
    if root.rpartition("/")[2] in ("rerank", "reranking"):
        addresses = [root]
    elif root.endswith(("/v1", "/v2")):
        addresses = [f"{root}/rerank", f"{root[:-3]}/rerank"]
    else:
        addresses = [f"{root}{version}/rerank" for version in ("", "/v1", "/v2")]
    return [_Form(f"{address}{mark}{query}", texts) for address in addresses for texts in ("documents", "texts")]


def _write(passage: Passage) -> str:
    """A passage as it is searched: what it stands under, and its words."""
    return "\n".join(filter(None, (passage.title, " › ".join(passage.context), passage.text)))


def _write_request(form: _Form, model: str, query: str, texts: Sequence[str]) -> dict[str, object]:
    if form.texts == "texts":
        return {"query": query, "texts": list(texts), "truncate": True}
    return {"model": model, "query": query, "documents": list(texts), "top_n": len(texts)}


def _read(answer: Any, endpoint: Endpoint, count: int) -> list[float]:
    try:
        rows = answer if isinstance(answer, list) else answer.get("results", answer.get("data"))
        if len(rows) != count:
            raise endpoint.misread(f"{len(rows):,} scores for {count:,} texts")
        scores = {row["index"]: float(row["relevance_score" if "relevance_score" in row else "score"]) for row in rows}
        given = [scores[place] for place in range(count)]
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
        raise endpoint.misread("what is no list of scores") from None
    if not all(map(isfinite, given)):
        raise endpoint.misread("a score that is no number")
    return given
