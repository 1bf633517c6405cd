"""Why MLflow could not be used, in one line with the cure and without the password."""

from __future__ import annotations

import pytest

from runner.track.connection import explain_mlflow_error


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
