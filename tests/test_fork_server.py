from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.conftest import run_cli
from tests.fork_server import ForkServer, environment_of, fork_server


def test_what_a_library_sets_in_the_process_of_the_tests_does_not_reach_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KMP_DUPLICATE_LIB_OK", "True")  # as scikit-learn does
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # as a test does for its commands
    found = environment_of({"NAME": "value"})
    assert "KMP_DUPLICATE_LIB_OK" not in found
    assert (found["HF_HUB_OFFLINE"], found["NAME"]) == ("1", "value")
    assert run_cli("--help", cwd=tmp_path).args == ["runner.cli", "--help"], "a fork, not a new interpreter"


def test_a_variable_that_libraries_read_on_import_needs_a_new_interpreter() -> None:
    assert fork_server().suits(environment_of({})) and fork_server().suits(environment_of({"HF_HOME": "elsewhere"}))
    assert not fork_server().suits(environment_of({"OMP_NUM_THREADS": "7"}))


def test_the_workers_of_xdist_share_one_process_to_fork_from() -> None:
    assert (ForkServer.joined is not None) == ("PYTEST_XDIST_WORKER" in os.environ)
    assert not any(name.startswith("PYTEST_XDIST") for name in environment_of({}))


def test_those_who_share_it_do_not_wait_for_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ForkServer, "joined", fork_server().address)
    other, environment = ForkServer(), environment_of({})
    assert other.interpreter == fork_server().interpreter
    (tmp_path / "wait.py").write_text("import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\n")
    slow = other.start("wait", [], tmp_path, environment)
    ended = threading.Thread(target=slow.wait)
    ended.start()
    assert fork_server().start("runner.cli", ["--help"], tmp_path, environment).wait() == 0 and ended.is_alive()
    (tmp_path / "go").touch()
    ended.join()
    assert slow.returncode == 0
