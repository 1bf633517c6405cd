"""Finds the saved model that a run starts from: a finished run's, or an encoder that is finetuned first in its own run.

That run has its own identity, folder and record: every head over the same encoder shares it, an interruption resumes
it, and it is the same run that `run model=bert-mini train.epochs=1` makes, so every table shows the encoder's own head
beside the new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torch import nn

from data.quoting import hydra_setting
from models.backbones.dropout import Dropout
from models.checkpoints.source import check_readout
from models.settings import Finetuning
from runner.config.compose import compose
from runner.experiment.dependencies.inner_run import MakeRun, finish_run, inner_overrides
from runner.experiment.dependencies.words_of_files import missing_words, names_file, words_of_files
from runner.experiment.initial_model import check_readout_length
from runner.experiment.prepare import load_run_splits
from runner.experiment.prepared import InitialWeights
from runner.machine.exclusive import Exclusive
from runner.record.model_folder import folder_of
from runner.schema import Settings
from runner.tasks import named_task
from runner.training.frozen_states import check_size
from runner.training.r_drop import check_dropout

# Settings of the command that the encoder's run does not share, each with everything below it.
OF_THE_HEAD = (
    "model/backbone", "model/readout", "model.readout", "model.tune", "model.freeze", "model.carry",
    "train.epochs", "train.steps", "train.batch_size", "optimizer.lr", "compression", "density", "cache", "force",
    "resume",
)  # fmt: skip

# Groups and settings that a file which the command names may set for both.
OF_BOTH = (
    "data", "task", "schedule", "optimizer", "train", "engine", "measure", "tracker", "paths", "checkpoint", "seed",
)  # fmt: skip


def find_initial_weights(
    settings: Settings, overrides: list[str], notify: Callable[[str], None], exclusive: Exclusive, make_run: MakeRun
) -> InitialWeights:
    """Find the model that model.init_from names; finetune the encoder first where model.tune.epochs asks for it.

    Raises the user's errors and InnerRunUnfinished.
    """
    model = settings.model
    if model.family == "dsn":
        return InitialWeights()
    if not model.tune.epochs or settings.finished:  # the encoder of a finished run is in its folder
        return InitialWeights(folder_of(model.init_from, settings.paths.output) if model.init_from else None)
    check_before_finetuning(settings, notify, exclusive)
    notify(f"tuning the encoder first, {model.tune.epochs:g} epochs, as a separate run")
    encoder = encoder_settings(settings)
    record = finish_run(make_run, encoder, encoder_overrides(encoder, overrides))
    folder = Path(settings.paths.output).expanduser() / record.identity / "model"
    return InitialWeights(folder.absolute(), record.metrics["time/train_s"])


def check_before_finetuning(settings: Settings, notify: Callable[[str], None], exclusive: Exclusive) -> None:
    """Refuse, before any training, what a head on this encoder cannot be.

    That is a readout that the encoder cannot feed, R-Drop without dropout above the encoder, and a store of states that
    is too large.
    """
    readout, hidden, layers = check_readout(settings.model)
    check_readout_length(readout, settings)
    last = settings.model.dropout if readout.head_dropout is None else readout.head_dropout
    check_dropout(nn.ModuleList([readout, Dropout(last)]), settings.train.r_drop)
    if settings.cache.mode == "disk" and not readout.hooks():
        splits = load_run_splits(settings, notify, exclusive)
        check_size(splits, settings.cache, readout, hidden, layers)


def encoder_settings(settings: Settings) -> Settings:
    """Return the settings of the encoder's own run: its backbone with BERT's pooler, nothing frozen, its own recipe."""
    model, recipe = settings.model, recipe_of(settings.model.backbone)
    cls, once = {"name": "cls"}, Finetuning()
    plain = replace(
        model, name=model.backbone, readout=cls, freeze="none", tune=once, carry="encoder", recipe_by_rows=[]
    )
    size = model.tune.batch_size or int(recipe["batch_size"])
    train = replace(settings.train, epochs=model.tune.epochs, steps=None, batch_size=size)
    optimizer = replace(settings.optimizer, lr=model.tune.lr or float(recipe["lr"]))
    found = replace(settings, model=plain, train=train, optimizer=optimizer, compression={}, force=False, resume="auto")
    if task := named_task(found.task, found.data):
        task.adapt(found)
    return found


def recipe_of(backbone: str) -> dict[str, float]:
    """Return the training defaults of conf/model/backbone/<backbone>.yaml."""
    found: dict[str, float] = dict(compose(["model=bert-tiny", f"model/backbone={backbone}"]).model.recipe)
    return found


def encoder_overrides(settings: Settings, overrides: list[str]) -> list[str]:
    """Return the overrides that make the encoder's run, whose settings are `settings`, for its record."""
    train, backbone = settings.train, settings.model.backbone
    own = [f"train.epochs={train.epochs!r}", f"train.batch_size={train.batch_size}"]
    own.append(f"optimizer.lr={settings.optimizer.lr!r}")
    model = ["model=bert-tiny", f"model/backbone={backbone}", f"model.name={backbone}"]
    given = [*overrides]
    if has_file := names_file(overrides):  # it sets a head too
        start = hydra_setting("model.pretrained", compose(given).model.pretrained)
        given = [*words_of_files(overrides, OF_BOTH), start, *overrides]
    words = [*model, *inner_overrides(given, dropped=["model", "experiment"], dropped_groups=OF_THE_HEAD), *own]
    return [*words, *missing_words(words, settings)] if has_file else words
