"""Labels that only memory can learn: one for each first token, drawn as the task's labels are."""

from __future__ import annotations

import numpy as np

from data.labels import Labels
from data.splits import TokenSplit
from runner.probing.controls import control_labels, first_tokens, label_by_token


class NoInput:
    def collate(self, *_: object, **__: object) -> dict[str, np.ndarray]:
        return {}

    def example(self, *_: object, **__: object) -> dict[str, np.ndarray]:
        return {}


def test_the_first_token_is_the_one_behind_the_special_ones() -> None:
    tokens, offsets = np.array([101, 7, 8, 102, 101, 102, 5]), np.array([0, 4, 6, 7])
    split = TokenSplit("val", tokens, offsets, np.diff(offsets), Labels(np.zeros(3)), 0, NoInput())
    assert first_tokens(split, 1).tolist() == [7, 102, 5]
    assert first_tokens(split, 0).tolist() == [101, 101, 5]


def test_a_token_has_one_label_and_the_labels_keep_their_shares() -> None:
    tokens = np.random.default_rng(0).integers(2000, size=9000)
    labels = (np.arange(9000) % 4 == 0).astype(np.int64)
    drawn = control_labels(tokens, labels, 1)
    found = label_by_token(tokens, drawn)
    assert all(len(set(found[tokens == token].tolist())) <= 1 for token in range(50))
    assert abs(np.mean([*drawn.values()]) - 0.25) < 0.03
    assert control_labels(tokens, labels, 1) == drawn != control_labels(tokens, labels, 2)
