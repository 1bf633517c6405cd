"""The reference model with which a finished model is timed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from data.labels import Labels
from runner.experiment.results import _reported_metrics, build_reference_model, measure_costs, packing_facts
from runner.record.metrics import check
from runner.statistics.intervals import wilson_interval
from runner.tasks.base import LabelFacts, Task
from runner.tasks.classification import Classification
from runner.tasks.mlm import MaskedWords
from runner.tasks.rank import Rank
from runner.tasks.tags import Tags
from tests.data.helpers import split_of


def prepared(task: Task, vocab_size: int, longest: int | None = 128) -> Any:
    """As much of a prepared run as a reference model is built from."""
    return SimpleNamespace(
        settings=SimpleNamespace(measure=SimpleNamespace(baseline="bert-tiny"), model=SimpleNamespace(positions=512)),
        splits=SimpleNamespace(
            task=SimpleNamespace(num_labels=max(1, len(task.facts.names))),
            tokenizer=SimpleNamespace(vocab_size=vocab_size, pad_id=0),
        ),
        task=task,
        model=SimpleNamespace(longest_input=lambda: longest, bert=SimpleNamespace(frame_width=None)),
        device=torch.device("cpu"),
    )


@pytest.mark.parametrize(
    ("task", "outputs"), [(MaskedWords(), (1, 1)), (Tags(LabelFacts(("O", "B-X", "I-X"))), (1, 4, 3))]
)
def test_the_reference_model_is_a_classifier_unless_the_task_reads_tokens(task: Task, outputs: tuple[int, ...]) -> None:
    """With the scores of all words at all positions it would time the vocabulary, not the machine."""
    found = build_reference_model(prepared(task, vocab_size=50))
    assert found is not None
    assert found(torch.tensor([[5, 6, 7, 8]])).shape == outputs


@pytest.mark.parametrize(("calibration", "keeps_both"), [("vector", True), ("temperature", False)])
def test_a_model_file_keeps_both_scores_of_two_classes_only_for_vector_scaling(
    calibration: str, keeps_both: bool
) -> None:
    settings = SimpleNamespace(
        data=SimpleNamespace(text_pair=None, max_length=9, truncate="end"), calibration=calibration
    )
    splits = SimpleNamespace(
        task=SimpleNamespace(label_names=("no", "yes")), tokenizer=SimpleNamespace(cleaning=(), language=None)
    )
    found: Any = SimpleNamespace(settings=settings, splits=splits)
    assert packing_facts(found, MaskedWords()).keeps_both == keeps_both


@pytest.mark.parametrize(("vocab_size", "rows"), [(50, 30_522), (40_000, 40_000), (1 << 32, 30_522)])
def test_the_reference_model_has_the_rows_of_bert_unless_a_vocabulary_has_more(vocab_size: int, rows: int) -> None:
    """Hashes of words take no more: a table of two million rows is a gigabyte in the peak memory of a small model."""
    found = build_reference_model(prepared(MaskedWords(), vocab_size))
    assert found is not None
    assert found.architecture["vocab_size"] == rows
    assert torch.isfinite(found(input_ids=torch.tensor([[5, vocab_size - 1]]))).all()


def test_the_reference_model_reads_the_beginning_of_texts_that_only_the_model_beside_it_takes_whole() -> None:
    task = Tags(LabelFacts(("O", "B-X")))
    found = build_reference_model(prepared(task, 1 << 32, None))
    assert found is not None
    ids = torch.full((1, 700), 5)
    assert found(input_ids=ids, attention_mask=torch.ones_like(ids)).shape[:2] == (1, 512)
    assert found(input_ids=ids, attention_mask=None).shape[:2] == (1, 512)


def test_a_ranking_records_its_queries_beside_its_candidates() -> None:
    values = np.array([[1, 1, 3, 0], [0, 1, 2, 0], [0, 1, 0, 0], [1, 1, 5, 1], [0, 1, 6, 1]], np.float32)
    split = replace(split_of([[1, 2]] * 5, name="test"), labels=Labels(values))
    task = Rank()
    prepared = SimpleNamespace(splits=SimpleNamespace(train=split, report=[split]), task=task)
    found = _reported_metrics(prepared, split, task.answers(np.arange(5.0)[:, None], split))  # type: ignore[arg-type]
    assert (found["test/examples"], found["test/queries"]) == (5, 2)
    assert check("test/queries").unit == "queries"


def test_the_baseline_of_the_reported_rows_is_the_majority_of_the_training_rows() -> None:
    train, task = split_of([[1]] * 5, [0, 0, 0, 1, 1]), Classification(LabelFacts(("no", "yes")))
    test = replace(split_of([[1]] * 5, [1, 1, 1, 1, 0], name="test"), parts=np.array([0, 1, 2, 3, 5]))
    other = split_of([[1]] * 2, [1, 0], name="other")
    run: Any = SimpleNamespace(splits=SimpleNamespace(train=train, report=[test, other]), task=task)
    outputs = np.eye(2, dtype=np.float32)[[1, 1, 1, 1, 1]]
    found = _reported_metrics(run, test, task.answers(outputs, test))
    assert found["baseline/majority"] == pytest.approx(1 / 5) and found["test/constant_predictions"] == 1.0
    assert found["test/examples"] == 4, "two windows of one row"
    assert (found["test/accuracy_low"], found["test/accuracy_high"]) == wilson_interval(0.8, 5)
    more = _reported_metrics(run, other, task.answers(outputs[:2], other))
    assert "baseline/majority" not in more and more["other/examples"] == 2


def test_size_and_time_are_measured_on_the_first_reported_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr("runner.experiment.results.measure_model", lambda *found, **_: given.append(found[1]) or {})
    splits = SimpleNamespace(select="val", report=("test", "other"))
    model = SimpleNamespace(longest_input=lambda: 64)
    settings = SimpleNamespace(measure=SimpleNamespace(enabled=False))
    run: Any = SimpleNamespace(model=model, splits=splits, settings=settings)
    assert measure_costs(run, SimpleNamespace(), print, Path()) == {} and given == ["test"]  # type: ignore[arg-type]
