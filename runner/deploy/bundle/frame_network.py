"""A small transformer over the frames of a sound, given NumPy: what kind `sound` of a model.bin computes.

Its weights are two arrays, all whole numbers and all floats, in the order in which the network uses them, so that a
program in C reads them from front to back. Products of int8 with int8 have exact sums in int32 where the network was
trained or rounded for them; norms, softmax and GELU are computed in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

FLOAT, CODES, DYNAMIC, STATIC, CODINGS = "float", "codes", "dynamic", "static", ("float", "codes", "dynamic", "static")
LEAST = 1e-30  # the range of a frame whose values are all zero, as in models/compression/dynamic_int8.py
LEVELS, EPSILON = 127, 1e-5  # of a symmetric int8 range; under the root of a standard deviation

Step = Callable[[np.ndarray], np.ndarray]


class Parts:
    """Takes the parts of a network from its two arrays, front to back."""

    def __init__(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """header: its `matrices` are [rows, columns, coding], in the order in which they are taken."""
        self.codes, self.floats = arrays["codes"], arrays["floats"]
        self.matrices = iter(header["matrices"])
        self.code_place = self.float_place = 0

    def vector(self, size: int) -> np.ndarray:
        """Return the next floats, (size,)."""
        self.float_place += size
        found = self.floats[self.float_place - size : self.float_place]
        if size < 0 or len(found) != size:
            raise ValueError("its floats are fewer than its network needs")
        return found

    def matrix(self) -> tuple[np.ndarray, str]:
        """Return the next matrix, (rows, columns), as it is stored, and its coding.

        `step` and the ranges, which follow it in the file, are not read yet.
        """
        rows, columns, coding = next(self.matrices, (0, 0, "none"))
        if coding not in CODINGS or min(rows, columns) < 1:
            raise ValueError(f"a matrix of {rows} x {columns} stored as {coding!r}")
        if coding == FLOAT:
            return self.vector(rows * columns).reshape(rows, columns), coding
        self.code_place += rows * columns
        found = self.codes[self.code_place - rows * columns : self.code_place]
        if len(found) != rows * columns:
            raise ValueError("its codes are fewer than its network needs")
        return found.reshape(rows, columns), coding

    def table(self) -> np.ndarray:
        """Return the next matrix in float32; codes have a step and a zero for each row."""
        found, coding = self.matrix()
        if coding == FLOAT:
            return found
        step, zero = self.vector(len(found)), self.vector(len(found))
        return (found - zero[:, None]) * step[:, None]

    def linear(self) -> Step:
        """Return the next linear layer, (N, in) to (N, out)."""
        weight, coding = self.matrix()
        if coding == FLOAT:
            return floats_layer(weight, self.vector(len(weight)))
        step = self.vector(len(weight))
        if coding == CODES:
            return floats_layer(weight * step[:, None], self.vector(len(weight)))
        if coding == DYNAMIC:
            return dynamic_layer(weight, step, self.vector(len(weight)))
        input_step, zero = self.vector(2)
        return static_layer(weight, step, self.vector(len(weight)), float(input_step), float(zero))

    def norm(self, size: int, epsilon: float) -> Step:
        """Return the next layer norm."""
        scale, shift = self.vector(size), self.vector(size)

        def normalise(vectors: np.ndarray) -> np.ndarray:
            centred = vectors - vectors.mean(axis=1, keepdims=True)
            spread = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + np.float32(epsilon))
            return np.asarray(centred / spread * scale + shift)

        return normalise

    def finish(self) -> None:
        """Raise ValueError for numbers that no part has taken."""
        if self.code_place != len(self.codes) or self.float_place != len(self.floats) or next(self.matrices, None):
            raise ValueError("it holds more numbers than its network needs")


def floats_layer(weight: np.ndarray, bias: np.ndarray) -> Step:
    """Return a linear layer that multiplies float32."""
    columns = np.ascontiguousarray(weight.T, np.float32)
    return lambda rows: np.asarray(rows @ columns + bias)


def dynamic_layer(weight: np.ndarray, step: np.ndarray, bias: np.ndarray) -> Step:
    """Return a linear layer of int8 products: each row of its input is rounded to int8 by the row's largest value."""
    columns = weight.T.astype(np.int32)

    def multiply(rows: np.ndarray) -> np.ndarray:
        size = np.maximum(np.abs(rows).max(axis=1, keepdims=True), np.float32(LEAST)) / np.float32(LEVELS)
        sums = np.rint(rows / size).astype(np.int32) @ columns
        return np.asarray(sums.astype(np.float32) * size * step + bias)

    return multiply


def static_layer(weight: np.ndarray, step: np.ndarray, bias: np.ndarray, input_step: float, zero: float) -> Step:
    """Return a linear layer of int8 products whose input has a fixed range: input = (code - zero) input_step."""
    columns, factor = weight.T.astype(np.int32), step * np.float32(input_step)
    shift = np.float32(-zero) * columns.sum(axis=0).astype(np.float32) * factor + bias

    def multiply(rows: np.ndarray) -> np.ndarray:
        codes = np.clip(np.rint(rows * np.float32(1.0 / input_step)) + np.float32(zero), -LEVELS - 1, LEVELS)
        return np.asarray((codes.astype(np.int32) @ columns).astype(np.float32) * factor + shift)

    return multiply


class FrameNetwork:
    """Frames to logits: a convolution, a linear layer, positions, layers of attention, a readout and a linear layer."""

    def __init__(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """header: the entry `sound` of a model.bin's. Raises ValueError for arrays that do not fit."""
        shape, parts = header["network"], Parts(header, arrays)
        width, epsilon = int(shape["width"]), float(shape["eps"])
        self.convolution = Convolution(parts, shape["convolution"]) if "convolution" in shape else None
        self.projection = parts.linear() if shape["project"] else None
        self.first = parts.vector(width) if shape["first"] else None
        self.places = parts.table() if shape["positions"] else None
        if self.places is not None and shape["segments"]:
            self.places = self.places + parts.vector(width)  # that of the first segment
        self.norm = parts.norm(width, epsilon) if shape["norm"] else None
        self.layers = [Layer(parts, width, int(heads), epsilon) for heads in shape["heads"]]
        self.readout = READOUTS[shape["readout"]]
        self.pooler = parts.linear() if shape["readout"] == "cls" else None
        self.head = parts.linear()
        parts.finish()

    def logits(self, frames: np.ndarray) -> list[float]:
        """Return the logits of a sound, given its frames (T, F) float32."""
        hidden = frames if self.convolution is None else self.convolution(frames)
        hidden = hidden if self.projection is None else self.projection(hidden)
        if self.first is not None:
            hidden = np.concatenate([self.first[None], hidden[1:]])
        if self.places is not None:
            hidden = hidden + self.places[: len(hidden)]
        if self.norm is not None:
            hidden = self.norm(hidden)
        for layer in self.layers:
            hidden = layer(hidden)
        vector = self.readout(hidden)[None]
        if self.pooler is not None:
            vector = np.tanh(self.pooler(vector))
        found: list[float] = self.head(vector)[0].tolist()
        return found


class Convolution:
    """A convolution over the bands of each frame, whose stacked frames are the channels; the largest of neighbours."""

    def __init__(self, parts: Parts, shape: dict[str, int]) -> None:
        self.bands, self.stacked, self.kernel, self.stride, self.pool = (
            shape[name] for name in ("bands", "stacked", "kernel", "stride", "pool")
        )
        self.multiply = parts.linear()

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """(T, bands x stacked), the values of a band side by side, to (T, maps x places)."""
        channels = frames.reshape(len(frames), self.bands, self.stacked).swapaxes(1, 2)
        edge = self.kernel // 2
        padded = np.pad(channels, ((0, 0), (0, 0), (edge, edge)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.kernel, axis=2)[:, :, :: self.stride]
        count, _, places, _ = windows.shape
        patches = windows.swapaxes(1, 2).reshape(count * places, -1)
        maps = np.maximum(self.multiply(patches), 0).reshape(count, places, -1)
        whole = places // self.pool
        pooled = maps[:, : whole * self.pool].reshape(count, whole, self.pool, -1).max(axis=2)
        return np.asarray(pooled.swapaxes(1, 2).reshape(count, -1))


class Layer:
    """Attention and feed-forward block of a BERT."""

    def __init__(self, parts: Parts, width: int, heads: int, epsilon: float) -> None:
        self.heads = heads
        self.query, self.key, self.value, self.mix = (parts.linear() for _ in range(4))
        self.norm = parts.norm(width, epsilon)
        self.widen, self.narrow = parts.linear(), parts.linear()
        self.last_norm = parts.norm(width, epsilon)

    def __call__(self, hidden: np.ndarray) -> np.ndarray:
        """(T, H) to (T, H)."""
        query, key, value = self.query(hidden), self.key(hidden), self.value(hidden)
        mixed, size = np.empty_like(query), query.shape[1] // self.heads  # fewer columns than H if heads are removed
        for start in range(0, query.shape[1], size):
            head = slice(start, start + size)
            scores = query[:, head] @ key[:, head].T / np.float32(math.sqrt(size))
            mixed[:, head] = softmax(scores) @ value[:, head]
        attended = self.norm(self.mix(mixed) + hidden)
        return self.last_norm(self.narrow(gelu(self.widen(attended))) + attended)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return the shares of each row."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def gelu(values: np.ndarray) -> np.ndarray:
    """Return the GELU with the error function itself; float32."""
    shares = np.fromiter(map(math.erf, (values.ravel() / math.sqrt(2.0)).tolist()), np.float64, values.size)
    return (0.5 * values * (1.0 + shares.reshape(values.shape))).astype(np.float32)


def mean_and_deviation(hidden: np.ndarray) -> np.ndarray:
    """Return the mean and the standard deviation over the frames, side by side, (2 H,)."""
    mean = hidden.mean(axis=0)
    return np.concatenate([mean, np.sqrt(np.square(hidden - mean).mean(axis=0) + np.float32(EPSILON))])


READOUTS: dict[str, Step] = {
    "cls": lambda hidden: hidden[0],
    "mean": lambda hidden: np.asarray(hidden.mean(axis=0)),
    "sum": lambda hidden: np.asarray(hidden.sum(axis=0)),
    "sqrt": lambda hidden: np.asarray(hidden.sum(axis=0) / np.float32(math.sqrt(len(hidden)))),
    "mean_std": mean_and_deviation,
}
