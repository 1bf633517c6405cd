"""The calibration of a model of all rows, by the answers of the models of the folds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runner.best.held_out import calibrate_on_folds, threshold_words
from runner.record.json_files import write_json
from runner.record.pooling import held_out_logits
from runner.statistics.ece import ece
from runner.statistics.probabilities import softmax
from tests.records import record_json


def a_fold(output: Path, number: int, split: str | None = "val", **data: str) -> Path:
    """A run folder with stored answers of 80 rows whose logits are twice too sharp."""
    folder, random = output / f"{number:010d}", np.random.default_rng(number)
    folder.mkdir(parents=True)
    calibration = {"method": "none", "temperature": 1.0, "split": split, "rows": 80, "reason": "here are 80"}
    content = record_json() | {"identity": folder.name, "calibration": calibration}
    content["data"] |= {"labels": ["neg", "pos"], "selection": "val/accuracy"} | data
    write_json(folder / "record.json", content)
    logits = random.normal(size=(80, 2)) * 1.5
    columns = {"label": (logits + random.gumbel(size=(80, 2))).argmax(1), "prediction": logits.argmax(1)}
    columns["source_row"] = np.arange(80) + 80 * number
    columns |= {f"logit_{place}": 2 * logits[:, place] for place in range(2)}
    pq.write_table(pa.table(columns), folder / "predictions-val.parquet")
    return folder


def test_all_folds_together_calibrate_where_each_alone_has_too_few_rows(tmp_path: Path) -> None:
    found = calibrate_on_folds([a_fold(tmp_path, number) for number in range(10)])
    assert found is not None and found.facts.is_calibrated and found.facts.rows == 800
    assert found.facts.temperature == pytest.approx(2, rel=0.25) and found.facts.split == "the folds"
    assert 0 < found.scores["ece"] < 0.1 and found.scores["ece_floor_95"] > 0
    _, logits, labels = held_out_logits([tmp_path / f"{number:010d}" for number in range(10)])
    shares = softmax(logits / found.facts.temperature)
    assert found.scores["ece"] == pytest.approx(ece(shares.max(1), shares.argmax(1) == labels))


def test_runs_without_probabilities_calibrate_nothing(tmp_path: Path) -> None:
    assert calibrate_on_folds([]) is None and calibrate_on_folds([tmp_path / "gone"]) is None
    assert calibrate_on_folds([a_fold(tmp_path, 1), a_fold(tmp_path, 2, split=None)]) is None
    without_answers = a_fold(tmp_path, 3)
    (without_answers / "predictions-val.parquet").unlink()
    assert calibrate_on_folds([a_fold(tmp_path, 4), without_answers]) is None
    aside = [a_fold(tmp_path, number, "calibration", calibration="calibration") for number in (5, 6)]
    assert calibrate_on_folds(aside) is None, "these rows are the same for all folds, and the last model answered them"


def of_sets(output: Path, number: int, rule: str = "per_label", **data: str) -> Path:
    """A run folder with stored answers of 40 rows to two labels: one is rare, and true at a probability of 0.2."""
    folder, random = a_fold(output, number, **data), np.random.default_rng(number)
    content = json.loads((folder / "record.json").read_text())
    content["data"] |= {"task": "multilabel", "labels": ["rare", "other"], "selection": "val/f1_micro"}
    content["thresholds"] = {"rule": rule, "values": [0.2, 0.2] if rule != "0.5" else [], "split": "val", "rows": 40}
    write_json(folder / "record.json", content)
    labels = random.random((40, 2)) < 0.3
    logits = np.where(labels, -1.38, -3.0).astype(np.float32)
    columns = {"label": labels.astype(np.int8), "prediction": 0 * labels.astype(np.int8), "logit": logits}
    lists = {name: pa.array(list(values)) for name, values in columns.items()}
    table = pa.table(lists | {"source_row": np.arange(40) + 40 * number})
    pq.write_table(table, folder / "predictions-val.parquet")
    return folder


def test_thresholds_are_those_of_the_answers_to_the_rows_that_the_folds_held_out(tmp_path: Path) -> None:
    (number,) = threshold_words([of_sets(tmp_path, fold, "one") for fold in (1, 2)])
    key, _, value = number.partition("=")
    assert key == "data.threshold" and float(value) == pytest.approx(0.201, abs=0.001)
    assert threshold_words([of_sets(tmp_path, fold) for fold in (3, 4)]) == ["data.calibration=folds", number]


def test_without_fitted_thresholds_a_model_of_all_rows_keeps_those_of_the_command(tmp_path: Path) -> None:
    assert threshold_words([]) == [] and threshold_words([a_fold(tmp_path, 1), a_fold(tmp_path, 2)]) == []
    assert threshold_words([of_sets(tmp_path, fold, "0.5") for fold in (3, 4)]) == []
    aside = [of_sets(tmp_path, fold, calibration="calibration") for fold in (5, 6)]
    assert threshold_words(aside) == [], "the rows set aside fit those of the last model too"
