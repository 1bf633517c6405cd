"""The suggested command names the store and the folder of the runs."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from runner.track.settings import TrackerSettings
from runner.track.sync_command import sync_command


@pytest.mark.parametrize("password", ["hunter22", "h@unter:22"])
def test_what_differs_from_the_defaults_is_named_and_no_password(
    password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sync_command(TrackerSettings(), tmp_path / "outputs") == "run sync"
    settings = TrackerSettings(uri=f"https://bob:{password}@ml.example.org/a", experiment="my films")
    words = shlex.split(sync_command(settings, tmp_path / "other runs"))
    assert words == [
        "run", "sync", "tracker.uri=https://ml.example.org/a", "tracker.experiment=my films", "paths.output=other runs",
    ]  # fmt: skip
