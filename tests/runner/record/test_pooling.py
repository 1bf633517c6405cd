"""Out-of-fold answers are laid together by the number of the row, once in each repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runner.errors import ConfigError
from runner.record.pooling import pooled, selection_answers
from runner.statistics.answers import Answers


def part(rows: list[int], right: int = 1) -> tuple[Answers, np.ndarray]:
    labels = np.array(rows) % 2
    return Answers({"label": labels, "prediction": labels * right}), np.array(rows)


def test_rows_are_in_one_order_in_every_repeat() -> None:
    first, second = pooled([[part([2, 9]), part([5, 4])], [part([4, 2], right=0), part([5, 9])]])
    assert first["label"].tolist() == second["label"].tolist() == [0, 0, 1, 1]
    assert first["prediction"].tolist() == [0, 0, 1, 1] and second["prediction"].tolist() == [0, 0, 1, 1]
    (only,) = pooled([[part([7, 3], right=0)]])
    assert only["label"].tolist() == [1, 1] and only["prediction"].tolist() == [0, 0]


def test_sentences_keep_their_words() -> None:
    tags = [
        Answers({"label": np.arange(4)}, np.array([0, 1, 4])),
        Answers({"label": np.array([7, 8])}, np.array([0, 2])),
    ]
    (found,) = pooled([[(tags[0], np.array([3, 1])), (tags[1], np.array([2]))]])
    assert found["label"].tolist() == [1, 2, 3, 7, 8, 0]
    assert found.offsets is not None and found.offsets.tolist() == [0, 3, 5, 6]


def test_answers_without_numbers_stay_in_the_order_of_the_folds() -> None:
    (found,) = pooled([[(part([5, 3])[0], None), (part([2])[0], None)]])
    assert found["label"].tolist() == [1, 1, 0]


def test_runs_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="held out by two folds"):
        pooled([[part([1, 2]), part([2, 3])]])
    with pytest.raises(ConfigError, match="other rows"):
        pooled([[part([1, 2])], [part([1, 3])]])
    with pytest.raises(ConfigError, match="no stored answers"):
        selection_answers([[tmp_path]])
