"""`hydra/sweeper=optuna`: asks Optuna for trials, hands them to the configured launcher, and reports the results.

A trial is an ordinary run with an ordinary record. The state of a study is on disk: the same command again does only
what is missing. Hydra's own optuna plugin cannot be used: it needs an Optuna before version 3.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from runner.errors import ConfigError
from runner.experiment.outcome import Outcome
from runner.record.baseline import MARK, is_at_baseline
from runner.sanitize import mask, say
from runner.schema import Settings
from runner.sweep.job_function import JobFunction
from runner.sweep.launcher import file_overrides, slots_for, sweep_settings
from runner.sweep.search_sweeper import SearchSweeper, outcome_of
from runner.tune.objectives import agreed_directions, objective_problems, objective_value, selection_metric
from runner.tune.report import show_study
from runner.tune.settings import SearchSettings
from runner.tune.space import split_overrides
from runner.tune.study import (
    count_finished,
    hold_study,
    make_sampler,
    open_storage,
    open_study,
    requeue_interrupted,
    study_name,
)

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial


Ranges = dict[str, "BaseDistribution"]  # of each searched key
Choice = bool | int | float | str | None

# Choices that decide which score selects the best epoch, and thus whether higher or lower is better.
DECISIVE = ("experiment", "task", "task.name", "data", "data.task", "data.metrics")


class OptunaSweeper(SearchSweeper):
    """Hydra's side of a study; the parts are in runner/tune/."""

    def __init__(self, **settings: object) -> None:
        self.settings: SearchSettings = OmegaConf.to_object(  # type: ignore[assignment]
            OmegaConf.merge(OmegaConf.structured(SearchSettings), settings)
        )

    def search(self, arguments: list[str]) -> int:
        """Open the study that the command names, search until it has its trials, and show its best ones."""
        overrides = OverridesParser.create(self.loader).parse_overrides([*file_overrides(self.config), *arguments])
        fixed, ranges = split_overrides(overrides)
        if not ranges:
            raise ConfigError(
                "nothing to search: give a key several values. Try: 'optimizer.lr=tag(log,interval(1e-5,1e-2))'"
            )
        self._refuse_all(fixed, ranges)
        names, each = self.settings.objectives, list(self._decisive_settings(fixed, ranges))
        example = each[0]  # says what is measured and where results go
        wrong = objective_problems(
            names, self.settings.pruner, example.data, example.task, is_timed=example.measure.enabled
        )
        if wrong:
            raise ConfigError("\n".join(wrong))
        directions = agreed_directions(names, [selection_metric(trial.data, trial.task) for trial in each])
        searched = sorted(o.input_line or "" for o in overrides if o.is_sweep_override())
        search = {"overrides": [mask(word) for word in fixed], "space": searched, "objectives": names}  # kept in a file
        name = self.settings.study_name or study_name(search)
        output = Path(example.paths.output).expanduser().absolute()
        folder = output / "sweeps" / name
        with hold_study(folder, name):
            where = self.settings.storage or "study.journal"
            where = where if "://" in where else str((Path.cwd() if self.settings.storage else folder) / where)
            found = open_study(open_storage(where), name, directions, search)
            requeue_interrupted(found)
            found.sampler = make_sampler(self.settings, len(found.get_trials(deepcopy=False)))
            self._search_as_one_sweep(found, fixed, ranges, where)
            return 0 if show_study(found, names, fixed, where, output) else 1

    def slots(self) -> int:
        """Return how many trials there are side by side."""
        return slots_for(sweep_settings(self.config), self.settings.n_jobs, str(self.config.device))

    def _refuse_all(self, fixed: list[str], ranges: Ranges) -> None:
        """Raise ConfigError for a mistake of all trials: the first one has it, and the command without values too."""
        first = {key: _examples(key, distribution)[0] for key, distribution in ranges.items()}
        problem = self.problem_of([*fixed, *assignments(first)])
        if problem is not None and problem == self.problem_of(fixed):
            raise ConfigError(problem)

    def _decisive_settings(self, fixed: list[str], ranges: Ranges) -> Iterator[Settings]:
        """Yield settings for each combination of the choices that decide what is learned and what selects."""
        options = {key: _examples(key, distribution) for key, distribution in ranges.items()}
        for values in itertools.product(*options.values()):
            yield self.load([*fixed, *assignments(dict(zip(options, values)))])

    def _search_as_one_sweep(self, study: Study, fixed: list[str], ranges: Ranges, where: str) -> None:
        """The search; where the launcher is ours its batches share one table, one report and one mirror."""
        local = self.local
        if local is not None:
            local.in_batches, local.study = True, study.study_name
        try:
            self._search(study, fixed, ranges, where)
        except BaseException:  # such as Ctrl-C between two batches
            if local is not None:
                local.finish(interrupted=True)
            raise
        if local is not None:
            local.finish()

    def _search(self, study: Study, fixed: list[str], ranges: Ranges, where: str) -> None:
        """Ask, launch and tell, batch by batch, until the study has its trials; a failed one is not asked for again."""
        missing = self.settings.n_trials - count_finished(study)
        while missing > 0:
            trials = [study.ask(ranges) for _ in range(min(self.settings.n_jobs, missing))]
            missing -= len(trials)
            asked = [(trial, [*fixed, *assignments(trial.params)]) for trial in trials]
            able = [(trial, job) for trial, job in asked if not self._refuse(study, trial, job)]
            jobs = [[*job, *self._pruning_overrides(trial, study, where)] for trial, job in able]
            outcomes = self._launch(study, [trial for trial, _ in able], jobs)
            if isinstance(self.function, JobFunction):
                self.function.collect(outcomes)
            for (trial, _), outcome in zip(able, outcomes):
                self._tell(study, trial, outcome)

    def _refuse(self, study: Study, trial: Trial, job: list[str]) -> bool:
        """Fail a trial whose values contradict each other or name what is not there, before its batch is launched.

        Return whether it was failed.
        """
        from optuna.trial import TrialState

        problem = self.problem_of(job)
        if problem is None:
            return False
        say(f"trial {trial.number} is refused: {problem}", sys.stderr)
        trial.set_user_attr("reason", problem)
        study.tell(trial, state=TrialState.FAIL)
        return True

    def _pruning_overrides(self, trial: Trial, study: Study, where: str) -> list[str]:
        """Return the overrides that tell a job its trial, so that it can be pruned on whatever machine it runs."""
        if not self.settings.pruner:
            return []
        known = {"study_name": quote(study.study_name), "storage": quote(where), "trial": trial.number}
        return [f"hydra.sweeper.{key}={value}" for key, value in known.items()]

    def _launch(self, study: Study, trials: list[Trial], jobs: list[list[str]]) -> list[Outcome]:
        """Return the outcome of each job.

        A launcher that raises fails its batch, or the whole search if no trial is complete yet.
        """
        from optuna.trial import TrialState

        assert self.launcher is not None
        if not jobs:
            return []
        try:
            return [outcome_of(job) for job in self.launcher.launch(jobs, initial_job_idx=trials[0].number)]
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            for trial in trials:
                trial.set_user_attr("reason", why)
            if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
                for trial in trials:
                    study.tell(trial, state=TrialState.FAIL)
                raise
            say(f"the launcher lost trials {[trial.number for trial in trials]}: {error}", sys.stderr)
            return [Outcome(exit_code=1, reason=why) for _ in trials]

    def _tell(self, study: Study, trial: Trial, outcome: Outcome) -> None:
        """Tell the study how a trial ended, and its values where it is complete."""
        from optuna.trial import TrialState

        record = outcome.record
        if record is None:
            trial.set_user_attr("reason", outcome.reason or "it was refused, see its output")
            study.tell(trial, state=TrialState.FAIL)
            return
        trial.set_user_attr("run", record.identity)
        if is_at_baseline([record.metrics], record.data.primary):
            trial.set_user_attr(MARK, True)
        if record.reason:
            trial.set_user_attr("reason", record.reason)
        if record.pruned or outcome.exit_code:
            study.tell(trial, state=TrialState.PRUNED if record.pruned else TrialState.FAIL)
            return
        both = zip(self.settings.objectives, study.directions)
        values = [objective_value(objective, record, direction.name.lower()) for objective, direction in both]
        is_number = all(value == value for value in values)
        study.tell(trial, values if is_number else None, None if is_number else TrialState.FAIL)


def _examples(key: str, distribution: BaseDistribution) -> list[Choice]:
    """Return the values of a searched key that show what is selected: all of a decisive choice, else the first one."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices if key in DECISIVE else distribution.choices[:1])
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    return [distribution.low]


def assignments(params: Mapping[str, Choice]) -> Sequence[str]:
    """Return the overrides of one trial."""
    return [f"{key}={value}" for key, value in params.items()]


def quote(text: str) -> str:
    """Return the text as one quoted value of Hydra's grammar."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
