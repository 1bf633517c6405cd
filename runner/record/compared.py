"""How many models a finished run was compared with on its calibration rows: a promise on these rows counts them all."""

from __future__ import annotations

import contextlib
from pathlib import Path

from runner.record.folder import read_record
from runner.record.record import RecordError, RunRecord
from runner.record.sweep_record import read_sweep, sweep_folders


def models_compared(output: Path, record: RunRecord) -> int:
    """Return how many models were compared on the calibration rows of a run: 1 for a run by itself.

    Rows that were set aside to calibrate on choose no model, so for them it is 1.

    Of sweeps, studies and searches that the run is part of, every finished run on these rows counts, and of a run that
    tried several settings each of them. The epochs of one run do not: the best of ten kept the promise in simulations.
    """
    if record.data.calibration:
        return 1
    identities = {record.identity}
    for folder in sweep_folders(output):
        with contextlib.suppress(RecordError):
            members = set(read_sweep(folder).identities)
            identities |= members if record.identity in members else set()
    others = (read_record(output / name) for name in sorted(identities - {record.identity}))
    same = [one for one in others if one and one.status == "done" and _selection(one) == _selection(record)]
    return sum(len(one.recipe.tried) if one.recipe else 1 for one in (record, *same))


def _selection(record: RunRecord) -> tuple[str, str]:
    """The task, and the rows that select."""
    return record.data.task, record.data.examples(str(record.data.selection).partition("/")[0])
