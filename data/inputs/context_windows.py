"""How a question and its context share a row, and where an answer ends: needs the standard library alone.

A bundle of a model of spans has a copy of this file, so that it lays out contexts as training does.
"""

from __future__ import annotations

import unicodedata

LONGEST_QUESTION = 64  # tokens; of a longer question the end is cut, as in google-research/bert
SHARED = 3  # neighbouring windows share a third of their room unless data.overlap says how many tokens


def longest_question(max_length: int, special: int) -> int:
    """Return how many tokens of a question are read where half of a row is the context's; special: tokens of a row."""
    return min(LONGEST_QUESTION, (max_length - special) // 2)


def window_step(room: int, overlap: int | None) -> int:
    """Return how far windows of `room` tokens are apart; windows that cannot share `overlap` share a third."""
    return room - (overlap if overlap is not None and 0 <= overlap < room else room // SHARED)


def context_windows(tokens: int, room: int, step: int) -> list[tuple[int, int]]:
    """Cut `tokens` tokens into windows of at most `room`, each starting `step` after the one before it: (start, stop).

    The last window ends with the text. Two code bases call two things "stride": in google-research/bert `doc_stride` is
    this step; in the tokenizers of Hugging Face it is what neighbours share, so step = room - stride.
    """
    starts = [0]
    while starts[-1] + room < tokens:
        starts.append(starts[-1] + step)
    return [(start, min(start + room, tokens)) for start in starts]


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where a part of a text starts and ends without white space around it, and with the accents of its end.

    A tokenizer that drops accents has no token for those that are characters of their own.
    """
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return start, start + len(part.strip())
