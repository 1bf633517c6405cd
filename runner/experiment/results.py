"""What a trained model is worth and what it costs: scores, the saved folder, sizes and latency."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.machine.exclusive import alone

if TYPE_CHECKING:
    from models.network import SequenceClassifier
    from runner.experiment.prepare import Started
    from runner.experiment.progress import Terminal
    from runner.record.raw import Record

YARDSTICK_TOKENS = 30522  # BERT's vocabulary: the yardstick is the published model's shape


def evaluate(started: Started) -> tuple[dict[str, float], dict[str, Any]]:
    """Metrics of each split, and of the reported ones their 95 % intervals, the majority baseline and each class's.

    What is said of classes comes apart, by split; predictions are stored.
    """
    import numpy as np

    from runner.record.predictions import write_predictions
    from runner.tasks import get, recorded
    from runner.training.inference import predict, score

    settings, splits = started.settings, started.splits
    task, kind = splits.task, get(splits.task.kind)
    found: dict[str, float] = {}
    reports: dict[str, Any] = {}
    for split in (splits.select, *splits.report):
        logits = predict(
            started.model, split, pad_id=splits.tokenizer.pad_id, batch_size=settings.train.eval_batch_size,
            device=started.device, precision=settings.train.precision,
        )  # fmt: skip
        found |= score(task, split, logits, recorded(task))
        if split is splits.select:
            if task.kind == "regression" and kind.constant_predictions(logits):
                found["train/diverged"] = 1.0
            continue
        labels = np.asarray(split.labels)
        write_predictions(started.folder, split, kind.columns(logits, labels), task.label_names)
        for name in task.metrics:
            low, high = kind.interval(logits, labels, name, positive=task.positive)
            found |= {f"{split.name}/{name}_low": low, f"{split.name}/{name}_high": high}
        found[f"{split.name}/examples"] = len(split)
        if not task.has_labels:
            if split is splits.report[0]:
                found["baseline/majority"] = kind.unigram_perplexity(splits.train, split)
            continue
        found[f"{split.name}/constant_predictions"] = float(kind.constant_predictions(logits))
        if task.label_names:
            reports[split.name] = kind.report(logits, labels, task.label_names)
        if split is splits.report[0]:
            seen = np.asarray(splits.train.labels)
            found["baseline/majority"] = kind.majority(seen, labels, task.metrics[0], positive=task.positive)
    return found, reports


def learning(started: Started) -> dict[str, float]:
    """How well the curve on the selection split went: its area and, for classes, whether anything was learned."""
    from runner.record.learning_curve import area, curve

    found = _guesses(started, "train/loss")
    if _rises(started):
        found["train/area"] = area(curve(started.folder))
    return found


def fate(started: Started, begun: int, settled: int) -> dict[str, float]:
    """Whether a pruning, trained from step `begun` of the run on, diverged: it guesses, or fell once it had settled.

    settled: the steps after `begun` after which nothing more was taken away.
    """
    from runner.record.learning_curve import collapsed, curve

    found = _guesses(started, "prune/loss_task")
    if _rises(started) and collapsed(curve(started.folder).since(begun), begun + settled):
        found["train/diverged"] = 1.0
    return found


def _rises(started: Started) -> bool:
    """Is the primary score better higher?"""
    from runner.record.metrics import direction

    return direction(f"{started.splits.select.name}/{started.splits.task.metrics[0]}") == "higher"


def _guesses(started: Started, loss_name: str) -> dict[str, float]:
    """`train/diverged` of a classifier by its last accuracies and its loss at the end; nothing for other tasks.

    Both accuracies are logged whatever the run is scored by.
    """
    import numpy as np

    from runner.record.learning_curve import diverged, last, late
    from runner.tasks import get

    splits, select = started.splits, started.splits.select
    accuracy, loss = last(started.folder, f"{select.name}/accuracy"), late(started.folder, loss_name)
    if splits.task.kind != "classification" or accuracy is None or loss is None:
        return {}
    labels, seen = np.asarray(select.labels), np.asarray(splits.train.labels)
    majority = get(splits.task.kind).majority(seen, labels, "accuracy")
    balanced, present = last(started.folder, f"{select.name}/balanced_accuracy"), len(np.unique(labels))
    above_chance = None if balanced is None else balanced - 1 / present
    reason = diverged(
        accuracy=accuracy, majority=majority, loss=loss, classes=splits.task.num_labels, above_chance=above_chance
    )
    return {"train/diverged": float(reason is not None)}


def save_model(started: Started, record: Record, folder: Path) -> None:
    """Save the model as it stands as a Hugging Face folder."""
    from models.checkpoints.save import save_model
    from runner.record.model_card import model_card
    from runner.record.record import RunRecord

    splits = started.splits
    save_model(
        started.model,
        folder,
        tokenizer_save=partial(splits.tokenizer.save, longest=started.model.longest_input()),
        label_names=list(splits.task.label_names),
        kind=splits.task.kind,
        card=model_card(RunRecord.from_json(record.content)),
    )


def costs(started: Started, terminal: Terminal, folder: Path) -> dict[str, float]:
    """Size, work and latency of the model saved in `folder`, beside the yardstick model in the same rounds."""
    from runner.measure.measure import measure

    settings, splits = started.settings, started.splits
    yardstick = None
    if settings.measure.enabled:
        terminal.say("measuring size and latency")
        yardstick = build_yardstick(started)
    with alone(terminal.say) if settings.measure.enabled else nullcontext():
        return measure(
            started.model,
            splits.report[0],
            settings.measure,
            pad_id=splits.tokenizer.pad_id,
            baseline=yardstick,
            model_folder=folder,
            positions=positions_of(started),
            warn=terminal.say,
        )


def positions_of(started: Started) -> int:
    """The longest input in tokens the model takes; a usual length where there is no limit."""

    return started.model.longest_input() or started.settings.model.positions


def build_yardstick(started: Started) -> SequenceClassifier | None:
    """The preset `measure.baseline` with random weights: its latency beside the model's makes machines comparable."""
    import torch

    from models.build import build
    from runner.config.compose import compose
    from runner.config.resolve import resolve

    name, splits = started.settings.measure.baseline, started.splits
    if not name:
        return None
    preset = resolve(compose([f"model={name}", "data=demo"])).model
    preset.positions = max(preset.positions, positions_of(started))
    with torch.random.fork_rng():
        model, _ = build(
            preset,
            num_labels=splits.task.num_labels,
            vocab_size=max(YARDSTICK_TOKENS, splits.tokenizer.vocab_size),
            pad_id=splits.tokenizer.pad_id,
        )
    model.to(started.device)
    return model
