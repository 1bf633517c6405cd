"""The last stage of a run: it goes on from the stage before, and every number is in the record once it is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from models.checkpoints.open import load_model
from runner.experiment.prepared import PreparedRun
from runner.experiment.progress import Terminal
from runner.experiment.stages import _continue_from, run_last_stage, timed, with_frozen_states
from runner.machine.exclusive import Exclusive
from runner.record.writer import RecordWriter
from tests.runner.experiment.prepared_runs import begin, prepare

QUIET = Terminal(is_quiet=True)
STEPS = ["train.steps=3", "train.batch_size=16"]


def made(prepared: PreparedRun) -> RecordWriter:
    """The record of a run that has been made."""
    writer = begin(prepared)
    run_last_stage(prepared, writer, QUIET, None)
    writer.finish("done")
    return writer


def points(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_training_is_scored_saved_and_entered_as_the_stage_train(tmp_path: Path) -> None:
    prepared = prepare(tmp_path, *STEPS)
    record = made(prepared).record
    assert [stage.name for stage in record.stages] == ["train"] and record.stages[0].run == prepared.identity
    assert record.metrics["train/steps"] == record.steps == 3 == points(prepared.folder)[-1]["step"]
    assert {
        "test/accuracy",
        "cost/params",
        "cost/bytes_deployed",
        "time/stage_s",
        "time/data_s",
    } <= record.metrics.keys()
    saved = load_model(prepared.folder / "model")
    assert all(value.equal(saved.state_dict()[name]) for name, value in prepared.model.state_dict().items())


def test_a_stage_goes_on_from_the_model_record_and_points_of_the_one_before(tmp_path: Path) -> None:
    before = prepare(tmp_path, *STEPS)
    first = made(before).record
    prepared = prepare(tmp_path, *STEPS, "compression=[dendrites]")
    prepared.before = before.folder
    writer = begin(prepared)
    _continue_from(before.folder, prepared, writer)
    assert all(value.equal(before.model.state_dict()[name]) for name, value in prepared.model.state_dict().items())
    assert [stage.name for stage in writer.record.stages] == ["train"] and writer.record.steps == first.steps
    assert points(prepared.folder) == points(before.folder)
    kept = (prepared.folder / "metrics.jsonl").read_text(encoding="utf-8")
    (prepared.folder / "metrics.jsonl").write_text(kept + kept, encoding="utf-8")
    _continue_from(before.folder, prepared, writer)
    assert (prepared.folder / "metrics.jsonl").read_text(encoding="utf-8") == kept + kept, "of an interrupted run"


def test_an_n_gram_model_is_fitted_in_one_step_and_says_what_it_kept(tmp_path: Path) -> None:
    prepared = prepare(tmp_path, "model=ngram")
    record = made(prepared).record
    assert record.metrics["train/steps"] == 1 and record.metrics["train/settings"] >= 4
    assert any("n-grams kept" in note for note in record.notes)
    with torch.no_grad():
        assert any(parameter.abs().sum() > 0 for parameter in prepared.model.parameters())


def test_states_are_stored_for_a_frozen_encoder_alone(tmp_path: Path) -> None:
    plain = prepare(tmp_path)
    assert with_frozen_states(plain, begin(plain), QUIET) is plain.splits
    words = ["model=frozen", "model/backbone=bert-tiny", "model.pretrained=null", "model.tokenizer=train"]
    frozen = prepare(tmp_path, *words)
    writer = begin(frozen)
    splits = with_frozen_states(frozen, writer, QUIET)
    assert splits.train.frozen_states is not None and splits.select.frozen_states is not None
    stored = sum(split.frozen_states.values.nbytes for split in (splits.train, splits.select) if split.frozen_states)
    assert writer.record.metrics["cost/bytes_cache"] == stored and writer.record.metrics["time/cache_s"] > 0


def test_the_time_of_a_block_leaves_out_pauses_for_other_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, exclusive, times = begin(prepare(tmp_path)), Exclusive(), iter([5.0, 7.5])
    monkeypatch.setattr(exclusive, "clock", lambda: next(times))
    with timed(writer, "time/stage_s", exclusive):
        pass
    assert writer.record.metrics["time/stage_s"] == 2.5
