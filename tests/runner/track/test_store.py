from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from runner.track.connection import explain_mlflow_error
from runner.track.errors import TrackError
from runner.track.store import ensure_store

START = """
import os, sys, traceback
from pathlib import Path
from mlflow.tracking.client import MlflowClient
from runner.track.store import ensure_store

def live(folder, number):
    uri = ensure_store(Path(folder) / "mlflow.db")
    if number < 2:
        client = MlflowClient(uri, registry_uri=uri)
        client.set_terminated(client.create_run("0").info.run_id)

for number in range(6):
    if os.fork() == 0:
        try:
            live(sys.argv[1], number)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
if sum(os.waitpid(-1, 0)[1] for _ in range(6)):
    sys.exit(1)
"""


def test_many_processes_may_start_at_once_on_a_fresh_store(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", START, str(tmp_path)], check=True)
    connection = sqlite3.connect(tmp_path / "mlflow.db")
    assert connection.execute("select count(*) from runs where status = 'FINISHED'").fetchone() == (2,)
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    connection.close()
    assert not list(tmp_path.glob("*.part*"))


def test_what_a_killed_creator_left_behind_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db.part").write_bytes(b"half a database")
    (tmp_path / "mlflow.db").touch()
    ensure_store(tmp_path / "mlflow.db")
    assert not (tmp_path / "mlflow.db.part").exists()


def test_an_existing_store_is_opened_without_importing_mlflow(output: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from runner.track.store import ensure_store;"
        "ensure_store(Path(sys.argv[1])); assert 'mlflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(output / "mlflow.db")], check=True)


def test_a_damaged_store_is_kept_and_its_cure_is_told(output: Path) -> None:
    database = output / "mlflow.db"
    database.write_bytes(b"this is not a database, but long enough to have been one" * 100)
    before = database.read_bytes()
    with pytest.raises(TrackError, match=r"is damaged .*mv .*broken && run sync paths\.output="):
        ensure_store(database)
    assert database.read_bytes() == before


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "mine.db")
    connection.execute("create table mine (x)")
    connection.close()
    with pytest.raises(TrackError, match="has no MLflow tables"):
        ensure_store(tmp_path / "mine.db")


def test_a_place_that_cannot_be_written_is_named_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrackError, match=r"cannot be written: .*paths.output="):
        ensure_store(tmp_path / "file" / "mlflow.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named_with_a_way_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(TrackError, match=r"cannot be written: .*tracker=none"):
        ensure_store(tmp_path / "mlflow.db")


def test_a_full_disk_is_one_line_without_the_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlalchemy

    def full(*_: object) -> None:
        raise sqlalchemy.exc.OperationalError("CREATE TABLE x", {"a": "b"}, sqlite3.OperationalError("disk is full"))

    monkeypatch.setattr("mlflow.store.tracking.sqlalchemy_store.SqlAlchemyStore", full)
    with pytest.raises(TrackError, match=r"could not create its tables: disk is full\. Try: paths\.output=") as found:
        ensure_store(tmp_path / "mlflow.db")
    assert "CREATE" not in str(found.value) and "\n" not in str(found.value)
    assert "CREATE" not in explain_mlflow_error(ValueError("(sqlite3.OperationalError) full\n[SQL: CREATE TABLE x]"))
