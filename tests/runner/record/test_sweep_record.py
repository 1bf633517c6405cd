"""sweep.json, written and read in one place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.record.json_files import write_json
from runner.record.record import RecordError
from runner.record.sweep_record import (
    SWEEP,
    SweepRecord,
    SweepRun,
    find_sweep,
    read_sweep,
    sweep_folder,
    sweep_folders,
    write_sweep,
)

RUN = SweepRun("0123456789", ["model=dsn", "seed=0"], "done", seconds=1.5, peak_bytes=10)


def test_a_sweep_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = sweep_folder(tmp_path, "d17210c341")
    folder.mkdir(parents=True)
    sweep = SweepRecord("d17210c341", "seeds", overrides=["model=dsn"], runs=[RUN, RUN], started="2026-01-31")
    write_sweep(folder, sweep)
    assert read_sweep(folder) == sweep and sweep_folders(tmp_path) == [folder]
    assert sweep.title == "seeds" and sweep.identities == [RUN.identity]


def test_a_password_is_not_written(tmp_path: Path) -> None:
    write_sweep(tmp_path, SweepRecord("1", overrides=["tracker.uri=https://me:secret@host"]))
    assert "secret" not in (tmp_path / SWEEP).read_text(encoding="utf-8")


@pytest.mark.parametrize("change", [{"id": None}, {"runs": ["x"]}, {"runs": [{"status": "odd"}]}, {"claims": 3}])
def test_a_damaged_sweep_says_what_is_wrong(change: dict[str, object], tmp_path: Path) -> None:
    write_json(tmp_path / SWEEP, SweepRecord("1", runs=[RUN]).to_json() | change)
    with pytest.raises(RecordError, match=next(iter(change))):
        read_sweep(tmp_path)


def test_a_sweep_whose_file_is_no_json_is_not_called_missing(tmp_path: Path) -> None:
    folder = sweep_folder(tmp_path, "d17210c341")
    folder.mkdir(parents=True)
    (folder / SWEEP).write_text("{", encoding="utf-8")
    assert find_sweep(tmp_path, "seeds") is None
    with pytest.raises(ConfigError, match=r"is damaged: it holds no JSON object\. Repair it"):
        find_sweep(tmp_path, "d172")


def test_a_name_is_taken_for_the_beginning_of_an_id_only_if_no_sweep_has_it(tmp_path: Path) -> None:
    for identity, name, started in (("d17210c341", "other", "2026-02-01"), ("0123456789", "d1", "2026-01-01")):
        folder = sweep_folder(tmp_path, identity)
        folder.mkdir(parents=True)
        write_sweep(folder, SweepRecord(identity, name, started=started))
    ids = {wanted: sweep and sweep.id for wanted in ("d1", "d17") for sweep in [find_sweep(tmp_path, wanted)]}
    assert ids == {"d1": "0123456789", "d17": "d17210c341"}


def test_a_sweep_of_an_earlier_release_may_lack_or_add_keys() -> None:
    old = {"id": "1", "overrides": [], "runs": [], "claims": None, "status": "done", "more": 1}
    assert SweepRecord.from_json(json.loads(json.dumps(old))).claims == []
