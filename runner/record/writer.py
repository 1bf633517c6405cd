"""A run's record during the run.

record.json is rewritten whole under a temporary name and renamed; metrics.jsonl gets one line for each logged point.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from data.json_types import JsonObject
from runner.record.calibration import CalibrationFacts
from runner.record.folder import NOT_FINITE, PAGE, POINTS, RECORD, read_record, remove_unfinished
from runner.record.json_files import now, write_json
from runner.record.metrics import check
from runner.record.recipe import ChosenRecipe
from runner.record.record import ClassReport, RunRecord, StageEntry
from runner.record.thresholds import ThresholdFacts
from runner.sanitize import mask, masked

GRAPHS = ("cost/bytes_onnx", "speed/onnx")  # metrics of the model as graphs, which it may no longer have after a stage


@dataclass
class RecordWriter:
    """The folder of a run in progress; `record` is the record as it is now."""

    folder: Path
    record: RunRecord
    _stream: TextIO | None = field(default=None, repr=False)

    @classmethod
    def begin(cls, folder: Path, record: RunRecord, logged: int | None) -> RecordWriter:
        """Start writing; the caller holds the folder.

        logged: the bytes of its points after which an interrupted run continues; None to start from scratch.
        """
        remove_unfinished(folder)
        before = read_record(folder) if logged is not None else None
        if logged:
            os.truncate(folder / POINTS, logged)  # points after the checkpoint are logged again
        else:
            (folder / POINTS).unlink(missing_ok=True)
        if logged is None:
            (folder / NOT_FINITE).unlink(missing_ok=True)
        for name in ("error.txt", PAGE):  # of an earlier run of this identity
            (folder / name).unlink(missing_ok=True)
        started = before.started if before else now()  # a resumed run is the same run to MLflow
        writer = cls(folder, replace(RunRecord.from_json(masked(record.to_json())), started=started))
        writer.write()
        return writer

    def write(self) -> None:
        """Bring record.json up to date."""
        write_json(self.folder / RECORD, self.record.to_json())

    def point(self, step: int, values: Mapping[str, float]) -> None:
        """Append one logged point; an unknown metric name raises KeyError."""
        for name in values:
            check(name)
        if self._stream is None:
            self._stream = (self.folder / POINTS).open("a", encoding="utf-8")
        self._stream.write(json.dumps({"step": step, "time": time.time()} | dict(values)) + "\n")
        self._stream.flush()

    def point_once(self, step: int, values: Mapping[str, float]) -> None:
        """Append a point unless it is already there: a resumed run may log it again."""
        point = {"step": step} | dict(values)
        path = self.folder / POINTS
        logged = map(json.loads, path.read_text(encoding="utf-8").splitlines()) if path.is_file() else ()
        if not any({name: value for name, value in old.items() if name != "time"} == point for old in logged):
            self.point(step, values)

    def forget_points(self) -> None:
        """Drop all points: the training that logged them starts again."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        (self.folder / POINTS).unlink(missing_ok=True)

    def add_metrics(self, values: Mapping[str, float]) -> None:
        """Add final metrics; an unknown metric name raises KeyError."""
        for name in values:
            check(name)
        self._change(metrics=self.record.metrics | dict(values))

    def add_notes(self, notes: Sequence[str]) -> None:
        """Add sentences that `run show` prints."""
        self._change(notes=[*self.record.notes, *notes])

    def set_recipe(self, recipe: ChosenRecipe) -> None:
        """Record the setting that train.recipe=auto chose, also in the notes."""
        self._change(recipe=recipe, notes=[*self.record.notes, *recipe.notes()])

    def set_steps(self, steps: int) -> None:
        """The optimizer steps of all trainings that are finished."""
        self._change(steps=steps)

    def set_resumed_from(self, step: int | None) -> None:
        """The step from which an interrupted run continued; 0 for a run that was not interrupted."""
        self._change(resumed_from_step=step)

    def set_reports(self, reports: Mapping[str, ClassReport]) -> None:
        """The scores of each class, by split."""
        self._change(reports=dict(reports))

    def set_calibration(self, facts: CalibrationFacts | None) -> None:
        """How logits become probabilities; None for answers that are not classes."""
        self._change(calibration=facts)

    def set_thresholds(self, facts: ThresholdFacts | None) -> None:
        """The probabilities from which labels are predicted; None if none are fitted."""
        self._change(thresholds=facts)

    def add_engine(self, facts: JsonObject) -> None:
        """Add facts about the arithmetic."""
        environment = self.record.environment
        self._change(environment=replace(environment, engine=environment.engine | dict(facts)))

    def close_stage(self, entry: StageEntry) -> None:
        """Record a finished stage and bring record.json up to date."""
        self._change(stages=[*self.record.stages, entry])
        self.write()

    def continue_from(self, before: RunRecord) -> None:
        """Take over the results of the run that made the stages before the last one, except those of its graphs."""
        environment = self.record.environment
        self._change(
            metrics={name: value for name, value in before.metrics.items() if not name.startswith(GRAPHS)},
            stages=before.stages, steps=before.steps,
            resumed_from_step=before.resumed_from_step, recipe=before.recipe,
            notes=list(dict.fromkeys([*before.notes, *self.record.notes])),
            environment=replace(environment, engine=before.environment.engine | environment.engine),
        )  # fmt: skip

    def mark_pruned(self) -> None:
        """The search ended this run, because other trials were better."""
        self._change(pruned=True)

    def fail(self, reason: str) -> None:
        """Note the failure in the record, which may no longer be writable."""
        self._change(status="failed", reason=mask(reason))

    def finish(self, status: str, reason: str | None = None) -> None:
        """Close the run as done, failed or killed; this is the last thing it writes.

        Raises OSError for a full disk; `record` has its final status even then.
        """
        self._change(status=status, reason=reason and mask(reason), ended=now())
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self.write()

    def _change(self, **values: Any) -> None:
        self.record = replace(self.record, **values)
