"""How a question and its context share a row, and where an answer ends; uses only the standard library.

The bundle of a span model has a copy of this file, so that it splits contexts exactly as in training.
"""

from __future__ import annotations

import unicodedata

LONGEST_QUESTION = 64  # tokens; longer questions are truncated, as in google-research/bert
SHARED = 3  # neighbouring windows share a third of their room unless data.overlap sets the number of tokens


def longest_question(max_length: int, special: int) -> int:
    """Return how many question tokens are read if half of a row is for the context; special: a row's special tokens."""
    return min(LONGEST_QUESTION, (max_length - special) // 2)


def window_step(room: int, overlap: int | None) -> int:
    """Return the step between windows of `room` tokens; windows that cannot share `overlap` share a third."""
    return room - (overlap if overlap is not None and 0 <= overlap < room else room // SHARED)


def context_windows(tokens: int, room: int, step: int) -> list[tuple[int, int]]:
    """Cut `tokens` tokens into windows of at most `room`, each starting `step` after the one before it: (start, stop).

    The last window ends with the text. "Stride" has two meanings: in google-research/bert `doc_stride` is this step; in
    Hugging Face tokenizers it is the overlap of neighbours, so step = room - stride.
    """
    starts = [0]
    while starts[-1] + room < tokens:
        starts.append(starts[-1] + step)
    return [(start, min(start + room, tokens)) for start in starts]


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where a part of a text starts and ends, without surrounding white space but with accents that follow it.

    A tokenizer that drops accents has no token for an accent that is a separate character.
    """
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return start, start + len(part.strip())
