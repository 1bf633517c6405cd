"""Identity and notes of a result; tests/runner/commands/test_zero_shot.py records whole results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from data.labels import Labels
from data.splits import DataTask
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.record.abandoned import is_held
from runner.record.folder import RECORD
from runner.record.json_files import write_json
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.tasks.multilabel import MultiLabel
from runner.zero_shot.ask import Question, TemplateScores
from runner.zero_shot.evaluate import ZeroShot, chance_of, costs_of, find_or_make, first_record, notes_on
from runner.zero_shot.rows import ReportedRows
from tests.data.helpers import split_of
from tests.records import record_json

QUESTION = Question(("olumsuz", "good"), ("a {}", "b {}"), "single", has_prior=True)


@pytest.fixture
def wanted(tmp_path: Path) -> ZeroShot:
    raw = cast(Any, SimpleNamespace(fingerprint=lambda: "f"))
    rows = ReportedRows("test", raw, DataTask("class_label", ("bad", "good"), is_pair=False), ())
    return ZeroShot(resolve(compose(["data=demo"])), rows, QUESTION, tmp_path, ["zero-shot", "aaaa"])


@pytest.fixture
def predictor(tmp_path: Path) -> Any:
    (tmp_path / "weights").write_bytes(b"weights")
    exported = SimpleNamespace(weights=tmp_path / "weights", max_length=32)
    return SimpleNamespace(exported=exported, tokenizer=SimpleNamespace(fingerprint="t"))


def test_words_templates_mode_prior_and_weights_name_a_result(wanted: ZeroShot, predictor: Any, tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {}, {"words": ("x", "good")}, {"templates": ("a {}",)}, {"mode": "multi"}, {"has_prior": False},
    ]  # fmt: skip
    others = [replace(wanted, question=replace(QUESTION, **change)) for change in changes]
    names = [one.identity(predictor) for one in others]
    (tmp_path / "weights").write_bytes(b"others")
    assert len({*names, wanted.identity(predictor)}) == len(changes) + 1


def test_the_positive_class_names_a_result_where_it_is_set(wanted: ZeroShot, predictor: Any) -> None:
    words = ["data=demo", "data.metrics=[f1]"]
    settings = [resolve(compose([*words, *more])) for more in ([], ["data.positive=good"], ["data.positive=bad"])]
    assert len({replace(wanted, settings=one).identity(predictor) for one in settings}) == 3


def test_the_threshold_of_sets_of_labels_names_a_result(wanted: ZeroShot, predictor: Any) -> None:
    rows = replace(wanted.rows, task=replace(wanted.rows.task, target="label_set"))
    rules = [[], ["data.threshold=0.3"], ["data.threshold=at_least_one"]]
    settings = [resolve(compose(["data=goemotions", *rule])) for rule in rules]
    assert len({replace(wanted, rows=rows, settings=one).identity(predictor) for one in settings}) == 3


def test_the_notes_say_which_word_is_for_which_class_and_what_was_cut(wanted: ZeroShot) -> None:
    answers = [TemplateScores(template, np.zeros((4, 2)), np.zeros(2), 1.0, 1) for template in QUESTION.templates]
    notes = notes_on(wanted, answers, 4)
    assert notes[0].endswith("labels: olumsuz = bad, good") and "minus the scores of texts without content" in notes[1]
    assert notes[2:4] == ["template 1: a {}", "template 2: b {}"] and notes[4].startswith("25.0% of the texts")


def test_chance_is_of_the_headline_score() -> None:
    split = replace(split_of([[1]] * 4), labels=Labels(np.array([0, 0, 0, 1])))
    task = Classification(LabelFacts(("a", "b")))
    found = {score: chance_of(task, split, score) for score in ("accuracy", "mcc", "f1")}
    # Of the positive class 1 of 4 rows is right in half of the guesses: precision 1/4, recall 1/2.
    assert found == pytest.approx({"accuracy": 0.5, "mcc": 0.0, "f1": 1 / 3})


@pytest.mark.parametrize("rule", ["0.1", "0.5", "0.9", "at_least_one"])
def test_chance_of_sets_does_not_depend_on_the_threshold(rule: str) -> None:
    labels = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1], [1, 1, 0]], np.int8)
    split = replace(split_of([[1]] * 4), labels=Labels(labels))
    found = chance_of(MultiLabel(LabelFacts(("a", "b", "c"), threshold=rule)), split, "f1_micro")
    assert found == pytest.approx(2 * 6 / (12 + 3 * 6)), "each label once: 6 of 12 answers are right, of 18 labels"


def test_a_model_of_another_folder_is_not_taken_for_the_model_of_the_settings(wanted: ZeroShot, predictor: Any) -> None:
    raw = cast(Any, RawOf("f", 3))
    predictor.exported.identity, predictor.exported.name = "0123456789", "bert-mini snli seed=0"
    predictor.tokenizer.source, predictor.tokenizer.vocab_size = "train", 9
    made = first_record(replace(wanted, rows=replace(wanted.rows, raw=raw)), predictor)
    assert wanted.settings.model.name == "dsn" and made.model == "zero-shot-bert-mini"


def test_an_answer_costs_a_pass_for_each_label_and_nothing_of_the_training(
    wanted: ZeroShot, predictor: Any, tmp_path: Path
) -> None:
    predictor.exported.identity = "0123456789"
    costs = {"cost/params": 10.0, "cost/bytes_deployed": 40.0, "cost/macs_s128": 100.0}
    others = {"cost/macs": 7.0, "cost/params_trained": 10.0, "cost/bytes_peak_memory": 9.0, "test/accuracy": 0.5}
    assert costs_of(wanted, predictor) == {}, "a model of another folder"
    (tmp_path / "0123456789").mkdir()
    write_json(tmp_path / "0123456789" / RECORD, record_json(metrics=costs | others))
    assert costs_of(wanted, predictor) == costs | {"cost/macs_s128": 200.0}, "of two labels"
    assert costs_of(replace(wanted, is_paired=True), predictor) == costs, "a pair takes one pass"


@dataclass(frozen=True)
class RawOf:
    """Rows of which only the number and the fingerprint are asked."""

    print: str
    rows: int

    def fingerprint(self) -> str:
        return self.print

    def __len__(self) -> int:
        return self.rows


def test_a_result_is_recorded_in_a_folder_that_is_held(
    wanted: ZeroShot, predictor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else another command would close its record as that of a dead process."""
    seen: list[bool] = []
    module = "runner.zero_shot.evaluate"
    monkeypatch.setattr(f"{module}.answers_of", lambda *_: [])
    monkeypatch.setattr(f"{module}.record_answers", lambda *given: seen.append(is_held(given[-1])))
    find_or_make(wanted, predictor, 8, force=False)
    assert seen == [True]
