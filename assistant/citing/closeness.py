"""How close a sentence is to the words that it cites: the features of the small logistic model of `support`.

Words are compared as terms; with an embedding that reads sentences where they stand, each word of the sentence is also
held against every word cited, by the states that the model has for them (as BERTScore does, Zhang et al. 2020): a
paraphrase finds its like, what was added does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from assistant.citing.plain_words import make_plain, make_plain_statement
from assistant.citing.quantities import write_dates_out
from index.embedding.protocol import Embedding
from index.splitting.sentences import find_sentences
from index.splitting.terms import find_content_terms, find_terms

CLOSELY_READ = 24  # cited sentences, those that share most words, where more are cited
TOGETHER = 3  # cited sentences that a sentence is compared with as one
_SHORTEST_STEM = 5  # "thesis" is none
_MOST_WORDS = 60  # of a sentence that are held against the words cited
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*+")


def describe(
    sentence: str, quotes: Sequence[str], embedding: Embedding | None = None, context: str = ""
) -> dict[str, float]:
    """The features of the logistic model, each from 0 to 1.

    context: what the cited words stand under and beside; the sentence's words may stand there too.
    """
    sentence = write_dates_out(make_plain_statement(sentence).text)
    parts = sorted(part(quotes), key=lambda part: -share(sentence, [part]))[:CLOSELY_READ]
    features = {
        "words": share(sentence, parts[:TOGETHER]),
        "words_of_best": share(sentence, parts[:1]),
        "pairs": _share_pairs(sentence, parts[:TOGETHER]),
        "words_around": share(sentence, [*parts[:TOGETHER], context]),
    }
    if embedding and parts:
        features |= _compare_meanings(sentence, parts, embedding)
    elif embedding:
        features |= dict.fromkeys(("similarity", "similarity_together", "aligned", "least_aligned"), 0.0)
    return features


def part(quotes: Sequence[str]) -> list[str]:
    """The sentences of the quotes, as they are compared; most quotes are one."""
    return [sentence for quote in quotes for sentence in _part_quote(quote)]


@lru_cache(maxsize=256)
def _part_quote(quote: str) -> tuple[str, ...]:
    """The same of one quote, which several sentences may cite, and which each check looks at more than once."""
    return tuple(write_dates_out(make_plain(quote[span.start : span.end]).text) for span in find_sentences(quote))


def share(sentence: str, parts: Sequence[str]) -> float:
    """The share of the sentence's content terms that the parts hold."""
    said = {_spell(term) for term in find_terms(" ".join(parts))}
    terms = [_spell(term) for term in find_content_terms(sentence)]
    return sum(term in said for term in terms) / len(terms) if terms else 1.0


def _spell(term: str) -> str:
    """One spelling of a stem that the British and the Americans spell otherwise: "initialis", "colour"."""
    return term[:-1] + "z" if term.endswith("is") and len(term) > _SHORTEST_STEM else term.replace("our", "or")


def _share_pairs(sentence: str, parts: Sequence[str]) -> float:
    """The share of the sentence's neighbouring content terms that are near each other in the parts too."""
    places: dict[str, set[int]] = {}
    for place, term in enumerate(find_terms(" | ".join(parts))):
        places.setdefault(term, set()).add(place)
    pairs = list(pairwise(find_content_terms(sentence)))
    near = sum(
        any(place + step in places.get(other, ()) for place in places.get(one, ()) for step in range(-4, 5))
        for one, other in pairs
    )
    return near / len(pairs) if pairs else 1.0


def _compare_meanings(sentence: str, parts: Sequence[str], embedding: Embedding) -> dict[str, float]:
    """How near the meaning is to the nearest part and to those together; how near its words are, and the farthest."""
    import numpy as np

    texts = [sentence, *parts]
    spans = [
        [match.span() for match in _WORD.finditer(text) if find_content_terms(match[0])][:_MOST_WORDS] for text in texts
    ]
    vectors, words = embedding.embed_with_sentences(texts, spans)
    mine, theirs = vectors[0], vectors[1:]
    near = sorted((max(0.0, float(mine @ vector)) for vector in theirs), reverse=True)
    together = theirs[:TOGETHER].sum(axis=0)
    features = {
        "similarity": near[0],
        "similarity_together": max(0.0, float(mine @ together) / float((together @ together) ** 0.5)),
    }
    if len(words[0]) and any(map(len, words[1:])):
        likeness = (words[0] @ np.concatenate([w for w in words[1:] if len(w)]).T).max(axis=1)
        features["aligned"] = float(likeness.mean())
        features["least_aligned"] = float(likeness.min())
    else:
        features |= {"aligned": near[0], "least_aligned": near[0]}
    return features
