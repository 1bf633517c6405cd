"""Setup shared by all tests: one thread, a private cache, the `hub` and `gpu` markers, and running commands."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = "1"  # before torch is imported
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["OMP_WAIT_POLICY"] = "passive"  # waiting threads leave the cores to other tests
# Write bytecode: otherwise each of the many interpreters that tests start compiles all modules, and pytest all tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

import pytest  # noqa: E402

from tests.fork_server import BEGINNING, environment_of, fork_server, join  # noqa: E402
from tests.operators import read_operators_once  # noqa: E402

gc.disable()  # until the tests are collected: nothing loaded until then is garbage

# If the tests run in the background of a script, SIGINT is ignored, and child processes would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

REPO = Path(__file__).resolve().parent.parent
# Test files that take ten seconds or more and do not start `run`.
LONG = {
    REPO / "tests" / name
    for name in (
        "runner/sweep/test_plan.py", "test_layout.py", "end_to_end/test_chain.py", "models/onnx/test_graph.py",
        "models/checkpoints/test_transformers_model.py", "models/compression/test_dendrites.py",
        "runner/track/test_mirror.py", "runner/track/test_sweeps.py", "models/onnx/test_exits.py",
        "runner/tasks/test_contract.py",
    )
}  # fmt: skip


def hub_answers() -> bool:
    """Does HF_ENDPOINT, or the public hub, accept a connection within 2 s?"""
    parts = urlsplit(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    try:
        socket.create_connection((parts.hostname or "", parts.port or 443), 2.0).close()
    except OSError:
        return False
    return True


def pytest_configure(config: pytest.Config) -> None:
    """Hide the GPUs, so that results are the same on all machines, unless `-m gpu` is given; join the fork server."""
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if shared := getattr(config, "workerinput", {}).get("fork_server"):
        join(*shared)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start one fork server for all pytest-xdist workers; it starts while they collect the tests."""
    node.workerinput["fork_server"] = fork_server().address, BEGINNING


def pytest_collection(session: pytest.Session) -> None:
    """Let each worker import a share of the test files first, since pytest compiles a file on its first import.

    The other workers then find it compiled. Afterwards all collect the same tests in the same order.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is None:
        return
    places = [session.config.rootpath / word.partition("::")[0] for word in session.config.args]
    files = sorted({file for place in places for file in ([place] if place.is_file() else place.rglob("test_*.py"))})
    for file in files[int(worker["workerid"].removeprefix("gw")) :: worker["workercount"]]:
        with suppress(Exception, pytest.skip.Exception):  # reported when the file is collected
            import_module(".".join(file.relative_to(REPO).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Files that start `run`, and those in LONG, take longest. They go first, so that the workers finish together.
    items.sort(key=lambda item: not (hasattr(getattr(item, "module", None), "run_cli") or item.path in LONG))
    marked = [item for item in items if item.get_closest_marker("hub")]
    if marked and not hub_answers():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="the hub does not answer"))
    for item in items:
        if item.get_closest_marker("gpu"):
            import torch

            if not torch.cuda.is_available():
                item.add_marker(pytest.mark.skip(reason="no CUDA device"))


def pytest_collection_finish() -> None:
    """Make the garbage collector skip libraries and test items from now on: a pass over them takes half a second.

    It also collects less often than usual: tests leave little garbage, and collecting it made them 5 % slower.
    """
    if "models.onnx.graph" in sys.modules:
        read_operators_once()
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End a worker that has sent its results at once: freeing its modules and tests one by one takes 7 s."""
    if getattr(config, "workerinput", None) is not None:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the tests' tokenised data separate from the user's."""
    os.environ["BERTIER_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """Return a CSV of 120 learnable reviews with the columns review and stars (1 or 5)."""
    return write_reviews(tmp_path / "reviews.csv")


def write_reviews(path: Path) -> Path:
    """Write 120 learnable reviews with the columns review and stars to a CSV, and return its path."""
    good, bad = ["fine", "lovely", "great"], ["poor", "awful", "dull"]
    lines = ["review,stars"]
    for i in range(120):
        words = good if i % 2 else bad
        lines.append(f'"the {words[i % 3]} film, number {i} of the year",{5 if i % 2 else 1}')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def crowding() -> float:
    """Return how many times longer a process takes now than on an idle machine, at least 1.

    Multiply time limits that were set for an idle machine by this.
    """
    wall, own = time.perf_counter(), time.process_time()
    while time.process_time() - own < 0.2:
        pass
    return max(1.0, (time.perf_counter() - wall) / (time.process_time() - own))


def run_cli(
    *words: str, cwd: Path, env: dict[str, str] | None = None, fresh: bool = False, timeout_s: float = 240.0
) -> subprocess.CompletedProcess[str]:
    """Run `run` as a separate process without a terminal.

    fresh: in a new interpreter, which imports everything. timeout_s: seconds after which the process counts as hung.
    """
    environment = environment_of(env or {})
    if fresh or not fork_server().suits(environment):
        command = [sys.executable, "-m", "runner.cli", *words]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout_s)
    child = fork_server().start("runner.cli", words, cwd, environment)
    out, err = child.communicate(timeout_s)
    return subprocess.CompletedProcess(child.args, child.wait(), out, err)
