"""Counts the models compared on a run's calibration rows: a promise on these rows corrects for all of them."""

from __future__ import annotations

import contextlib
from pathlib import Path

from runner.record.folder import read_record
from runner.record.record import RecordError, RunRecord
from runner.record.sweep_record import SweepRecord, read_sweep, sweep_folders


def models_compared(output: Path, record: RunRecord) -> int:
    """Return how many models were compared on the calibration rows of a run: 1 for a run by itself.

    Every finished run on these rows counts that is in a sweep, study or search with this run; for a run that
    tried several settings, each of them. A study that was interrupted is several sweeps. The epochs of one run do not
    count: the best of ten kept the promise in simulations.

    Rows that were set aside to calibrate on choose no model, so for them it is 1. Where the runs of the folds calibrate
    on all rows, these choose in every sweep over the folds: of each recipe its run on the first fold counts.
    """
    folds = record.calibration.folds if record.calibration else []
    if record.data.calibration and not folds:
        return 1
    own = {record.identity, *folds}
    sweeps: list[SweepRecord] = []
    for folder in sweep_folders(output):
        with contextlib.suppress(RecordError):
            sweeps.append(read_sweep(folder))
    studies = {sweep.study for sweep in sweeps if sweep.study and own.intersection(sweep.identities)}
    members = {record.identity}
    for sweep in sweeps:
        if folds or sweep.study in studies or own.intersection(sweep.identities):
            members.update(sweep.identities)
    first = read_record(output / folds[0]) if folds else None
    rows = {_rows(one) for one in (record, first) if one}
    others = (read_record(output / name) for name in sorted(members - own))
    same = [one for one in others if one and one.status == "done" and _rows(one) in rows]
    return sum(len(one.recipe.tried) if one.recipe else 1 for one in (record, *same))


def _rows(record: RunRecord) -> tuple[str, str]:
    """Return the task and the calibration rows: the selection rows, if none are set aside."""
    return record.data.task, record.data.examples(record.data.calibrating)
