"""The interface of probing tasks, whether they read sentences or words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from runner.probing.probed import Models
from runner.probing.results import TaskReport


class ProbingTask(Protocol):
    """One property that is probed."""

    @property
    def name(self) -> str:
        """The name in tables and files."""

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """The sha256 of each split in use, labels included."""

    def probe(self, models: Models) -> tuple[TaskReport, dict[str, np.ndarray]]:
        """Fit all probes; return the report, and for each line a value per reported sentence, whose mean is the score.

        Raises ConfigError for a model that the task cannot probe.
        """
