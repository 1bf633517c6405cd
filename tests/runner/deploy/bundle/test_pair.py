"""The reader of models of two texts, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.packed.elias_fano import encode
from runner.deploy.bundle.pair import Pair
from runner.deploy.bundle.pairs import word

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


def ngrams(**changes: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and arrays of a file with n-grams: `+ red` counts 20 for the first class, `s two` 30 for the last."""
    hashes = {kind: word(kind) * 0x85EBCA6B + word(piece) for kind, piece in (("+", "red"), ("s", "two"))}
    prints = [(found * 0x9E3779B1 & 0xFFFFFFFF) >> 16 for found in hashes.values()]
    order = np.argsort(prints)
    code = encode(np.array(prints, np.uint32)[order], 16)
    own = {
        "ngram_scale": np.full(3, 0.1, np.float32), "ngram_bias": np.array([0, 4, 0], np.float32),
        "ngram_high": code.high, "ngram_low": code.low,
        "ngram_rows": np.array([[20, 0], [0, 0], [0, 30]], np.int8)[:, order],
    }  # fmt: skip
    entry = {"bits": 16, "count": 2, "grams": 2, "low": code.low_bits, "pairs": {"symmetric": False, "cross": False}}
    return HEADER | {"ngrams": entry | changes}, arrays(**own)


def test_logits_of_ngrams_are_added_over_the_temperature() -> None:
    header, found = ngrams()
    model = Pair(header, found | {"head": np.zeros((3, 8), np.float32)})
    assert model.score("one two", "red two") == pytest.approx([2.0 / 2, 4 / 2, 3.0 / 2])
    assert model.score("red two", "one") == pytest.approx([0, 4 / 2, 0])
    marked = HEADER | {"pieces": {**HEADER["pieces"], "special": ["two"]}, "ngrams": header["ngrams"]}
    assert Pair(marked, found).ngrams.logits_of([1, 2], [3, 2]) == pytest.approx([2.0 / 2, 4 / 2, 0])  # type: ignore[union-attr]


@pytest.mark.parametrize(("changes", "reason"), [
    ({"count": 3}, "2 values in its sorted list, its header says 3"), ({"pairs": {}}, "do not answer for these texts"),
])  # fmt: skip
def test_ngrams_that_do_not_fit_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Pair(*ngrams(**changes))
    header, found = ngrams()
    with pytest.raises(ValueError, match="do not answer for these texts and labels"):
        Pair(header, found | {name: found[name][:2] for name in ("ngram_rows", "ngram_scale", "ngram_bias")})
