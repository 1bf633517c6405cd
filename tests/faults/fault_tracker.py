"""A tracking server that is down for a while: the run is not affected, and `run sync` adds what is missing."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Row
from tests.faults.proxy import Proxy
from tests.faults.scene import PATIENCE_S, SMALL, Scene, differences, results, untimed, wait_for
from tests.records import records

WORDS = (*SMALL[:-1], "seed=5", "train.epochs=30")
OWN = ("started", "folder", "tracker.experiment", "tracker.wait_s", "paths.cache", "mlflow.source.name")
BEGUN, TRAINED = "*/metrics.jsonl", "*/predictions-*.parquet"
# When the server goes down and comes back, by the first file that shows it.
OUTAGES = {"start": (None, BEGUN), "middle": (BEGUN, TRAINED), "end": (TRAINED, None), "whole": (None, None)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, Path]]:
    """Run a real `mlflow server` behind a proxy; yield both and the database."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{folder}/server.db", "--serve-artifacts",
               "--artifacts-destination", str(folder / "files")]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=folder
    )
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"), PATIENCE_S)
        with Proxy(port) as proxy:
            yield proxy, folder
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # asked to end it waits for connections that the proxy has open
        process.wait()


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=2).close()
    except OSError:
        return False
    return True


def content(folder: Path, experiment: str) -> list[dict[str, Any]]:
    """Return all that the store knows of the runs of an experiment, without what depends on time and place."""
    with sqlite3.connect(folder / "server.db") as store:
        runs = store.execute(
            "select run_uuid, status, runs.name from runs join experiments using (experiment_id) "
            "where experiments.name = ?", [experiment],
        ).fetchall()  # fmt: skip

        def table(name: str, columns: str, run: str) -> list[Any]:
            return sorted(store.execute(f"select {columns} from {name} where run_uuid = ?", [run]).fetchall())

        return [
            {
                "status": status,
                "name": name,
                "params": {key: value for key, value in table("params", "key, value", run) if key not in OWN},
                "tags": {key: value for key, value in table("tags", "key, value", run) if key not in OWN},
                "latest": untimed(dict(table("latest_metrics", "key, value", run))),
                "all": sorted({key for key, in table("latest_metrics", "key", run)}),
                "history": [row for row in table("metrics", "key, step, value", run) if untimed({row[0]: row[2]})],
                "data": store.execute(
                    "select name, digest, dataset_source, dataset_profile from datasets join inputs "
                    "on source_id = dataset_uuid where destination_id = ?", [run]).fetchall(),
                "files": sorted(path.name for path in (folder / "files").glob(f"*/{run}/**/*")),
            }
            for run, status, name in runs
        ]  # fmt: skip


@pytest.fixture(scope="module")
def straight(server: tuple[Proxy, Path], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The run with a server that is always there; on a busy machine it may answer too late for a part of it."""
    proxy, _ = server
    words = (*WORDS, f"tracker.uri={proxy.address}", "tracker.experiment=straight", "tracker.wait_s=300")
    scene = Scene(tmp_path_factory.mktemp("straight"), words)
    if "MLflow lacks" in scene.finish():
        Scene(scene.folder, ("sync", *words[-3:-1])).finish()
    return scene


@pytest.mark.parametrize("when", OUTAGES)
def test_a_tracking_server_that_is_down_and_run_sync_afterwards(
    when: str, straight: Scene, server: tuple[Proxy, Path], tmp_path: Path, row: Row
) -> None:
    (proxy, store), (down, up) = server, OUTAGES[when]
    words = (*WORDS, f"tracker.uri={proxy.address}", f"tracker.experiment={when}", "tracker.wait_s=5")
    scene = Scene(tmp_path / when, words, "tests.runner.sweep.faulty", {"SLOW_S": "0.1"})
    if down is None:
        proxy.down()
    command = scene.start()
    for sign, act in ((down, proxy.down), (up, proxy.up)):
        if sign:
            wait_for(lambda sign=sign: list(scene.output.glob(sign)), PATIENCE_S)  # type: ignore[misc]
            act()
    out, err = command.communicate(PATIENCE_S)
    assert command.wait() == 0, out + err
    row.tries += 1
    proxy.up()
    scene.wait_for_silence(120)
    tracker = [word for word in words if word.startswith("tracker.") and "wait_s" not in word]
    synced = Scene(scene.folder, ("sync", *tracker))
    synced.finish()
    assert "unchanged" in synced.finish()
    assert results(scene.output) == results(straight.output)
    assert list(differences(content(store, "straight"), content(store, when))) == []
    assert [record["status"] for record in records(scene.output)] == ["done"]
