"""A sweep's record, typed: `sweep.json` is read and written only here, and no other file knows its keys.

sweep = read_sweep(Path("outputs/sweeps/d17210c341"))      # RecordError: what is wrong with it
write_sweep(folder, sweep)
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from data.json_types import JsonObject
from runner.errors import ConfigError
from runner.record.json_files import read_json, write_json
from runner.record.record import RecordError
from runner.record.validation import problem_of_sweep
from runner.sanitize import masked

SWEEP = "sweep.json"
SWEEPS = "sweeps"  # the folder of the sweeps' folders, beside the run folders
RESULT = "best.json"  # in the folder of a search for the best model: how it ended


@dataclass(frozen=True)
class SweepRun:
    """One job of a sweep: the run it is, and how it ended."""

    identity: str | None
    overrides: list[str]
    status: str  # new | running | done | failed | killed
    reason: str | None = None
    seconds: float | None = None
    peak_bytes: int | None = None  # resident memory


@dataclass(frozen=True)
class SweepRecord:
    """One sweep: its command, its question, and its runs so far. Times are UTC, ISO 8601."""

    id: str
    name: str | None = None
    question: str | None = None
    overrides: list[str] = field(default_factory=list)
    runs: list[SweepRun] = field(default_factory=list)
    claims: list[JsonObject] = field(default_factory=list)
    baseline: str | JsonObject | None = None  # settings of the runs that the others are compared with
    started: str | None = None
    ended: str | None = None
    status: str = "running"  # running | done | failed | killed
    study: str | None = None  # of a search with Optuna, which goes on as another sweep after an interruption

    @classmethod
    def from_json(cls, content: JsonObject) -> SweepRecord:
        """Return the sweep in a JSON object; raise RecordError if it is not one that the runner writes."""
        if problem := problem_of_sweep(dict(content)):
            raise RecordError(problem)
        runs = [SweepRun(**_known(SweepRun, run)) for run in content["runs"]]
        known = {key: value for key, value in _known(cls, content).items() if value is not None}  # null: the default
        return cls(**(known | {"runs": runs}))

    def to_json(self) -> JsonObject:
        """Return the object in sweep.json."""
        return asdict(self)

    @property
    def title(self) -> str:
        """Return the name of the sweep, or its id if it has none."""
        return self.name or self.id

    @property
    def identities(self) -> list[str]:
        """The identities of its runs, each once, in their order."""
        return list(dict.fromkeys(run.identity for run in self.runs if run.identity))


def sweep_folder(output: Path, identity: str) -> Path:
    """Return the folder of a sweep below the output folder."""
    return output / SWEEPS / identity


def winner_of_search(output: Path, identity: str) -> str | None:
    """Return the id of the run that a search for the best model chose; None for other sweeps, or without a winner."""
    run = (read_json(sweep_folder(output, identity) / RESULT) or {}).get("run")
    return run if isinstance(run, str) else None


def sweep_folders(output: Path) -> list[Path]:
    """Return the folders of all recorded sweeps, by their ids."""
    return sorted(path.parent for path in output.glob(f"{SWEEPS}/*/{SWEEP}"))


def read_sweep(folder: Path) -> SweepRecord:
    """Return the sweep in a folder; raise RecordError if there is none that can be read."""
    content = read_json(folder / SWEEP)
    if content is None:
        raise RecordError("it holds no JSON object")
    return SweepRecord.from_json(content)


def find_sweep(output: Path, name: str) -> SweepRecord | None:
    """Return the newest recorded sweep with that name; if there is none, the newest whose id starts with it.

    Raises ConfigError if it is damaged.
    """
    if named := sweeps_named(output, name):
        return named[-1]
    return _newest(_read_all([folder for folder in sweep_folders(output) if folder.name.startswith(name)]))


def sweeps_named(output: Path, name: str) -> list[SweepRecord]:
    """Return all recorded sweeps with that name, oldest first; raises ConfigError if one is damaged."""
    folders = [folder for folder in sweep_folders(output) if (read_json(folder / SWEEP) or {}).get("name") == name]
    return sorted(_read_all(folders), key=_when)


def _read_all(folders: list[Path]) -> list[SweepRecord]:
    found = []
    for folder in folders:
        try:
            found.append(read_sweep(folder))
        except RecordError as error:
            raise ConfigError(
                f"{folder / SWEEP} is damaged: {error}. Repair it, or run that sweep again, which rewrites it"
            ) from error
    return found


def find_sweep_of(output: Path, identity: str) -> SweepRecord | None:
    """Return the newest recorded sweep that a run is part of; damaged ones are skipped."""
    found = []
    for folder in sweep_folders(output):
        with contextlib.suppress(RecordError):
            found.append(read_sweep(folder))
    return _newest([sweep for sweep in found if identity in sweep.identities])


def _newest(sweeps: list[SweepRecord]) -> SweepRecord | None:
    return max(sweeps, key=_when, default=None)


def _when(sweep: SweepRecord) -> str:
    return sweep.started or ""


def write_sweep(folder: Path, sweep: SweepRecord) -> None:
    """Write sweep.json, without credentials."""
    write_json(folder / SWEEP, masked(sweep.to_json()))


def _known(kind: type, content: JsonObject) -> JsonObject:
    """Return the fields of a dataclass in an object that may hold other keys."""
    names = {one.name for one in fields(kind)}
    return {key: value for key, value in content.items() if key in names}
