"""What models want before a query and before a text, where no file of theirs says so: a server gives none.

Each as its model card has it. Without them such a model finds less.
"""

from __future__ import annotations

import re

_SEARCHING = "Represent this sentence for searching relevant passages: "
_INSTRUCT = "Instruct: Given a question, retrieve passages that answer it\nQuery: "

E5 = re.compile(r"(multilingual-)?e5-(small|base|large)(-v2|-unsupervised)?")
E5_PROMPTS = ("query: ", "passage: ")

# The first that a name holds counts.
_FAMILIES = (
    (re.compile(r"nomic-embed-text"), ("search_query: ", "search_document: ")),
    (re.compile(r"e5-[a-z0-9-]{1,20}-?instruct"), (_INSTRUCT, "")),
    (re.compile(rf"(?<![a-z]){E5.pattern}"), E5_PROMPTS),
    (re.compile(r"qwen3-embedding"), (_INSTRUCT, "")),
    (re.compile(r"embedding-?gemma"), ("task: search result | query: ", "title: none | text: ")),
    (re.compile(r"arctic-embed(?:2|-[ml]-v2)"), ("query: ", "")),
    (re.compile(r"arctic-embed|mxbai-embed-large|bge-(?:small|base|large)-en"), (_SEARCHING, "")),
)


def find_prompts(name: str) -> tuple[str, str]:
    """What a server's model of this name wants before a query and before a text; "" for nothing."""
    name = name.lower()[:200]
    return next((prompts for family, prompts in _FAMILIES if family.search(name)), ("", ""))
