"""Mirrors what is added to a run after its end: metrics that were measured later, and the page of its mistakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from runner.record.record import RunRecord
from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings
from runner.track.sync import sync_run


def mirror_later(record: RunRecord, folder: Path, notify: Callable[[str], None]) -> None:
    """Send it to the MLflow that the run names, if it names one; a failure is told, and is no reason to fail.

    folder: of the run; notify: gets the line about a failure.
    """
    content = record.config.get("tracker") or {}
    known = {one.name for one in fields(TrackerSettings)}
    settings = TrackerSettings(**{name: value for name, value in content.items() if name in known})
    if settings.name == "none":
        return
    try:
        sync_run(folder, settings)
    except TrackError as error:
        notify(f"not mirrored to MLflow: {error}. Try: run sync")
