"""Dendrites in real runs: recorded, saved, interrupted and resumed, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from models.checkpoints.open import load_model
from models.checkpoints.read import read_state
from models.compression.dendrites import Dendrites
from models.compression.settings.learn import Dendrites as Options
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.run import run
from runner.record.folder import read_all_records
from runner.record.record import RunRecord
from runner.schema import Settings
from tests.conftest import run_cli

WORDS = ["model=dsn", "data=demo", "data.max_rows=160", "train.epochs=1", "measure=off", "tracker=none"]
OPTIONS = {"switch": "fixed", "maximum": 2, "tries": 3, "attempts": 3, "p_epochs": 2}


def settings(tmp_path: Path, **options: Any) -> Settings:
    folders = [f"paths.output={tmp_path / 'outputs'}", f"paths.cache={tmp_path.parent / 'cache'}"]
    found = resolve(compose([*WORDS, *folders]))
    found.compression = {"dendrites": Options(**(OPTIONS | options))}
    return found


def weights(record: RunRecord, tmp_path: Path) -> dict[str, torch.Tensor]:
    return read_state(str(tmp_path / "outputs" / record.identity / "model"), "")


def points(record: RunRecord, tmp_path: Path) -> list[dict[str, float]]:
    path = tmp_path / "outputs" / record.identity / "metrics.jsonl"
    found = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [
        {name: value for name, value in point.items() if "time" not in name and "_s" not in name} for point in found
    ]


def test_a_run_with_dendrites_saves_counts_and_logs_them(tmp_path: Path) -> None:
    words = [f"compression.dendrites.{key}={value}" for key, value in OPTIONS.items()]
    done = run_cli(*WORDS, "compression=[dendrites]", "compression.dendrites.mode=cascor", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    _, record = read_all_records(tmp_path / "outputs")[0]
    before, after = (stage.metrics for stage in record.stages)
    count, extra = after["dendrites/count"], after["dendrites/params_extra"]
    assert count >= 1 and extra == {1: 36, 2: 74}[count]
    assert after["cost/params"] == before["cost/params"] + extra
    folder = tmp_path / "outputs" / record.identity
    assert len(load_model(folder / "model").classifier.dendrites) == count  # type: ignore[arg-type,union-attr]
    found = points(record, tmp_path)
    assert sum(point.get("dendrites/pays", 0.0) for point in found) == count
    assert sum("dendrites/correlation_mean" in point for point in found) == after["dendrites/phase"]
    assert "candidates' correlation with the error" in done.stdout + done.stderr


def test_a_run_killed_within_a_phase_ends_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(settings(tmp_path / "whole", mode="cascor"), []).record
    note, chosen = Dendrites._note, settings(tmp_path / "killed", mode="cascor")
    chosen.checkpoint.every_s = 1e-9  # a checkpoint at every step, so that it resumes within the second phase

    def interrupt(self: Dendrites, *args: Any) -> None:
        note(self, *args)
        if args[1].attempt == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Dendrites, "_note", interrupt)
    assert run(chosen, []).exit_code == 130
    monkeypatch.setattr(Dendrites, "_note", note)
    record = run(chosen, []).record
    assert whole and record and record.status == "done"
    before, after = weights(whole, tmp_path / "whole"), weights(record, tmp_path / "killed")
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    assert record.metrics["dendrites/count"] == whole.metrics["dendrites/count"]
    assert points(record, tmp_path / "killed") == points(whole, tmp_path / "whole"), "what is prepared again is not new"


def test_a_target_that_is_no_linear_layer_is_refused_with_the_cure(tmp_path: Path) -> None:
    words = ["compression=[dendrites]", "compression.dendrites.targets=[bert.embeddings.LayerNorm]"]
    done = run_cli(*WORDS, *words, cwd=tmp_path)
    assert not read_all_records(tmp_path / "outputs")[0], "before anything is trained"
    assert done.returncode == 2 and "only a Linear can have dendrites" in done.stderr, done.stderr
    assert "compression.dendrites.targets=[classifier]" in done.stderr and "Traceback" not in done.stderr
