"""What is wrong with the form of what a program sent, in sentences: pydantic's are for who wrote the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST_NAME_CHARACTERS = 100
_TAKES = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "string_unicode": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "dataclass_type": "an object",
    "string_too_long": "{max_length:,} characters at most",
    "string_too_short": "{min_length:,} characters at least",
    "too_long": "{max_length:,} at most",
    "too_short": "{min_length:,} at least",
    "greater_than": "a number above {gt:,}",
    "greater_than_equal": "a number from {ge:,} on",
    "less_than": "a number below {lt:,}",
    "less_than_equal": "a number up to {le:,}",
    "literal_error": "{expected}",
    "enum": "{expected}",
}


def name_place(place: tuple[object, ...]) -> str:
    """Where in what was sent: "history.0.answer"."""
    return ".".join(map(str, place))[:_LONGEST_NAME_CHARACTERS]


def describe_value(name: str, error: Mapping[str, Any]) -> str:
    """That a value cannot be used, and what is taken in its place. error: as pydantic tells of it."""
    takes = _TAKES.get(error["type"])
    if takes:
        return f"“{name}” cannot be used: it takes {takes.format_map(error.get('ctx', {}))}."
    message = str(error["msg"]).rstrip(".")
    return f"“{name}” cannot be used: {message[:1].lower()}{message[1:]}."
