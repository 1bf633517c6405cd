from __future__ import annotations

import contextlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.track.connection import connect
from runner.track.environment import DEFAULTS
from runner.track.mirror import Mirror, start_mirror
from runner.track.resync import sync_all
from runner.track.settings import TrackerSettings
from tests.conftest import crowding
from tests.runner.track.folders import add_points, state, write_record, write_run


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that accepts connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield int(server.getsockname()[1])


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_run_imports_nothing_heavy_for_its_mirror(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from runner.track.mirror import start_mirror;"
        "from runner.track.settings import TrackerSettings;"
        "folder = Path(sys.argv[1]); mirror = start_mirror(TrackerSettings(), folder);"
        "mirror.request(folder); mirror.close(0);"
        "print(*[name for name in ('mlflow', 'sqlalchemy', 'filelock', 'torch', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_without_a_tracker_nothing_is_started(tmp_path: Path) -> None:
    assert start_mirror(TrackerSettings(name="none"), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_mirrored_by_the_time_it_ends(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = output / "elsewhere"
    (elsewhere / "runner").mkdir(parents=True)  # not our package, wherever the user happens to be
    (elsewhere / "runner" / "__init__.py").write_text("raise SystemExit('wrong runner')")
    monkeypatch.chdir(elsewhere)
    mirror = Mirror(TrackerSettings(), output)
    pid = mirror.pid
    folder = write_record(output / "abc", status="running", ended=None, metrics={})
    mirror.request(folder)
    for epoch in range(3):
        add_points(folder, range(epoch * 10 + 1, epoch * 10 + 11))
        mirror.request(folder)
    write_record(folder)
    mirror.request(folder)
    assert mirror.close(60) is None
    assert state(folder).items() >= {"points": 30, "status": "done", "problem": None}.items()
    target = connect(TrackerSettings(), output)
    (run,) = target.client.search_runs([target.experiment_id])
    assert run.info.status == "FINISHED"
    assert len(target.client.get_metric_history(run.info.run_id, "at_step/train_loss")) == 30
    assert pid and not is_running(pid)


@pytest.mark.usefixtures("forked_helper")
def test_one_mirror_serves_several_runs(output: Path) -> None:
    mirror = Mirror(TrackerSettings(), output)
    for name in ("first", "second"):
        mirror.request(write_run(output / name))
        assert mirror.wait(60) is None
    assert mirror.close(60) is None
    assert state(output / "first")["run_id"] != state(output / "second")["run_id"]


@pytest.mark.usefixtures("forked_helper")
def test_a_mirror_left_alone_finishes_its_work_and_ends(output: Path) -> None:
    mirror = Mirror(TrackerSettings(), output)
    folder, pid = write_run(output / "abc"), mirror.pid
    mirror.request(folder)
    begun = time.monotonic()
    problem = mirror.close(0)
    assert time.monotonic() - begun < 1 * crowding()
    assert problem and "still being written" in problem and "run sync" in problem
    _, status = os.waitpid(pid or 0, 0)
    assert status == 0
    assert state(folder)["status"] == "done"


@pytest.mark.usefixtures("forked_helper")
def test_interrupting_the_run_does_not_interrupt_its_mirror(output: Path) -> None:
    mirror = Mirror(TrackerSettings(), output)
    assert os.getsid(mirror.pid or 0) == mirror.pid != os.getsid(0)
    assert mirror.close(0) is None


@pytest.mark.usefixtures("forked_helper")
def test_a_killed_helper_is_told_and_a_later_sync_repairs(output: Path) -> None:
    mirror = Mirror(TrackerSettings(), output)
    folder = write_record(output / "abc", status="running", ended=None, metrics={})
    add_points(folder, range(1, 5))
    mirror.request(folder)
    assert mirror.wait(60) is None
    os.kill(mirror.pid or 0, signal.SIGKILL)
    add_points(write_record(folder), range(5, 9))
    mirror.request(folder)
    problem = mirror.close(60)
    assert problem and "ended early" in problem and "Try: run sync" in problem and "\n" not in problem
    assert "ended early" in state(folder)["problem"]
    assert str(sync_all(output, TrackerSettings(), print)) == "1 updated"
    assert state(folder).items() >= {"points": 8, "status": "done", "problem": None}.items()


@pytest.mark.usefixtures("forked_helper")
def test_a_helper_killed_in_the_middle_of_its_work_leaves_nothing_that_sync_cannot_repair(
    tmp_path: Path,
) -> None:
    mirror = Mirror(TrackerSettings(), tmp_path)
    folder = write_run(tmp_path / "abc")
    mirror.request(folder)
    while not list(tmp_path.glob("mlflow.db.part*")):  # it is creating the store
        time.sleep(0.005)
    os.kill(mirror.pid or 0, signal.SIGKILL)
    assert "ended early" in (mirror.close(60) or "")
    assert str(sync_all(tmp_path, TrackerSettings(), print)) == "1 created"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let helpers wait no time between the attempts to reach a server, which for a user are some 6 s."""
    for name in ("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER"):
        monkeypatch.setenv(name, "0")


@pytest.mark.usefixtures("forked_helper", "impatient")
def test_a_server_that_hangs_up_is_asked_a_few_times_and_given_up(tmp_path: Path) -> None:
    calls: list[None] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            with contextlib.suppress(OSError):  # the end of the test
                while True:
                    server.accept()[0].close()
                    calls.append(None)

        threading.Thread(target=hang_up, daemon=True).start()
        mirror = Mirror(TrackerSettings(uri=f"http://127.0.0.1:{server.getsockname()[1]}"), tmp_path)
        mirror.request(write_run(tmp_path / "abc"))
        assert "no answer from the MLflow server" in (mirror.close(60) or "")
    attempts = 1 + int(DEFAULTS["MLFLOW_HTTP_REQUEST_MAX_RETRIES"])
    assert attempts == 3 and len(calls) in (attempts, 2 * attempts), "of one request or two"


@pytest.mark.usefixtures("forked_helper", "impatient")
def test_a_dead_server_costs_a_bounded_wait_and_one_line(tmp_path: Path, closed_port: int) -> None:
    settings = TrackerSettings(uri=f"http://me:secret@127.0.0.1:{closed_port}", wait_s=90)
    mirror = Mirror(settings, tmp_path)
    folder = write_run(tmp_path / "abc")
    mirror.request(folder)
    problem = mirror.close() or ""
    assert "no answer from the MLflow server" in problem
    assert f"Try: run sync tracker.uri=http://127.0.0.1:{closed_port} paths.output=" in problem
    assert state(folder)["problem"] in problem
    written = problem + (tmp_path / "mlflow.log").read_text() + (folder / "mlflow.json").read_text()
    assert "secret" not in written


@pytest.mark.usefixtures("forked_helper")
def test_a_server_that_never_answers_does_not_hold_the_run(tmp_path: Path, silent_port: int) -> None:
    mirror = Mirror(TrackerSettings(uri=f"http://127.0.0.1:{silent_port}"), tmp_path)
    pid = mirror.pid or 0
    mirror.request(write_run(tmp_path / "abc"))
    begun = time.monotonic()
    problem = mirror.close(1.0) or ""
    assert time.monotonic() - begun < 2 * crowding()
    assert "still being written" in problem
    os.kill(pid, signal.SIGKILL)


def test_credentials_go_to_the_server_and_are_shown_to_nobody_else(tmp_path: Path) -> None:
    seen: list[str] = []

    class Refuse(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            self.send_error(403, "who are you")

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mirror = Mirror(TrackerSettings(uri=f"http://me:secret@127.0.0.1:{server.server_port}"), tmp_path)
        arguments = Path(f"/proc/{mirror.pid}/cmdline")
        shown = arguments.read_text() if arguments.exists() else ""
        mirror.request(write_run(tmp_path / "abc"))
        shown += mirror.close(60) or "nothing was refused: secret"
        server.shutdown()
    assert seen and set(seen) == {"Basic bWU6c2VjcmV0"}
    assert "secret" not in shown + (tmp_path / "mlflow.log").read_text()


@pytest.mark.usefixtures("forked_helper")
def test_an_unusable_store_does_not_fail_the_run(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"no database at all, only bytes" * 100)
    mirror = Mirror(TrackerSettings(), tmp_path)
    mirror.request(write_run(tmp_path / "abc"))
    assert "is damaged" in (mirror.close(60) or "")


def test_a_helper_that_cannot_start_does_not_fail_the_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "abc")
    mirror = Mirror(TrackerSettings(), folder / "log.txt" / "below-a-file")
    mirror.request(folder)
    assert "could not be started" in (mirror.close(60) or "")
