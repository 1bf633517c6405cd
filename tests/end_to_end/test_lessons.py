"""Distillation beats training on few labels, and more so with the teacher's predictions on extra texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from data.labels import Labels
from data.splits import DataTask, Splits, TokenSplit
from data.unlabelled import append_unlabelled
from models.backbones.dropout import dropout_generator
from models.compression.distil import DistilHook, Pair
from models.compression.settings.learn import Distil as Options
from models.compression.settings.learn import DistilLosses, DistilPhase
from runner.experiment.recipe import recipe_of
from runner.schema import Settings
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.training.checkpoint import Checkpoints, clear_checkpoints
from runner.training.inference import predict
from runner.training.loop import fit
from tests.data.helpers import split_of
from tests.models.compression.task_views import Classes
from tests.models.helpers import small

CPU = torch.device("cpu")

# A task that a bag of words can learn, but not from 64 examples: 60 words, each with its own weight.
WORDS, LONG = 60, 12


def written(count: int, seed: int, name: str) -> TokenSplit:
    tokens = np.random.default_rng(seed).integers(1, WORDS, (count, LONG))
    labels = (np.random.default_rng(0).normal(size=WORDS)[tokens].sum(1) > 0).astype(np.int64)
    return split_of(list(tokens), labels, name=name)


def splits_of(train: TokenSplit) -> Splits:
    task = DataTask("class_label", ("no", "yes"), False)
    tokenizer: Any = SimpleNamespace(pad_id=0)
    return Splits(task, train, written(300, 2, "val"), (), tokenizer, "")


def trained(
    train: TokenSplit, folder: Path, epochs: float, seed: int = 0, hook: Callable[[Any], DistilHook] | None = None
) -> tuple[Any, list[float], float]:
    """A bag-of-words model trained on these rows, its logged losses, and its accuracy on the selection rows."""
    settings, losses = Settings(seed=seed), list[float]()
    settings.train.epochs, settings.optimizer.lr, settings.train.batch_size = epochs, 0.02, 16
    model = small(
        seed, num_labels=2, vocab_size=WORDS, family="dsn", backbone="none", readout={"name": "mean"}, dropout=0.1
    )
    dropout_generator.seed(seed)
    done = fit(
        model, splits_of(train), Classification(LabelFacts(("no", "yes"))), recipe_of(settings),
        device=CPU, checkpoints=Checkpoints(folder, "t", 1e9),
        on_point=lambda _, values: losses.append(values["train/loss"]), on_epoch=lambda *_: None,
        hook=hook(model) if hook else None,
    )  # fmt: skip
    clear_checkpoints(folder)  # as a finished run does
    return model, losses, done.best_metric


def lesson(answers: np.ndarray, **weights: float) -> Callable[[Any], DistilHook]:
    context: Any = SimpleNamespace(
        device=CPU, task=Classes(), teacher_logits=lambda rows: torch.from_numpy(answers[rows])
    )
    losses = DistilLosses(**weights)
    options = Options(phases={"task": DistilPhase(losses)}, temperature=1.0)
    return lambda model: DistilHook(losses, Pair(model, SimpleNamespace(), context, options))  # type: ignore[arg-type]


def test_a_few_examples_with_a_teachers_answers_teach_more_than_their_labels(tmp_path: Path) -> None:
    few = written(64, 3, "train")
    teacher, _, known = trained(written(1000, 1, "train"), tmp_path, 4)
    more = append_unlabelled(few, written(300, 4, "train"))
    answers = predict(teacher, more, batch_size=64, device=CPU, precision="fp32")

    def mean(train: TokenSplit, epochs: float, **weights: float) -> float:
        hook = lesson(answers, **weights) if weights else None
        return float(np.mean([trained(train, tmp_path, epochs, seed, hook)[2] for seed in range(3)]))

    alone, taught = mean(few, 15), mean(few, 15, soft=1.0)
    assert known > 0.9 and taught > alone + 0.02
    assert mean(more, 8, soft=1.0, hard=0.5) > taught + 0.1, "the teacher's answers to more texts"


def test_with_the_labels_alone_it_is_plain_training_bit_for_bit(tmp_path: Path) -> None:
    few = written(64, 3, "train")
    plain, losses, _ = trained(few, tmp_path, 3)
    other, same, _ = trained(few, tmp_path, 3, hook=lesson(np.zeros(0), hard=1.0))
    assert losses == same
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), other.parameters(), strict=True))


def test_rows_without_labels_add_nothing_to_the_tasks_loss(tmp_path: Path) -> None:
    few, extra = written(32, 3, "train"), written(32, 4, "train")
    flipped = replace(extra, labels=Labels(1 - extra.labels.values))
    one, losses, _ = trained(append_unlabelled(few, extra), tmp_path, 2)
    other, same, _ = trained(append_unlabelled(few, flipped), tmp_path, 2)
    assert losses == same and all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
