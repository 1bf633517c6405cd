"""Answer texts against the right ones, as SQuAD's official scripts compare them: exact match and F1 of shared words.

The rules of v2 hold for a set in which some question has no answer: its right answer is then the empty text. Of texts
that normalise to nothing, v1.1 says that they share no word (F1 0), v2 that they are equal.
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
    """Return a text in small letters, without ASCII punctuation, then without a, an, the, with single blanks."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def exact_match(prediction: str, golds: Sequence[str], *, v2: bool) -> float:
    """Return 1.0 if the prediction is one of the right answers but for case, punctuation and articles, else 0.0.

    golds: the right answers; [] for a question without one, with the rules of v2 only.
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
