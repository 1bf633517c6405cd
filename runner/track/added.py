"""Mirrors what is added to a run after its end: metrics measured later, and the page of its errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from runner.record.record import RunRecord
from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings
from runner.track.sync import sync_run
from runner.track.sync_command import sync_command


def mirror_added(record: RunRecord, folder: Path, notify: Callable[[str], None]) -> None:
    """Send the additions to the MLflow in the run's config, if there is one; a failure is reported, not raised.

    folder: of the run; notify: is called with a line about a failure.
    """
    content = record.config.get("tracker") or {}
    known = {one.name for one in fields(TrackerSettings)}
    settings = TrackerSettings(**{name: value for name, value in content.items() if name in known})
    if settings.name == "none":
        return
    try:
        sync_run(folder, settings)
    except TrackError as error:
        notify(f"not mirrored to MLflow: {error}. Try: {sync_command(settings, folder.parent)}")
