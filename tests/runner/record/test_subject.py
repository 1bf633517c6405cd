"""Which model a word names: a folder, the hub, a sweep; runs are in tests/runner/minimal_pairs/test_subject.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.record.record import RunRecord
from runner.record.subject import Subject, find_subject, find_subjects, names_and_seeds
from tests.runner.compare.folders import typed, write_group, write_run, write_sweep


def accept(record: RunRecord) -> None:
    """Any run will do."""


def test_other_names_are_folders_or_models_of_the_hub(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert find_subject(str(tmp_path / "mine"), tmp_path, accept).source == str(tmp_path / "mine")
    found = find_subject("google-bert/bert-base-uncased", tmp_path, accept)
    assert (found.source, found.identity) == ("google-bert/bert-base-uncased", None)
    with pytest.raises(ConfigError, match=r"from=/no/such/folder: there is no such folder"):
        find_subject("/no/such/folder", tmp_path, accept)


def test_a_run_without_a_model_and_a_sweep_without_runs_are_refused(tmp_path: Path) -> None:
    record = write_run(tmp_path, "model=dsn")
    with pytest.raises(
        ConfigError, match=r"the run is done and has no model\. Make it again: run model=dsn .*force=true$"
    ):
        find_subject(str(record["identity"]), tmp_path, accept)
    listed = write_run(tmp_path, "model=dsn", "data.metrics=[f1]")
    with pytest.raises(ConfigError, match=r"Make it again: run model=dsn 'data\.metrics=\[f1\]' "):
        find_subject(str(listed["identity"]), tmp_path, accept)
    write_sweep(tmp_path, write_group(tmp_path, "model=dsn", right=[150]), status="done")
    with pytest.raises(ConfigError, match="sweep a_sweep has no finished run yet"):
        find_subjects(["a_sweep"], tmp_path, accept)


def test_a_sweep_stands_for_all_its_finished_runs_by_its_name_and_by_its_id(tmp_path: Path) -> None:
    runs = write_group(tmp_path, "model=dsn", right=[150, 160, 170])
    for record, status in zip(runs, ("done", "done", "killed")):
        folder = tmp_path / str(record["identity"])
        (folder / "model").mkdir()
        (folder / "record.json").write_text(json.dumps(record | {"status": status}))
    sweep = write_sweep(tmp_path, runs, status="done")
    for name in ("a_sweep", str(sweep["id"])):
        found = find_subjects([name], tmp_path, accept)
        assert [subject.identity for subject in found] == [record["identity"] for record in runs[:2]]


def of_runs(output: Path, *words: str, seeds: int = 2) -> list[Subject]:
    """The runs of a command with the seeds 0, 1, ..., in an output folder."""
    records = typed(write_group(output, *words, right=[150] * seeds))
    return [Subject(str(output / one.identity / "model"), "a label", output / one.identity, one) for one in records]


def test_equal_runs_of_two_output_folders_keep_their_own_names(tmp_path: Path) -> None:
    first, second = of_runs(tmp_path / "a", "model=dsn"), of_runs(tmp_path / "b", "model=dsn")
    found = names_and_seeds([*first, *second, *of_runs(tmp_path / "a", "model=bert-tiny", seeds=1)])
    assert found == [
        *((f"model=dsn in {tmp_path}/a", seed) for seed in (0, 1)),
        *((f"model=dsn in {tmp_path}/b", seed) for seed in (0, 1)),
        ("model=bert-tiny", 0),
    ]


def test_a_setting_that_ends_in_seed_stays_in_the_name(tmp_path: Path) -> None:
    runs = [subject for split in (0, 1) for subject in of_runs(tmp_path, "model=dsn", f"data.split_seed={split}")]
    assert names_and_seeds(runs) == [(f"data.split_seed={split}", seed) for split in (0, 1) for seed in (0, 1)]
    alone = [runs[0], runs[2]]
    assert names_and_seeds(alone) == [("data.split_seed=0", 0), ("data.split_seed=1", 0)]
