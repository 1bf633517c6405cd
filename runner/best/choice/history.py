"""Counts earlier uses of rows: settings scored on the selection rows, searches that reported on the other rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from data.settings import ALL_FOLDS
from runner.record.folder import read_all_records, read_record
from runner.record.json_files import read_json
from runner.record.record import RunRecord
from runner.record.sweep_record import RESULT, SWEEPS

SETTINGS = "train/settings"  # the metric for settings that one run compared by itself


def settings_compared(output: Path, record: RunRecord) -> int:
    """Return how many settings have been scored on the selection rows of a run, by all runs below `output`.

    Runs of this search, of earlier ones and of single commands all count. Settings that one run compares internally
    count one by one. With folds, only the rows of one fold are considered, so that a setting counts once; models
    trained on all rows do not count.
    """
    records, _ = read_all_records(output)
    scored = (one for one in records if one.setting("data.fold") != ALL_FOLDS)  # that was trained on these rows
    return sum(_settings(one) for one in scored if _rows(one) == _rows(record))


def _rows(record: RunRecord) -> tuple[str, str | None]:
    """Return what identifies the selection rows of a run."""
    return record.data.task, record.data.fingerprints.get(select_split(record))


def _settings(record: RunRecord) -> int:
    """Return the settings that a run scored on its selection rows; none if it ended before that."""
    if record.data.selection not in record.metrics:
        return 0
    return len(record.recipe.tried) if record.recipe else int(record.metrics.get(SETTINGS, 1))


def select_split(record: RunRecord) -> str:
    """Return the name of the selection split."""
    return str(record.data.selection).partition("/")[0]


def times_reported(output: Path, record: RunRecord, key: str) -> int:
    """Return how many searches, including that of `key`, have ended with a score on the reported rows of a run."""
    split = record.data.primary.partition("/")[0]
    winners = (_winner(path, output) for path in output.glob(f"{SWEEPS}/*/{RESULT}") if path.parent.name != key)
    return 1 + sum(other.data.examples(split) == record.data.examples(split) for other in _known(winners))


def _winner(path: Path, output: Path) -> RunRecord | None:
    """Return the record of the run that a search ended with."""
    run = (read_json(path) or {}).get("run")
    return read_record(output / str(run)) if run else None


def _known(records: Iterable[RunRecord | None]) -> Iterable[RunRecord]:
    return (record for record in records if record is not None)
