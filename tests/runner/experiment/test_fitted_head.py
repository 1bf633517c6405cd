"""Runs for few labels, from the command to the record: a fitted head, a tuned encoder, and students of both."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from models.checkpoints.open import load_model
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.run import run
from runner.record.record import RunRecord
from runner.training.few_labels.head import STRENGTHS
from tests.conftest import write_reviews

ENCODER = [
    "model/backbone=bert-tiny", "model.layers=1", "model.hidden=64", "model.heads=2", "model.pretrained=null",
    "model.tokenizer=train", "model.vocab_size=200",
]  # fmt: skip
STUDENT = "compression=[distil_unlabelled]"


def made(folder: Path, *words: str) -> RunRecord:
    every = [
        "data=files", f"data.path={folder / 'reviews.csv'}", "data.text=review", "data.label=stars", "measure=off",
        "tracker=none", "train.threads=1", f"paths.output={folder / 'out'}", f"paths.cache={folder / 'cache'}", *words,
    ]  # fmt: skip
    outcome = run(resolve(compose(every)), every)
    assert outcome.record and outcome.record.status == "done", outcome.record and outcome.record.reason
    return outcome.record


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with labelled reviews and as many without a label, half of which are the labelled ones."""
    folder = tmp_path_factory.mktemp("school")
    write_reviews(folder / "reviews.csv")
    texts = pd.read_csv(folder / "reviews.csv")[["review"]]
    more = texts.assign(review="again, " + texts["review"])
    pd.concat([texts, more]).to_csv(folder / "more.csv", index=False)
    return folder


def test_a_frozen_encoder_has_its_last_layer_fitted_and_nothing_else_changed(school: Path) -> None:
    record = made(school, "model=frozen", *ENCODER)
    assert record.metrics["train/steps"] == 1 and record.metrics["train/settings"] == len(STRENGTHS)
    assert record.metrics["test/accuracy"] > 0.9
    assert any("last layer fitted on vectors of 64 numbers" in note for note in record.notes)
    assert (school / "cache" / "vectors").is_dir() and not (school / "cache" / "activations").exists()
    other = made(school, "model=frozen", *ENCODER, "model.head_c=0.001")
    assert other.identity != record.identity and other.metrics["train/settings"] == 1
    first, second = (load_model(school / "out" / one.identity / "model").state_dict() for one in (record, other))
    changed = {name for name in first if not first[name].equal(second[name])}
    assert changed == {"classifier.weight", "classifier.bias"}
    whole = made(school, "model=frozen", *ENCODER, "data.folds=3", "data.fold=all")
    assert whole.metrics["test/accuracy"] > 0.9


def test_a_tuned_encoder_teaches_ngrams_and_word_vectors_with_texts_of_no_label(school: Path) -> None:
    teacher = made(school, "model=contrastive", *ENCODER, "model.pairs=2", "optimizer.lr=1e-3")
    rows = sum(1 for _ in (school / "reviews.csv").open()) - 1
    assert teacher.metrics["train/steps"] > 1 and teacher.metrics["test/accuracy"] > 0.9
    assert any("with 2 of its class and 2 of others" in note for note in teacher.notes)
    named = f"compression.distil_unlabelled.teacher={teacher.identity}"
    more = f"compression.distil_unlabelled.unlabelled={school / 'more.csv'}"
    ngram = made(school, "model=ngram", STUDENT, named, more)
    assert any("unlabelled texts were left out" in note for note in ngram.notes)
    added = ngram.stages[-1].metrics["distil/rows_added"]
    assert rows < added < 2 * rows and ngram.metrics["distil/retained"] > 0.9
    assert ngram.metrics["test/accuracy"] > 0.9
    alone = made(school, "model=ngram", STUDENT, named)
    assert alone.identity != ngram.identity and "distil/rows_added" not in alone.metrics
    small = made(school, "model=dsn", "model.tokenizer=train", "train.epochs=2", STUDENT, named, more)
    assert small.metrics["distil/rows_added"] == added
