"""The study on disk: a journal beside the runs or any database Optuna knows, opened by the sweeper and by its jobs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from data.json_types import JsonObject
from runner.errors import ConfigError
from runner.record.folder import check_writable
from runner.sanitize import mask
from runner.tune.settings import SearchSettings

if TYPE_CHECKING:
    from optuna import Study
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage

SEARCH = "search"  # the study's attribute that describes what it searches


def study_name(search: JsonObject) -> str:
    """Return the ten hexadecimal digits that name a study by what it searches, so that the same command resumes it."""
    return hashlib.sha256(json.dumps(search, sort_keys=True).encode()).hexdigest()[:10]


def open_storage(where: str) -> BaseStorage:
    """Return the storage at a database URL, or the journal in a file.

    The journal's lock is a link in the file system, which holds on NFS too: jobs on other machines may read and write
    it.
    """
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        if "://" in where:
            return RDBStorage(where)
        Path(where).parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(where))
    except Exception as error:  # SQLAlchemy's and its drivers' own errors have no common base
        reason = str(error).splitlines()[0].replace(where, mask(where))
        raise ConfigError(
            f"hydra.sweeper.storage={mask(where)} cannot be opened: {reason}. Try: hydra.sweeper.storage=study.journal"
        ) from None


def open_study(
    storage: BaseStorage, name: str, directions: list[Literal["maximize", "minimize"]], search: JsonObject
) -> Study:
    """Return the study of that name, made if there is none; raise ConfigError if it searched something else."""
    import optuna

    study = optuna.create_study(storage=storage, study_name=name, directions=directions, load_if_exists=True)
    made = [direction.name.lower() for direction in study.directions]
    if made != directions:
        raise ConfigError(
            f"study {name!r} was made to {' and '.join(made)}, but these objectives are to {' and '.join(directions)}. "
            "Try: hydra.sweeper.study_name=<a new name>"
        )
    before = study.user_attrs.get(SEARCH)
    if before is None:
        study.set_user_attr(SEARCH, search)
    elif before != search:
        part = next(key for key in search if before.get(key) != search[key])
        raise ConfigError(
            f"study {name!r} was made with a different {part}: {before.get(part)}, now {search[part]}. "
            "Try: hydra.sweeper.study_name=<a new name>"
        )
    return study


def make_sampler(settings: SearchSettings, trials: int) -> BaseSampler:
    """Return the sampler.

    Its seed is shifted by the number of trials in the study; else a resumed study would draw the same ones again.
    """
    from optuna.samplers import NSGAIISampler, RandomSampler, TPESampler

    seed = settings.seed + trials
    if settings.sampler == "random":
        return RandomSampler(seed=seed)
    if settings.sampler == "nsga2":
        return NSGAIISampler(seed=seed)
    # Trials of one batch do not know each other's results: the constant liar makes them differ.
    return TPESampler(seed=seed, constant_liar=settings.n_jobs > 1)


def make_pruner(name: str) -> BasePruner:
    """Return the pruner; its steps are epochs, and the median prunes no trial before five are complete."""
    from optuna.pruners import MedianPruner, SuccessiveHalvingPruner

    return MedianPruner(n_startup_trials=5) if name == "median" else SuccessiveHalvingPruner()


def count_finished(study: Study) -> int:
    """Return the number of trials that are complete or pruned; a failed one does not count, another takes its place."""
    from optuna.trial import TrialState

    return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def requeue_interrupted(study: Study) -> None:
    """Queue again the trials that were running when the search last died; their runs resume from their checkpoints."""
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)


@contextmanager
def hold_study(folder: Path, name: str) -> Iterator[None]:
    """Lock the study: a second search would take this one's running trials for interrupted ones."""
    from filelock import FileLock, Timeout

    check_writable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise ConfigError(
            f"another process is searching study {name}. Try: wait for it, or hydra.sweeper.study_name=<another>"
        ) from None
