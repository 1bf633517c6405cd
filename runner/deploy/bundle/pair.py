"""The means u and v of the vectors of two texts as [u, v, |u - v|, u * v], and a linear layer (kind `pair`).

A file may also hold a linear model over n-grams of the pieces of both texts; the logits of the two are added.
"""

from __future__ import annotations

from typing import Any

import numpy as np

if __package__:
    from .bag import Bag, Rows
else:  # copied into a bundle
    from bag import Bag, Rows  # type: ignore[import-not-found,no-redef]


class Pair(Bag):
    """Scores pairs of texts. A hidden layer with ReLU over the four parts is optional, and so are both norms."""

    def __init__(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """header, arrays: as models/packed/pair.py writes them. Raises ValueError for arrays that do not fit."""
        super().__init__(header, arrays)
        if self.head is None:
            raise KeyError("head")
        self.piece, self.text = (norm_of(arrays, name) for name in ("piece", "text"))
        self.text_eps = header.get("text_eps")
        self.hidden = hidden_layer(header, arrays)
        self.hidden_bias = None if self.hidden is None else arrays["hidden_bias"]
        width = 4 * self.places.shape[1] if self.hidden is None else len(self.hidden)
        if self.head.shape != (len(self.bias), width):
            raise ValueError(f"a last layer of shape {self.head.shape} over {width} numbers")

    def score_row(self, ids: list[int], start: int) -> list[float]:
        """Return the logits of a pair of texts, given its row of ids; those from `start` on are of the second text."""
        rows = self.words.take(np.array(ids, np.intp)) + self.shared[: len(ids)]
        rows[start:] += self.second
        if self.eps is not None:
            rows = normalised(rows, self.eps) * self.piece[0] + self.piece[1]
        means = np.stack([mean_of(rows[:start]), mean_of(rows[start:])])
        if self.text_eps is not None:
            means = normalised(means, self.text_eps) * self.text[0] + self.text[1]
        one, other = means
        parts = np.concatenate([one, other, np.abs(one - other), one * other])
        if self.hidden is not None:
            parts = np.maximum(self.hidden @ parts + self.hidden_bias, 0)
        scores: list[float] = (self.head @ parts * self.inverse + self.bias).tolist()
        return scores if self.ngrams is None else self.ngrams.added_to(scores, ids[:start], ids[start:])


def hidden_layer(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> np.ndarray | None:
    """Return the weight of the hidden layer, as it is stored or from codes; None where there is no such layer."""
    if "hidden" not in header:
        return arrays.get("hidden")
    codes = {"words": arrays["hidden_codes"]}
    rows = Rows(header["hidden"], codes | {name: arrays[f"hidden_{name}"] for name in ("step", "zero")})
    return rows.take(np.arange(len(rows.rows)))


def mean_of(rows: np.ndarray) -> np.ndarray:
    """Return the mean of the vectors of a text, (H,) float64; zeros for a text without pieces."""
    found: np.ndarray = rows.sum(axis=0, dtype=np.float64) / max(1, len(rows))
    return found


def norm_of(arrays: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift of a layer norm; those that change nothing where the file has none."""
    one = np.ones(1, np.float32)
    return arrays.get(f"{name}_scale", one), arrays.get(f"{name}_shift", 0 * one)


def normalised(vectors: np.ndarray, eps: float) -> np.ndarray:
    """Vectors (..., H) with mean 0 and variance 1."""
    centred = vectors - vectors.mean(axis=-1, keepdims=True)
    found: np.ndarray = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + eps)
    return found
