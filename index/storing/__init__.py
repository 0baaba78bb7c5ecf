"""The one source of truth: rows in Chroma, and the lexical index derived from them."""
