"""The reader of models of two texts, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from runner.deploy.bundle.pair import Pair

HEADER: dict[str, Any] = {
    "labels": ["a", "b", "c"], "power": 1.0, "max_length": 8, "temperature": 2.0, "texts": 2,
    "pieces": {
        "first": None, "last": None, "unknown": "?", "prefix": "##", "special": [], "longest": 9, "lower": True,
        "accents": True, "chinese": True,
    },
}  # fmt: skip


def arrays(**changes: np.ndarray) -> dict[str, np.ndarray]:
    words = np.array([[9, 9], [1, 2], [3, 4], [5, -1]], np.float32)
    zeros = np.zeros((8, 2), np.float32)
    pieces = np.frombuffer(b"?\none\ntwo\nred", np.uint8)
    fixed = {"words": words, "places": zeros, "segments": zeros[:2], "head": np.eye(3, 8, dtype=np.float32)}
    return fixed | {"bias": zeros[0, [0, 0, 0]], "shift": zeros[0, [0, 0, 0]], "pieces": pieces} | changes


def test_the_four_parts_of_two_texts() -> None:
    head = np.zeros((3, 8), np.float32)
    head[0, 0], head[1, 4], head[2, 7] = 1, 1, 1  # u[0], |u - v|[0], (u * v)[1]
    scores = Pair(HEADER, arrays(head=head)).score("One two", "red")
    assert scores == [2.0 / 2, 3.0 / 2, -3.0 / 2]
    assert Pair(HEADER, arrays(head=head)).score("one two", "") == [1.0, 1.0, 0.0]


def test_a_hidden_layer_with_its_bias_and_relu() -> None:
    hidden = np.stack([np.eye(8, dtype=np.float32)[0], -np.eye(8, dtype=np.float32)[0]])
    more = {"hidden": hidden, "hidden_bias": np.array([1, 1], np.float32), "head": np.ones((3, 2), np.float32)}
    assert Pair(HEADER, arrays(**more)).score("one two", "red") == [1.5, 1.5, 1.5]


def test_layers_that_do_not_fit_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="a last layer of shape"):
        Pair(HEADER, arrays(head=np.ones((3, 5), np.float32)))
