"""Reorder suggestions for the spare-parts store.

Run every night by cron at 01:45; the result is mailed to the buyers.
"""
import math
from dataclasses import dataclass

SAFETY_DAYS = 6          # agreed with purchasing in January
MAX_ORDER_LINES = 250
DEFAULT_LEAD_TIME = 14   # days


@dataclass
class Part:
    number: str
    on_hand: int
    daily_use: float
    lead_time: int = DEFAULT_LEAD_TIME
    pack_size: int = 1


def reorder_point(part: Part) -> int:
    """Stock level at which a new order is due."""
    return math.ceil(part.daily_use * (part.lead_time + SAFETY_DAYS))


def suggest(part: Part) -> int:
    """Return the number of pieces to order, or 0.

    Rounded up to whole packs because the supplier refuses broken packs.
    """
    gap = reorder_point(part) - part.on_hand
    if gap <= 0:
        return 0
    return math.ceil(gap / part.pack_size) * part.pack_size


def load_parts(path):
    # The export is Latin-1, not UTF-8: the old terminal cannot do better.
    with open(path, encoding="latin-1") as f:
        for line in f:
            number, on_hand, use = line.rstrip().split(";")
            if number.startswith("X"):
                continue  # parts that are no longer made
            yield Part(number, int(on_hand), float(use))


# TODO(imke): take public holidays into account
# FIXME(ravi): negative stock after a stocktake crashes the mail step
