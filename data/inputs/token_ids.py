"""Rows of token ids from any kind of input: padded into batches, or drawn in a fixed shape."""

from __future__ import annotations

import numpy as np

from data.inputs.padding import padded_index
from data.inputs.truncation import END
from data.splits import Arrays, TokenSplit


class TokenIds:
    """Pads rows of token ids into batches."""

    truncate: str = END  # data.truncate, where long texts lose tokens

    def __init__(self, pad_id: int) -> None:
        self.pad_id = pad_id

    def collate(self, split: TokenSplit, rows: np.ndarray, lookup: np.ndarray | None = None) -> Arrays:
        """Return the rows padded to the longest of them, in their order.

        `input_ids` (B, T) int64; `attention_mask` (B, T), 1 for real tokens, unless nothing is padded;
        `token_type_ids` (B, T), 1 for tokens of the second text, if any row of the split has one.
        lookup: (V,) new id of each token id, padding included, for a model whose embedding table has another order.
        """
        if len(rows) == 1:
            return self._alone(split, int(rows[0]), lookup)
        index, real = padded_index(split.offsets, rows)
        ids = np.asarray(split.tokens)[index].astype(np.int64)
        inputs = {}
        if not real.all():
            ids[~real] = self.pad_id
            inputs["attention_mask"] = real.astype(np.int64)
        inputs["input_ids"] = ids if lookup is None else lookup[ids]
        if split.has_pairs:
            is_second = np.arange(index.shape[1]) >= split.segment_starts[rows][:, None]
            inputs["token_type_ids"] = (is_second & real).astype(np.int64)
        return inputs

    def _alone(self, split: TokenSplit, row: int, lookup: np.ndarray | None) -> Arrays:
        """Return one row as `collate` does, in a fifth of the time, which matters when texts are predicted singly."""
        start, end = split.offsets[row : row + 2]
        ids = np.asarray(split.tokens[start:end]).astype(np.int64)[None]
        inputs = {"input_ids": ids if lookup is None else lookup[ids]}
        if split.has_pairs:
            inputs["token_type_ids"] = (np.arange(end - start) >= split.segment_starts[row]).astype(np.int64)[None]
        return inputs

    def example(self, split: TokenSplit, batch_size: int, length: int, *, seed: int = 0) -> Arrays:
        """Return unpadded inputs (batch_size, length) whose ids are drawn from those of the split.

        Ids are drawn by frequency, so that the embeddings of frequent words stay in the CPU cache, as in real use.
        """
        places = np.random.default_rng(seed).integers(len(split.tokens), size=(batch_size, length))
        ids = np.asarray(split.tokens)[places].astype(np.int64)
        return {"input_ids": ids, "attention_mask": np.ones_like(ids)}
