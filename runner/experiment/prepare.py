"""Make a run ready for its first step: load the data, build the model from the seed, and name the run.

Whatever can be refused is refused here, before the run folder exists.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from data.duplicates import repeats_note
from data.load import load_splits
from data.splits import DataTask, Splits
from models.compression.methods import make_stage
from models.compression.stage import Stage
from models.network import Network
from models.settings import FITTED_HEAD, full_part
from models.views.settings import NONE
from runner.config.recipes import AUTO
from runner.config.sized import with_rows
from runner.errors import ConfigError
from runner.experiment.calibration import check_calibration_rows, why_not_calibrated
from runner.experiment.initial_model import build_initial_model, check_tokenizer
from runner.experiment.prepared import InitialWeights, PreparedRun
from runner.experiment.recipe_search import check_selection
from runner.experiment.second_view.check import check_view
from runner.experiment.stage_inputs import StageInputs, find_stage_inputs
from runner.experiment.stopwatch import Stopwatch
from runner.machine.allocator import bound_kernels
from runner.machine.device import choose_device
from runner.machine.exclusive import Exclusive
from runner.machine.matmul import prepare_arithmetic
from runner.record.identity import identify
from runner.schema import Settings
from runner.tasks.cosines import accumulate_conflicts
from runner.tasks.make import target_of, task_of, task_of_labels
from runner.training.frozen_states import check_frozen_states
from runner.training.r_drop import check_dropout

Notify = Callable[[str], None]


def load_run_splits(settings: Settings, notify: Notify, exclusive: Exclusive) -> Splits:
    """Return the splits of a run, tokenised for its model."""
    cache = Path(settings.paths.cache).expanduser()
    model = settings.model
    return load_splits(
        settings.data, tokenizer=model.tokenizer, vocab_size=model.vocab_size, vocabulary=model.vocabulary,
        special_tokens=model.special_tokens, unknown_tokens=model.unknown_tokens,
        cache=cache, notify=notify, waiting=exclusive.waiting, task=settings.task, seed=settings.seed,
        target=target_of(settings), codes=settings.view.name != NONE,
        maxmatch_dropout=settings.train.maxmatch_dropout,
        check=lambda labels: task_of_labels(labels, settings),
    )  # fmt: skip


def prepare_run(
    settings: Settings, output: Path, notify: Notify, initial: InitialWeights, exclusive: Exclusive
) -> PreparedRun:
    """Load the data, build the model from the seed, and name the run; raises the user's errors."""
    begun = time.perf_counter()
    splits = load_run_splits(settings, notify, exclusive)
    settings, sized = with_rows(settings, splits.train.source_count)
    task = task_of(splits, settings)
    if refused := accumulate_conflicts(settings.train, task.facts.loss):  # auto may depend on the labels
        raise ConfigError("\n".join(refused))
    check_selection(settings, task, splits.select)
    check_calibration_rows(settings, splits, task)
    finished = Path(settings.finished) if settings.finished else None
    check_tokenizer(finished or initial.folder, splits, is_finished=finished is not None)
    loaded = time.perf_counter()
    device = choose_device(settings.device)
    bound_kernels(settings.model.family, settings.model.hidden)
    engine = prepare_arithmetic(settings.engine, settings.train.precision, device)
    model, weights, weights_content = build_initial_model(settings, splits, initial.folder)
    check_dropout(model, settings.train.r_drop)
    model.to(device)
    stages = {name: make_stage(options, name) for name, options in settings.compression.items()}
    for stage in stages.values():
        stage.check(model)
    inputs = find_stage_inputs(settings, splits, task, model, device, notify, exclusive)
    kept = None
    if settings.model.head != FITTED_HEAD:
        kept = check_frozen_states(model, splits, settings.cache, Path(settings.paths.cache), settings.model.freeze)
    contents = identity_contents(splits.task, stages, inputs, model) | readout_contents(settings, model)
    contents |= {"view.pairs": splits.paired.fingerprint} if splits.paired else {}
    viewed = check_view(settings.view, splits, task, model)
    identity = identify(settings, splits.fingerprint, splits.tokenizer.fingerprint, weights_content, contents)
    told = [note for found in inputs.values() for note in found.notes]
    seen = repeats_note(unlabelled_repeats(inputs), {part.name: len(part) for part in splits.report})
    is_open = settings.train.recipe == AUTO and finished is None  # the model is built again from what is chosen
    of_model = [] if is_open else weights.notes
    notes = [*splits.notes, *sized, *([seen] if seen else []), *of_model, *viewed, *told, *([kept] if kept else [])]
    seconds = {"time/data_s": loaded - begun, "time/build_s": time.perf_counter() - loaded}
    seconds |= {"time/tune_s": initial.seconds} if initial.seconds else {}
    for stage in stages.values():
        stage.check_speed(model, Stopwatch(settings, splits, device, notify, exclusive))
    prepared = PreparedRun(
        settings, splits, task, model, device, identity, output / identity, weights, exclusive, engine, notes, seconds,
        inputs, initial.folder,
    )  # fmt: skip
    for stage in stages.values():
        stage.check_rows(len(splits.calibration), why_not_calibrated(prepared))
    return prepared


def identity_contents(
    task: DataTask, stages: dict[str, Stage], inputs: dict[str, StageInputs], model: Network
) -> dict[str, str]:
    """Return the contents behind settings whose text alone does not identify them, for the identity."""
    contents = {key: value for name, found in inputs.items() for key, value in found.identity_contents(name).items()}
    for name, stage in stages.items():
        contents |= {f"compression.{name}.{key}": value for key, value in stage.identity_contents(model).items()}
    return contents | label_contents(task)


def readout_contents(settings: Settings, model: Network) -> dict[str, str]:
    """Return the readout that a checkpoint implies, for the identity: as if the command had named it."""
    is_open = settings.model.readout["name"] == "auto"
    return {"model.readout.name": full_part(model.architecture["readout"])["name"]} if is_open else {}


def label_contents(task: DataTask) -> dict[str, str]:
    """Return how labels are used, for the identity; empty for the original use.

    That is the class whose F1 is recorded, if it is not class 1, and standardised targets, if auto chose them.
    """
    is_other = task.num_labels == 2 and task.positive != 1
    found = {"data.positive": task.label_names[task.positive]} if is_other else {}
    return found | ({"data.standardize": "always"} if task.target_scale else {})


def unlabelled_repeats(inputs: dict[str, StageInputs]) -> dict[str, int]:
    """Reported rows whose text a stage reads without its label, as `unlabelled+<split>/normalised`."""
    counts: dict[str, int] = {}
    for found in inputs.values():
        for split, rows in found.unlabelled.reported.items() if found.unlabelled else ():
            key = f"unlabelled+{split}/normalised"
            counts[key] = max(rows, counts.get(key, 0))
    return counts
