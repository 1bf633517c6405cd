"""The surroundings of a compression stage: its batches and teacher, the loop's record, and its progress on disk."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from runner.experiment.prepared import PreparedRun
from tests.runner.experiment.prepared_runs import begin, context_of, prepare


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedRun:
    return prepare(tmp_path_factory.mktemp("run"))


def test_the_same_moment_draws_the_same_numbers_and_another_other_ones(prepared: PreparedRun) -> None:
    context = context_of(prepared)
    drawn = []
    for moment in ("start", "start", "phase"):
        context.draw_from(moment)
        drawn.append(torch.rand(3).tolist())
    context_of(prepared, stage="2-distil").draw_from("start")
    assert drawn[0] == drawn[1] and drawn[0] not in (drawn[2], torch.rand(3).tolist())


def test_batches_are_of_the_split_that_was_asked_for_and_cover_its_rows_once(prepared: PreparedRun) -> None:
    context = context_of(prepared)
    for name, split in (("train", prepared.splits.train), ("select", prepared.splits.select)):
        batches = list(context.batches(split=name, batch_size=16))
        rows = np.concatenate([numbers for _, _, numbers in batches])
        assert sorted(rows.tolist()) == list(range(len(split)))
        inputs, targets, numbers = batches[0]
        assert targets["labels"].tolist() == np.asarray(split.known_labels)[numbers].tolist()
        assert inputs["input_ids"].shape[0] == len(numbers) <= 16
    assert sum(len(numbers) for _, _, numbers in context.batches(rows=20)) == 20


def test_a_sample_of_the_selection_rows_is_the_same_each_time(prepared: PreparedRun) -> None:
    context = context_of(prepared)
    whole = context.score(prepared.model)
    assert 0 <= whole <= 1 and context.score(prepared.model, rows=10_000) == whole
    part = context.score(prepared.model, rows=8)
    assert part * 8 == pytest.approx(round(part * 8)) and context.score(prepared.model, rows=8) == part


def test_a_score_is_higher_where_it_is_better(tmp_path: Path) -> None:
    reviews = tmp_path / "r.csv"
    lines = [f"text {row % 9} and {row % 5},{row % 9 / 4}" for row in range(160)]
    reviews.write_text("\n".join(["text,score", *lines]) + "\n", encoding="utf-8")
    words = ["data=files", f"data.path={reviews}", "data.label=score", "data.task=regression", "data.metrics=[mse]"]
    context = context_of(prepare(tmp_path, *words))
    assert context.primary.endswith("/mse") and context.score(context.prepared.model) < 0


def test_a_word_without_a_token_of_the_teacher_favours_no_label(prepared: PreparedRun) -> None:
    context, said = context_of(prepared), list[str]()
    context.say = said.append  # type: ignore[method-assign]
    found = context._of_items(np.array([[1.0, -1.0], [np.nan, np.nan]], np.float32))
    assert found.tolist() == [[1.0, -1.0], [0.0, 0.0]]
    assert said == ["1 of 2 words have no token for the teacher, which favours no label there"]


def test_answers_without_a_finished_teacher_are_those_of_the_training_rows(prepared: PreparedRun) -> None:
    context, count = context_of(prepared), len(prepared.splits.train)
    answers = np.arange(2.0 * count, dtype=np.float32).reshape(count, 2)
    context.learn_with(answers, None)
    assert context.teacher_logits(np.array([3, 0])).tolist() == [[6.0, 7.0], [0.0, 1.0]]
    assert len(context.splits.train) == count


def test_texts_without_labels_join_the_rows_of_this_stage_alone(prepared: PreparedRun) -> None:
    context, extra = context_of(prepared), prepared.splits.select
    context.stage_inputs = SimpleNamespace(extra_texts=lambda train: [extra])  # type: ignore[assignment]
    assert context.add_unlabelled() == len(extra)
    assert len(context.splits.train) == len(prepared.splits.train) + len(extra)
    assert context.splits.train.num_unlabelled == len(extra), "their labels are not read"
    assert len(context_of(prepared).splits.train) == len(prepared.splits.train)


def test_progress_is_found_again_with_its_tensors_facts_and_steps(tmp_path: Path) -> None:
    prepared = prepare(tmp_path)
    context = context_of(prepared, begin(prepared))
    assert context.load_progress() is None
    context.writer.set_steps(7)
    context.writer.add_metrics({"time/train_s": 2.5})
    context.add_metrics({"prune/density_prunable": 0.5})
    mask = torch.tensor([1.0, 0.0])
    context.save_progress(prepared.model, {"round": 2}, {"mask": mask})
    drawn = torch.rand(2).tolist()

    again = context_of(prepared, begin(prepared))
    tensors, state = again.load_progress() or ({}, {})
    assert state == {"round": 2} and tensors["mask"].equal(mask)
    assert all(tensors[name].equal(value) for name, value in prepared.model.state_dict().items())
    assert again.metrics == {"prune/density_prunable": 0.5} and again.writer.record.steps == 7
    assert again.writer.record.metrics["time/train_s"] == 2.5 and torch.rand(2).tolist() == drawn
    other = context_of(prepared, begin(prepared), stage="2-magnitude")
    assert other.load_progress() is None, "of another stage"


def test_a_phase_counts_on_from_the_steps_and_seconds_of_those_before(tmp_path: Path) -> None:
    prepared = prepare(tmp_path)
    context = context_of(prepared, begin(prepared))
    first = context.train(prepared.model, phase="one", epochs=1)
    second = context.train(prepared.model, phase="two", epochs=2, lr=1e-3)
    record = context.writer.record
    assert (first.epochs, second.epochs) == (1, 2) and second.steps == 2 * first.steps
    assert record.steps == record.metrics["train/steps"] == first.steps + second.steps
    assert record.metrics["time/train_s"] == pytest.approx(first.seconds + second.seconds)
    lines = (prepared.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == sorted(steps) and steps[-1] == record.steps
    with pytest.raises(TypeError, match="epoch"):
        context.train(prepared.model, phase="three", epoch=1)
