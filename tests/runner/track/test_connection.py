"""Why MLflow could not be used, in one line with the cure and without the password."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.track.connection import _take_credentials, connect, explain_mlflow_error
from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            "Detected out-of-date database schema (found x)",
            "Try: mlflow db upgrade 'http://***@host', or after a newer version: pip install --upgrade mlflow",
        ),
        ("HTTPConnectionPool: Max retries exceeded with url", "no answer from the MLflow server http://***@host"),
        ("first line\n  second line", "first line second line"),
        ("", "OSError"),
    ],
)
def test_errors_are_explained_in_one_line_without_credentials(error: str, said: str) -> None:
    found = explain_mlflow_error(OSError(error), "http://user:secret@host")
    assert found.endswith(said) and "\n" not in found and "secret" not in found


def test_a_database_whose_driver_is_not_installed_is_one_line_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(TrackError, match=r"needs the package pymysql. Try: pip install pymysql") as caught:
        connect(TrackerSettings(uri="mysql+pymysql://me:secret@host/runs"), tmp_path)
    assert "secret" not in str(caught.value)


def test_masked_credentials_of_a_record_do_not_replace_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "of the environment")
    assert _take_credentials("http://***@host") == "http://host"
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == os.environ["MLFLOW_TRACKING_PASSWORD"] == "of the environment"
    assert _take_credentials("http://me:secret@host") == "http://host"
    assert (os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]) == ("me", "secret")


def test_a_damaged_store_elsewhere_is_rebuilt_from_the_runs_and_not_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    database = tmp_path / "shared" / "team.db"
    database.write_bytes(b"this is not a database, but long enough to have been one" * 100)
    with pytest.raises(TrackError, match=r"is damaged .*&& run sync .*") as refused:
        connect(TrackerSettings(uri=f"sqlite:///{database}"), tmp_path / "runs")
    assert str(refused.value).endswith(f"run sync tracker.uri=sqlite:///{database} paths.output={tmp_path}/runs")
