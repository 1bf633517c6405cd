"""The calibration of a run: on the selection rows, in its record, its model folder and its scores."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data.errors import DataError
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.deploy.bundle.calibration import CALIBRATION_FILE
from runner.deploy.exported import find_model
from runner.deploy.predictors import open_predictor
from runner.deploy.promise import WantedPromise, calibration_split, find_promise
from runner.errors import ConfigError
from runner.experiment.calibration import (
    answering_logits,
    calibrate,
    keep_calibration,
    probability_metrics,
    why_not_these_rows,
)
from runner.experiment.run import run
from runner.record.calibration import TEMPERATURE, VECTOR, CalibrationFacts
from runner.record.compared import models_compared
from runner.record.folder import read_record
from runner.record.identity import identity_settings
from runner.record.predictions import calibrated_probabilities, read_logits
from runner.record.record import RunRecord
from runner.statistics.ece import ece
from runner.statistics.probabilities import log_loss, softmax
from runner.statistics.temperature import fit_temperature
from runner.tasks.base import Task
from runner.tasks.regression import Regression
from runner.tasks.tags import Tags


def made(folder: Path, *words: str) -> tuple[RunRecord, Path]:
    every = [
        "measure=off", "tracker=none", "train.threads=1", f"paths.output={folder / 'out'}",
        f"paths.cache={folder / 'cache'}", *words,
    ]  # fmt: skip
    record = run(resolve(compose(every)), every).record
    assert record and record.status == "done", record and record.reason
    return record, folder / "out" / record.identity


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


DSN = (
    "model=dsn", "data=demo", "data.demo_rows=900", "model.tokenizer=train", "model.vocab_size=900", "train.epochs=8",
    "optimizer.lr=0.02", "train.eval_batch_size=256",
)  # fmt: skip


def test_a_run_is_calibrated_on_the_rows_that_select_and_its_model_answers_so(folder: Path) -> None:
    record, place = made(folder, *DSN, "calibration=temperature")
    facts = record.calibration
    assert facts is not None and facts.method == TEMPERATURE and facts.split == "val" == str(record.data.selection)[:3]
    stored = read_logits(place, "val", record)
    assert stored is not None and stored[0].shape == (facts.rows, 2)
    assert facts.temperature == pytest.approx(fit_temperature(*stored).value, rel=1e-6) != 1
    logits, labels = read_logits(place, "test", record) or (np.zeros(0), np.zeros(0))
    shares = calibrated_probabilities(record, logits)
    assert record.metrics["test/ece"] == pytest.approx(ece(shares.max(1), shares.argmax(1) == labels), abs=1e-6)
    assert record.metrics["test/log_loss"] == pytest.approx(log_loss(shares, labels), abs=1e-6)
    assert record.metrics["test/log_loss_uncalibrated"] == pytest.approx(log_loss(softmax(logits), labels), abs=1e-6)
    assert record.metrics["val/log_loss"] < record.metrics["val/log_loss_uncalibrated"]
    size = sum((place / "model" / name).stat().st_size for name in ("model.bin", CALIBRATION_FILE))
    predictor = open_predictor(find_model(record.identity, place.parent, "auto"))
    assert predictor.calibration.temperature == facts.temperature and size > 384
    assert read_record(place) == record and record.is_calibrated
    assert f"softmax(logits / {facts.temperature:.4g})" in (place / "model" / "README.md").read_text(encoding="utf-8")


def test_the_setting_is_no_part_of_the_identity_but_for_vector_scaling(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, _ = made(folder, *DSN, "calibration=off", "paths.output=" + str(folder / "off"))
    before = RunRecord.from_json(record.to_json())
    assert before.calibration is not None and before.calibration.reason == "calibration=off"
    assert not record.is_calibrated and not (folder / "off" / record.identity / "model" / CALIBRATION_FILE).exists()
    assert (folder / "out" / record.identity).is_dir(), "of the same id as the calibrated run"
    capsys.readouterr()
    again, _ = made(folder, *DSN, "paths.output=" + str(folder / "off"))
    assert again == record
    assert "note: it has calibration=off. For calibration=temperature: force=true" in capsys.readouterr().out
    counted = [
        identity_settings(resolve(compose([*DSN, f"calibration={one}"]))) for one in ("off", "temperature", "vector")
    ]
    assert counted[0] == counted[1] and counted[2] == counted[1] | {"calibration": "vector"}


@pytest.mark.parametrize(
    ("task", "reason"), [(Regression(), "regression has no classes"), (Tags(), "tags has no classes")]
)
def test_answers_without_classes_have_no_calibration_and_say_so(task: Task, reason: str) -> None:
    select = SimpleNamespace(name="val")
    prepared: Any = SimpleNamespace(
        task=task, splits=SimpleNamespace(calibration=select), settings=SimpleNamespace(calibration="temperature")
    )
    facts = calibrate(prepared, np.zeros((1, 1)))
    assert facts is not None and reason in facts.describe() and not facts.is_calibrated
    assert probability_metrics(prepared, facts, select, np.zeros((1, 1))) == {}  # type: ignore[arg-type]
    record: Any = SimpleNamespace(calibration=facts)
    assert keep_calibration(prepared, record, Path("no folder")) is facts


def facts_of(fold: str | None, **fingerprints: str) -> Any:
    splits = SimpleNamespace(select=SimpleNamespace(name="val"), fingerprints=fingerprints)
    return SimpleNamespace(settings=SimpleNamespace(data=SimpleNamespace(fold=fold)), splits=splits)


def test_rows_that_train_or_are_reported_do_not_calibrate() -> None:
    assert why_not_these_rows(facts_of("0", train="a", val="b", test="c")) == ""
    assert why_not_these_rows(facts_of("all", train="a", val="b", test="c")) == "the rows of val are also trained on"
    assert why_not_these_rows(facts_of(None, train="a", val="c", test="c")) == "the rows of val are also those of test"


def test_only_vector_scaling_changes_answers() -> None:
    kept = np.array([[1.0, 2.0], [3.0, 0.5]])
    assert answering_logits(None, kept) is kept and answering_logits(CalibrationFacts(TEMPERATURE, 9.0), kept) is kept
    vector = CalibrationFacts(VECTOR, weights=[1.0, 1.0], shifts=[2.0, -2.0])
    assert answering_logits(vector, kept).argmax(1).tolist() == [0, 0]


def test_rows_set_aside_calibrate_and_hold_the_promise_instead_of_those_that_select(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, place = made(folder, *DSN, "data.demo_rows=1500", "data.calibration=0.2", "data.duplicates=group")
    facts, name = record.calibration, "calibration"
    assert facts is not None and facts.split == name == record.data.calibration == record.data.calibrating
    assert f"{name} {facts.rows}; vocabulary" in capsys.readouterr().out.replace("\n", " ")
    assert list(record.data.rows) == ["train", "val", "test", name] and record.data.rows[name] == facts.rows
    found = read_logits(place, name, record)
    assert found is not None and facts.temperature == pytest.approx(fit_temperature(*found).value, rel=1e-6)
    assert record.metrics[f"{name}/log_loss"] <= record.metrics[f"{name}/log_loss_uncalibrated"]
    assert f"{name}/accuracy_low" not in record.metrics and f"{name}/accuracy" in record.metrics
    assert calibration_split(record, "reject=0.05") == name and models_compared(place.parent, record) == 1
    assert record.data.fingerprints[name] != record.data.fingerprints["val"]
    with pytest.raises(ConfigError, match="from the 300 rows of calibration"):
        find_promise(record, place, WantedPromise(0.01), 1)
    kept = json.loads((place / "model" / CALIBRATION_FILE).read_text())
    assert (kept["split"], kept["rows"]) == (name, facts.rows) and read_record(place) == record


def test_rows_set_aside_calibrate_a_model_of_all_other_rows(folder: Path) -> None:
    words = ("data.demo_rows=1500", "data.calibration=0.2", "data.duplicates=group", "data.folds=3", "data.fold=all")
    record, _ = made(folder, *DSN, *words)
    assert record.calibration is not None and record.calibration.split == "calibration" and record.is_calibrated


def test_too_few_rows_and_tasks_without_classes_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"sets 90 rows aside\. A temperature needs 100, a promise 80 for reject=0.05"):
        made(tmp_path, *DSN, "data.calibration=0.1", "data.duplicates=group")
    path = tmp_path / "numbers.csv"
    path.write_text("text,label\n" + "".join(f"text {row},{row}.5\n" for row in range(400)), encoding="utf-8")
    with pytest.raises(DataError, match="nothing is calibrated for task=regression"):
        made(tmp_path, "model=dsn", "data=files", f"data.path={path}", "model.tokenizer=train", "data.calibration=0.3")
    assert not list((tmp_path / "out").glob("*/record.json"))
