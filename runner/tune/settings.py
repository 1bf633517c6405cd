"""The settings of a search; standard library only, because commands are checked before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass, field

from data.settings import limited


@dataclass
class SearchSettings:
    """The keys of `hydra.sweeper` with hydra/sweeper=optuna; conf/hydra/sweeper/optuna.yaml explains each."""

    n_trials: int = limited(20, low=1)
    n_jobs: int = limited(1, low=1, high=1024)
    objectives: list[str] = field(default_factory=lambda: ["select"])
    sampler: str = limited("tpe", choices=("tpe", "random", "nsga2"))
    pruner: str | None = limited(None, choices=("median", "halving"))
    seed: int = limited(0, low=0, high=2**32 - 1)
    study_name: str | None = None
    storage: str | None = None
    params: dict[str, str] | None = None
    trial: int | None = None  # set by the sweeper for a job: the number of its trial
