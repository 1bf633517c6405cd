"""Inside a run that is a trial: reports each epoch's selection metric to the study, and prunes a trial that is behind.

Works on any machine that reaches the study's storage; `hydra.sweeper.trial` is the job's trial number.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.tune.study import make_pruner, open_storage

if TYPE_CHECKING:
    from omegaconf import DictConfig

Watch = Callable[[int, float], None]


class Pruned(Exception):
    """The study ends this trial early; the message is the reason for the record."""


def trial_watch(sweeper: DictConfig) -> Watch | None:
    """Return the function to call with each epoch and its selection metric, which raises Pruned; None without a pruner.

    sweeper: the node hydra.sweeper of the job. Without its storage the run goes on, but is no longer pruned.
    """
    if sweeper.get("trial") is None or not sweeper.get("pruner"):
        return None
    study, works = str(sweeper.study_name), True

    def watch(epoch: int, value: float) -> None:
        nonlocal works
        if not works:
            return
        import optuna

        try:
            behind = _is_behind(sweeper, epoch, value)
        except (OSError, ValueError, KeyError, optuna.exceptions.OptunaError) as error:
            print(f"this run is no longer pruned by study {study}: {type(error).__name__}: {error}", file=sys.stderr)
            works = False
            return
        if behind:
            raise Pruned(
                f"pruned after epoch {epoch} by study {study}: {value:.4f} on the selection split is behind the others"
            )

    return watch


def _is_behind(sweeper: DictConfig, epoch: int, value: float) -> bool:
    import optuna

    storage = open_storage(sweeper.storage)
    study = optuna.load_study(study_name=sweeper.study_name, storage=storage, pruner=make_pruner(sweeper.pruner))
    number = storage.get_trial_id_from_study_id_trial_number(
        storage.get_study_id_from_name(sweeper.study_name), sweeper.trial
    )
    storage.set_trial_intermediate_value(number, epoch, value)
    return study.pruner.prune(study, storage.get_trial(number))
