"""Chooses the source that the rows of a dataset are read from."""

from __future__ import annotations

from data.calibration import CALIBRATION, calibration_file
from data.settings import DataSettings
from data.sources.demo_splits import read_demo
from data.sources.files import add_file, check_columns, read_files
from data.sources.hub import read_hub
from data.sources.local_files import existing_file, require_files
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


def check_files(settings: DataSettings, target: str = "auto") -> None:
    """Raise DataError for a local file that is missing, or a table of texts that lacks a column.

    No more than first rows are read. target: as in `read_raw`.
    """
    require_files(settings)
    is_table = not (is_sounds(settings) or any(of(settings, target) for of in (is_tagged, is_questions, is_ranked)))
    if settings.source == "files" and is_table:
        check_columns(settings)
