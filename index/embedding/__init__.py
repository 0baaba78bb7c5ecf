"""A text becomes a vector: the protocol and the engines behind it."""
