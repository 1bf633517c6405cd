"""Everything a run has before its first step: data, device, model from the seed, and the name all that gives it.

What cannot be is refused here, before the run folder exists.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from runner.errors import ConfigError
from runner.experiment import stage_inputs as outside
from runner.experiment.dependencies.encoder import Start
from runner.experiment.progress import Terminal
from runner.experiment.stage_inputs import Outside
from runner.record.identity import identify
from runner.schema import Settings
from runner.training.frozen_states import check_frozen_states

if TYPE_CHECKING:
    import torch

    from data.splits import DataTask, Splits
    from models.checkpoints.read import Weights
    from models.heads.words import MaskedLM
    from models.network import SequenceClassifier
    from models.readouts.base import Readout
    from models.settings import ModelSettings

    Model = SequenceClassifier | MaskedLM


@dataclass
class Started:
    """Everything a run has before its first step."""

    settings: Settings
    splits: Splits
    model: Model
    device: torch.device
    identity: str
    folder: Path
    weights: Weights
    engine: dict[str, Any] = field(default_factory=dict)  # the facts of runner/machine/matmul.py
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)  # what loading and building took
    outside: dict[str, Outside] = field(default_factory=dict)  # what each stage takes from outside the run
    before: Path | None = None  # folder of the finished run that the last stage goes on from


def check_start(settings: Settings) -> None:
    """Raise the user's errors for a checkpoint that is not there or that no model can be built from.

    Asked before any data is read and any other run is made; only config.json is read.
    """
    from models.checkpoints.read import require_weights
    from models.checkpoints.source import check_source

    model = settings.model
    if settings.finished:
        return
    if model.family == "dsn":
        if model.init_from and model.init != "random":
            require_weights(model.init_from, "model.init_from")
    elif not model.init_from:
        check_source(model)
        if model.pretrained:
            require_weights(model.pretrained)


def load_data(settings: Settings, terminal: Terminal) -> Splits:
    """The splits, tokenised for the model."""
    from data.load import load_splits
    from runner.machine.exclusive import waiting

    cache = Path(settings.paths.cache).expanduser()
    model = settings.model
    return load_splits(
        settings.data, tokenizer=model.tokenizer, vocab_size=model.vocab_size, cache=cache, notify=terminal.say,
        waiting=waiting, task=settings.task, seed=settings.seed,
    )  # fmt: skip


def prepare(settings: Settings, output: Path, terminal: Terminal, start: Start) -> Started:
    """Load the data, build the model from the seed, and name the run."""
    begun = time.perf_counter()
    splits = load_data(settings, terminal)
    check_tokenizer(Path(settings.finished) if settings.finished else start.folder, splits)

    from data.duplicates import repeats_note
    from models.compression.methods import make_stage
    from runner.experiment.stopwatch import Stopwatch
    from runner.machine.matmul import prepare_arithmetic

    loaded = time.perf_counter()
    device = choose_device(settings.device)
    engine = prepare_arithmetic(settings.engine, settings.train.precision, device)
    model, weights, first = starting_model(settings, splits, start)
    model.to(device)
    stages = {name: make_stage(options, name) for name, options in settings.compression.items()}
    for stage in stages.values():
        stage.check(model)
    found = outside.find(settings, splits, model, device, terminal.say)
    kept = check_frozen_states(model, splits, settings.cache, Path(settings.paths.cache), settings.model.freeze)
    contents = {key: value for name, taken in found.items() for key, value in taken.contents(name).items()}
    for name, stage in stages.items():
        contents |= {f"compression.{name}.{key}": value for key, value in stage.identity_contents(model).items()}
    contents |= of_the_labels(splits.task)
    identity = identify(settings, splits.fingerprint, splits.tokenizer.fingerprint, first, contents)
    told = [said for taken in found.values() if taken.teacher for said in taken.teacher.notes]
    seen = repeats_note(repeats(found), {part.name: len(part) for part in splits.report})
    notes = [*splits.notes, *([seen] if seen else []), *weights.notes, *told, *([kept] if kept else [])]
    seconds = {"time/data_s": loaded - begun, "time/build_s": time.perf_counter() - loaded}
    seconds |= {"time/tune_s": start.seconds} if start.seconds else {}
    for stage in stages.values():
        stage.check_speed(model, Stopwatch(settings, splits, device, terminal))
    return Started(settings, splits, model, device, identity, output / identity, weights, engine, notes, seconds, found)


def starting_model(settings: Settings, splits: Splits, start: Start) -> tuple[Model, Weights, str]:
    """The model before its first step, its weights, and what an identity knows them by ("" for those of the seed).

    Raises ConfigError for texts that may be longer than the model takes.
    """
    import torch

    from models.backbones.dropout import dropout_generator
    from models.checkpoints.read import HEAD
    from models.heads.target_scale import standardise_targets
    from runner.training.compact_vocabulary import find_compact_table

    torch.manual_seed(settings.seed)
    dropout_generator.seed(settings.seed)
    if settings.finished:
        model, weights = finished_model(Path(settings.finished), settings.model, splits.task.label_names)
    else:
        model, weights = first_model(settings, splits, start.folder)
    # With the architecture: heads and norms of a checkpoint show in no tensor.
    first = weights.fingerprint and f"{weights.fingerprint} {sorted(model.architecture.items())}"
    if targets := splits.task.target_scale:
        is_fresh = not any(name.startswith(HEAD) for name in weights.loaded)
        standardise_targets(cast("SequenceClassifier", model), targets.mean, targets.sd, is_fresh=is_fresh)
    positions = model.architecture.get("max_position_embeddings")  # None: no limit
    if positions is not None and settings.data.max_length > positions:
        raise ConfigError(
            f"data.max_length={settings.data.max_length} is more than the {positions} positions of "
            f"{settings.model.name}. Try: data.max_length={positions}"
        )
    check_longest(model.bert.pooler, settings)
    if settings.engine.compact_vocabulary == "always" and isinstance(
        reason := find_compact_table(model, splits.train, settings.optimizer), str
    ):
        raise ConfigError(f"engine.compact_vocabulary=always: {reason}. Try: engine.compact_vocabulary=auto")
    return model, weights, first


def of_the_labels(task: DataTask) -> dict[str, str]:
    """What an identity says of the labels' use: nothing for what all runs once did.

    The class whose F1 is recorded, where it is not class 1; that targets are standardised, which is what auto has come
    to.
    """
    is_other = task.num_labels == 2 and task.positive != 1
    found = {"data.positive": task.label_names[task.positive]} if is_other else {}
    return found | ({"data.standardize": "always"} if task.target_scale else {})


def repeats(found: dict[str, Outside]) -> dict[str, int]:
    """The reported rows whose text a stage reads without its label, as `unlabelled+<split>/normalised`."""
    counts: dict[str, int] = {}
    for stage in found.values():
        for split, rows in stage.unlabelled.reported.items() if stage.unlabelled else ():
            key = f"unlabelled+{split}/normalised"
            counts[key] = max(rows, counts.get(key, 0))
    return counts


def check_longest(readout: Readout, settings: Settings) -> None:
    """ConfigError for texts that may be longer than what the readout has room for."""
    longest, wanted = readout.longest, settings.data.max_length
    if longest is not None and wanted > longest:
        raise ConfigError(
            f"data.max_length={wanted} is more than the {longest} tokens that model/readout="
            f"{settings.model.readout['name']} has room for. Try: model.readout.length={wanted}"
        )


def first_model(settings: Settings, splits: Splits, start: Path | None = None) -> tuple[Model, Weights]:
    """The model before its first step, with the head that the task asks for; the caller seeds torch."""
    from models.build import build, build_masked

    tokenizer = splits.tokenizer
    known: dict[str, Any] = {"vocab_size": tokenizer.vocab_size, "pad_id": tokenizer.pad_id, "tokens": tokenizer.tokens}
    if splits.task.kind == "mlm":
        return build_masked(settings.model, output=settings.task.output, **known)
    names = splits.task.label_names
    return build(settings.model, num_labels=splits.task.num_labels, label_names=names, start=start, **known)


def finished_model(folder: Path, settings: ModelSettings, label_names: Sequence[str]) -> tuple[Model, Weights]:
    """A run's model as it was saved, with what the settings add for training, and what it is known by.

    label_names: of the task; where the run had them in another order, the last layer is brought into this one.
    """
    import hashlib

    from models.backbones.bert import Bert
    from models.backbones.dropout import TokenDropout
    from models.backbones.freeze import freeze
    from models.checkpoints.open import load_model
    from models.checkpoints.read import WEIGHTS, Weights, read_config
    from models.compression.methods import is_quantized
    from models.heads.label_order import label_names_of, match_labels, reorder_head

    model = load_model(folder)
    if is_quantized(model.architecture):
        raise ConfigError(f"{folder}: its weights are rounded already, and no stage may follow that. Name another run")
    freeze(model, settings.freeze)
    if isinstance(model.bert, Bert):
        model.bert.token_dropout = TokenDropout(settings.token_dropout)
    found = label_names_of(read_config(str(folder), ""))
    order, notes = match_labels(found, label_names, f"from={folder}", "the data of that run")
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    if order != sorted(order):
        reorder_head(model.classifier, order)
        digest += f" {order}"
    return model, Weights(source=str(folder), fingerprint=digest, loaded=list(model.state_dict()), notes=notes)


def check_tokenizer(folder: Path | None, splits: Splits) -> None:
    """ConfigError when a model goes on whose tokens are not those of the data."""
    from data.inputs.tokenizer import load_tokenizer

    if folder and load_tokenizer(str(folder)).fingerprint != splits.tokenizer.fingerprint:
        raise ConfigError(
            f"{folder}: was trained with another vocabulary than {splits.tokenizer.source}. Try: model.tokenizer=auto"
        )


def choose_device(name: str) -> torch.device:
    """The device to run on; asking for CUDA where there is none is refused, never quietly the CPU."""
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device=cuda, but torch sees no CUDA device here. Try: device=cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
