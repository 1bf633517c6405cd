"""Which model a command is about: a run, a folder, or a model of the hub. Nothing heavy is imported."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from runner.errors import ConfigError
from runner.record.command import make_model
from runner.record.folder import LATEST, RECORD, find_record, read_records, run_folder
from runner.record.record import RunRecord
from runner.record.run_names import distinguish, name_of, settings_of
from runner.record.status import shown_status
from runner.record.sweep_record import find_sweep

KEY = "from"  # of the command, for messages
IDENTITY = re.compile(r"[0-9a-f]{1,10}|latest")
Check = Callable[[RunRecord], None]  # raises ConfigError for a run that a command cannot use


@dataclass(frozen=True)
class Subject:
    """A model, and the run that trained it if it was trained here."""

    source: str  # folder, or id on the hub
    label: str  # as tables show it
    folder: Path | None = None  # of the run
    record: RunRecord | None = None

    @property
    def identity(self) -> str | None:
        """The id of the run; None for another model."""
        return self.record.identity if self.record else None


def find_subjects(names: list[str], output: Path, check: Check) -> list[Subject]:
    """Return the models that the words of a command name; a sweep means all its finished runs.

    Raises ConfigError.
    """
    found: list[Subject] = []
    for name in names:
        sweep = None if _is_no_sweep(name, output) else find_sweep(output, name)
        if sweep is None:
            found.append(find_subject(name, output, check))
            continue
        records, _ = read_records(output / identity for identity in sweep.identities)
        done = [output / record.identity for record in records if record.status == "done"]
        folders = [folder for folder in done if (folder / "model").is_dir()]
        if not folders:
            raise ConfigError(f"sweep {sweep.title} has no finished run yet. Try: run list runs, for those there are")
        found += [find_subject(str(folder), output, check) for folder in folders]
    return list({subject.source: subject for subject in found}.values())


def _is_no_sweep(name: str, output: Path) -> bool:
    """Does a word name a run, a folder or a model of the hub, and hence not a sweep?"""
    return "/" in name or name == LATEST or any(output.glob(f"{escape(name)}*/{RECORD}"))


def find_subject(name: str, output: Path, check: Check, key: str = KEY) -> Subject:
    """Return the model that a word names: a run id or its beginning, `latest`, a folder, or an id on the hub.

    key: the option named in messages. Raises ConfigError for a run that is not finished or that `check` refuses, and
    for a word that names nothing.
    """
    if folder := run_folder(name):
        return _of_run(find_record(folder.parent, folder.name), folder, check, key)
    if Path(name).expanduser().is_dir():
        return Subject(str(Path(name).expanduser()), name)
    if IDENTITY.fullmatch(name):
        record = find_record(output, name)
        return _of_run(record, output / record.identity, check, key)
    if "/" not in name:
        raise ConfigError(
            f"{key}={name}: no run or sweep in {output} has that name, and a model of the hub is written owner/name. "
            f"Try: run list runs paths.output={output}"
        )
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise ConfigError(
            f"{key}={name}: there is no such folder, and it is neither a run id nor an id on the hub. "
            f"Try: {key}=<run id>"
        )
    return Subject(name, name)


def _of_run(record: RunRecord, folder: Path, check: Check, key: str) -> Subject:
    """Return the model of a run; raise ConfigError if it has none that the command can use."""
    identity, model = record.identity, folder / "model"
    check(record)
    if record.status != "done" or not model.is_dir():
        raise ConfigError(f"{key}={identity}: the run is {shown_status(record)} and has no model. {make_model(record)}")
    return Subject(str(model), f"{name_of(record)} ({identity})", folder, record)


def names_and_seeds(subjects: Sequence[Subject]) -> list[tuple[str, int]]:
    """Return the name of each model without its seed, by the settings that differ, and the seed; 0 for other models.

    Runs of one name and seed, as from two output folders, are named with their folders, so that each pair is unique.
    """
    records = [subject.record for subject in subjects if subject.record]
    names = iter(distinguish([settings_of(record) for record in records], [record.overrides for record in records]))
    found = [(next(names), subject.record.seed) if subject.record else (subject.label, 0) for subject in subjects]
    twice = {name for (name, _), count in Counter(found).items() if count > 1}
    found = [
        (f"{name} in {subject.folder.parent}" if name in twice and subject.folder else name, seed)
        for (name, seed), subject in zip(found, subjects)
    ]
    again = Counter(found)
    return [
        (f"{name} ({subject.identity or subject.source})" if again[name, seed] > 1 else name, seed)
        for (name, seed), subject in zip(found, subjects)
    ]
