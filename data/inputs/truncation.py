"""Which tokens a row of more than data.max_length tokens loses: those at its end, or those in its middle.

Many texts end with their conclusion, such as the verdict of a review. Sun et al. 2019 (arXiv 1905.05583) keep the first
128 and the last 382 of 510 tokens and have fewer errors on long texts than with the first 510. Half of the tokens at
either end is our choice.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.inputs.word_cache import Encoded, cut_longest, spans

END, MIDDLE = "end", "middle"  # the values of data.truncate


def without_middles(whole: Encoded, max_length: int) -> Encoded:
    """Return rows of at most `max_length` tokens, which lose the tokens in the middle of each text.

    whole: rows of whole texts. Of a pair the longer text is cut first. Special tokens at the ends of a text stay.
    """
    one, other = whole.segment_starts, whole.lengths - whole.segment_starts
    kept = cut_longest(one, other, max_length)
    ends = np.cumsum(whole.lengths)
    of_texts = [(ends - whole.lengths, one, kept[0]), (ends - other, other, kept[1])]
    parts = [part for begin, had, left in of_texts for part in _both_ends(begin, had, left)]
    starts, counts = (np.stack(of_parts, axis=1).ravel() for of_parts in zip(*parts))
    is_cut = whole.lengths > max_length
    return replace(
        whole, tokens=whole.tokens[spans(starts, counts)], lengths=kept[0] + kept[1], segment_starts=kept[0],
        truncated=int(is_cut.sum()), is_cut=is_cut,
    )  # fmt: skip


def _both_ends(begin: np.ndarray, had: np.ndarray, left: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return where the kept tokens at either end of each text start, and how many they are.

    begin: where the texts start; had, left: how many tokens they have, and keep.
    """
    return [(begin, left - left // 2), (begin + had - left // 2, left // 2)]
