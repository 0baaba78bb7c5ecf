"""What is measured beside each other: the product, its two searches alone, and its peers, each of them opened.

    library = sync_folder(folder, make_settings(place))
    for name, find in open_systems(names, library, read_texts(library), place, missing, PEERS): ...
    find(query, vector, count)  # passages, best first

"product" is `index.library.Library.search`, "dense" its search by meaning alone, "lexical" its search by words
alone. llama-index (`VectorStoreIndex`, `SentenceSplitter` of 1024 tokens) and LangChain
(`RecursiveCharacterTextSplitter` of 1000 characters, 200 of them overlap, into Chroma) are given the texts that the
product has loaded and keep to their defaults but for the embedding: that is the product's own engine for everyone,
since the weights are the same and only quality is measured here; `benchmarks.sync` measures speed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from benchmarks.command import tell
from index.embedding.protocol import Embedding, Vectors
from index.library import Library, finish, open_library
from index.settings import LOCAL_CHUNK_TOKENS, LOCAL_EMBEDDING, Settings


class Found(NamedTuple):
    """A passage: its document, by path or as a peer was given it, and its text."""

    document: str
    text: str


# From a query, its vector and a number of passages to these, best first.
Find = Callable[[str, Vectors, int], list[Found]]
Opener = Callable[[Mapping[str, str], Embedding, Settings, Path], Find]


def make_settings(place: Path) -> Settings:
    """The environment's settings, but the embedded model and its chunks, and stores in a place of their own."""
    return replace(
        Settings.from_environment(),
        embedding=LOCAL_EMBEDDING,
        chunk_tokens=LOCAL_CHUNK_TOKENS,
        store_folder=place / "stores",
    )


def sync_folder(folder: Path, settings: Settings) -> Library:
    """The product's library of a folder, synced; tells how far it is, and what could not be read."""
    library = finish(open_library(folder, settings))
    walk = library.sync()
    while True:
        try:
            progress = next(walk)
        except StopIteration as end:
            report = end.value
            break
        tell(f"product: {progress.done:,} of {progress.total:,} {progress.unit}")
    for path, reason in islice(report.skipped.items(), 5):
        tell(f"product: {path} is not indexed: {reason} ({len(report.skipped)} such)")
    return library


def read_texts(library: Library) -> dict[str, str]:
    """The text of every document that the product has loaded, by path."""
    store = library.store
    return {record.path: store.text_of(record.document_id) for record in store.lexicon.records()}


def open_systems(
    names: Collection[str],
    library: Library,
    texts: Mapping[str, str],
    place: Path,
    missing: dict[str, str],
    peers: Mapping[str, Opener],
) -> Iterator[tuple[str, Find]]:
    """Each system of these names, when its turn comes; `missing` takes the reason why a peer is not there.

    texts: what the peers are given, by document. place: an empty folder, where they may keep what they index.
    """
    for name, find in open_product(library).items():
        if name in names:
            yield name, find
    for name, opener in peers.items():
        if name in names:
            tell(f"{name}: indexing")
            try:
                find = opener(texts, library.embedding, library.settings, place / name)
            except ImportError as error:
                missing[name] = f"not installed ({error})"
                continue
            yield name, find


def open_product(library: Library) -> dict[str, Find]:
    """The product and its two searches, whose documents are paths."""
    store = library.store
    paths = {record.document_id: record.path for record in store.lexicon.records()}

    def read(chunk_ids: Iterable[str]) -> list[Found]:
        found = list(chunk_ids)
        chunks = store.lexicon.chunks(found)
        return [Found(paths[chunks[chunk_id].document_id], chunks[chunk_id].text) for chunk_id in found]

    return {
        "product": lambda query, vector, count: [
            Found(passage.path, passage.text) for passage in library.search(query, vector, count)
        ],
        "dense": lambda query, vector, count: read(store.nearest(vector, count)),
        "lexical": lambda query, vector, count: read(store.lexicon.search(query, count)),
    }


def open_llama_index(
    texts: Mapping[str, str], embedding: Embedding, settings: Settings, place: Path, *, names_files: bool = False
) -> Find:
    """`VectorStoreIndex` with its own store, in memory; only the embedding's batches are larger than its default.

    names_files: whether a document is known by its file's path, which llama-index's reader of folders has embedded
    with each of its chunks.
    """
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.schema import QueryBundle

    from index.components import FootnoteEmbedding

    vector_index = VectorStoreIndex.from_documents(
        [
            Document(text=text, id_=document, metadata={"file_path": document} if names_files else {})
            for document, text in texts.items()
        ],
        transformations=[SentenceSplitter()],
        embed_model=FootnoteEmbedding(settings, embed_batch_size=256),
    )

    def find(query: str, vector: Vectors, count: int) -> list[Found]:
        bundle = QueryBundle(query, embedding=vector.tolist())
        found = vector_index.as_retriever(similarity_top_k=count).retrieve(bundle)
        return [Found(str(scored.node.ref_doc_id), str(scored.node.text)) for scored in found]

    return find


def open_langchain(texts: Mapping[str, str], embedding: Embedding, settings: Settings, place: Path) -> Find:
    """LangChain's usual splitter into its Chroma."""
    from langchain_chroma import Chroma
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    class SameWeights(Embeddings):  # type: ignore[misc]
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            rows: list[list[float]] = embedding.embed(texts).tolist()
            return rows

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    names = list(texts)
    chunks = splitter.split_documents(
        [Document(text, metadata={"number": number}) for number, text in enumerate(texts.values())]
    )
    store = Chroma.from_documents(chunks, SameWeights(), persist_directory=str(place))

    def find(query: str, vector: Vectors, count: int) -> list[Found]:
        found = store.similarity_search_by_vector(vector.tolist(), k=count)
        return [Found(names[chunk.metadata["number"]], chunk.page_content) for chunk in found]

    return find


PEERS: dict[str, Opener] = {"llama-index": open_llama_index, "LangChain": open_langchain}
SYSTEMS = ("product", "dense", "lexical", *PEERS)
