"""What a compression stage takes from outside its run: a finished teacher, texts without labels, what varies texts.

All of it is found and checked before the run folder exists, and its content is part of the run's identity.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.compression.settings.learn import TaughtSettings
from runner.errors import ConfigError
from runner.record.model_folder import folder_of
from runner.record.raw import whole
from runner.schema import Settings

if TYPE_CHECKING:
    import torch
    from torch import nn

    from data.settings import DataSettings
    from data.splits import Splits, TokenSplit
    from data.unlabelled import Unlabelled
    from runner.experiment.prepare import Model
    from runner.experiment.word_replacer import Augmenter

Notify = Callable[[str], None]
BETTER = 0.02  # than the commonest label: a teacher that was never trained for the task is at most as good as that
CHECKED, TOLERANCE = 8, 1e-4  # rows answered anew, each alone, and how far in fp32 they may be off what is kept
BATCH = 64


@dataclass
class Outside:
    """What one stage gets."""

    teacher: KeptTeacher | None = None
    unlabelled: Unlabelled | None = None
    augmenter: Augmenter | None = None

    def texts(self, train: TokenSplit) -> list[TokenSplit]:
        """What joins the training rows `train` without labels."""
        found = [self.unlabelled.split] if self.unlabelled else []
        return [*found, *([self.augmenter.texts(train)] if self.augmenter else [])]

    def contents(self, name: str) -> dict[str, str]:
        """The settings that name these things, with their fingerprints in the place of ids and paths."""
        found = {}
        if self.teacher:
            found[f"compression.{name}.teacher"] = self.teacher.facts.fingerprint
        if self.unlabelled:
            found[f"compression.{name}.unlabelled"] = self.unlabelled.fingerprint
        if self.augmenter:
            found[f"compression.{name}.augment.model"] = self.augmenter.facts.fingerprint
        return found


class KeptTeacher:
    """A finished classifier whose answers are kept; models/compression/stage.py says what a Teacher is."""

    def __init__(
        self, source: str, named: str, splits: Splits, device: torch.device, cache: Path, notify: Notify,
        versions: dict[str, TokenSplit] | None = None,
    ) -> None:  # fmt: skip
        """source: a folder or hub id; named: the setting that names it and how, for messages.

        splits: in the teacher's tokens; versions: the same of the student's splits, by their fingerprints, if it has
        other tokens.
        """
        from models.compression.distillation.teacher import read_model_facts
        from models.heads.label_order import match_labels

        self.source, self.named, self.splits, self.device = source, named, splits, device
        self.cache, self.notify = cache, notify
        self.facts = read_model_facts(source, named.partition("=")[0])
        self.versions = versions or {}
        self.rows_answered, self.seconds, self.score = 0, 0.0, 0.0
        # Where the task's labels stand among its own; and what the user must be told once.
        cure = "a teacher trained with this data"
        self.order, self.notes = match_labels(self.facts.labels, splits.task.label_names, named, cure)

    @cached_property
    def network(self) -> nn.Module:
        """Read without touching the run's random numbers; it answers the labels in the task's order."""
        import torch

        from models.compression.distillation.teacher import open_teacher
        from models.heads.target_scale import standardise_targets
        from models.network import SequenceClassifier

        with torch.random.fork_rng():
            network = open_teacher(self.source, self.named.partition("=")[0], self.order).to(self.device)
        if self.splits.task.target_scale and isinstance(
            network, SequenceClassifier
        ):  # in bf16 a folded head loses digits
            standardise_targets(network, **asdict(self.splits.task.target_scale), is_fresh=False)
        return network

    def answers(self, split: TokenSplit) -> np.ndarray:
        """Its logits of every row, (rows, C) float32; computed if no run has asked for them before."""
        from data.stores.build_once import SharedCache
        from data.stores.teacher_logits import open_teacher_logits
        from runner.machine.exclusive import waiting

        split = self.versions.get(split.fingerprint, split)
        parts: dict[str, Any] = {"teacher": self.facts.fingerprint, "texts": split.fingerprint}
        if self.order != sorted(self.order):
            parts["order"] = self.order
        cache = SharedCache(self.cache, self.notify, waiting)
        return open_teacher_logits(cache, parts, lambda: self._answer(split))

    def _answer(self, split: TokenSplit) -> np.ndarray:
        from runner.training.inference import predict

        begun = time.perf_counter()
        self.notify(f"asking the teacher, {len(split):,} rows of {split.name}")

        def ask(rows: TokenSplit, size: int) -> np.ndarray:
            pad = self.splits.tokenizer.pad_id
            return predict(self.network, rows, pad_id=pad, batch_size=size, device=self.device, precision="fp32")

        logits = ask(split, BATCH)
        numbers = np.random.default_rng(0).permutation(len(split))[:CHECKED]
        apart = max(float(np.abs(ask(_row(split, number), 1) - logits[number]).max()) for number in numbers)
        targets = self.splits.task.target_scale
        if apart > (targets.tolerance(TOLERANCE) if targets else TOLERANCE):
            raise ConfigError(
                f"{self.named}: answers a text otherwise in a batch than alone (by {apart:.1g}), so its "
                "answers cannot be kept. Try: a teacher whose readout leaves padding out"
            )
        self.rows_answered += len(split)
        self.seconds += time.perf_counter() - begun
        return logits

    def check(self, max_length: int) -> None:
        """Score it; ConfigError when it cannot teach this task with these tokens, `max_length` of them at most."""
        self._check_tokens(max_length)
        self._check_score()

    def _check_tokens(self, max_length: int) -> None:
        from data.inputs.tokenizer import load_tokenizer

        own = self.splits.tokenizer
        other = load_tokenizer(self.source)
        positions = self.facts.positions
        if positions is not None and max_length > positions:
            raise ConfigError(
                f"{self.named}: reads {positions} tokens at most, and data.max_length={max_length}. "
                f"Try: data.max_length={positions}"
            )
        if other.tokens() != own.tokens():
            raise ConfigError(
                f"{self.named}: reads another vocabulary ({other.vocab_size:,} tokens) than the student "
                f"({own.vocab_size:,}). Try: model.tokenizer={self.source}, or "
                f"{self.named.partition('=')[0].removesuffix('teacher')}tokens=own to learn its answers alone"
            )

    def _check_score(self) -> None:
        from runner.record.metrics import direction
        from runner.tasks import get
        from runner.training.inference import score

        splits, kind = self.splits, get(self.splits.task.kind)
        metric = splits.task.metrics[0]
        name, labels = f"{splits.select.name}/{metric}", np.asarray(splits.select.labels)
        found = score(splits.task, splits.select, np.array(self.answers(splits.select)))[name]
        base = kind.majority(labels, labels, metric, positive=splits.task.positive)
        sign = -1.0 if direction(name) == "lower" else 1.0
        self.score = sign * found
        if self.score < sign * base + BETTER * (splits.task.scale**2 if metric == "mse" else 1.0):
            raise ConfigError(
                f"{self.named}: its {metric} on {splits.select.name} is {found:.3f}, the commonest "
                f"answer has {base:.3f}: it was not trained for this task. Try: the id of a run with this data"
            )


def _row(split: TokenSplit, number: int) -> TokenSplit:
    """One row as a split of its own."""
    start, end = split.offsets[number], split.offsets[number + 1]
    own = slice(number, number + 1)
    return replace(
        split, tokens=split.tokens[start:end], offsets=np.array([0, end - start]),
        segment_starts=split.segment_starts[own], labels=split.labels[own], source_rows=None,
    )  # fmt: skip


def find(settings: Settings, splits: Splits, model: Model, device: torch.device, notify: Notify) -> dict[str, Outside]:
    """What each stage gets, by its name, everything checked; raises the user's errors."""
    from models.compression.methods import make_stage
    from models.errors import ModelError

    found = {}
    for name, stage in settings.compression.items():
        if not isinstance(stage, TaughtSettings):
            found[name] = Outside()
            continue
        outside = Outside(_teacher(settings, name, stage, splits, device, notify))
        if outside.teacher:
            try:
                make_stage(stage).check_teacher(model, outside.teacher)
            except ModelError as error:
                raise ConfigError(f"compression.{name}: {error}") from error
            outside.teacher.check(stage.teacher_length or settings.data.max_length)
        if stage.unlabelled:
            outside.unlabelled = _unlabelled(settings, name, stage, splits, notify)
            if outside.teacher and outside.teacher.splits is not splits:
                length = stage.teacher_length
                theirs = _unlabelled(settings, name, stage, outside.teacher.splits, notify, length)
                outside.teacher.versions[outside.unlabelled.split.fingerprint] = theirs.split
        outside.augmenter = _augmenter(settings, name, stage, splits, device, notify)
        found[name] = outside
    return found


def _teacher(
    settings: Settings, name: str, stage: TaughtSettings, splits: Splits, device: torch.device, notify: Notify
) -> KeptTeacher | None:
    """The teacher that a stage names, if it names one."""
    if not stage.teacher:
        return None
    key, cache = f"compression.{name}.teacher", Path(settings.paths.cache).expanduser()
    named, source = f"{key}={stage.teacher}", _finished(settings, key, stage.teacher)
    if stage.tokens == "shared":
        return KeptTeacher(source, named, splits, device, cache, notify)
    theirs = _as_read(settings, source, stage.teacher_length, cache, notify)
    versions = {splits.train.fingerprint: theirs.train, splits.select.fingerprint: theirs.select}
    return KeptTeacher(source, named, theirs, device, cache, notify, versions)


def _finished(settings: Settings, key: str, source: str) -> str:
    """The folder or hub id of a finished model: `source` may be a run of this output folder, a folder, or a hub id."""
    if "/" in source and not Path(source).expanduser().is_dir():
        return source
    folder = folder_of(source, settings.paths.output, key)
    record = whole(folder.parent)
    if record and record["status"] != "done":
        raise ConfigError(f"{key}={source}: that run is {record['status']}. Try: the id of a finished one (run show)")
    return str(folder)


def _augmenter(
    settings: Settings, name: str, stage: TaughtSettings, splits: Splits, device: torch.device, notify: Notify
) -> Augmenter | None:
    """The masked-word model that a stage varies its texts with, if it names one."""
    from runner.experiment.word_replacer import Augmenter

    options = stage.augment
    if not options.model:
        return None
    key, cache = f"compression.{name}.augment.model", Path(settings.paths.cache).expanduser()
    found = Augmenter(_finished(settings, key, options.model), key, options, splits, device, cache, notify)
    found.check(settings.data.max_length)
    return found


def _as_read(settings: Settings, source: str, length: int | None, cache: Path, notify: Notify) -> Splits:
    """The run's splits, row by row, in the teacher's tokens."""
    from data.load import load_splits
    from runner.machine.exclusive import waiting

    data = replace(settings.data, max_length=length or settings.data.max_length)
    return load_splits(
        data, tokenizer=source, vocab_size=0, cache=cache, notify=notify, waiting=waiting, task=settings.task
    )


def _unlabelled(
    settings: Settings, name: str, stage: TaughtSettings, splits: Splits, notify: Notify, length: int | None = None
) -> Unlabelled:
    """In the tokens of `splits`, at most `length` or data.max_length of a text."""
    from data.unlabelled import load_unlabelled
    from runner.machine.exclusive import waiting

    assert stage.unlabelled is not None, "asked for only where there are such texts"
    wanted, rows = source_of(f"compression.{name}.unlabelled", stage.unlabelled, settings.data), stage.unlabelled_rows
    cache = Path(settings.paths.cache).expanduser()
    wanted = replace(wanted, max_length=length or wanted.max_length)
    return load_unlabelled(
        wanted, splits.tokenizer, rows=rows, cache=cache, notify=notify, waiting=waiting, reported=splits.text_hashes
    )


def source_of(key: str, text: str, data: DataSettings) -> DataSettings:
    """Where `<data>:<split>` or a file of texts is read from; ConfigError when that is nothing that has such texts."""
    from runner.config.compose import compose, groups
    from runner.config.resolve import resolve

    if Path(text).expanduser().is_file():
        return replace(data, source="files", path=text, train_path=None, val_path=None, test_path=None, split=None)
    name, _, split = text.partition(":")
    if name not in groups()["data"] or not split:
        raise ConfigError(f"{key}={text}: neither a file nor <data>:<split> of the hub. Try: {key}=imdb:unsupervised")
    found = resolve(compose([f"data={name}"])).data
    if found.source != "hub" or (found.text_pair is None) != (data.text_pair is None):
        why = "is not on the hub" if found.source != "hub" else "has another number of texts a row"
        raise ConfigError(f"{key}={text}: data={name} {why}. Try: {key}=imdb:unsupervised, or a file")
    return replace(found, split=split, max_length=data.max_length)
