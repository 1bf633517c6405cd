"""Finds a compression stage's inputs from outside its run: a teacher, unlabelled texts, a model that replaces words.

All are checked before the run folder exists, and their content is part of the run's identity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from data.json_types import JsonObject
from data.load import load_splits
from data.splits import Splits, TokenSplit
from data.stores.build_once import SharedCache
from data.unlabelled import Unlabelled, load_unlabelled
from models.compression.distillation.teacher import read_model_facts
from models.compression.methods import make_stage
from models.compression.settings.learn import TaughtSettings
from models.compression.settings.stage import StageSettings
from models.errors import ModelError
from models.network import Network
from runner.errors import ConfigError
from runner.experiment.teacher import KeptTeacher
from runner.experiment.unlabelled_source import unlabelled_source
from runner.experiment.word_replacer import WordReplacer
from runner.machine.exclusive import Exclusive
from runner.record.folder import read_record
from runner.record.model_folder import folder_of
from runner.record.status import shown_status
from runner.schema import Settings
from runner.tasks.base import Task
from runner.tasks.make import target_of

Notify = Callable[[str], None]


@dataclass
class StageInputs:
    """The inputs of one stage; None if its settings name none."""

    teacher: KeptTeacher | None = None
    unlabelled: Unlabelled | None = None
    replacer: WordReplacer | None = None

    @property
    def notes(self) -> list[str]:
        """The lines about these inputs that the user is told."""
        found = list(self.teacher.notes) if self.teacher else []
        if self.unlabelled and (count := self.unlabelled.left_out):
            found.append(
                f"{count:,} unlabelled texts were left out: they are texts of the selection or a reported split"
            )
        return found

    def extra_texts(self, train: TokenSplit) -> list[TokenSplit]:
        """Return the texts that join the training rows `train` without labels."""
        found = [self.unlabelled.split] if self.unlabelled else []
        return [*found, *([self.replacer.vary(train)] if self.replacer else [])]

    def identity_contents(self, name: str) -> dict[str, str]:
        """Return the settings that name these inputs, with fingerprints in place of ids and paths."""
        found = {}
        if self.teacher:
            found[f"compression.{name}.teacher"] = self.teacher.facts.fingerprint
        if self.unlabelled:
            found[f"compression.{name}.unlabelled"] = self.unlabelled.fingerprint
        if self.replacer:
            found[f"compression.{name}.augment.model"] = self.replacer.facts.fingerprint
        return found


def find_stage_inputs(
    settings: Settings,
    splits: Splits,
    task: Task,
    model: Network,
    device: torch.device,
    notify: Notify,
    exclusive: Exclusive,
) -> dict[str, StageInputs]:
    """Return the inputs of each stage, by its name, all of them checked; raises the user's errors."""
    cache = SharedCache(Path(settings.paths.cache).expanduser(), notify, exclusive.waiting)
    finder = _Finder(settings, splits, task, device, cache, exclusive)
    return {name: finder.find(name, stage, model) for name, stage in settings.compression.items()}


@dataclass
class _Finder:
    """Finds the inputs of the stages of one run."""

    settings: Settings
    splits: Splits
    task: Task
    device: torch.device
    cache: SharedCache
    exclusive: Exclusive

    def find(self, name: str, stage: StageSettings, model: Network) -> StageInputs:
        """Return the inputs of one stage, checked."""
        if not isinstance(stage, TaughtSettings):
            return StageInputs()
        inputs = StageInputs(self._teacher(name, stage))
        reading = self._reading(stage, inputs.teacher.source) if inputs.teacher else {}
        if inputs.teacher:
            try:
                make_stage(stage).check_teacher(model, inputs.teacher)
            except ModelError as error:
                raise ConfigError(f"compression.{name}: {error}") from error
            inputs.teacher.check(reading.get("max_length", self.settings.data.max_length))
        if stage.unlabelled:
            inputs.unlabelled = self._unlabelled(name, stage, self.splits)
            if inputs.teacher and inputs.teacher.splits is not self.splits:
                theirs = self._unlabelled(name, stage, inputs.teacher.splits, reading)
                inputs.teacher.versions[inputs.unlabelled.split.fingerprint] = theirs.split
        inputs.replacer = self._replacer(name, stage)
        return inputs

    def _teacher(self, name: str, stage: TaughtSettings) -> KeptTeacher | None:
        """Return the teacher that the stage names, if it names one."""
        if not stage.teacher:
            return None
        key = f"compression.{name}.teacher"
        named, source = f"{key}={stage.teacher}", self._finished_model(key, stage.teacher)
        if stage.tokens == "shared":
            return KeptTeacher(source, named, self.splits, self.task, self.device, self.cache, self.exclusive)
        theirs = self._in_tokens_of(source, self._reading(stage, source))
        versions = {self.splits.train.fingerprint: theirs.train, self.splits.select.fingerprint: theirs.select}
        return KeptTeacher(source, named, theirs, self.task, self.device, self.cache, self.exclusive, versions)

    def _reading(self, stage: TaughtSettings, source: str) -> JsonObject:
        """Return the settings of the data with which the teacher `source` reads texts, where the student has others.

        Where the student reads more of a text, as n-grams read all of it, a teacher takes the tokens that its own run
        did, or has positions for.
        """
        chosen: JsonObject = {"max_length": stage.teacher_length} if stage.teacher_length else {}
        if stage.tokens == "shared" or self.task.reads == "tokens":
            return chosen
        record = read_record(Path(source).parent)
        own = record.settings if record else {}
        limits = (read_model_facts(source, "teacher").positions, own.get("data.max_length"))
        longest = self.settings.data.max_length
        most = min((limit for limit in limits if limit), default=longest)
        if most >= longest:
            return chosen
        found: JsonObject = {"max_length": most}
        return found | ({"truncate": own["data.truncate"]} if "data.truncate" in own else {}) | chosen

    def _replacer(self, name: str, stage: TaughtSettings) -> WordReplacer | None:
        """Return the masked-word model that the stage varies its texts with, if it names one."""
        options = stage.augment
        if not options.model:
            return None
        key = f"compression.{name}.augment.model"
        source = self._finished_model(key, options.model)
        found = WordReplacer(source, key, options, self.splits, self.device, self.cache, self.exclusive)
        found.check(self.settings.data.max_length)
        return found

    def _finished_model(self, key: str, source: str) -> str:
        """Return the folder or hub id of a finished model; `source`: a run of this output folder, a folder, or a hub
        id.
        """
        if "/" in source and not Path(source).expanduser().is_dir():
            return source
        folder = folder_of(source, self.settings.paths.output, key)
        record = read_record(folder.parent)
        if record and record.status != "done":
            raise ConfigError(
                f"{key}={source}: that run is {shown_status(record)}. Try: the id of a finished one (run show)"
            )
        return str(folder)

    def _in_tokens_of(self, source: str, reading: JsonObject) -> Splits:
        """The run's splits, row by row, in the tokens of the teacher `source`; reading: its settings of the data."""
        return load_splits(
            replace(self.settings.data, **reading), tokenizer=source, vocab_size=0, cache=self.cache.folder,
            notify=self.cache.notify, waiting=self.cache.waiting, task=self.settings.task,
            target=target_of(self.settings),
        )  # fmt: skip

    def _unlabelled(
        self, name: str, stage: TaughtSettings, splits: Splits, reading: JsonObject | None = None
    ) -> Unlabelled:
        """Return the unlabelled texts of a stage in the tokens of `splits`; reading: settings of the data to change."""
        assert stage.unlabelled is not None, "asked for only where there are such texts"
        wanted = unlabelled_source(f"compression.{name}.unlabelled", stage.unlabelled, self.settings.data)
        return load_unlabelled(
            replace(wanted, **(reading or {})), splits.tokenizer, rows=stage.unlabelled_rows,
            cache=self.cache.folder, notify=self.cache.notify, waiting=self.cache.waiting, reported=splits.text_hashes,
            held_out=splits.held_out_hashes if stage.held_out == "left_out" else None, like=splits.train,
        )  # fmt: skip
