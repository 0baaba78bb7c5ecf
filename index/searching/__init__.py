"""The passages for a query, and what of them a language model is shown."""
