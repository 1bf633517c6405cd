"""Batches whose loss or gradient is not finite: found in their own step, kept for a look, left out or the end."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from data.batch import collate
from data.load import load_splits
from data.settings import DataSettings
from data.splits import Splits
from models.compression.stage import Targets, TrainingHook
from models.settings import ModelSettings
from runner.experiment.recipe import recipe_of
from runner.record.folder import NOT_FINITE
from runner.schema import Settings
from runner.tasks.make import task_of
from runner.training.checkpoint import Checkpoints
from runner.training.loop import fit
from runner.training.nonfinite import BatchNormStatistics, NotFinite, SkippedBatch
from runner.training.state import TrainingResult, TrainingState
from runner.training.trainer import Trainer
from tests.conftest import run_cli
from tests.data.helpers import tagged_split
from tests.runner.training.test_loop import CPU, Stop, model_of

HUGE = 1e30  # its square is no float32, unless targets are standardised


def write_scores(path: Path, broken: int) -> Path:
    """A CSV of 64 texts with a score, of which the first `broken` ones overflow."""
    lines = [f"the film number {i} of the year,{HUGE + i * HUGE if i < broken else i % 7}" for i in range(64)]
    path.write_text("\n".join(["text,score", *lines]) + "\n", encoding="utf-8")
    return path


def loaded(tmp_path: Path, broken: int = 1) -> Splits:
    val = write_scores(tmp_path / "val.csv", 0)
    settings = DataSettings(
        source="files", text="text", label="score", task="regression", standardize="never",
        train_path=str(write_scores(tmp_path / "train.csv", broken)), val_path=str(val), test_path=str(val),
    )  # fmt: skip
    return load_splits(settings, tokenizer="train", vocab_size=120, cache=tmp_path / "cache")


def configured(**train: Any) -> Settings:
    settings = Settings(model=ModelSettings(layers=1, hidden=16, heads=2))
    settings.train.epochs, settings.train.batch_size, settings.train.on_nonfinite = 3, 8, "skip"
    for name, value in train.items():
        setattr(settings.train, name, value)
    return settings


def train(
    settings: Settings, splits: Splits, folder: Path, stop_at: int | None = None, hook: TrainingHook | None = None
) -> tuple[dict[str, Tensor], list[dict[str, float]], TrainingResult | None]:
    """Parameters, logged points and what was trained; with stop_at the training dies at that step."""
    model, points = model_of(settings, splits), list[dict[str, float]]()

    def on_point(position: TrainingState, values: dict[str, float]) -> None:
        points.append(values)
        if position.step == stop_at:
            raise Stop

    folder.mkdir(exist_ok=True)
    try:
        done = fit(
            model, splits, task_of(splits, settings), recipe_of(settings),
            device=CPU, on_point=on_point, on_epoch=lambda *_: None, hook=hook,
            checkpoints=Checkpoints(folder, "run", every_s=1e-9 if stop_at else 1e9),
        )  # fmt: skip
    except Stop:
        done = None
    return model.state_dict(), points, done


def kept(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / NOT_FINITE).read_text(encoding="utf-8"))["batches"]
    return found


def test_stop_ends_training_in_that_very_step_and_names_the_texts(tmp_path: Path) -> None:
    splits = loaded(tmp_path)
    with pytest.raises(NotFinite, match=r"loss is inf at step \d+ \(epoch 1\); the batch's 8 rows .* rate was 0.0003"):
        train(configured(on_nonfinite="stop"), splits, tmp_path / "run")
    (batch,) = kept(tmp_path / "run")
    assert batch["loss"] == "inf" and batch["epoch"] == 1
    by_row = {row["row"]: row["text"] for row in batch["rows"]}
    assert len(by_row) == 8 and by_row[0] == "the film number 0 of the year"


def test_what_is_left_out_changes_no_weight_no_moment_and_no_logged_loss(tmp_path: Path) -> None:
    splits, settings = loaded(tmp_path), configured()
    model, norm = model_of(settings, splits), nn.BatchNorm1d(16)  # whose statistics change in the forward pass
    model.add_module("norm", norm)
    model.get_submodule("classifier").register_forward_pre_hook(lambda _, given: norm(given[0]))
    loop = Trainer(model.train(), splits, task_of(splits, settings), recipe_of(settings), CPU)
    sound = [rows for rows in loop.plan.batches(0) if 0 not in rows]
    loop.step(sound[0])
    before = loop.weights() | loop.optimizer.state()
    assert loop.step(np.arange(8)) is None and loop.skipped is not None
    after = loop.weights() | loop.optimizer.state()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert loop.step(sound[1]) is not None and loop.skipped is None
    assert (loop.state.step, loop.state.left_out, loop.state.examples) == (3, 1, 16)
    assert math.isfinite(loop.training_metrics(None, 1.0)["train/loss"]) and all(
        v.isfinite().all() for v in loop.weights().values()
    )


@pytest.mark.parametrize("accumulate", [1, 4])
def test_skip_goes_on_and_resume_is_exact_around_what_was_left_out(tmp_path: Path, accumulate: int) -> None:
    splits, settings = loaded(tmp_path), configured(accumulate=accumulate)
    straight, points, done = train(settings, splits, tmp_path / "a")
    assert done is not None and (done.left_out, done.steps, done.examples) == (3, 24, 3 * 56), "once an epoch"
    steps = [batch["step"] for batch in kept(tmp_path / "a")]
    assert points[-1]["train/left_out"] == 3 and all(math.isfinite(point["train/loss"]) for point in points)
    assert train(settings, splits, tmp_path / "b", stop_at=steps[1] + 1)[2] is None
    resumed, after, done = train(settings, splits, tmp_path / "b")
    assert done is not None and done.resumed_from >= steps[1] - 1 and done.left_out == 3
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    assert [p["train/loss"] for p in after] == [p["train/loss"] for p in points[-len(after) :]]
    assert [batch["step"] for batch in kept(tmp_path / "b")] == steps, "what is met twice is kept once"


@pytest.mark.parametrize(("epochs", "most"), [(3, 10), (1, 4)], ids=["ten", "half of eight"])
def test_more_than_a_few_bad_batches_end_a_run_that_skips(tmp_path: Path, epochs: int, most: int) -> None:
    with pytest.raises(NotFinite, match=rf"{most + 1} of the first {most + 1} batches .*too many"):
        train(configured(epochs=epochs), loaded(tmp_path, broken=64), tmp_path / "run")
    assert len(kept(tmp_path / "run")) == most + 1


class Steep(TrainingHook):
    """A finite loss whose gradient is not: the root of zero."""

    def loss(self, task_loss: Tensor, logits: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        return task_loss + (logits - logits.detach()).abs().sum().sqrt()


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
def test_a_gradient_is_looked_at_too(tmp_path: Path, clip_norm: float) -> None:
    settings = configured(on_nonfinite="stop", clip_norm=clip_norm)
    with pytest.raises(NotFinite, match=r"norm of the gradient is nan at step 1 "):
        train(settings, loaded(tmp_path, broken=0), tmp_path / "run", hook=Steep())


class OneNumber(nn.Module):
    """A number a word, their sum, and a head: 2**64 times the sum. Of `word` the product is 3.4e38, of others 0.

    That is a float32, and infinite in bfloat16, whose largest number is 3.39e38. Both factors are as small as can be:
    the squares in the gradient's norm must not overflow in float32.
    """

    def __init__(self, word: int) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(120, 1), nn.Linear(1, 2, bias=False)
        with torch.no_grad():
            self.table.weight.zero_()[word] = 3.4e38 / 2.0**64
            self.head.weight.zero_()[0] = 2.0**64

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(self.table(input_ids).sum(1))
        return logits


@pytest.mark.parametrize(("precision", "left_out"), [("fp32", 0), ("bf16", 1)])
def test_an_overflow_in_bf16_alone_is_found_in_the_row_that_made_it(
    tmp_path: Path, precision: str, left_out: int
) -> None:
    reviews = tmp_path / "reviews.csv"
    lines = [f"{'zebra' if i == 3 else 'film'} {i},{i % 2}" for i in range(8)]
    reviews.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    paths = {f"{name}_path": str(reviews) for name in ("train", "val", "test")}
    data = DataSettings(source="files", text="text", label="label", task="classification", **paths)
    splits = load_splits(data, tokenizer="train", vocab_size=120, cache=tmp_path / "cache")
    model, settings = OneNumber(splits.tokenizer.tokens().index("z")), configured(precision=precision)
    loop = Trainer(model, splits, task_of(splits, settings), recipe_of(settings), CPU)
    loop.step(np.arange(8))
    assert loop.state.left_out == left_out
    if loop.skipped:
        assert loop.skipped.broken == [row == 3 for row in range(8)]


def test_statistics_of_a_batch_norm_are_those_before_a_batch_that_is_left_out() -> None:
    norm = nn.BatchNorm1d(2)
    statistics = BatchNormStatistics(norm)
    norm(torch.randn(8, 2))
    statistics.remember()
    before = [buffer.clone() for buffer in norm.buffers()]
    norm(torch.full((8, 2), math.inf))
    assert not norm.running_mean.isfinite().all()  # type: ignore[union-attr]
    statistics.restore()
    assert all(torch.equal(one, other) for one, other in zip(before, norm.buffers()))


def test_the_run_fails_in_one_line_and_goes_on_with_skip_in_every_stage_of_a_chain(tmp_path: Path) -> None:
    for name in ("train", "val", "test"):
        write_scores(tmp_path / f"{name}.csv", int(name == "train"))
    words = [
        "data=files", "data.train_path=train.csv", "data.val_path=val.csv", "data.test_path=test.csv", "data.text=text",
        "data.label=score", "data.task=regression", "data.standardize=never", "model=bert-tiny",
        "model.pretrained=null", "model.tokenizer=train", "model.layers=1", "model.hidden=32",
        "train.batch_size=8", "train.epochs=1", "measure=off", "tracker=none",
        "compression=[magnitude]", "compression.magnitude.epochs=1",
    ]  # fmt: skip
    done = run_cli(*words, cwd=tmp_path)
    (first,) = tmp_path.glob("outputs/*/record.json")
    record = json.loads(first.read_text())
    assert done.returncode == 1 and "Traceback (" not in done.stdout + done.stderr
    assert record["status"] == "failed" and f"{first.parent.name}/{NOT_FINITE}" in record["reason"]
    assert "on_nonfinite=skip" in record["reason"] and record["reason"] in done.stdout.replace("\n", " ")
    done = run_cli(*words, "train.on_nonfinite=skip", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert json.loads(first.read_text())["status"] == "done", "the same run: how it fares is no part of its name"
    (last,) = set(tmp_path.glob("outputs/*/record.json")) - {first}
    record = json.loads(last.read_text())
    assert record["metrics"]["train/left_out"] == 2 and sum("left out" in note for note in record["notes"]) == 2
    stages = [kept(path.parent)[0]["training"].partition("/")[2] for path in (first, last)]
    assert stages == ["", "2-magnitude/prune"]
    assert math.isfinite(record["metrics"][record["data"]["primary"]]) and "NaN" not in last.read_text()


def test_a_row_of_words_is_broken_where_any_of_its_words_is() -> None:
    split = tagged_split()
    rows = np.arange(4)
    parts = [collate(split, rows[:3]), collate(split, rows[3:])]
    answers = [torch.zeros(len(part.inputs["places"]), 3) for part in parts]
    answers[0][len(answers[0]) - 1, 1] = math.nan  # of the last word of the third row
    found = SkippedBatch.of(rows, torch.tensor(math.nan), torch.tensor(1.0), list(zip(parts, answers)))
    assert found.broken == [False, False, True, False]
