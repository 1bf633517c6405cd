"""Compares answer texts with the right ones as SQuAD's official scripts do: exact match and F1 of shared words.

The rules of v2 apply to a data set with unanswerable questions, whose right answer is the empty text. If both texts
normalise to nothing, v1.1 gives F1 0 (no shared word), v2 gives F1 1 (equal).
Source: evaluate-v1.1.py and evaluate-v2.0.py of the SQuAD leaderboard.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

PUNCTUATION = str.maketrans("", "", string.punctuation)  # ASCII: an en dash stays
ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalise(text: str) -> str:
    """Return a text in lower case, without ASCII punctuation, then without a, an, the, with single spaces."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def exact_match(prediction: str, golds: Sequence[str], *, v2: bool) -> float:
    """Return 1.0 if the prediction equals a right answer up to case, punctuation and articles, else 0.0.

    golds: the right answers; [] for an unanswerable question, only with the rules of v2.
    """
    return _best(lambda gold, found: float(gold == found), prediction, golds, v2)


def token_f1(prediction: str, golds: Sequence[str], *, v2: bool) -> float:
    """Return the largest F1 of the words that the prediction shares with one of the right answers, 0..1."""
    return _best(lambda gold, found: _shared(gold.split(), found.split(), v2), prediction, golds, v2)


def _best(of: Callable[[str, str], float], prediction: str, golds: Sequence[str], v2: bool) -> float:
    found = normalise(prediction)
    wanted = [normalise(gold) for gold in golds]
    if v2:
        wanted = [gold for gold in wanted if gold] or [""]
    return max((of(gold, found) for gold in wanted), default=0.0)


def _shared(gold: list[str], found: list[str], v2: bool) -> float:
    """Return the F1 of two lists of words."""
    if v2 and not (gold and found):
        return float(gold == found)
    count = sum((Counter(gold) & Counter(found)).values())
    return 2 * count / (len(gold) + len(found)) if count else 0.0
