"""A sum over the word pieces of a text and a linear layer: the models without attention (kinds `dsn` and `static`)."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

if __package__:
    from .wordpiece import WordPiece, truncated
else:  # copied into a bundle
    from wordpiece import WordPiece, truncated  # type: ignore[import-not-found,no-redef]


class Bag:
    """Scores texts, or pairs of texts, by the vectors of their pieces.

    A piece's vector is its row of `words`, plus that of its place and that of its text in the pair, all normalised
    where the header has an `eps`. The sum over n pieces is divided by n to the power of `power`. Without `head` the
    linear layer is folded into the rows, which then are logits. A file may also hold a linear model over n-grams of the
    pieces; the logits of the two are added.
    """

    def __init__(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """header, arrays: as models/packed/fold.py writes them. Raises ValueError for arrays that do not fit."""
        self.words = Rows(header, arrays)
        self.places, self.segments, self.head = arrays["places"], arrays["segments"], arrays.get("head")
        temperature = float(header["temperature"])
        self.bias, self.shift = (arrays[name].astype(np.float64) / temperature for name in ("bias", "shift"))
        self.power, self.eps, self.inverse = float(header["power"]), header.get("eps"), 1 / temperature
        self.most, self.is_centred = int(header["max_length"]), header.get("centred", False)
        self.mean = np.full(self.places.shape[1], 1 / self.places.shape[1], np.float32)
        if len(self.places) < self.most or len({array.shape[1] for array in (self.places, self.segments)}) > 1:
            raise ValueError(f"{self.places.shape} places for texts of {self.most} pieces")
        self.is_binary = len(header["labels"]) == 2 and len(self.bias) == 1
        pieces = arrays["pieces"].tobytes().decode().split("\n")
        settings = header["pieces"] | {"language": header.get("language")}
        self.pieces = truncated(
            WordPiece(dict(zip(pieces, range(len(pieces)))), settings), header.get("truncate", "end")
        )
        self.shared = self.places + self.segments[0]
        start = np.zeros((1, self.places.shape[1]))
        self.place_sums = np.concatenate([start, self.shared.cumsum(axis=0, dtype=np.float64)])
        self.ngrams: Any = None
        if "ngrams" in header:
            beside = importlib.import_module(f"{__package__}.piece_ngrams" if __package__ else "piece_ngrams")
            self.ngrams = beside.PieceNgrams(header, arrays)
        self.second = (self.segments[-1] - self.segments[0]).astype(np.float64)  # more, for a piece of the second text

    def score(self, text: str, pair: str | None = None) -> list[float]:
        """Return the logits of a text, or of a pair of texts."""
        return self.score_row(*self.pieces.row(text, pair, self.most))

    def score_row(self, ids: list[int], start: int) -> list[float]:
        """Return the logits of a row of ids; those from `start` on are of the second text."""
        scores: list[float] = self.outputs(ids, start).tolist()
        scores = [0.0, *scores] if self.is_binary else scores
        return scores if self.ngrams is None else self.ngrams.added_to(scores, ids)

    def outputs(self, ids: list[int], start: int) -> np.ndarray:
        """Return the outputs of the linear layer over the temperature, (C,) float64."""
        count = max(1, len(ids))
        rows = self.words.take(np.array(ids, np.intp))
        summed = self.plain_sum(rows, start) if self.eps is None else self.normalised_sum(rows, start)
        if self.head is not None:
            summed = self.head @ summed
        divisor = count**self.power
        shift = self.shift if divisor == count else self.shift * (count / divisor)
        found: np.ndarray = summed * (self.inverse / divisor) + self.bias + shift
        return found

    def length(self, text: str, pair: str | None = None) -> int:
        """Return the pieces of a text, or of a pair of texts, with special ones, before any are cut."""
        return self.pieces.length(text, pair)

    def plain_sum(self, rows: np.ndarray, start: int) -> np.ndarray:
        """Return the sum of the vectors, (H,) float64."""
        found: np.ndarray = np.add.reduce(rows, axis=0, dtype=np.float64) + self.place_sums[len(rows)]
        return found + (len(rows) - start) * self.second if start < len(rows) else found

    def normalised_sum(self, rows: np.ndarray, start: int) -> np.ndarray:
        """Return the sum of the normalised vectors, (H,) float32.

        Their scale and shift are part of the linear layer.
        """
        vectors = rows + self.shared[: len(rows)]
        if start < len(rows):
            vectors[start:] += self.second
        if not self.is_centred:
            vectors -= (vectors @ self.mean)[:, None]
        spread = np.einsum("ij,ij->i", vectors, vectors)
        spread /= vectors.shape[1]
        spread += self.eps
        np.sqrt(spread, spread)
        found: np.ndarray = np.divide(1.0, spread, spread) @ vectors
        return found


class Rows:
    """A table in float32, or in codes with a step and a zero for each entry, row or group of neighbours in a row."""

    def __init__(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.rows, self.step, self.zero = arrays["words"], arrays.get("step"), arrays.get("zero")
        if "bits" in header:
            self.rows = unpack_bits(self.rows, header["bits"], header["width"])
        if self.step is not None and (groups := self.step.shape[1]) > 1:
            if not 0 < header["group"] <= self.rows.shape[1]:
                raise ValueError(f"groups of {header['group']} codes in rows of {self.rows.shape[1]}")
            self.step = np.repeat(self.step, header["group"], axis=1)[:, : self.rows.shape[1]]
            if self.zero is not None and self.zero.shape[1] == groups:
                self.zero = np.repeat(self.zero, header["group"], axis=1)[:, : self.rows.shape[1]]

    def take(self, ids: np.ndarray) -> np.ndarray:
        """Return the rows of ids, (N, H) float32."""
        rows = self.rows.take(ids, axis=0)
        if self.step is None:
            return rows
        found = rows.astype(np.float32)
        if self.zero is not None:
            found -= of_rows(self.zero, ids)
        found *= of_rows(self.step, ids)
        return found


def of_rows(values: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return the values of these rows; one row of values is for all."""
    return values if len(values) == 1 else values.take(ids, axis=0)


def unpack_bits(packed: np.ndarray, bits: int, width: int) -> np.ndarray:
    """Codes (rows, width) uint8 from rows of bytes: code after code, least significant bit first."""
    if not 0 < bits <= 8 or not 0 < bits * width <= 8 * packed.shape[1]:
        raise ValueError(f"{packed.shape[1]} bytes a row for {width} codes of {bits} bits")
    planes = np.unpackbits(packed, axis=1, count=bits * width, bitorder="little").reshape(len(packed), width, bits)
    return np.packbits(planes, axis=2, bitorder="little")[:, :, 0]
