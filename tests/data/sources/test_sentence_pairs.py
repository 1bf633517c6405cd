"""Pairs of files of every format and of the hub: rows, paradigms, groups, and every refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import DataError
from data.sources.pair_source import PairSource
from data.sources.sentence_pairs import Paradigm, read_pairs
from runner.minimal_pairs.wanted import pair_source

ROWS = [
    {"better": "the dogs run", "worse": "the dogs runs", "type": "plural"},
    {"better": "the dog runs", "worse": "the dog run", "type": "singular"},
    {"better": "the cats, they run", "worse": "the cats, they runs", "type": "plural"},
]


def source(path: Path, **changes: str) -> PairSource:
    return replace(PairSource("files", good="better", bad="worse"), path=str(path), **changes)  # type: ignore[arg-type]


def write(path: Path, rows: list[dict[str, str]] = ROWS) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        mark = "\t" if path.suffix == ".tsv" else ";"
        path.write_text("\n".join(mark.join(row) for row in [list(ROWS[0]), *(r.values() for r in rows)]), "utf-8")
    return path


@pytest.mark.parametrize(("name", "first"), [("p.csv", 2), ("p.tsv", 2), ("p.jsonl", 1), ("p.parquet", 1)])
def test_every_format_has_the_same_pairs_and_its_own_row_numbers(name: str, first: int, tmp_path: Path) -> None:
    plural, singular = read_pairs(source(write(tmp_path / name), group="type"))
    assert plural == Paradigm(
        "plural", ["the dogs run", "the cats, they run"], ["the dogs runs", "the cats, they runs"],
        [first, first + 2], 2,
    )  # fmt: skip
    assert (singular.name, singular.rows, len(singular)) == ("singular", [first + 1], 1)


def test_without_a_group_a_file_is_one_paradigm_and_its_first_pairs_can_be_taken(tmp_path: Path) -> None:
    (one,) = read_pairs(source(write(tmp_path / "mine.csv")), most=2)
    assert (one.name, len(one), one.total) == ("mine", 2, 3)
    assert [p.name for p in read_pairs(source(tmp_path / "mine.csv", group="type"), ["singular"])] == ["singular"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"good": "beter"}, r"good='beter' is not in mine.csv \(columns: better, worse, type\). Try: good=better"),
        ({"group": "kind"}, r"group='kind' is not in mine.csv"),
    ],
)
def test_a_column_that_is_not_there_is_refused(changes: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_pairs(source(write(tmp_path / "mine.csv"), **changes))


def test_empty_sentences_are_refused_with_their_rows_and_number(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", [*ROWS, {"better": " ", "worse": "x", "type": "plural"}])
    with pytest.raises(DataError, match=r"mine.csv: 1 of 4 pairs have an empty sentence \(row 5\)"):
        read_pairs(source(path))


def test_a_row_without_a_paradigm_a_file_without_rows_and_unknown_paradigms_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", [*ROWS, {"better": "y", "worse": "x", "type": ""}])
    with pytest.raises(DataError, match=r"row 5: the column 'type' is empty"):
        read_pairs(source(path, group="type"))
    with pytest.raises(DataError, match=r"mine.csv has no 'plurl'; the nearest of its 2: plural"):
        read_pairs(source(write(path), group="type"), ["plurl"])
    with pytest.raises(DataError, match="has a header but no pair"):
        read_pairs(source(write(path, [])))


@pytest.mark.hub
def test_blimp_has_its_groups_and_turblimp_its_pairs() -> None:
    names = ["principle_A_case_2", "wh_island"]
    binding, island = read_pairs(pair_source("blimp"), names, most=3)
    assert binding.groups == {"linguistics_term": "binding", "field": "syntax_semantics"}
    assert island.groups["field"] == "syntax" and (len(island), island.total, island.rows) == (3, 1000, [1, 2, 3])
    (turkish,) = read_pairs(pair_source("turblimp"), ["passives"])
    assert len(turkish) == 1000 and turkish.good[0] != turkish.bad[0]


def test_an_unreachable_hub_is_reported_with_settings_that_the_command_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionError("nobody answers")

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("datasets.load_dataset", away)
    with pytest.raises(DataError, match=r"is unavailable .*, or data=files path=<your copy>$"):
        read_pairs(pair_source("blimp"))
