"""Pruning in whole runs: recorded with its costs, resumed, and pruned weights stay zero in later stages."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification

from models.checkpoints.open import load_model
from models.checkpoints.read import read_state
from models.compression.movement import MovementHook
from models.compression.pruning.masks import choose_matrices
from models.compression.settings.chain import out_of_order
from models.compression.settings.pruning import Magnitude, Movement
from models.compression.settings.quantization import WeightOnly
from models.compression.settings.stage import StageSettings
from models.compression.stage import Stage, StageContext
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.run import run
from runner.measure.size import bitmask_bytes, bytes_packed, bytes_sparse, csr_bytes
from runner.schema import Settings
from tests.conftest import run_cli

SMALL = [
    "model=bert-tiny", "model.hidden=16", "model.intermediate=32", "data=demo", "data.max_rows=96",
    "data.max_eval_rows=64", "train.epochs=1", "train.threads=1", "measure=off", "tracker=none",
]  # fmt: skip


def settings(folder: Path, **stages: StageSettings) -> Settings:
    found = resolve(compose([*SMALL, f"paths.output={folder / 'outputs'}", f"paths.cache={folder.parent / 'cache'}"]))
    found.compression = dict(stages)
    return found


@dataclass
class Learning(StageSettings):
    keeps_zeros: ClassVar[bool] = True
    method: str = "learning"


class Learning1(Stage):
    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        context.train(model, phase="learn", epochs=1, lr=1e-2)
        return model


def matrices(folder: Path) -> dict[str, torch.Tensor]:
    return {name: matrix.weight.detach() for name, matrix in choose_matrices(load_model(folder), None).items()}


def test_a_pruned_model_is_recorded_with_its_costs_and_later_training_keeps_its_zeros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = ModuleType("models.compression.learning")
    module.__dict__["Learning"] = Learning1
    monkeypatch.setitem(sys.modules, module.__name__, module)
    stages = {"magnitude": Magnitude(density=0.25, epochs=2.0, start=0.1, end=0.5, every=1), "after": Learning()}
    assert out_of_order(stages) == []
    record = run(settings(tmp_path, **stages), []).record
    assert record and record.status == "done"
    dense, pruned, after = (entry.metrics for entry in record.stages)
    assert pruned["prune/density_prunable"] == pytest.approx(0.25, abs=0.01) and "prune/density_model" in pruned
    assert pruned["prune/density_prunable"] < pruned["prune/density_encoder"] < pruned["prune/density_model"] < 1
    assert pruned["cost/params"] == dense["cost/params"] and pruned["cost/bytes_packed"] == dense["cost/bytes_packed"]
    assert pruned["cost/params_nonzero"] < dense["cost/params_nonzero"]
    assert pruned["cost/bytes_bitmask"] < 0.95 * dense["cost/bytes_bitmask"]
    assert pruned["prune/fold_error"] <= 1e-6 and pruned["train/diverged"] in (0.0, 1.0)
    note = next(note for note in record.notes if note.startswith("magnitude:"))
    assert "75% sparse" in note and "same file size" in note and f"note: {note}" in capsys.readouterr().out
    folder = tmp_path / "outputs" / record.identity
    earlier = tmp_path / "outputs" / record.stages[1].run
    before, end = matrices(earlier / "model"), matrices(folder / "model")
    for name, weight in before.items():
        assert torch.equal(weight != 0, end[name] != 0) and not torch.equal(weight, end[name])
    assert after["cost/params_nonzero"] == pytest.approx(pruned["cost/params_nonzero"], rel=0.01)
    stock = AutoModelForSequenceClassification.from_pretrained(folder / "model")
    assert type(stock).__name__ == "BertForSequenceClassification"
    # A separate run with from=<run id> also keeps the pruned weights at zero.
    chosen = settings(tmp_path, after=Learning())
    chosen.finished = str(folder / "model")
    again = run(chosen, []).record
    assert again and again.identity != record.identity
    for name, weight in matrices(tmp_path / "outputs" / again.identity / "model").items():
        assert torch.equal(weight != 0, before[name] != 0)


@pytest.mark.parametrize(
    "stage",
    [
        Magnitude(density=0.25, epochs=3.0, start=0.0, end=0.9, every=1),
        WeightOnly(method="weight_only", bits=4, qat=True, qat_epochs=3.0, qat_hold=0.25),
    ],
    ids=["masks", "rounded weights"],
)
def test_masks_and_frozen_steps_are_not_averaged_over_epochs(tmp_path: Path, stage: StageSettings) -> None:
    dense = run(settings(tmp_path), []).record
    assert dense
    weights = []
    for average in (1, 3):
        chosen = settings(tmp_path, stage=stage)
        chosen.finished = str(tmp_path / "outputs" / dense.identity / "model")
        chosen.train.average, chosen.train.keep_best = average, False
        record = run(chosen, []).record
        assert record and record.status == "done", record and record.reason
        assert record.metrics.get("prune/density_prunable", 0.25) == pytest.approx(0.25, abs=0.01)
        weights.append(read_state(str(tmp_path / "outputs" / record.identity / "model"), ""))
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_an_interrupted_pruning_goes_on_with_its_scores_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Movement(density=0.3, epochs=3.0, every=2)
    whole = run(settings(tmp_path / "whole", movement=stage), []).record
    plain = MovementHook.after_step

    def interrupted(self: MovementHook, step: int) -> None:
        plain(self, step)
        if step == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(MovementHook, "after_step", interrupted)
    chosen = settings(tmp_path / "again", movement=stage)
    chosen.checkpoint.every_s = 1e-9
    assert run(chosen, []).exit_code == 130
    monkeypatch.setattr(MovementHook, "after_step", plain)
    record = run(chosen, []).record
    assert whole and record and record.status == "done"
    before, after = (
        read_state(str(tmp_path / name / "outputs" / whole.identity / "model"), "") for name in ("whole", "again")
    )
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    same = [name for name in whole.metrics if name.startswith(("prune/", "test/"))]
    assert {name: whole.metrics[name] for name in same} == {name: record.metrics[name] for name in same}


def test_sparse_sizes_count_values_and_places() -> None:
    model = nn.Linear(100, 40)
    with torch.no_grad():
        model.weight[4:] = 0.0
    assert bytes_packed(model) == 4 * 4040
    assert bytes_sparse(model, bitmask_bytes) == 4 * 400 + 4000 // 8 + 4 * 40
    assert bytes_sparse(model, csr_bytes) == 8 * 400 + 4 * 41 + 4 * 40
    dense = nn.Linear(100, 40)
    assert bytes_sparse(dense, bitmask_bytes) == bytes_sparse(dense, csr_bytes) == bytes_packed(dense), (
        "never more than dense"
    )


def test_one_command_prunes(tmp_path: Path) -> None:
    words = ["compression=[movement]", "density=0.2", "compression.movement.epochs=1", "compression.movement.every=1"]
    done = run_cli(*SMALL, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "of the weights of 12 matrices remain" in done.stdout and "note: movement: 80% sparse" in done.stdout
    records = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "outputs").glob("*/record.json")]
    record = max(records, key=lambda record: len(record["stages"]))
    assert record["config"]["compression"]["movement"]["density"] == 0.2 and "density" not in record["config"]
