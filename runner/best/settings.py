"""The settings of a search within a budget; standard library only, as commands are checked before heavy imports."""

from __future__ import annotations

from dataclasses import dataclass

from data.settings import limited
from runner.best.types import Budget

MINUTES = 10.0  # of a search that names neither minutes nor steps


@dataclass
class BestSettings:
    """The keys of `hydra.sweeper` with hydra/sweeper=best; conf/hydra/sweeper/best.yaml explains each."""

    max_kb: float | None = limited(None, above=0.0, high=1e9)  # a terabyte
    max_us: float | None = limited(None, above=0.0)
    minutes: float | None = limited(None, above=0.0, high=100_000.0)
    steps: int | None = limited(None, low=1, high=10_000)
    jobs: int | None = limited(None, low=1, high=1024)
    goal: str | None = None
    at_least: float | None = None
    prefer: str = limited("cap", choices=("cap", "small"))
    unlabelled: str | None = None
    plan_only: bool = False

    @property
    def budget(self) -> Budget:
        """The budget that they describe; a search without a number of steps has a time limit."""
        minutes = self.minutes if self.minutes or self.steps else MINUTES
        return Budget(
            self.max_kb, self.max_us, minutes, self.steps, self.jobs, self.goal, self.at_least, self.prefer,
            self.unlabelled,
        )  # fmt: skip
