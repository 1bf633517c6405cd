"""The answers of a cascade to the reported rows: those of one model or the other, scored and stored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runner.cascade.choose import Chosen, Wanted
from runner.cascade.evaluate import by_small, evaluate, write_answers
from runner.cascade.pair import Pair, open_pair
from runner.cascade.rows import read_reported_rows
from runner.statistics.answers import Answers
from runner.statistics.auroc_first import AurocFirst, margins_of
from runner.statistics.deferral import NONE, Deferral
from runner.statistics.probabilities import softmax
from tests.runner.cascade.runs import LARGE, SMALL, save

AUTO = {"small": "auto", "large": "auto"}


def opened(place: Path) -> Pair:
    return open_pair({"small": SMALL, "large": LARGE}, place / "outputs", AUTO)


@pytest.mark.parametrize(("threshold", "part"), [(0.0, "small"), (NONE, "large")])
def test_thresholds_at_the_ends_score_as_either_model(place: Path, threshold: float, part: str) -> None:
    pair = opened(place)
    rows = read_reported_rows(pair, "x")
    found = evaluate(pair, rows, Chosen(Wanted(0.05, "none", 0.05), Deferral(threshold, 0, 0, 0, 1, 0.0), rows))
    assert found.metrics["test/accuracy"] == pytest.approx(found.metrics[f"cascade/{part}_score"])
    assert found.metrics["cascade/by_small"] == (part == "small") and found.rows == len(rows)
    assert found.metrics["test/accuracy_low"] < found.metrics["test/accuracy"] < found.metrics["test/accuracy_high"]
    assert sum(found.reports["test"].support) == len(rows)


def test_margins_are_those_of_the_model_that_answers(place: Path, tmp_path: Path) -> None:
    output = tmp_path / "outputs"
    shutil.copytree(place / "outputs", output)
    for identity in (SMALL, LARGE):
        record = json.loads((output / identity / "record.json").read_text(encoding="utf-8"))
        record["config"]["data"]["metrics"] = ["accuracy", "auroc_first"]
        save(output / identity, record)
        path = output / identity / "predictions-test.parquet"
        table = pq.read_table(path)
        logits = np.array([table["logit_0"], table["logit_1"]]).T
        pq.write_table(table.append_column("margin", pa.array(margins_of(logits))), path)
    pair = open_pair({"small": SMALL, "large": LARGE}, output, AUTO)
    rows = read_reported_rows(pair, "x")
    for threshold, shares in ((0.0, rows.small), (NONE, rows.large)):
        chosen = Chosen(Wanted(0.05, "none", 0.05), Deferral(threshold, 0, 0, 0, 1, 0.0), rows)
        answers = Answers({"label": rows.labels, "margin": margins_of(np.log(shares))})
        expected = AurocFirst().value(answers)
        assert evaluate(pair, rows, chosen).metrics["test/auroc_first"] == pytest.approx(expected)
        table = pq.read_table(write_answers(tmp_path, pair, rows, chosen))
        assert table["margin"].to_numpy() == pytest.approx(answers["margin"])


def test_stored_answers_are_those_of_the_model_that_answers(place: Path, tmp_path: Path) -> None:
    pair = opened(place)
    rows = read_reported_rows(pair, "x")
    chosen = Chosen(Wanted(0.05, "none", 0.05), Deferral(float(np.median(rows.confidence)), 0, 0, 0, 1, 0.0), rows)
    table = pq.read_table(write_answers(tmp_path, pair, rows, chosen)).to_pydict()
    taken = by_small(rows, chosen)
    shares = np.where(taken[:, None], rows.small, rows.large)
    assert 0 < taken.sum() < len(rows)
    assert table["prediction"] == shares.argmax(1).tolist() and table["label"] == rows.labels.tolist()
    assert table["prediction_name"] == [("negative", "positive")[place] for place in table["prediction"]]
    logits = np.array([table["logit_0"], table["logit_1"]]).T
    np.testing.assert_allclose(softmax(logits), shares, atol=1e-6)
