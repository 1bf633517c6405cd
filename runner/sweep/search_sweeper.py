"""The base class of the sweepers that search, which choose the next runs by the results of earlier ones."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.sweeper import Sweeper
from omegaconf import OmegaConf

from runner.config.compose import config_errors
from runner.errors import USER_ERRORS, refuse, unusable_folder
from runner.experiment.outcome import Outcome
from runner.sanitize import say
from runner.schema import Settings
from runner.sweep.job_function import JobFunction
from runner.sweep.launcher import LocalLauncher
from runner.sweep.plan import Job, check_starts, examine_job
from runner.tasks import named_task

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig


class SearchSweeper(Sweeper):
    """Makes the launcher, composes the settings of a run, and ends a search for a mistake of the user."""

    config: DictConfig

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Make the launcher, as Hydra asks of a sweeper."""
        self.config, self.loader, self.function = config, hydra_context.config_loader, task_function
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Search; raise SystemExit with an exit code other than 0. A mistake of the user is printed; its code is 2."""
        problems: list[str] = []
        try:
            code = self.search(arguments)
        except USER_ERRORS as error:
            problems = str(error).splitlines()
        except OSError as error:
            problems = unusable_folder(error)
        if problems:
            code = self.function.refuse(problems) if isinstance(self.function, JobFunction) else refuse(problems)
        if code:
            raise SystemExit(code)

    @abstractmethod
    def search(self, arguments: list[str]) -> int:
        """Search as the overrides of the command say, and return the exit code."""

    @property
    def local(self) -> LocalLauncher | None:
        """The launcher if it is ours, else None."""
        return self.launcher if isinstance(self.launcher, LocalLauncher) else None

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """Return the config of a run with these overrides, without Hydra's and the sweep's own nodes.

        Raises ConfigError for what does not compose.
        """
        with config_errors():
            config = self.loader.load_sweep_config(self.config, list(overrides))
        return OmegaConf.masked_copy(config, [field.name for field in fields(Settings)])

    @abstractmethod
    def slots(self) -> int:
        """Return how many runs there are side by side."""

    def problem_of(self, overrides: Sequence[str]) -> str | None:
        """Return the mistake in the config of one run, so that it is refused alone and not with its batch.

        Its files and its checkpoint count too where our launcher runs it; on other machines there may be others.
        """
        job = examine_job(
            Job(0, list(overrides)), lambda words: self.loader.load_sweep_config(self.config, words), self.slots()
        )
        if self.local is not None:
            check_starts([job])
        return job.problem

    def load(self, overrides: Sequence[str]) -> Settings:
        """Return the unchecked settings of a run with these overrides, as its task adapts them."""
        settings: Settings = OmegaConf.to_object(  # type: ignore[assignment]
            OmegaConf.merge(OmegaConf.structured(Settings), self.compose(overrides))
        )
        if task := named_task(settings.task, settings.data):
            task.adapt(settings)
        return settings


def outcome_of(job: JobReturn) -> Outcome:
    """Return the outcome of a job; one that raised has failed, and its siblings still count."""
    try:
        outcome: Outcome = job.return_value
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        say(why, sys.stderr)
        return Outcome(exit_code=1, reason=why)
    return outcome
