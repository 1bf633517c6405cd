"""Chooses the source that the rows of a dataset are read from."""

from __future__ import annotations

from data.calibration import CALIBRATION, calibration_file
from data.settings import DataSettings
from data.sources.demo_splits import read_demo
from data.sources.files import add_file, existing_file, read_files
from data.sources.hub import read_hub
from data.sources.questions import is_questions, read_questions
from data.sources.ranked_splits import is_ranked, read_ranked
from data.sources.raw import RawData
from data.sources.sounds import is_sounds, read_sounds
from data.sources.tagged_splits import is_tagged, read_tagged
from data.stores.build_once import SharedCache


def read_raw(settings: DataSettings, cache: SharedCache, target: str = "auto") -> RawData:
    """Read the raw splits from the source that the settings name; target: the name of the target, or auto."""
    raw, calibration = _read(settings, cache, target), calibration_file(settings)
    raw.truncate = settings.truncate
    if calibration is not None:
        add_file(raw, CALIBRATION, existing_file(calibration, "data.calibration"), settings, cache)
    return raw


def _read(settings: DataSettings, cache: SharedCache, target: str) -> RawData:
    if is_sounds(settings):
        return read_sounds(settings, cache, target)
    if is_tagged(settings, target):
        return read_tagged(settings, cache)
    if is_questions(settings, target):
        return read_questions(settings, cache)
    if is_ranked(settings, target):
        return read_ranked(settings, cache)
    if settings.source == "hub":
        return read_hub(settings, target)
    if settings.source == "files":
        return read_files(settings, cache, target)
    return read_demo(settings, target)
