"""A file becomes text, with a title, a date and pages."""
