"""Runs one experiment from Python, with the words of `run`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.quotes import add_quotes
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.context import RunContext
from runner.experiment.start import start_run
from runner.record.record import RunRecord

from .frames import frame_words
from .model import Model, load

INTERRUPTED = 130


class RunFailed(RuntimeError):
    """A run failed or was interrupted; the message is the reason."""


@dataclass(frozen=True, repr=False)
class RunResult:
    """A finished run. path: its folder; record: what record.json says."""

    record: RunRecord
    path: Path
    values: Mapping[str, Any] = field(default_factory=dict)  # labels by their names, as in `load`

    @property
    def id(self) -> str:
        """The run's id, as `run show` and `bertier.load` take it."""
        return self.record.identity

    @property
    def metrics(self) -> Mapping[str, float]:
        """Every recorded number by its name, such as test/accuracy or cost/bytes_deployed."""
        return self.record.metrics

    @property
    def score(self) -> float:
        """The first score of the reported split."""
        return self.record.metrics[self.record.data.primary]

    @cached_property
    def model(self) -> Model:
        """The trained model."""
        return load(self.id, output=self.path.parent, values=self.values)

    def __repr__(self) -> str:
        return f"<bertier run {self.id} ({self.record.name}): {self.record.data.primary} {self.score:.4f}>"


def run(
    words: str | Sequence[str],
    frame: pd.DataFrame | None = None,
    *,
    text: str | None = None,
    label: str | None = None,
    is_quiet: bool = False,
) -> RunResult:
    """Run one experiment, or find it if it is finished, and return its result.

    words: overrides, as one text or a list; frame: data to learn from instead of a data=... word, with a column of
    texts and one of labels (by default `text` and `label`). Raises ConfigError for a mistake in the words,
    RunFailed for a run that failed, KeyboardInterrupt.
    """
    chosen = add_quotes(shlex.split(words) if isinstance(words, str) else words)
    values = dict[str, object]()
    if frame is not None:
        own, values = frame_words(frame, text, label, chosen)
        chosen = [*own, *chosen]
    if problems := check_overrides(chosen):
        raise ConfigError("\n".join(problems))
    settings = resolve(compose(chosen), words=chosen)
    outcome = start_run(settings, chosen, RunContext(is_quiet=is_quiet))
    if outcome.exit_code == INTERRUPTED:
        raise KeyboardInterrupt
    if outcome.exit_code or outcome.record is None:
        raise RunFailed(outcome.record.reason if outcome.record else outcome.reason)
    output = Path(settings.paths.output).expanduser().absolute()
    return RunResult(outcome.record, output / outcome.record.identity, values)
