"""A folder of documents becomes searchable passages.

The walk of a document is `index.sync`: load, split, embed, store.
The way back, from a query to passages, is `index.searching.retriever`.
Nothing here knows of the assistant, the prompts or the chat page.
"""
