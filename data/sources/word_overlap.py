"""How many words of a query a document has: an order of candidates that nothing has learned."""

from __future__ import annotations

import re

WORD = re.compile(r"\w+")


def overlap(query: str, document: str) -> int:
    """Return how many different words of a query, in small letters, occur in a document."""
    return len(set(WORD.findall(query.lower())) & set(WORD.findall(document.lower())))
