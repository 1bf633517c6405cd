"""Why MLflow could not be used, in one line with the cure and without the password."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.track.connection import connect, explain_mlflow_error
from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("Detected out-of-date database schema (found x)", "Try: mlflow db upgrade 'http://***@host'"),
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
