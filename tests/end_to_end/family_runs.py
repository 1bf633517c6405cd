"""Whole runs with an encoder of each family; tests use single checks, the tables of models/families.md all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification

from data.batch import collate
from models.checkpoints.open import load_model
from models.compression.pruning.masks import choose_matrices
from models.onnx.graph import OnnxModel, write_onnx
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.deploy.exported import find_model
from runner.deploy.predictor import Predictor
from runner.experiment.run import run
from runner.record.record import RunRecord
from tests.models.families import save_family

TEXTS = [
    "the dull film, number 7 of the year",
    "lovely",
    "the great film, number 12 of the year, the fine film",
    "poor",
]
LEARN = ["optimizer.lr=1e-2", "train.epochs=8", "train.batch_size=8"]  # so that a network of width 32 learns the words
SLOW = {"MobileBert": ["train.epochs=16"]}
CLOSE = 1e-5
PAD = {"input_ids": 0, "attention_mask": 0, "token_type_ids": 0}


@dataclass
class FamilyRuns:
    """The runs of one family on the rows of a CSV; each is made on first use."""

    family: str
    folder: Path
    reviews: Path
    head: str = "trained"
    records: dict[tuple[str, ...], RunRecord] = field(default_factory=dict)

    @cached_property
    def hub(self) -> Path:
        """The folder of the encoder, in the format in which its publisher would save it."""
        return save_family(self.family, self.folder / "hub" / self.family)

    def run(self, *words: str) -> RunRecord:
        """The record of the finished run with these extra overrides; AssertionError if it does not finish."""
        if words not in self.records:
            given = [
                "model=auto", f"model.pretrained={self.hub}", f"model.head={self.head}", "data=files",
                f"data.path={self.reviews}", "data.text=review", "data.label=stars", "data.max_length=32",
                "train.threads=1", "measure=off", "tracker=none", f"paths.output={self.folder / 'outputs'}",
                f"paths.cache={self.folder / 'cache'}", *LEARN,
                *SLOW.get(self.family, []), *words,
            ]  # fmt: skip
            done = run(resolve(compose(given)), [])
            assert done.record is not None and done.record.status == "done", done
            self.records[words] = done.record
        return self.records[words]

    def model_folder(self, *words: str) -> Path:
        """The folder of the model that the run with these overrides saved."""
        return self.folder / "outputs" / self.run(*words).identity / "model"

    def model(self, *words: str) -> Any:
        """The model of the run with these overrides, opened from its folder."""
        return load_model(self.model_folder(*words))

    @cached_property
    def inputs(self) -> dict[str, Tensor]:
        """TEXTS tokenized by the run's own tokenizer, as a batch padded to the longest row."""
        return self.read(TEXTS)

    def read(self, texts: list[str]) -> dict[str, Tensor]:
        """A batch of texts, tokenized by the run's own tokenizer."""
        split = self.predictor.ask(texts).split
        return {key: torch.from_numpy(value) for key, value in collate(split, np.arange(len(texts))).inputs.items()}

    @cached_property
    def predictor(self) -> Predictor:
        """The model and tokenizer of the run without extra overrides, as `run predict` uses them."""
        return Predictor(find_model(self.run().identity, self.folder / "outputs", "torch"))


def difference(found: Tensor, expected: Tensor) -> float:
    """The largest absolute difference between two tensors of logits."""
    return float((found - expected).detach().abs().max())


def trains(runs: FamilyRuns) -> str:
    """The model learns which words decide the class; returns its accuracy."""
    accuracy = runs.run().metrics["test/accuracy"]
    assert accuracy > 0.8
    return f"{accuracy:.2f}"


def reopens(runs: FamilyRuns) -> str:
    """Opened by transformers, the saved model gives the same logits and labels as in our code."""
    network = AutoModelForSequenceClassification.from_pretrained(runs.model_folder()).eval()
    expected = runs.model()(**runs.inputs)
    assert difference(network(**runs.inputs).logits, expected) <= CLOSE
    said = [answer["prediction"] for answer in runs.predictor(TEXTS)]
    assert said == [network.config.id2label[place] for place in expected.argmax(1).tolist()]
    return "equal"


def batches(runs: FamilyRuns) -> str:
    """A text's logits are the same alone, in a batch, and with more padding."""
    together = runs.model()(**runs.inputs)
    for row, text in enumerate(TEXTS):
        assert difference(runs.model()(**runs.read([text])), together[row : row + 1]) <= CLOSE
    padded = {key: nn.functional.pad(value, (0, 5), value=PAD[key]) for key, value in runs.inputs.items()}
    assert difference(runs.model()(**padded), together) <= CLOSE
    return "equal"


def exports(runs: FamilyRuns) -> str:
    """The ONNX graph gives the model's logits."""
    path = runs.folder / f"{runs.family}-{runs.head}.onnx"
    write_onnx(runs.model(), path)
    assert difference(OnnxModel(path, 1)(**runs.inputs), runs.model()(**runs.inputs)) <= CLOSE
    return "equal"


def rounds(method: str) -> Callable[[FamilyRuns], str]:
    """Return a check: a saved and reopened quantized model has logits close to the dense ones."""

    def check(runs: FamilyRuns) -> str:
        rounded, dense = runs.model(f"compression=[{method}]"), runs.model()
        found, expected = rounded(**runs.inputs).detach(), dense(**runs.inputs).detach()
        assert 0 < float((found - expected).abs().mean()) < 0.5 * float(expected.std())
        assert not [name for name, module in rounded.named_modules() if type(module) is nn.Linear]
        return "all layers"

    return check


def distils(runs: FamilyRuns) -> str:
    """A model of the family learns the logits and states of another one."""
    teacher = f"compression.distil.teacher={runs.run().identity}"
    words = ("compression=[distil]", teacher, "seed=1", "compression.distil.phases.task.losses.hidden=1")
    retained = runs.run(*words).metrics["distil/retained"]
    assert retained > 0.8
    return f"{retained:.2f}"


def prunes(method: str, *options: str) -> Callable[[FamilyRuns], str]:
    """Return a check: all linear layers of all blocks are pruned, and stay sparse in the saved model."""

    def check(runs: FamilyRuns) -> str:
        words = (f"compression=[{method}]", f"compression.{method}.epochs=2", *options)
        metrics, model = runs.run(*words).metrics, runs.model(*words)
        found = choose_matrices(model, None)
        zeros = [float((matrix.weight == 0).float().mean()) for matrix in found.values()]
        assert min(zeros) > 0 and metrics["prune/fold_error"] <= CLOSE
        assert 1 - sum(zeros) / len(zeros) == pytest.approx(metrics["prune/density_prunable"], abs=0.2)
        return f"{len(found)} of {len(found)}"

    return check


CHECKS: dict[str, Callable[[FamilyRuns], str]] = {
    "accuracy": trains,
    "reload": reopens,
    "batch": batches,
    "ONNX": exports,
    "`int8`": rounds("int8"),
    "`splitquant`": rounds("splitquant"),
    "`distil`": distils,
    "`magnitude`": prunes("magnitude", "compression.magnitude.density=0.5"),
    "`movement`": prunes("movement", "compression.movement.density=0.5"),
    "`l0`": prunes("l0", "compression.l0.init=-2.0"),
}
MEASURED = ("family", *CHECKS)  # the columns of the page's table
