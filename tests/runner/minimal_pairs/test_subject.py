"""Which model a word names: a run, its folder, a sweep, a folder, the hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.minimal_pairs.subject import find_subject, find_subjects
from tests.runner.compare.folders import write_group, write_sweep


def test_a_run_is_found_by_its_beginning_and_by_its_folder(output: Path, run_id: str) -> None:
    for name in (run_id, run_id[:4], str(output / run_id), str(output / run_id / "model")):
        found = find_subject(name, output)
        assert (found.identity, found.source) == (run_id, str(output / run_id / "model"))
    assert len(find_subjects([run_id, run_id[:4]], output)) == 1


def test_other_names_are_folders_or_models_of_the_hub(learned: Path, tmp_path: Path) -> None:
    assert find_subject(str(learned), tmp_path).source == str(learned)
    found = find_subject("google-bert/bert-base-uncased", tmp_path)
    assert (found.source, found.identity) == ("google-bert/bert-base-uncased", None)
    with pytest.raises(ConfigError, match=r"from=/no/such/folder: there is no such folder"):
        find_subject("/no/such/folder", tmp_path)


def test_a_sweep_without_finished_runs_is_refused(tmp_path: Path) -> None:
    write_sweep(tmp_path, write_group(tmp_path, "model=dsn", right=[150]), status="done")
    with pytest.raises(ConfigError, match="sweep a_sweep has no finished run yet"):
        find_subjects(["a_sweep"], tmp_path)
