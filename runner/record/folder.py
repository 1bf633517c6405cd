"""Finds and reads records. The run folder is the only source of truth about a run; MLflow mirrors it.

record = find_record(Path("outputs"), "4e76")      # ConfigError: no such run, several, a damaged record
records, damaged = read_all_records(Path("outputs"))
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from tempfile import TemporaryDirectory

from data.json_types import JsonObject
from runner.errors import ConfigError
from runner.record.json_files import read_json
from runner.record.record import RecordError, RunRecord, in_order
from runner.record.record_reader import RecordReader
from runner.record.run_names import data_name
from runner.record.selection import best_record, selection_rows, selection_score
from runner.record.sweep_record import SweepRecord, find_sweep, winner_of_search
from runner.sanitize import say

RECORD = "record.json"
POINTS = "metrics.jsonl"
LATEST = "latest"  # instead of an id: the newest finished run
PAGE = "report.html"  # of a finished run, see runner/report/run_page.py
NOT_FINITE = "not-finite.json"  # rows of batches that could not be learned from, see runner/training/nonfinite.py


def record_in(folder: Path) -> RunRecord | None:
    """Return the record in a run folder, None if there is no file; raise RecordError if it is not a record of ours.

    The identity is the name of the folder, whatever the file says, since paths are made from it.
    """
    content = _content(folder)
    if content is None and (folder / RECORD).is_file():
        raise RecordError("it holds no JSON object")
    return None if content is None else RunRecord.from_json(content)


def read_record(folder: Path) -> RunRecord | None:
    """Return the record in a run folder; None if there is none, or a damaged one."""
    try:
        return record_in(folder)
    except RecordError:
        return None


def read_all_records(output: Path) -> tuple[list[RunRecord], dict[str, str]]:
    """Every record below the output folder, oldest first, and the identity and problem of each damaged one."""
    found, damaged = read_records(path.parent for path in output.glob(f"*/{RECORD}"))
    return in_order(found), damaged


def read_records(folders: Iterable[Path]) -> tuple[list[RunRecord], dict[str, str]]:
    """Return the records in run folders that have one, and the identity and problem of each damaged one.

    Equal parts of several records are shared objects, so none of them may be changed.
    """
    reader = RecordReader()
    found, damaged = [], {}
    for folder in folders:
        try:
            if record := _record_by(reader, folder) or record_in(folder):
                found.append(record)
        except RecordError as error:
            damaged[folder.name] = str(error)
    return found, damaged


def _record_by(reader: RecordReader, folder: Path) -> RunRecord | None:
    try:
        with FileIO(f"{folder}/{RECORD}") as stream:  # in half of the time of Path.read_bytes
            return reader.parse(stream.read().decode(), folder.name)
    except (OSError, ValueError):
        return None


def find_record(output: Path, identity: str | None) -> RunRecord:
    """Return the record whose identity starts with `identity`, or the newest one.

    Raises ConfigError if there is none.

    identity: may also be `latest`, the newest finished run; the name or id of a sweep, which means its best
    run on the selection rows; a run folder in `output`, or the model in it.
    """
    if identity and (folder := run_folder(identity)):
        if folder.parent != Path(os.path.abspath(output)):  # noqa: PTH100 as run_folder does
            raise ConfigError(f"{identity} is not in {output}. Try: {folder.name} paths.output={folder.parent}")
        identity = folder.name
    folders = [path.parent for path in output.glob(f"*/{RECORD}")]
    named = [folder for folder in folders if identity and identity != LATEST and folder.name.startswith(identity)]
    if len(named) == 1:
        content = _content(named[0])
        if content is None:
            raise _damaged(named[0], "it holds no JSON object")
        return _whole(content, output)
    contents = (_content(folder) for folder in folders)
    known = sorted((found for found in contents if found), key=lambda found: str(found.get("started")))
    if not known:
        raise no_recorded_run(output)
    if identity == LATEST:
        return _whole(([found for found in known if found.get("status") == "done"] or known)[-1], output)
    matching = [found for found in known if str(found["identity"]).startswith(identity or "")]
    if len(matching) == 1 or (matching and identity is None):
        return _whole(matching[-1], output)
    if identity and not matching and (sweep := find_sweep(output, identity)):
        return _best_of(sweep, output)
    names = ", ".join(str(found["identity"]) for found in (matching or known)[-8:])
    problem = "several runs start" if matching else "no run starts"
    raise ConfigError(f"{problem} with {identity!r} in {output}. Runs there: {names}")


def _best_of(sweep: SweepRecord, output: Path) -> RunRecord:
    """Return the finished run of a sweep that is best on the selection rows, and print which run that is.

    For a search for the best model, that is its winner: the best run may break a cap, or lack the rows of a fold.
    Raises ConfigError if there is none.
    """
    winner = winner_of_search(output, sweep.id)
    if winner and (chosen := read_record(output / winner)):
        say(f"search {sweep.title}: {winner}, its winner", sys.stderr)
        return chosen
    found, _ = read_records(output / name for name in sweep.identities)
    done = [record for record in found if record.status == "done"]
    if not done:
        raise ConfigError(f"sweep {sweep.title} has no finished run yet. Try: run list runs, for those there are")
    best = best_record(done)
    if best is None:
        some = {selection_rows(record): record for record in done}
        where = ", ".join(f"{record.identity} on {data_name(record)}" for record in some.values())
        raise ConfigError(f"sweep {sweep.title} has no best run: its runs differ in data or score. Name one: {where}")
    score = f"{best.data.selection} {selection_score(best):.4f}"
    say(f"sweep {sweep.title}: {best.identity}, the best of {len(done)} runs on {score}", sys.stderr)
    return best


def no_recorded_run(output: Path) -> ConfigError:
    """Return the error for an output folder without a run; raise OSError, with the reason, for an unreadable one."""
    check_readable(output)
    return ConfigError(f"no recorded run in {output}. Make one: run demo")


def check_readable(output: Path) -> None:
    """Raise OSError for an output folder that cannot be listed: a search in it would find nothing without an error."""
    with suppress(FileNotFoundError):
        list(output.iterdir())


def run_folder(text: str) -> Path | None:
    """Return the run folder that a path names, itself or the model in it, absolute; None if it names none."""
    folder = Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111 no error for a user who is not there
    inside = [folder, folder.parent] if folder.name == "model" else [folder]
    return next((run for run in inside if text and (run / RECORD).is_file()), None)


def remove_unfinished(folder: Path) -> None:
    """Remove the half-written files of a dead process; the caller holds the folder.

    The files of the tracker's process are not touched: it may outlive its run.
    """
    for path in [path for path in folder.rglob("*") if path.suffix in (".part", ".old")]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif not path.name.startswith("mlflow."):
            path.unlink(missing_ok=True)


def check_writable(output: Path) -> None:
    """Refuse an output folder that cannot be written, before any work; leaves nothing behind."""
    nearest = output.expanduser().absolute()
    while not nearest.exists() and not nearest.is_symlink():  # a link to a disk that is not mounted is in the way
        nearest = nearest.parent
    try:  # permissions alone do not tell: /proc has them, but no folder can be made in it
        with TemporaryDirectory(prefix=".writable-", dir=nearest):
            pass
    except OSError as error:
        raise ConfigError(
            f"paths.output={output}: {nearest} cannot be written to ({error.strerror}). Try: run ... "
            "paths.output=<a folder of yours>"
        ) from None


def _content(folder: Path) -> JsonObject | None:
    content = read_json(folder / RECORD)
    return None if content is None else content | {"identity": folder.name}


def _whole(content: JsonObject, output: Path) -> RunRecord:
    try:
        return RunRecord.from_json(content)
    except RecordError as error:
        raise _damaged(output / str(content["identity"]), str(error)) from error


def _damaged(folder: Path, problem: str) -> ConfigError:
    """Return the error about a record that cannot be read."""
    return ConfigError(f"{folder}/{RECORD} is damaged: {problem}. Repair it, or remove {folder} and run it again")
