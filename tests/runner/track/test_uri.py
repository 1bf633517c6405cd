from __future__ import annotations

from pathlib import Path

import pytest

from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings
from runner.track.uri import address_problem, resolve_uri, split_credentials, sqlite_path, sqlite_uri


@pytest.mark.parametrize("name", ["plain", "with space", "100%", "a?b#c", "ümlaut"])
def test_a_database_in_any_folder_is_found_again_by_its_address(tmp_path: Path, name: str) -> None:
    from sqlalchemy import make_url

    database = tmp_path / name / "mlflow.db"
    assert sqlite_path(sqlite_uri(database)) == database
    assert make_url(sqlite_uri(database)).database == str(database)


def test_a_relative_database_does_not_depend_on_the_folder_one_is_in_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_uri(TrackerSettings(uri="sqlite:///x.db"), tmp_path) == f"sqlite:///{tmp_path}/x.db"
    assert resolve_uri(TrackerSettings(), Path("outputs")) == f"sqlite:///{tmp_path}/outputs/mlflow.db"


@pytest.mark.parametrize("uri", ["http://me:secret@[x", "sqlite:///~no_such_user_here/x.db"])
def test_an_address_that_cannot_be_read_is_one_line_without_the_password(uri: str) -> None:
    problem = address_problem(uri)
    assert problem and "Try: tracker.uri=" in problem and "secret" not in problem
    with pytest.raises(TrackError, match=r"tracker\.uri="):
        resolve_uri(TrackerSettings(uri=uri), Path())


@pytest.mark.parametrize("uri", ["foo://me:secret@bar", "localhost:5000", "redis://host"])
def test_an_address_for_which_mlflow_has_no_store_is_refused_before_the_run(uri: str) -> None:
    problem = address_problem(uri)
    assert problem and "Try: tracker.uri=http" in problem and "secret" not in problem


@pytest.mark.parametrize(
    "uri",
    [None, "", "http://host:5000", "http://[::1]:5000", "sqlite:///x.db", "databricks", "databricks://me", "mlruns",
     "mysql+pymysql://me@host/db", "postgresql://host/db", "file:///x"],
)  # fmt: skip
def test_other_addresses_are_left_to_mlflow(uri: str | None) -> None:
    assert address_problem(uri) is None


def test_a_server_address_is_split_from_its_credentials() -> None:
    assert split_credentials("http://me:p%40ss@host:5000/x") == ("http://host:5000/x", "me", "p@ss")
    assert split_credentials("http://host:5000") == ("http://host:5000", None, None)
