"""Every way a hub can fail ends within seconds in a message with a cure."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.checkpoints import hub
from models.checkpoints.hub import fetch_file
from models.errors import ModelError
from tests.conftest import REPO, crowding

SCRIPT = """
import sys, time
from models.checkpoints import hub
from models.checkpoints.hub import fetch_file
from models.errors import ModelError
hub.HUB_TIMEOUT_S = float(sys.argv[1])
begun = time.monotonic()
try:
    print("found", fetch_file("some/model", "config.json"))
except ModelError as error:
    print(round(time.monotonic() - begun, 1), error)
"""


class Faulty(BaseHTTPRequestHandler):
    """A hub with one way to fail, named by the path its URL starts with."""

    def do_HEAD(self) -> None:
        way = self.path.split("/")[1]
        if way == "silent":
            time.sleep(30)
            return
        codes = {
            "gated": (403, "GatedRepo"),
            "unknown": (404, "RepoNotFound"),
            "without": (404, "EntryNotFound"),
        }
        status, code = codes.get(way, (500, ""))
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", "no")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def faulty() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def ask(tmp_path: Path, timeout_s: float = hub.HUB_TIMEOUT_S, **environment: str) -> str:
    """Return the output of a new process, because the hub client reads its environment only once.

    timeout_s: what the hub has to answer.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(timeout_s)],
        cwd=REPO,
        env=kept | {"HF_HOME": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_any_error_of_the_disk_is_one_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error", "/home/hub")

    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", failing)
    with pytest.raises(
        ModelError, match=r"config.json cannot be cached: Input/output error \(/home/hub\)\. Try: HF_HOME="
    ):
        fetch_file("somebody/encoder", "config.json")


def test_a_file_that_a_repository_has_not_is_known_as_absent_without_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(hub, "_is_down", lambda *_: True)
    with pytest.raises(ModelError, match=r"is not in the cache"):
        fetch_file("some/model", "1_Pooling/config.json")
    folder = tmp_path / "models--some--model"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc", encoding="utf-8")
    (folder / ".no_exist" / "abc" / "1_Pooling").mkdir(parents=True)
    (folder / ".no_exist" / "abc" / "1_Pooling" / "config.json").touch()
    assert fetch_file("some/model", "1_Pooling/config.json") is None


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("gated", "is gated: accept its terms on the hub and set HF_TOKEN"),
        ("unknown", "is neither a folder nor a model on http://127.0.0.1"),
        ("broken", "does not answer and config.json is not in the cache"),
        ("silent", "does not answer and config.json is not in the cache"),
    ],
)
def test_a_failing_hub_is_reported_within_ten_seconds_with_a_cure(
    faulty: str, tmp_path: Path, way: str, message: str
) -> None:
    timeout_s = 1.0 if way == "silent" else hub.HUB_TIMEOUT_S
    seconds, said = ask(tmp_path, timeout_s, HF_ENDPOINT=f"{faulty}/{way}").split(" ", 1)
    assert message in said
    for cure in ("model.pretrained=null", "another id or folder", "HF_ENDPOINT="):
        assert cure in said
    limit = 10 * timeout_s / hub.HUB_TIMEOUT_S
    assert float(seconds) < limit or float(seconds) < limit * crowding()


def test_a_file_the_repository_does_not_have_is_none(faulty: str, tmp_path: Path) -> None:
    assert ask(tmp_path, HF_ENDPOINT=f"{faulty}/without") == "found None"


def test_a_closed_port_is_reported_at_once_and_without_credentials(tmp_path: Path) -> None:
    seconds, said = ask(tmp_path, HF_ENDPOINT="http://me:secret@127.0.0.1:9").split(" ", 1)
    assert "http://127.0.0.1:9 does not answer" in said and "secret" not in said
    assert float(seconds) < 5


def test_offline_mode_without_a_cached_file_is_named(tmp_path: Path) -> None:
    assert "HF_HUB_OFFLINE is set and config.json is not in the cache" in ask(tmp_path, HF_HUB_OFFLINE="1")


def test_a_cached_file_is_used_when_the_hub_is_away(tmp_path: Path) -> None:
    snapshot = tmp_path / "hub/models--some--model/snapshots/abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (tmp_path / "hub/models--some--model/refs").mkdir()
    (tmp_path / "hub/models--some--model/refs/main").write_text("abc")
    assert ask(tmp_path, HF_ENDPOINT="http://127.0.0.1:9") == f"found {snapshot / 'config.json'}"


def test_a_local_folder_wins_over_a_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some/model").mkdir(parents=True)
    (tmp_path / "some/model/config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert fetch_file("some/model", "config.json") == Path("some/model/config.json")
    assert fetch_file("some/model", "model.safetensors") is None


@pytest.mark.parametrize("source", ["./gone", "/gone/away", "~/gone-away", "a/b/c"])
def test_what_can_only_be_a_folder_never_reaches_the_hub(source: str) -> None:
    with pytest.raises(ModelError, match=f"model.pretrained={source}: there is no such folder"):
        fetch_file(source, "config.json")


def test_a_reason_that_ends_with_a_full_stop_is_followed_by_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_source: str, _name: str) -> Path:
        raise ConnectionError("Server disconnected without sending a response.")

    monkeypatch.setattr(hub, "_download", breaks)
    with pytest.raises(ModelError, match=r"without sending a response\. Try one of: "):
        fetch_file("some/model", "config.json")
