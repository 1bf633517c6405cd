"""`run blimp` after its words are checked: each model is evaluated or its result read, then they are shown."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data.inputs.tokenizer import load_tokenizer
from data.sources.local_files import existing_file
from models.checkpoints.read import weights_digest
from runner.minimal_pairs.arms import arms_of
from runner.minimal_pairs.evaluate import evaluate
from runner.minimal_pairs.results import (
    FOLDER,
    PairReport,
    Result,
    key_of,
    metrics_of,
    read_pair_table,
    read_report,
    stem_of,
    write_result,
)
from runner.minimal_pairs.show import groupings, show_arms, show_report, show_versus
from runner.minimal_pairs.versus import versus
from runner.minimal_pairs.wanted import Wanted
from runner.record.added_metrics import add_metrics, read_added
from runner.record.record import RunRecord
from runner.record.subject import KEY, Subject
from runner.sanitize import say
from runner.track.added import mirror_added

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Place:
    """Where results and data are stored, and further options of the command."""

    output: Path
    cache: Path
    by: str = ""  # the grouping to show; "": that of the data
    repeat: bool = False  # repeat even if there is a result
    tracker: bool = True


def run_pairs(subjects: Sequence[Subject], wanted: Wanted, place: Place, console: Console) -> None:
    """Evaluate and show one model, or several, each against the first. Raises the user's mistakes."""
    found: list[Result] = []
    for subject in subjects:
        if len(subjects) > 1:
            say(f"{subject.label} ...", sys.stderr)
        found.append(result_of(subject, wanted, place))
    if len(found) == 1:
        show_report(found[0][0], console, place.by)
    elif len(found) == 2:
        lines = [line for name in groupings(found[0][0], place.by) for line in found[0][0].groups[name]]
        show_versus(versus(found[0], found[1], lines if len(lines) > 1 else []), console)
    else:
        show_arms(arms_of(subjects, found), console)


def result_of(subject: Subject, wanted: Wanted, place: Place) -> Result:
    """The result beside the model if it is of these very weights, pieces and pairs, else a new one, written there."""
    path = wanted.source.path
    content = hashlib.sha256(existing_file(path, "path").read_bytes()).hexdigest() if path else ""
    key = key_of(wanted, weights_digest(subject.source, KEY), content)
    if subject.record is None:  # files that may be replaced one by one; those of a run are written together
        key["tokenizer"] = load_tokenizer(subject.source).fingerprint
    folder = folder_of(subject, place.output)
    stem = stem_of(wanted)
    known = None if place.repeat else read_report(folder / f"{stem}.json")
    if known and known.key == key:
        say(f"read {folder / stem}.json (again: repeat=true)", sys.stderr)
        return known, read_pair_table(folder / f"{stem}.parquet")
    report, table = evaluate(subject, wanted, key, place.cache, lambda text: say(text, sys.stderr))
    say(f"wrote {write_result(folder, stem, report, table)}", sys.stderr)
    if subject.record and subject.folder and not wanted.paradigms:
        _enter(subject.record, subject.folder, report, place)
    return report, table


def _enter(record: RunRecord, folder: Path, report: PairReport, place: Place) -> None:
    """Add the numbers of a result to those of its run, unless the latter are of more pairs, as with max_pairs=all."""
    if report.whole.pairs < read_added(folder, record.started).get(f"pairs/{report.name}_count", 0):
        return
    add_metrics(folder, record.started, metrics_of(report))
    if place.tracker:
        mirror_added(record, folder, lambda text: say(text, sys.stderr))


def folder_of(subject: Subject, output: Path) -> Path:
    """Return the folder of results: that of the run; for another model a folder of its name."""
    if subject.folder:
        return subject.folder / FOLDER
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in subject.label).strip("-.")
    return output / FOLDER / (safe or "model")
