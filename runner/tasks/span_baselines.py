"""The answers of models that have learned nothing: no answer at all, and the first sentence of the context."""

from __future__ import annotations

import re

NO_ANSWER, FIRST_SENTENCE = "no_answer", "first_sentence"
END = re.compile(r"[.!?]['\")\]]*\s|[\u3002\uff01\uff1f]|\n")  # of a sentence; the full stops of Chinese need no space


def first_sentence(text: str) -> str:
    """Return a text up to the end of its first sentence that is not empty, without white space around it."""
    text = text.strip()
    found = END.search(text)
    return text[: found.end()].strip() if found else text
