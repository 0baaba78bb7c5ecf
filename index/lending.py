"""How many use a thing that is open once for all of them, so that the last one closes it.

But: what somebody keeps for good is closed by none of them.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

Lent = TypeVar("Lent", bound=Hashable)


class Loans(Generic[Lent]):
    """Counts of what is lent. lock: to be held around what is opened and closed with them.

    Who holds it may take it again: what nobody closed comes back when it is collected, whatever its thread is doing.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._counts: dict[Lent, int] = {}

    def lend(self, lent: Lent, *, is_new: bool) -> None:
        """One more uses it. is_new: whether it was just opened; what was open already is somebody's for good."""
        if is_new:
            self._counts[lent] = 1
        elif lent in self._counts:
            self._counts[lent] += 1

    def keep(self, lent: Lent) -> None:
        """Somebody keeps it for good."""
        self._counts.pop(lent, None)

    def take_back(self, lent: Lent) -> bool:
        """One fewer uses it; whether that was the last, and it is to be closed."""
        if lent not in self._counts:
            return False
        self._counts[lent] -= 1
        if self._counts[lent]:
            return False
        del self._counts[lent]
        return True
