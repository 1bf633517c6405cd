"""The result of one evaluation: its table as JSON and the score of each pair as Parquet, beside the run. No torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from data.json_types import JsonObject
from data.part_file import written_whole
from runner.errors import ConfigError
from runner.minimal_pairs.wanted import PARADIGM, Wanted
from runner.record.json_files import read_json, write_json

FOLDER = "minimal-pairs"  # in a run's folder; for models that no run trained, in the folder of runs
SCHEMA_VERSION = 1
NUMBERS = ("row", "good", "bad", "good_pieces", "bad_pieces", "outcome", "shorter", "unigrams")


@dataclass(frozen=True)
class Line:
    """A paradigm, a group of them or all: means over paradigms; a tie counts as one half."""

    name: str
    members: list[str]  # the paradigms
    pairs: int
    accuracy: float
    low: float  # of its 95 % interval
    high: float
    ties: float  # share of the pairs
    shorter: float  # accuracy of preferring the sentence with fewer pieces
    unigrams: float | None  # accuracy of a bag of pieces; None without the training text
    unknown: float  # share of the pairs with [UNK] in one sentence alone


@dataclass(frozen=True)
class PairReport:
    """One evaluation of one model."""

    key: JsonObject  # what the numbers depend on; equal keys have equal numbers
    name: str  # blimp_pll
    model: str  # as tables show it
    data: str
    score: str
    whole: Line
    groups: dict[str, list[Line]]  # by paradigm, and by each column that groups paradigms
    most: int | None = None  # most pairs of a paradigm, as requested
    available: int = 0  # all pairs of these paradigms
    identical: list[str] = field(default_factory=list)  # pairs of equal pieces
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    when: str = ""
    started: str | None = None  # the start of the run: with force=true the run gets other weights
    schema_version: int = SCHEMA_VERSION

    @classmethod
    def from_json(cls, content: JsonObject) -> PairReport:
        """Return the report in a JSON object. Raises KeyError or TypeError for another one."""
        known = {one.name: content[one.name] for one in fields(cls) if one.name in content}
        groups = {name: [Line(**line) for line in lines] for name, lines in content["groups"].items()}
        return cls(**(known | {"whole": Line(**content["whole"]), "groups": groups}))


@dataclass(frozen=True)
class PairTable:
    """The pairs of one evaluation, in the order in which they were read."""

    paradigm: np.ndarray  # (N,) str
    numbers: dict[str, np.ndarray]  # (N,) by NUMBERS; unigrams may be nan

    def by_paradigm(self, name: str) -> dict[str, np.ndarray]:
        """Return one of the columns, by paradigm in the order of their first pairs."""
        return {one: self.numbers[name][self.paradigm == one] for one in dict.fromkeys(self.paradigm.tolist())}


Result = tuple[PairReport, PairTable]


def key_of(wanted: Wanted, weights: str, content: str) -> JsonObject:
    """Return everything that the numbers depend on.

    weights: sha256 of the model; content: of a file of pairs, "" for those of the hub.
    """
    source = wanted.source
    return {
        "data": source.name, "id": source.id, "columns": [source.good, source.bad, source.group], "file": content,
        "read as": [source.split, source.encoding, source.delimiter, source.quoting],
        "score": wanted.score, "most": wanted.most, "paradigms": sorted(wanted.paradigms),
        "compression": wanted.compression, "weights": weights, "version": SCHEMA_VERSION,
    }  # fmt: skip


def stem_of(wanted: Wanted) -> str:
    """Return the name of the files of a result: blimp_pll-200; with a hash where the command chose paradigms."""
    chosen = hashlib.sha256(repr(sorted(wanted.paradigms)).encode()).hexdigest()[:6] if wanted.paradigms else ""
    return "-".join([wanted.name, "all" if wanted.most is None else str(wanted.most), *([chosen] if chosen else [])])


def write_result(folder: Path, stem: str, report: PairReport, table: PairTable) -> Path:
    """Write both files, the JSON last, so that a report always has its pairs. Returns the path of the JSON.

    An earlier report of that name is removed first, so that it is never combined with the pairs of this one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.parquet"
    columns: dict[str, Any] = {PARADIGM: pa.array(table.paradigm.tolist(), pa.string())}
    shown = folder / f"{stem}.json"
    with written_whole(path) as part:
        pq.write_table(pa.table(columns | {name: pa.array(table.numbers[name]) for name in NUMBERS}), part)
        shown.unlink(missing_ok=True)
    write_json(shown, asdict(report))
    return shown


def read_report(path: Path) -> PairReport | None:
    """Return the report in a file; None if there is none, or only one of another version."""
    content = read_json(path)
    try:
        return None if content is None or content.get("schema_version") != SCHEMA_VERSION else (
            PairReport.from_json(content)
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError):
        return None


def read_reports(folder: Path, started: str) -> list[PairReport]:
    """Return the reports beside a run that was started at that time, oldest first; damaged ones are skipped."""
    found = [report for path in sorted((folder / FOLDER).glob("*.json")) if (report := read_report(path))]
    return sorted((one for one in found if one.started == started), key=lambda report: report.when)


def read_pair_table(path: Path) -> PairTable:
    """Return the pairs beside a report; path: of the Parquet file. ConfigError if they are missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        numbers = {name: table.column(name).to_numpy() for name in NUMBERS}
        return PairTable(np.array(table.column(PARADIGM).to_pylist()), numbers)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise ConfigError(f"{path} cannot be read ({str(error).splitlines()[0][:200]}). Remove it and try again") from (
            error
        )


def metrics_of(report: PairReport) -> Mapping[str, float]:
    """Return the numbers of a report under the names of runner/record/metrics.py."""
    whole, name = report.whole, f"pairs/{report.name}"
    return {name: whole.accuracy, f"{name}_low": whole.low, f"{name}_high": whole.high, f"{name}_count": whole.pairs}
