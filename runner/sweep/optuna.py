"""`hydra/sweeper=optuna`: asks Optuna for trials, hands them to whatever launcher is configured, tells it the results.

A trial is an ordinary run with an ordinary record. What a study has done is on disk: the same command again does only
what is missing. Made anew because Hydra's own optuna plugin needs an Optuna before version 3.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.plugins.sweeper import Sweeper

from runner.errors import ConfigError
from runner.tune.settings import TunerSettings

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig
    from optuna import Study
    from optuna.trial import Trial

    from runner.experiment.run import Outcome
    from runner.schema import Settings


# Choices that decide which score selects, and so whether more or less of it is better.
DECISIVE = ("experiment", "task", "task.name", "data", "data.task", "data.metrics")


class OptunaSweeper(Sweeper):
    """Hydra's side of a study; the parts are in runner/tune/."""

    config: DictConfig

    def __init__(self, **settings: Any) -> None:
        from omegaconf import OmegaConf

        self.settings: TunerSettings = OmegaConf.to_object(  # type: ignore[assignment]
            OmegaConf.merge(OmegaConf.structured(TunerSettings), settings)
        )

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Start the launcher, as Hydra asks of a sweeper."""
        from hydra.core.plugins import Plugins

        self.config, self.loader = config, hydra_context.config_loader
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Tune; a mistake of the user ends with its message and exit code 2, before or between trials."""
        try:
            self._tune(arguments)
        except ConfigError as error:
            print(f"run: {error}", file=sys.stderr)
            raise SystemExit(2) from None

    def _tune(self, arguments: list[str]) -> None:
        from hydra.core.override_parser.overrides_parser import OverridesParser

        from runner.tune import objectives, report, space, study

        params = [f"{key}={value}" for key, value in (self.settings.params or {}).items()]
        overrides = OverridesParser.create(self.loader).parse_overrides(params + arguments)
        fixed, ranges = space.split(overrides)
        if not ranges:
            raise ConfigError(
                "nothing to search: give a key several values. Try: 'optimizer.lr=tag(log,interval(1e-5,1e-2))'"
            )
        names, example = self.settings.objectives, self._example(fixed, ranges)
        wrong = objectives.objective_problems(names, self.settings.pruner, example)
        if wrong:
            raise ConfigError("\n".join(wrong))
        directions = objectives.agreed(names, list(self._kinds(fixed, ranges)))
        searched = sorted(o.input_line or "" for o in overrides if o.is_sweep_override())
        search = {"overrides": fixed, "space": searched, "objectives": names}
        name = self.settings.study_name or study.name_of(search)
        folder = Path(example.paths.output).expanduser().absolute() / "sweeps" / name
        with claim(folder, name):
            where = self.settings.storage or "study.journal"
            where = where if "://" in where else str((Path.cwd() if self.settings.storage else folder) / where)
            found = study.open_study(study.open_storage(where), name, directions, search)
            study.revive(found)
            found.sampler = study.make_sampler(self.settings, len(found.get_trials(deepcopy=False)))
            self._search_as_one_sweep(found, fixed, ranges, where)
            if not report.show(found, names, fixed, where):
                raise SystemExit(1)

    def _load(self, overrides: list[str]) -> DictConfig:
        """One trial's config, without what is Hydra's or the sweep's."""
        from dataclasses import fields

        from omegaconf import OmegaConf

        from runner.schema import Settings

        config = self.loader.load_sweep_config(self.config, overrides)
        return OmegaConf.masked_copy(config, [field.name for field in fields(Settings)])

    def _example(self, fixed: list[str], ranges: dict[str, Any]) -> Settings:
        """The settings of one trial, unchecked: what the data selects on, what is measured, where results go."""
        return next(self._kinds(fixed, ranges))

    def _kinds(self, fixed: list[str], ranges: dict[str, Any]) -> Iterator[Settings]:
        """The same for each combination of the choices that decide what is learnt and what selects."""
        options = {
            key: list(d.choices if key in DECISIVE else d.choices[:1]) if hasattr(d, "choices") else [d.low]
            for key, d in ranges.items()
        }
        for values in itertools.product(*options.values()):
            yield self._unchecked([*fixed, *assignments(dict(zip(options, values)))])

    def _unchecked(self, words: list[str]) -> Settings:
        from omegaconf import OmegaConf

        from runner.schema import Settings

        config = self._load(words)
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Settings), config))  # type: ignore[return-value]

    def _search_as_one_sweep(self, study: Study, fixed: list[str], ranges: dict[str, Any], where: str) -> None:
        """The search; where the launcher is ours its batches share one table, one report and one mirror."""
        from runner.sweep.launcher import LocalLauncher

        local = self.launcher if isinstance(self.launcher, LocalLauncher) else None
        if local is not None:
            local.in_batches = True
        self._search(study, fixed, ranges, where)
        if local is not None:
            local.finish()

    def _search(self, study: Study, fixed: list[str], ranges: dict[str, Any], where: str) -> None:
        """Ask, launch and tell, batch by batch, until the study has its trials; a failed one is not asked for again."""
        from runner.sweep.launcher import Grid
        from runner.tune.study import finished

        missing = self.settings.n_trials - finished(study)
        while missing > 0:
            trials = [study.ask(ranges) for _ in range(min(self.settings.n_jobs, missing))]
            missing -= len(trials)
            asked = [(trial, [*fixed, *assignments(trial.params)]) for trial in trials]
            able = [(trial, job) for trial, job in asked if not self._refuse(study, trial, job)]
            jobs = [[*job, *self._watched(trial, study, where)] for trial, job in able]
            outcomes = self._launch(study, [trial for trial, _ in able], jobs)
            Grid.returned += [as_returned(outcome) for outcome in outcomes]
            for (trial, _), outcome in zip(able, outcomes):
                self._tell(study, trial, outcome)

    def _refuse(self, study: Study, trial: Trial, job: list[str]) -> bool:
        """Fail a trial whose values contradict each other, before it costs its batch anything."""
        from hydra.errors import HydraException
        from optuna.trial import TrialState

        from runner.config.resolve import resolve

        try:
            resolve(self._load(job))
        except (ConfigError, HydraException) as error:
            print(f"trial {trial.number} cannot be: {error}", file=sys.stderr)
            trial.set_user_attr("reason", str(error))
            study.tell(trial, state=TrialState.FAIL)
            return True
        return False

    def _watched(self, trial: Trial, study: Study, where: str) -> list[str]:
        """What a job needs to know to be pruned on whatever machine it runs."""
        if not self.settings.pruner:
            return []
        known = {"study_name": quote(study.study_name), "storage": quote(where), "trial": trial.number}
        return [f"hydra.sweeper.{key}={value}" for key, value in known.items()]

    def _launch(self, study: Study, trials: list[Trial], jobs: list[list[str]]) -> list[Outcome]:
        """What became of each job. A launcher that raises costs its batch, or the study when nothing has worked yet."""
        from optuna.trial import TrialState

        from runner.experiment.run import Outcome

        assert self.launcher is not None
        if not jobs:
            return []
        try:
            return [outcome_of(job) for job in self.launcher.launch(jobs, initial_job_idx=trials[0].number)]
        except Exception as error:
            for trial in trials:
                trial.set_user_attr("reason", f"{type(error).__name__}: {error}")
            if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
                for trial in trials:
                    study.tell(trial, state=TrialState.FAIL)
                raise
            print(f"the launcher lost trials {[trial.number for trial in trials]}: {error}", file=sys.stderr)
            return [Outcome(exit_code=1) for _ in trials]

    def _tell(self, study: Study, trial: Trial, outcome: Outcome) -> None:
        from optuna.trial import TrialState

        from runner.record.baseline import MARK, is_at_baseline
        from runner.tune.objectives import value

        record = outcome.record
        if record:
            trial.set_user_attr("run", record["identity"])
            if "data" in record and is_at_baseline([record["metrics"]], record["data"]["primary"]):
                trial.set_user_attr(MARK, True)
        if record is None or record["reason"]:
            trial.set_user_attr("reason", record["reason"] if record else "it was refused, see its output")
        if record and record.get("pruned"):
            study.tell(trial, state=TrialState.PRUNED)
        elif record is None or outcome.exit_code:
            study.tell(trial, state=TrialState.FAIL)
        else:
            both = zip(self.settings.objectives, study.directions)
            values = [value(objective, record, direction.name.lower()) for objective, direction in both]
            is_number = all(v == v for v in values)
            study.tell(trial, values if is_number else None, None if is_number else TrialState.FAIL)


def outcome_of(job: JobReturn) -> Outcome:
    """What a job returned; one that raised has failed, and its siblings are looked at all the same."""
    from runner.experiment.run import Outcome

    try:
        outcome: Outcome = job.return_value
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return Outcome(exit_code=1)
    return outcome


def as_returned(outcome: Outcome) -> JobReturn:
    """An outcome as Hydra's launchers give it."""
    from hydra.core.utils import JobReturn, JobStatus

    job = JobReturn(status=JobStatus.COMPLETED)
    job.return_value = outcome
    return job


def assignments(params: dict[str, Any]) -> Sequence[str]:
    """The overrides of one trial."""
    return [f"{key}={value}" for key, value in params.items()]


def quote(text: str) -> str:
    """The text as one quoted value of Hydra's grammar."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@contextmanager
def claim(folder: Path, name: str) -> Iterator[None]:
    """Hold the study: two tuners of one study would take each other's trials for left over."""
    from filelock import FileLock, Timeout

    from runner.record.raw import check_writable

    check_writable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise ConfigError(
            f"study {name} is being tuned by another process. Try: wait for it, or hydra.sweeper.study_name=<another>"
        ) from None
