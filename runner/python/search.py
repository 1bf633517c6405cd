"""`run best` from Python: the best model within a budget, for a data frame, a file or a named data set."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from data.quoting import hydra_setting
from runner.best.types import Done, Plan, Result
from runner.commands.best import SearchFailed, search
from runner.config.compose import groups
from runner.config.quotes import add_quotes
from runner.errors import ConfigError
from runner.record.folder import read_record
from runner.record.record import RunRecord

from .frames import columns_read, frame_file, frame_words
from .model import Model, load
from .runs import INTERRUPTED, RunFailed

WHOLE = ("all", "rest", "fold")  # parts of a plan after which a candidate has its score
PLAN, JOURNAL = "plan.json", "journal.jsonl"
Source = str | Path | pd.DataFrame


@dataclass(frozen=True, repr=False)
class BestResult:
    """The end of a search. result: what best.json says."""

    result: Result
    values: Mapping[str, Any] = field(default_factory=dict)  # labels by their names, as in `load`

    @property
    def path(self) -> Path:
        """The folder to deploy: the winner's bundle, or its run if there is no bundle."""
        return Path(self.result.bundle).absolute() if self.result.bundle else self._run

    @property
    def _run(self) -> Path:
        return Path(self.result.folder).absolute().parent.parent / str(self.result.run)

    @cached_property
    def record(self) -> RunRecord:
        """The record of the winner's run."""
        found = read_record(self._run)
        assert found is not None, "a winner is a finished run"
        return found

    @property
    def score(self) -> float:
        """The first score of the winner on the reported split, which no choice has seen."""
        return self.record.metrics[self.record.data.primary]

    @cached_property
    def model(self) -> Model:
        """The winner, as its bundle answers."""
        return load(self.path, values=self.values, run=self._run)

    def __repr__(self) -> str:
        return f"<bertier search {self.result.key}: {self.result.winner}, {self.path}>"

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per candidate: size, time, selection score (the mean over folds), and how it ended.

        Columns: name, kind, kb, us, selection_score, status, reason, run, seconds, is_winner.
        """
        folder = Path(self.result.folder)
        plan = Plan.from_json(json.loads((folder / PLAN).read_text(encoding="utf-8")))
        lines = (folder / JOURNAL).read_text(encoding="utf-8").splitlines()
        found = candidate_table(plan, [Done.from_json(json.loads(line)) for line in lines], self.result.winner)
        if size := self.result.metrics.get("cost/bytes_deployed"):  # of the model that is deployed, not of a fold's
            found.loc[found["is_winner"], "kb"] = size / 1000
        return found


def candidate_table(plan: Plan, journal: Sequence[Done], winner: str | None) -> pd.DataFrame:
    """Return the candidates of a plan with what the journal says of their last steps; those left out come last."""
    names, parts = {step.number: step.candidate for step in plan.steps}, {s.number: s.part for s in plan.steps}
    last: dict[str, list[Done]] = {}
    for done in journal:
        last.setdefault(done.candidate or names.get(done.step, ""), []).append(done)
    rows = []
    for one in plan.candidates:
        steps = last.get(one.name, [])
        end = steps[-1] if steps else Done(-1, "not begun")
        scores = [step.score for step in steps if step.score is not None and parts.get(step.step) in WHOLE]
        sizes = [one.bytes, *(step.bytes for step in steps)]
        times = [one.micros, *(step.micros for step in steps)]
        size = newest(sizes)
        rows.append({
            "name": one.name, "kind": one.kind, "kb": None if size is None else size / 1000, "us": newest(times),
            "selection_score": sum(scores) / len(scores) if scores else None, "status": end.status,
            "reason": end.reason, "run": end.run, "seconds": sum(step.seconds or 0.0 for step in steps),
            "is_winner": one.name == winner,
        })  # fmt: skip
    for out in plan.left_out:
        rows.append(
            {"name": out.name, "kind": out.kind, "status": "left out", "reason": out.reason, "is_winner": False}
        )
    return pd.DataFrame(rows)


def newest(values: Sequence[float | None]) -> float | None:
    """Return the last of these numbers that is known."""
    return next((value for value in reversed(values) if value is not None), None)


def best(
    source: Source,
    *,
    text: str | None = None,
    label: str | None = None,
    max_kb: float | None = None,
    max_us: float | None = None,
    minutes: float | None = None,
    unlabelled: Source | None = None,
    words: str | Sequence[str] = (),
    **budget: str | float | None,
) -> BestResult:
    """Search for the best model within a budget and return it; the same call again repeats nothing.

    source: a data frame, a file, or the name of a data set of `run list data`; text, label: its columns; max_kb: most
    kilobytes (1,000 bytes) of all that is needed to answer; max_us: most microseconds of an answer; minutes: of search;
    unlabelled: further texts, a frame or a file; words: further overrides; budget: steps, jobs, goal, at_least, prefer.
    Raises ConfigError for what cannot be met, RunFailed where nothing was found, KeyboardInterrupt.
    """
    others = add_quotes(shlex.split(words) if isinstance(words, str) else words)
    own, values = data_words(source, text, label, others)
    limits: dict[str, Source | float | None] = {"max_kb": max_kb, "max_us": max_us, "minutes": minutes, **budget}
    if isinstance(unlabelled, pd.DataFrame):
        unlabelled = frame_file(unlabelled, others, columns_read([*own, *others]).texts)
    limits |= {"unlabelled": unlabelled}
    asked = [f"{name}={value}" for name, value in limits.items() if value is not None]
    try:
        result = search([*own, *asked, *others])
    except SearchFailed as error:
        if error.code == INTERRUPTED:
            raise KeyboardInterrupt from error
        raise RunFailed(str(error)) from error
    if result.run is None:
        raise RunFailed(result.problem or result.stopped or "no candidate finished")
    return BestResult(result, values)


def data_words(
    source: Source, text: str | None, label: str | None, words: Sequence[str]
) -> tuple[list[str], dict[str, object]]:
    """Return the overrides that name the data, and the labels of a data frame by their names."""
    if isinstance(source, pd.DataFrame):
        return frame_words(source, text, label, words)
    found = [hydra_setting(f"data.{name}", column) for name, column in (("text", text), ("label", label)) if column]
    if Path(source).expanduser().is_file():
        return ["data=files", hydra_setting("data.path", str(Path(source).expanduser().absolute())), *found], {}
    if str(source) in groups()["data"]:
        return [f"data={source}", *found], {}
    raise ConfigError(f"{source} is neither a file nor a data set of `run list data`. Try: a path, or a data frame")
