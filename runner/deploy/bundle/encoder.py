"""Scores texts by an ONNX graph (kind `onnx`), with the `onnxruntime` and `tokenizers` packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

# This fusion's kernel takes longer than the two that it replaces.
SLOWER_FUSED = ["SkipLayerNormFusion"]


class Encoder:
    """An encoder in model.onnx with its tokenizer.json."""

    def __init__(self, header: dict[str, Any], folder: Path) -> None:
        """header: the content of model.json."""
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.most = int(header["max_length"])
        self.tokenizer.enable_truncation(self.most, strategy="longest_first")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
        self.session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER_FUSED
        )
        self.names = [entry.name for entry in self.session.get_inputs()]
        self.output = [self.session.get_outputs()[0].name]

    def score(self, text: str, pair: str | None = None) -> list[float]:
        """The logits of a text, or of a pair of texts."""
        found = self.tokenizer.encode(text, pair)
        ids = np.array([found.ids], np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if "token_type_ids" in self.names:
            given["token_type_ids"] = np.array([found.type_ids], np.int64)
        scores: list[float] = self.session.run(self.output, given)[0][0].tolist()
        return scores

    def length(self, text: str, pair: str | None = None) -> int:
        """The tokens of a text, or of a pair of texts, before any are cut."""
        self.tokenizer.no_truncation()
        count = len(self.tokenizer.encode(text, pair).ids)
        self.tokenizer.enable_truncation(self.most, strategy="longest_first")
        return count
