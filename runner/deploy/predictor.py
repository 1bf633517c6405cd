"""Predicts from texts with a run's torch model or its ONNX export; tokenises, batches and pads as evaluation does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from data.inputs.text import Text
from data.inputs.tokenizer import load_tokenizer
from data.labels import Labels
from data.splits import TokenSplit
from models.checkpoints.open import load_model
from models.onnx.graph import OnnxModel
from runner.deploy.exported import ExportedModel
from runner.errors import ConfigError
from runner.machine.extras import require_extra
from runner.training.inference import predict

Answer = dict[str, Any]  # "prediction", and "probabilities" by label where there are labels


class Predictor:
    """A loaded model with its tokenizer; raises user errors for incomplete folders."""

    def __init__(self, exported: ExportedModel, threads: int = 1) -> None:
        self.exported = exported
        self.tokenizer = load_tokenizer(str(exported.folder))
        self.model = load_for_runtime(exported, threads)
        if exported.engine == "torch":
            check_files_match(self.model, exported, self.tokenizer.vocab_size)

    def encode(self, texts: Sequence[str], pairs: Sequence[str] | None = None, limit: int | None = None) -> TokenSplit:
        """Tokenise texts; those longer than `limit` tokens (by default the model's maximum) are cut and counted."""
        second = None if pairs is None else list(pairs)
        try:
            found = self.tokenizer.encode(list(texts), second, limit or self.exported.max_length)
        except UnicodeEncodeError as error:
            raise ConfigError(f"a text is not Unicode: {error}") from error
        offsets = np.concatenate([[0], np.cumsum(found.lengths)])
        labels, own = Labels(np.zeros(len(texts), np.int64)), Text(self.tokenizer, pairs is not None)
        return TokenSplit("texts", found.tokens, offsets, found.segment_starts, labels, found.truncated, own)

    def logits(self, split: TokenSplit, batch_size: int) -> np.ndarray:
        """The logits (rows, C), float32, in the order of the rows."""
        return predict(
            self.model, split, batch_size=batch_size, device=torch.device("cpu"), precision="fp32"
        )  # fmt: skip

    def answers(self, split: TokenSplit, batch_size: int) -> list[Answer]:
        """One prediction for each row."""
        logits = self.logits(split, batch_size)
        if self.exported.task == "regression":
            return [{"prediction": float(value)} for value in logits[:, 0]]
        names, shares = self.exported.labels, softmax(logits)
        return [
            {"prediction": names[int(row.argmax())], "probabilities": dict(zip(names, map(float, row)))}
            for row in shares
        ]

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None = None, batch_size: int = 32) -> list[Answer]:
        """One prediction for each text or pair of texts; long texts are cut."""
        return self.answers(self.encode(texts, pairs), batch_size) if texts else []


def load_for_runtime(exported: ExportedModel, threads: int) -> nn.Module:
    """Load the model of an export, or of a run, to predict on `threads` threads."""
    torch.set_num_threads(threads)
    if exported.engine == "torch":
        return load_model(exported.folder)
    require_extra("onnx", str(exported.folder))
    return OnnxModel(exported.weights, threads)


def check_files_match(model: Any, exported: ExportedModel, tokens: int) -> None:
    """Raise ConfigError where model, tokenizer and record are not from one run: ids and labels would not match."""
    shape, outputs, labels = model.architecture, model.classifier.out_features, len(exported.labels) or 1
    rows, places = shape.get("vocab_size") or tokens, shape.get("max_position_embeddings") or exported.max_length
    wrong = [
        f"{outputs} outputs for {labels} labels" if outputs != labels else "",
        f"{tokens:,} tokens for {rows:,} word vectors" if tokens > rows else "",
        f"{places:,} positions for {exported.max_length:,} tokens a text" if exported.max_length > places else "",
    ]
    if any(wrong):
        what = ", ".join(filter(None, wrong))
        raise ConfigError(
            f"{exported.folder}: its files do not belong together: {what}. Try: run it again with force=true"
        )


def answer_row(answer: Answer) -> dict[str, Any]:
    """A prediction as a row of a table with the columns ExportedModel.answer_columns."""
    shares = answer.get("probabilities", {})
    return {"prediction": answer["prediction"]} | {f"p_{name}": share for name, share in shares.items()}


def softmax(logits: np.ndarray) -> np.ndarray:
    """The probabilities (rows, C), in float64 so that they add up to 1 even when rounded to a few digits."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    shares: np.ndarray = shifted / shifted.sum(1, keepdims=True)
    return shares
