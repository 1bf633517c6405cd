"""`run sync`: mirrors every run and every sweep below the output folder, for instance after an outage."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.record.folder import RECORD, check_readable
from runner.record.sweep_record import SWEEP, SWEEPS
from runner.track.connection import connect
from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings
from runner.track.sweeps import sync_sweep
from runner.track.sync import sync_run
from runner.track.uri import ARTIFACTS

GIVE_UP_AFTER = 3  # failures in a row: the server is probably down, and each further try would cost seconds


@dataclass
class SyncCounts:
    """How many folders of runs and sweeps were handled, and how."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    skipped: int = 0  # not tried: the server stopped answering

    def add(self, outcome: str) -> None:
        """Count one folder: created, updated or unchanged."""
        self.created += outcome == "created"
        self.updated += outcome == "updated"
        self.unchanged += outcome == "unchanged"

    def __str__(self) -> str:
        """Return the counts in words, without zeros."""
        parts = [f"{count} {name}" for name, count in asdict(self).items() if count]
        return ", ".join(parts) or "no run folders"


def sync_all(output: Path, settings: TrackerSettings, notify: Callable[[str], None]) -> SyncCounts:
    """Mirror all folders of runs and sweeps and count them; `notify` gets one line for each that failed.

    Raises TrackError if MLflow cannot be opened at all, and OSError for a folder that cannot be read.
    """
    counts, failed_in_a_row = SyncCounts(), 0
    runs = list(run_folders(output))
    folders = [*runs, *sweep_folders(output)]  # sweeps last: they look up their runs
    if not folders:
        check_readable(output)
        return counts
    target = connect(settings, output)
    for done, folder in enumerate(folders):
        try:
            outcome = (sync_run if done < len(runs) else sync_sweep)(folder, settings, target)
            counts.add(outcome)
            failed_in_a_row = 0
        except TrackError as error:
            notify(f"{folder.name}: {error}")
            counts.failed, failed_in_a_row = counts.failed + 1, failed_in_a_row + 1
        if failed_in_a_row == GIVE_UP_AFTER:
            counts.skipped = len(folders) - done - 1
            break
    return counts


def sweep_folders(output: Path) -> list[Path]:
    """Return the folders of the sweeps below a folder, sorted."""
    return [folder for folder in _recorded(output, SWEEP) if folder.parent.name == SWEEPS]


def run_folders(output: Path) -> Iterator[Path]:
    """Yield the run folders below a folder, sorted."""
    return _recorded(output, RECORD)


def _recorded(output: Path, name: str) -> Iterator[Path]:
    """Yield the folders with such a record below a folder, sorted.

    What is in the folder of a run or a sweep is not searched, as a bundle may hold a copy of a record, nor are MLflow's
    copies.
    """
    for place, folders, files in os.walk(output):
        if name in files:
            yield Path(place)
        if RECORD in files or SWEEP in files:
            folders.clear()
        folders[:] = sorted(inner for inner in folders if inner != ARTIFACTS and not inner.startswith("."))
