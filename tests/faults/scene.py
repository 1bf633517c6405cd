"""Start a command, break it, give it again, and compare the result with that of an undisturbed command."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import REPO, write_reviews
from tests.fork_server import Child, fork_server
from tests.records import records

DATA = ("data=files", "data.path=reviews.csv", "data.text=review", "data.label=stars", "model.tokenizer=train",
        "model.vocab_size=120", "train.batch_size=8", "train.threads=1", "measure=off")  # fmt: skip
SMALL = (*DATA, "train.epochs=4", "model=dsn", "tracker=none")
TIMED = ("time/", "train/examples_per_s", "train/tokens_per_s", "cost/bytes_peak", "distil/teacher_rows",
         "structure/speedup")  # fmt: skip
LEFT_BEHIND = (".part", ".old", ".tmp")
PATIENCE_S = 3600.0  # for a command, on a machine that is very busy; more is a hang


@dataclass
class Scene:
    """A command in a folder and with a cache of its own."""

    folder: Path
    words: tuple[str, ...]
    module: str = "runner.cli"
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_reviews(self.folder / "reviews.csv")

    @property
    def output(self) -> Path:
        """Return the folder of run folders."""
        return self.folder / "outputs"

    def start(self, *more: str) -> Child:
        """Start the command and return while it runs."""
        own = {"PYTHONPATH": str(REPO), "BERTIER_CACHE": str(self.folder / "cache"), "COLUMNS": "160"}
        return fork_server().start(self.module, [*self.words, *more], self.folder, os.environ | own | self.environment)

    def run(self, *more: str) -> tuple[int, str]:
        """Run the command to its end; return its exit code and its output."""
        child = self.start(*more)
        out, err = child.communicate(PATIENCE_S)
        return child.wait(), out + err

    def finish(self, *more: str) -> str:
        """Run the command, which must succeed; return its output."""
        code, said = self.run(*more)
        assert code == 0, said
        return said

    def check(self, expected: dict[str, Any]) -> None:
        """Check that results and records equal those of an undisturbed command, and that no stray file is left."""
        self.wait_for_silence()
        found = results(self.output)
        assert list(differences(expected, found)) == []
        assert leftovers(self.folder) == []
        for record in records(self.output):
            assert (record["status"], record["reason"]) == ("done", None)
            assert record["started"] <= record["ended"]
        for path in self.output.glob("sweeps/*/sweep.json"):
            sweep = json.loads(path.read_text(encoding="utf-8"))
            assert sweep["status"] == "done" and {run["status"] for run in sweep["runs"]} == {"done"}

    def wait_for_silence(self, seconds: float = 120.0) -> None:
        """Wait until no process of the command is left; one that takes longer is an orphan."""
        wait_for(lambda: not processes(self.folder), seconds, lambda: f"orphans: {processes(self.folder)}")

    def remove(self) -> None:
        """Remove the folders, to make room for the next scene."""
        shutil.rmtree(self.folder)


def wait_for(condition: Callable[[], Any], seconds: float, otherwise: Callable[[], str] = lambda: "too late") -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.02)


def processes(folder: Path) -> list[int]:
    """Return the processes that run in a folder: the command, its jobs, the tracker's helper."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if (entry / "cwd").readlink() == folder and "Z" not in (entry / "stat").read_text().rpartition(")")[2]:
                    found.append(int(entry.name))
    return found


def results(output: Path) -> dict[str, dict[str, Any]]:
    """Return the results of each run by identity, without times: metrics, points, and every file of its models."""
    return {record["identity"]: dict(_result(output / record["identity"], record)) for record in records(output)}


def differences(expected: Any, found: Any, where: str = "") -> Iterator[str]:
    """Yield each place where two results differ, and how."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys(), key=str):
            yield from differences(expected.get(key), found.get(key), f"{where}/{key}")
    elif isinstance(expected, list | tuple) and isinstance(found, list | tuple) and len(expected) == len(found):
        for number, pair in enumerate(zip(expected, found, strict=True)):
            yield from differences(*pair, f"{where}[{number}]")
    elif expected != found:
        yield f"{where}: {str(expected)[:300]} became {str(found)[:300]}"


def _result(folder: Path, record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "stages", [(stage["name"], untimed(stage["metrics"])) for stage in record["stages"]]
    yield "metrics", untimed(record["metrics"])
    yield "notes", record["notes"]
    yield "points", [untimed(point) for point in points(folder)]
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".safetensors", ".parquet"):
            yield path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()


def points(folder: Path) -> list[dict[str, float]]:
    """Return the lines of a run's metrics.jsonl."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def untimed(values: dict[str, float]) -> dict[str, float]:
    """Return the metrics that do not depend on how busy the machine is."""
    return {name: value for name, value in values.items() if name != "time" and not name.startswith(TIMED)}


def leftovers(folder: Path) -> list[str]:
    """Return files that should be gone: half-written ones, and checkpoints of finished runs."""
    found = [
        path for path in folder.rglob("*") if path.suffix in LEFT_BEHIND or path.name in ("checkpoints", "boundaries")
    ]
    return [path.relative_to(folder).as_posix() for path in found]
