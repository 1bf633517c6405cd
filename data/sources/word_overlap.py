"""How many words of a query a document contains: a ranking of candidates that needs no training."""

from __future__ import annotations

import re

WORD = re.compile(r"\w+")


def overlap(query: str, document: str) -> int:
    """Return how many distinct lower-case words of a query occur in a document."""
    return len(set(WORD.findall(query.lower())) & set(WORD.findall(document.lower())))
