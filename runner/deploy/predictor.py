"""Predicts with a run's torch model or its ONNX export; tokenises, batches and pads as evaluation does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from data.inputs.request import Asked, Field
from data.inputs.tokenizer import load_tokenizer
from data.splits import TokenSplit
from models.backbones.lengths import Lengths
from models.checkpoints.open import load_model
from models.compression.lengths.chosen import set_lengths
from models.onnx.graph import OnnxModel
from runner.deploy.answer_table import Answer, worded_fields
from runner.deploy.bundle.calibration import Calibration, read_calibration
from runner.deploy.exported import ExportedModel
from runner.errors import ConfigError
from runner.machine.extras import require_extra
from runner.tasks.make import task_of_export
from runner.training.inference import predict

CPU = torch.device("cpu")
SHORTEST = 0.5  # of the longest text of a batch: at most half of what is computed is padding
OTHER_LENGTHS = "it was calibrated at other lengths; run export length= calibrates it at these"
Text = str | Sequence[str] | bytes  # a text, or its words for models that read words; the content of a sound file


class Predictor:
    """A loaded model with its tokenizer and its task; raises user errors for incomplete folders."""

    def __init__(self, exported: ExportedModel, threads: int = 1) -> None:
        self.exported = exported
        self.task = task_of_export(exported.task, exported.labels, exported.facts)
        self.tokenizer = load_tokenizer(str(exported.folder))
        self.input = exported.input_class.for_questions(self.tokenizer, exported.columns, exported.options)
        self.model = load_for_runtime(exported, threads).eval()
        self.calibration = (
            Calibration(problem=OTHER_LENGTHS)
            if exported.lengths
            else read_calibration(exported.weights, len(exported.labels))
        )
        if exported.engine == "torch":
            check_files_match(self.model, exported, self.task.head().outputs, self.tokenizer.vocab_size)

    @property
    def request_fields(self) -> tuple[Field, ...]:
        """The parts of a question."""
        return self.input.request()

    @property
    def answer_fields(self) -> tuple[Field, ...]:
        """The parts of an answer."""
        return worded_fields(self.task.answer_fields(), self.calibration)

    def ask(self, texts: Sequence[Text], pairs: Sequence[str] | None = None) -> Asked:
        """Prepare texts, or pairs of texts, for the model; those longer than it reads are cut and counted."""
        columns = [texts] if pairs is None else [texts, pairs]
        try:
            return self.input.ask(columns, self.exported.max_length)
        except UnicodeEncodeError as error:
            raise ConfigError(f"a text is not Unicode: {error}") from error

    def logits(self, split: TokenSplit, batch_size: int) -> np.ndarray:
        """Return the model's outputs (items, C), float32, in the order of the rows; not calibrated.

        An int8 graph takes the range of its activations from its whole input, even padding, so it gets single rows:
        no answer depends on what else was asked. At 384 x 6 that takes 14 % longer than batches of 32.
        """
        batch_size = 1 if self.exported.engine == "onnx-int8" else batch_size
        return predict(self.model, split, batch_size=batch_size, device=CPU, precision="fp32", shortest=SHORTEST)

    def answers(self, asked: Asked, batch_size: int) -> list[Answer]:
        """Return one answer for each question."""
        return self.answers_by(self.calibration, asked, batch_size)

    def answers_by(self, calibration: Calibration, asked: Asked, batch_size: int) -> list[Answer]:
        """Return one answer for each question, its shares by this calibration."""
        found = self.logits(asked.split, batch_size)
        return self.task.respond(calibration.apply_rows(found) if calibration.facts else found, asked)

    def __call__(self, texts: Sequence[Text], pairs: Sequence[str] | None = None, batch_size: int = 32) -> list[Answer]:
        """Return one answer for each text or pair of texts; long texts are cut."""
        return self.answers(self.ask(texts, pairs), batch_size) if len(texts) else []


def load_for_runtime(exported: ExportedModel, threads: int) -> nn.Module:
    """Load the model of an export, or of a run, to predict on `threads` threads."""
    torch.set_num_threads(threads)
    if exported.engine == "torch":
        model = load_model(exported.folder)
        if exported.lengths:
            values, mode = tuple(map(float, exported.lengths["lengths"])), exported.lengths["mode"]
            set_lengths(model, Lengths(values, mode) if values else None)
        return model
    require_extra("onnx", str(exported.folder))
    return OnnxModel(exported.weights, threads)


def check_files_match(model: Any, exported: ExportedModel, wanted: int, tokens: int) -> None:
    """Raise ConfigError if model, tokenizer and record are not from the same run: ids and labels would not match.

    wanted: the outputs that the task's head has; tokens: of the tokenizer.
    """
    shape, outputs = model.architecture, model.classifier.out_features
    rows, places = shape.get("vocab_size") or tokens, shape.get("max_position_embeddings") or exported.max_length
    wrong = [
        f"{outputs} outputs for {wanted} labels" if outputs != wanted else "",
        f"{tokens:,} tokens for {rows:,} word vectors" if tokens > rows else "",
        f"{places:,} positions for {exported.max_length:,} tokens a text" if exported.max_length > places else "",
    ]
    if any(wrong):
        what = ", ".join(filter(None, wrong))
        raise ConfigError(f"{exported.folder}: its files do not match: {what}. Try: run it again with force=true")
