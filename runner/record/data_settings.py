"""The settings of a recorded run's data, with which its rows are read again as the run read them."""

from __future__ import annotations

from dataclasses import fields

from data.settings import DataSettings
from runner.record.record import RunRecord


def data_settings(record: RunRecord) -> DataSettings:
    """Return the settings of a run's data; those that this version does not know are left out."""
    names = {one.name for one in fields(DataSettings)}
    return DataSettings(**{key: value for key, value in record.config["data"].items() if key in names})
