"""Sets of labels in whole runs: thresholds are fitted on the selection split, and stored and used with the model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.deploy.exported import model_of_run
from runner.deploy.predictor import Predictor
from runner.deploy.promise import WantedPromise, find_promise
from runner.errors import ConfigError
from runner.experiment.run import run
from runner.record.folder import read_record
from runner.record.predictions import read_predictions
from runner.record.record import RunRecord
from runner.statistics.label_set_scores import matrix
from runner.statistics.probabilities import sigmoid
from runner.statistics.thresholds import threshold_of_each
from tests.runner.tasks.test_contract import SMALL

WORDS = ("apple", "river", "stone", "cloud")
FILLERS = ["the", "a", "of", "in", "on", "with", "and", "was", "very", "this", "that", "some", "many", "old", "new"]
Row = dict[str, Any]


def rows_of(count: int, seed: int) -> list[Row]:
    """Rows with label k if and only if word k occurs."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        labels = [word for word in WORDS if random.random() < 0.3]
        words = [*labels, *random.choice(FILLERS, 6).tolist()]
        found.append({"text": " ".join(random.permutation(words)), "labels": labels})
    return found


def finished(folder: Path, *words: str, counts: tuple[int, int, int] = (120, 60, 60)) -> tuple[RunRecord, Path]:
    """The record and the folder of a finished run on the rows of `rows_of`."""
    paths = []
    for seed, (split, count) in enumerate(zip(("train", "val", "test"), counts)):
        path = folder / f"{split}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows_of(count, seed)), encoding="utf-8")
        paths.append(f"data.{split}_path={path}")
    output = folder / "outputs"
    given = ["data=files", "data.label=labels", *paths, f"paths.output={output}", f"paths.cache={folder / 'cache'}"]
    given += ["measure=off", "tracker=none", "train.threads=1", *words]
    record = run(resolve(compose(given)), given).record
    assert record is not None and record.status == "done", record and record.reason
    found = read_record(output / record.identity)
    assert found is not None
    return found, output / record.identity


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunRecord, Path]]:
    small = [word for word in SMALL if word.startswith("model") or word.startswith("data.max")]
    words = ["train.epochs=3", "optimizer.lr=1e-2", "data.threshold=per_label"]
    yield finished(tmp_path_factory.mktemp("label_sets"), *small, *words)


def test_thresholds_come_from_the_split_that_selects_and_stay_with_the_model(trained: tuple[RunRecord, Path]) -> None:
    record, folder = trained
    val = read_predictions(folder, "val", record)
    assert val is not None and record.thresholds is not None
    fitted, _ = threshold_of_each(sigmoid(matrix(val, "logit")), matrix(val, "label"))
    assert record.thresholds.values == fitted.tolist() and record.thresholds.split == "val"
    kept = json.loads((folder / "model" / "thresholds.json").read_text(encoding="utf-8"))
    assert kept == dict(zip(sorted(WORDS), record.thresholds.values))
    assert record.metrics["test/f1_micro"] == record.metrics["test/f1_micro_tuned"]
    assert {"test/f1_micro_at_half", "test/f1_macro_at_half", "test/f1_macro_tuned"} <= record.metrics.keys()


def test_the_stored_sets_are_answered_again_in_any_order(trained: tuple[RunRecord, Path]) -> None:
    record, folder = trained
    texts, test = [row["text"] for row in rows_of(60, 2)], read_predictions(folder, "test", record)
    assert test is not None
    stored = [
        {name for name, has in zip(sorted(WORDS), row.tolist()) if has} for row in matrix(test, "prediction")
    ]  # fmt: skip
    model = Predictor(model_of_run(record, folder))
    for answers in (model(texts), model(texts[::-1], batch_size=7)[::-1]):
        assert [set(answer["predicted_labels"]) for answer in answers] == stored
    with pytest.raises(ConfigError, match="answers with sets of labels, but a promise is for one label"):
        find_promise(record, folder, WantedPromise(0.05), 1)


def test_the_stock_pipeline_gives_the_same_probabilities(trained: tuple[RunRecord, Path]) -> None:
    record, folder = trained
    config = json.loads((folder / "model" / "config.json").read_text(encoding="utf-8"))
    assert config["problem_type"] == "multi_label_classification"
    stock = transformers.pipeline("text-classification", model=str(folder / "model"), device="cpu", top_k=None)
    texts = [row["text"] for row in rows_of(5, 2)]
    own = [answer["probabilities"] for answer in Predictor(model_of_run(record, folder))(texts)]
    for found, wanted in zip(stock(texts), own):
        assert {one["label"]: one["score"] for one in found} == pytest.approx(wanted, abs=1e-5)


def test_n_grams_learn_a_label_for_each_word(tmp_path: Path) -> None:
    record, _ = finished(tmp_path, "model=ngram", counts=(400, 100, 100))
    assert record.metrics["test/f1_micro"] > 0.99 and record.metrics["test/f1_micro_tuned"] > 0.95


@pytest.mark.slow
def test_an_encoder_learns_a_label_for_each_word(tmp_path: Path) -> None:
    words = ["model=bert-tiny", "model.pretrained=null", "model.tokenizer=train", "model.vocab_size=100"]
    record, _ = finished(tmp_path, *words, "train.epochs=12", "optimizer.lr=2e-3", counts=(1000, 100, 200))
    assert record.metrics["test/f1_micro"] > 0.99
