"""A language model writes: the prompt, the stream, the rewritten question."""
