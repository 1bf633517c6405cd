"""The built-in data: the same everywhere, balanced, and out of reach of a bag of words."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from data.demo import LABELS, generate
from data.errors import DataError


@pytest.mark.parametrize("task", LABELS)
def test_rows_repeat_for_a_seed_and_are_balanced_and_distinct(task: str) -> None:
    rows = generate(task, 999, 7)
    assert rows == generate(task, 999, 7) and rows != generate(task, 999, 8)
    assert len({(first, second) for first, second, _ in rows}) == len(rows) == 999
    counts = np.bincount([label for _, _, label in rows])
    assert len(counts) == len(LABELS[task]) and counts.max() - counts.min() <= 1
    assert all((second is not None) == (task == "entailment") for _, second, _ in rows)


def test_rows_do_not_depend_on_the_interpreters_hash_seed() -> None:
    import os
    import subprocess
    import sys

    from tests.conftest import REPO

    script = "from data.demo import generate; print(generate('sentiment', 50, 0), generate('entailment', 50, 0))"
    texts = {
        hashlib.sha256(
            subprocess.run(
                [sys.executable, "-c", script],
                cwd=REPO,
                env=os.environ | {"PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
        ).hexdigest()
        for seed in ("1", "2")
    }
    assert len(texts) == 1


@pytest.mark.parametrize(("task", "most"), [("sentiment", 0.85), ("entailment", 0.70)])
def test_a_bag_of_words_stays_behind(task: str, most: float) -> None:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    def texts(seed: int, count: int) -> tuple[list[str], list[int]]:
        rows = generate(task, count, seed)
        return [f"{first} {second or ''}" for first, second, _ in rows], [label for _, _, label in rows]

    (train, labels), (test, truth) = texts(0, 4000), texts(1, 1000)
    words = CountVectorizer()
    model = LogisticRegression(max_iter=300).fit(words.fit_transform(train), labels)
    score = model.score(words.transform(test), truth)
    assert 1 / len(LABELS[task]) + 0.02 < score < most


def test_unknown_tasks_are_refused() -> None:
    with pytest.raises(DataError, match="sentiment"):
        generate("sarcasm", 10, 0)
