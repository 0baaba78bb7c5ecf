"""Words become exact citations, each with its verdict."""
