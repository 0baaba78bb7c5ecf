"""The whole walk of a search: bring the store up to date, and find the passages."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from index.documents import Passage, Progress
from index.errors import InputError, ModelError
from index.library import Library, check_question
from index.searching.reranking import open_reranker
from index.searching.selection import read_patterns
from index.steps import walk
from index.watching import bring_up_to_date

MOST_PASSAGES = 50


@walk("search")
def search(
    library: Library, query: object, count: int | None = None, only: Sequence[str] = ()
) -> Generator[Progress, None, list[Passage]]:
    """The passages that best match a query, best first: as many as the settings say, or `count`, up to 50.

    only: the paths of the files or folders that are searched, or patterns; by default all.
    Raises InputError where the query or one of these cannot be used, ModelError where a server is to embed or to order
    and does not answer, and what a sync raises.
    """
    words, patterns = check_question(query), read_patterns(only)
    if count is not None and (type(count) is not int or not 1 <= count <= MOST_PASSAGES):
        raise InputError(f"The number of passages is a whole number from 1 to {MOST_PASSAGES}.")
    report = yield from bring_up_to_date(library)
    reranker = open_reranker(library.settings)
    passages = library.select(patterns, report.skipped).retrieve(words, count, reranker)
    if reranker and reranker.failure:
        raise ModelError(reranker.failure, retry_helps=True)
    return passages
