"""A store on a Chroma server, which many fill and many ask: its rows, its log of changes, and who is at what."""
