"""What goes wrong by a fault of ours is told in the journal; libraries that would print it hear of it no more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any

FAILED = "Footnote failed at this, by a fault of its own: report it, with what it printed."
DEFECTS = "footnote.defects"  # the logger whose records hold an error of ours


def contain(function: Callable[..., Any], make_error: Callable[[], Exception]) -> Callable[..., Any]:
    """A function, or a generator, whose errors are told, in the place of which another is raised."""

    def tell(error: Exception) -> Exception:
        logging.getLogger(DEFECTS).error(FAILED, exc_info=error)
        return make_error()

    if isgeneratorfunction(function):

        @wraps(function)
        def follow(*args: Any, **options: Any) -> Any:
            try:
                yield from function(*args, **options)
            except Exception as error:
                raise tell(error) from None

        return follow

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except Exception as error:
            raise tell(error) from None

    return call
