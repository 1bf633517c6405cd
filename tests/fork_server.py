"""Start processes without importing torch again, as forks of a process that has loaded all libraries and some configs.

A fork is a normal process, with its own working directory, environment, output, signals and exit code. Forks share the
imported modules, and what an interpreter draws at random when it starts, such as its hash seed. All pytest-xdist
workers share one fork server, which the main pytest process starts.

child = fork_server().start("runner.cli", ["list"], Path.cwd(), dict(os.environ))
out, err = child.communicate(timeout=60)
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import weakref
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar, NoReturn, TextIO

from data.settings import DataSettings
from data.sources.demo_splits import read_demo
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.machine.facts import package_versions
from runner.machine.threads import set_threads
from runner.tasks import TASKS
from tests.operators import read_operators_once
from tests.spawner import interpreter, listen
from tests.spawner import serve as serve_helpers

REPO = Path(__file__).resolve().parent.parent
LIBRARIES = (
    "torch", "torch._dynamo", "safetensors.torch", "tokenizers", "pandas", "pyarrow.parquet", "scipy.stats",
    "sklearn.metrics", "hydra.main", "rich.console", "rich.rule", "filelock", "torch.utils.flop_counter",
    "pyarrow.pandas_compat", "matplotlib.pyplot", "hydra_plugins.hydra_ray_launcher.ray_launcher",
    "hydra_plugins.hydra_submitit_launcher.submitit_launcher",
)  # fmt: skip
# Modules that every command imports before it starts a run, or when it writes its results.
OURS = (
    "runner.commands.experiment", "runner.experiment.run", "runner.commands.help", "runner.compare.report",
    "matplotlib.backends.backend_agg", "rich._emoji_codes", *(path.partition(":")[0] for path in TASKS.values()),
)  # fmt: skip
# Overrides of most commands, in any order, whose configs are composed once; others take a fork 0.1 s.
COMMON = (
    [], ["task=mlm", "model=bert-tiny", "data=demo"],
    *([f"model={model}", f"data={data}", *more]
      for model in ("dsn", "bert-tiny") for data in ("demo", "files")
      for more in ([], ["measure=off"], ["measure=off", "tracker=none"])),
)  # fmt: skip
# The environment when the tests started, without the variables that libraries set later in the test process.
BEGINNING = dict(os.environ)
# Variables that may change between forks. Any other may have been read when the libraries were imported.
READ_LATE = {
    "BERTIER_CACHE", "COLUMNS", "CUDA_VISIBLE_DEVICES", "HF_ENDPOINT", "HF_HOME", "HF_HUB_OFFLINE", "PATH",
    "PYTEST_CURRENT_TEST", "RAY_ADDRESS", "TORCHINDUCTOR_CACHE_DIR",
}  # fmt: skip


class Child:
    """A forked process, with the methods of Popen that tests use."""

    def __init__(
        self, server: ForkServer, module: str, words: Iterable[str], cwd: Path, environment: Mapping[str, str]
    ):
        self.server, self.args, self.returncode = server, [module, *words], None
        self.files = [tempfile.NamedTemporaryFile("r+", encoding="utf-8") for _ in range(2)]  # noqa: SIM115
        paths = [file.name for file in self.files]
        self.pid = server.ask(module=module, words=self.args[1:], cwd=str(cwd), env=dict(environment), paths=paths)

    def wait(self, timeout: float = 240.0) -> int:
        """Return the exit code, negative for a signal; TimeoutExpired after `timeout` seconds."""
        if self.returncode is None:
            self.returncode = self.server.ask(pid=self.pid, seconds=timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def communicate(self, timeout: float = 240.0) -> tuple[str, str]:
        """Wait until the process ends; return its whole stdout and stderr."""
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.send_signal(signal.SIGKILL)
            raise
        out, err = [file.read() for file in self.files]
        return out, err

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)


class ForkServer:
    """The tests' client of the fork server: one question and one answer at a time."""

    joined: ClassVar[str | None] = None  # socket of a server that another process started

    def __init__(self) -> None:
        self.environment = BEGINNING | {"PYTHONPATH": str(REPO)}
        self.address = self.joined or self._start()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.address)
        self.lines = connection.makefile("rw", encoding="utf-8")

    def _start(self) -> str:
        """Start the server process, which ends with this one; return the path of its socket."""
        path = Path(tempfile.mkdtemp()) / "socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(listener.fileno())], cwd=REPO, env=self.environment,
                stdin=subprocess.PIPE, pass_fds=[listener.fileno()],
            )  # fmt: skip
        atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
        atexit.register(process.communicate)
        return str(path)

    @cached_property
    def interpreter(self) -> str:
        """Path of the program that replaces sys.executable in a fork; known once everything is loaded."""
        return str(json.loads(self.lines.readline()))

    def ask(self, **question: Any) -> Any:
        """Send a question and return the answer."""
        assert self.interpreter, "the first line"
        print(json.dumps(question), file=self.lines, flush=True)
        return json.loads(self.lines.readline())

    def suits(self, environment: Mapping[str, str]) -> bool:
        """Can a fork replace a new process? It can on Linux, if the environment would not change what imports read."""
        changed = {name for name, _ in environment.items() ^ self.environment.items()}
        return sys.platform == "linux" and changed <= READ_LATE

    def start(self, module: str, words: Iterable[str], cwd: Path, environment: Mapping[str, str]) -> Child:
        """Start `python -m module words...` in the folder `cwd`."""
        return Child(self, module, words, cwd, environment)


def environment_of(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command: that at the start of the tests, what tests have set since, and `changes`."""
    late = {name: os.environ[name] for name in READ_LATE if name in os.environ}
    kept = {name: value for name, value in BEGINNING.items() if name not in READ_LATE}
    return kept | late | {"PYTHONPATH": str(REPO), "COLUMNS": "160"} | dict(changes)


def join(address: str, beginning: Mapping[str, str]) -> None:
    """Use a fork server that another process started. beginning: that process's initial environment."""
    BEGINNING.clear()
    BEGINNING.update(beginning)
    ForkServer.joined = address


@cache
def fork_server() -> ForkServer:
    """Return the fork server of this process; it ends with the process."""
    return ForkServer()


def serve(questions: socket.socket) -> None:
    """Serve fork and wait requests until the parent process ends. In a fork, this ends when its program ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C should stop only the tests and the forks
    for name in (*LIBRARIES, *OURS):
        importlib.import_module(name)
    gemm_errors = importlib.import_module("runner.machine.matmul").gemm_errors
    read_operators_once()
    check_overrides([])
    for words in COMMON:
        compose(words)
    read_demo(DataSettings())
    package_versions()
    set_threads(1)
    gemm_errors(["default", "onednn"])
    for kept in weakref.finalize._registry.values():  # type: ignore[attr-defined]
        kept.atexit = False  # forks exit faster without the finalizers of libraries
    gc.freeze()
    folder = Path(tempfile.mkdtemp())  # not TemporaryDirectory: the first fork to exit would remove it
    listener, sys.executable = listen(folder), str(interpreter(folder))
    if os.fork() == 0:
        for ours in (0, 1):  # the tests wait until these pipes are closed
            os.dup2(os.open(os.devnull, os.O_RDWR), ours)
        questions.close()
        serve_helpers(listener, live)
        os._exit(0)
    listener.close()
    answer_all(questions)
    shutil.rmtree(folder)


def answer_all(questions: socket.socket) -> None:
    """Answer several test processes at once, until stdin is closed."""
    askers: dict[int, TextIO] = {}
    waiting: dict[int, tuple[int, float]] = {}  # by connection: the fork it waits for, and the deadline
    while True:
        ready = select.select([0, questions, *askers], [], [], 0.005 if waiting else None)[0]
        if 0 in ready:
            return
        if questions in ready:
            asker = questions.accept()[0]
            askers[asker.fileno()] = asker.makefile("rw", encoding="utf-8")
            tell(askers[asker.fileno()], sys.executable)
        for number in set(ready) & askers.keys():
            line = askers[number].readline()
            if not line:
                askers.pop(number).close()
                waiting.pop(number, None)
            elif "pid" in (question := json.loads(line)):
                waiting[number] = question["pid"], time.monotonic() + question["seconds"]
            else:
                tell(askers[number], fork(question, [questions.fileno(), *askers]))
        for number, (pid, end) in list(waiting.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended or time.monotonic() > end:
                del waiting[number]
                tell(askers[number], os.waitstatus_to_exitcode(status) if ended else None)


def tell(asker: TextIO, answer: str | int | None) -> None:
    """Send an answer; does nothing if the test process has gone."""
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(answer), file=asker, flush=True)


def fork(question: dict[str, Any], ours: Iterable[int]) -> int:
    """Start the requested program in a fork without the open files `ours`; return its process id."""
    pid = os.fork()
    if pid == 0:
        for number in ours:
            os.close(number)
        paths = [os.devnull, *question.pop("paths")]
        files = [os.open(path, os.O_RDWR) for path in paths]
        live(**question, files=files)
    return pid


def live(module: str, words: list[str], cwd: str, env: dict[str, str], files: list[int]) -> NoReturn:
    """In a fork, do what `python -m module words...` does, with these files as stdin, stdout and stderr."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for target, file in enumerate(files):
        os.dup2(file, target)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.path[0], sys.argv[1:] = cwd, words
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    # Exit like an interpreter, but without freeing the memory shared with other forks: that would copy it first.
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
