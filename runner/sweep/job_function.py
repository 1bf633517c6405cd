"""The function that Hydra calls for each job of a command, and what it keeps of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from runner.errors import refuse
from runner.experiment.context import RunContext
from runner.experiment.outcome import Outcome

if TYPE_CHECKING:
    from omegaconf import DictConfig


class JobFunction(ABC):
    """Runs one job at a time, and collects the outcomes of all: `hydra.main` does not return those of a sweep."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.found: object = None  # the result of a sweeper that searches
        self.problems: list[str] = []  # the user's mistakes, for which nothing was run

    @abstractmethod
    def __call__(self, config: DictConfig, context: RunContext | None = None) -> Outcome:
        """Run the job of one composed config; context: from a sweep's worker."""

    def refuse(self, problems: Sequence[str]) -> int:
        """Keep the user's mistakes for a caller from Python, print them, and return the exit code for them."""
        self.problems = list(problems)
        return refuse(self.problems)

    def collect(self, outcomes: Sequence[Outcome]) -> None:
        """Take the outcomes of jobs that ran in other processes, from a sweeper."""
        self.outcomes += outcomes
