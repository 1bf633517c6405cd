"""A run before its first step: all of it is there, and nothing is written."""

from __future__ import annotations

from pathlib import Path

from tests.runner.experiment.prepared_runs import prepare


def test_preparing_a_run_writes_nothing_where_its_record_will_be(tmp_path: Path) -> None:
    prepared = prepare(tmp_path)
    assert prepared.folder == tmp_path / "outputs" / prepared.identity and not (tmp_path / "outputs").exists()
    assert prepared.before is None and prepared.held_out is None and prepared.ngram == {}
    assert {"time/data_s", "time/build_s"} == prepared.seconds.keys()


def test_runs_in_one_process_share_no_notes_and_no_weights(tmp_path: Path) -> None:
    first, second = prepare(tmp_path), prepare(tmp_path)
    first.notes.append("of the first alone")
    first.engine["threads"] = 7
    assert first.identity == second.identity and "of the first alone" not in second.notes
    assert second.engine.get("threads") != 7
    pairs = list(zip(first.model.parameters(), second.model.parameters(), strict=True))
    assert all(one is not other and one.equal(other) for one, other in pairs), "the same seed draws the same weights"


def test_another_seed_is_another_run_with_other_weights(tmp_path: Path) -> None:
    first, second = prepare(tmp_path), prepare(tmp_path, "seed=1")
    assert first.identity != second.identity
    assert any(not one.equal(other) for one, other in zip(first.model.parameters(), second.model.parameters()))
