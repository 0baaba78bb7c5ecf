"""The documents' own words answer, where no model writes."""
