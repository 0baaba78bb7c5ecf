"""A text becomes sentences, terms and the chunks that tile it."""
