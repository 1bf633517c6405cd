"""`hydra/sweeper=best`: the search within a budget, on whatever launcher is configured. `run best` is short for it.

A step is an ordinary run with an ordinary record. Every decision of the search is on disk: the same command again does
only what is missing. Modules that need numpy or torch are loaded when a search begins, not by every `run -m`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from runner.best.settings import BestSettings
from runner.errors import ConfigError
from runner.experiment.outcome import Outcome
from runner.machine.threads import set_threads
from runner.sweep.job_function import JobFunction
from runner.sweep.launcher import slots_for, sweep_settings
from runner.sweep.search_sweeper import SearchSweeper, outcome_of

MOST = 1024  # jobs side by side


class BestSweeper(SearchSweeper):
    """Hydra's side of a search; the search itself is in runner/best/command.py."""

    def __init__(self, **settings: object) -> None:
        self.settings: BestSettings = OmegaConf.to_object(  # type: ignore[assignment]
            OmegaConf.merge(OmegaConf.structured(BestSettings), settings)
        )

    def search(self, arguments: list[str]) -> int:
        """Search and print the result."""
        try:
            return self._search(arguments)
        finally:
            if isinstance(self.function, JobFunction):
                self.function.outcomes.clear()  # a candidate that failed is a row of the result

    def _search(self, arguments: list[str]) -> int:
        parsed = OverridesParser.create(self.loader).parse_overrides(arguments)
        several = [override.input_line for override in parsed if override.is_sweep_override()]
        if several:
            raise ConfigError(f"{several[0]}: a search is for one seed and one dataset. Try: one value")
        set_threads(1)  # threads of the process that forks all runs
        command: Any = importlib.import_module("runner.best.command")  # late: it loads numpy and more
        result, code = command.search_inside(self.settings.budget, list(arguments), self, self.settings.plan_only)
        if isinstance(self.function, JobFunction):
            self.function.found = result
        sys.stdout.flush()
        return int(code)

    # The launcher, as the search uses it

    def slots(self) -> int:
        """Return how many runs are made in parallel."""
        return slots_for(sweep_settings(self.config), self.settings.jobs or MOST, str(self.config.device))

    def launch(self, batch: Sequence[Sequence[str]], first: int) -> list[Outcome]:
        """Run these jobs, the first of which has the number `first`; return the outcome of each."""
        assert self.launcher is not None, "setup comes first"
        return [outcome_of(job) for job in self.launcher.launch([list(words) for words in batch], first)]
