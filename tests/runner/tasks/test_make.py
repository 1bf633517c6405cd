"""A run and its record have the same task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.labels import Labels
from data.load import load_splits
from data.settings import DataSettings
from data.splits import DataTask, Splits
from runner.schema import Settings
from runner.tasks import TASKS, likely_task, named_task
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.tasks.make import further_facts, task_of, task_of_export, task_of_labels, task_of_record
from runner.tasks.regression import Regression
from tests.records import a_record, record_json


def of_file(folder: Path, labels: list[str], **options: object) -> tuple[Splits, Settings]:
    lines = [f"the film number {i},{labels[i % len(labels)]}" for i in range(60)]
    (folder / "d.csv").write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    data = DataSettings(source="files", path=str(folder / "d.csv"), **options)  # type: ignore[arg-type]
    return load_splits(data, tokenizer="train", vocab_size=80, cache=folder / "cache"), Settings(data=data)


def test_a_run_has_the_task_of_its_labels_and_its_record_the_same(tmp_path: Path) -> None:
    task = task_of(*of_file(tmp_path, ["ok", "bad", "ok"], metrics=["mcc", "f1"]))
    assert (task.name, task.metrics, task.facts.names, task.facts.positive) == (
        "classification", ("mcc", "f1"), ("bad", "ok"), 0,
    )  # fmt: skip
    data = record_json()["data"] | {"labels": ["bad", "ok"], "positive": "bad"}
    config = record_json()["config"]
    config["data"]["metrics"] = ["mcc", "f1"]
    recorded = task_of_record(a_record(data=data, config=config))
    assert (recorded.name, recorded.facts) == (task.name, task.facts)


def test_balanced_weights_are_part_of_the_task(tmp_path: Path) -> None:
    weights = task_of(*of_file(tmp_path, ["ok", "bad", "ok"], class_weights="balanced")).facts.class_weights
    assert weights is not None and weights[0] > 1.3 > 1 > weights[1]


def test_numbers_have_no_class_weights(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs classes, but this task is regression"):
        task_of(*of_file(tmp_path, ["0.5", "1.25", "2.5"], class_weights="balanced"))


def test_a_task_whose_loss_weighs_no_classes_refuses_class_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits, settings = of_file(tmp_path, ["ok", "bad", "ok"], class_weights="balanced")
    assert task_of(splits, settings).facts.class_weights is not None
    monkeypatch.setattr(Classification, "weighs_classes", False)
    splits.train.labels = Labels(np.zeros((3, 2), np.float32))  # sets of labels: no row has one class to be counted
    with pytest.raises(DataError, match="needs classes, but this task is classification"):
        task_of(splits, settings)


class Order(Regression):
    """Another task that learns numbers."""

    name = "order"


def test_of_tasks_that_learn_the_same_target_the_named_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits, settings = of_file(tmp_path, ["0.5", "1.25", "2.5"])
    monkeypatch.setitem(TASKS, "order", f"{__name__}:Order")
    assert task_of(splits, settings).name == "regression"
    settings.task.name = "order"
    assert task_of(splits, settings).name == "order"


def test_standardised_targets_are_recorded_and_come_back(tmp_path: Path) -> None:
    splits, settings = of_file(tmp_path, ["100.5", "250.25", "20.5"])
    scale = task_of(splits, settings).facts.scale
    assert scale is not None and scale.sd > 50
    data = record_json()["data"] | {"task": "regression", "targets": {"mean": scale.mean, "sd": scale.sd}}
    assert task_of_record(a_record(data=data)).facts.scale == scale


def test_settings_name_a_task_or_leave_it_to_the_labels() -> None:
    settings = Settings()
    assert named_task(settings.task, settings.data) is None
    assert likely_task(settings.task, settings.data).name == "classification"
    settings.data.task = "regression"
    assert likely_task(settings.task, settings.data).name == "regression"
    settings.task.name = "mlm"
    named = named_task(settings.task, settings.data)
    assert named is not None and named.metrics_by(settings.data)[0] == "perplexity"


def test_an_export_keeps_what_its_task_must_know_to_answer() -> None:
    assert further_facts(LabelFacts(("a", "b"), metrics=("mcc",))) == {}
    assert further_facts(LabelFacts(("a", "b"), positive=0)) == {"positive": 0}
    task = task_of_export("classification", ("a", "b"), {"positive": 0})
    assert (task.name, task.facts) == ("classification", LabelFacts(("a", "b"), positive=0))


def test_how_answers_are_found_goes_into_records_and_exports() -> None:
    facts = LabelFacts(("start", "end"), has_empty=True, null_threshold=-1.5, max_answer=12)
    data = record_json()["data"] | {"task": "span", "labels": ["start", "end"], "has_empty": True}
    config = record_json()["config"]
    config["data"] |= {"null_threshold": -1.5, "max_answer": 12, "metrics": []}
    assert task_of_record(a_record(data=data, config=config)).facts == facts
    further = further_facts(facts)
    assert further == {"has_empty": True, "null_threshold": -1.5, "max_answer": 12}
    assert task_of_export("span", facts.names, further).facts == facts
    assert further_facts(LabelFacts(("start", "end"))) == {}


@pytest.mark.parametrize("word", ["model.head=fitted", "model.pairs=contrastive"])
def test_models_of_one_class_a_row_are_refused_for_sets_of_labels(word: str) -> None:
    settings = Settings()
    key, _, value = word.partition("=")
    setattr(settings.model, key.removeprefix("model."), value)
    with pytest.raises(DataError, match=f"{word}: needs one class per row"):
        task_of_labels(DataTask("label_set", ("a", "b"), is_pair=False), settings)


def test_a_threshold_is_for_sets_of_labels_alone() -> None:
    settings = Settings()
    settings.data.threshold = "0.3"
    with pytest.raises(DataError, match=r"data.threshold=0.3: is for sets of labels, but this task is classification"):
        task_of_labels(DataTask("class_label", ("a", "b"), is_pair=False), settings)
