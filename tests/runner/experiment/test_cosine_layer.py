"""Runs of texts that are read apart, from the command to the last layer: trained, untrained, labels that fall."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.checkpoints.open import load_model
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment import recipe_search
from runner.experiment.run import run
from runner.record.record import RunRecord

WORDS = [f"w{chr(97 + one)}" for one in range(16)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs of six words, with the share of common words, ten times the other share, and two classes of it."""
    found, random, rows = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0), []
    for common in random.integers(0, 7, 160).tolist():
        words = random.permutation(WORDS).tolist()
        second = random.permutation(words[:common] + words[6 : 12 - common]).tolist()
        rows.append(
            (" ".join(words[:6]), " ".join(second), common / 6, 10 - common / 0.6, "near" if common > 2 else "far")
        )
    pd.DataFrame(rows, columns=["one", "other", "share", "distance", "kind"]).to_csv(found / "pairs.csv", index=False)
    return found


def made(folder: Path, *words: str) -> RunRecord:
    every = [
        "model=bi-encoder", "model/backbone=bert-tiny", "model.layers=1", "model.hidden=32", "model.heads=2",
        "model.pretrained=null", "model.tokenizer=train", "model.vocab_size=120", "model.dropout=0", "data=files",
        f"data.path={folder / 'pairs.csv'}", "data.text=one", "data.text_pair=other", "measure=off", "tracker=none",
        "train.threads=1", f"paths.output={folder / 'out'}", f"paths.cache={folder / 'cache'}",
        "data.test_fraction=0.3", *words,
    ]  # fmt: skip
    every += [] if any("optimizer.lr" in word for word in words) else ["optimizer.lr=3e-3"]
    outcome = run(resolve(compose(every), words=every), every)
    assert outcome.record and outcome.record.status == "done", outcome.record and outcome.record.reason
    return outcome.record


def last_layer(folder: Path, record: RunRecord) -> tuple[np.ndarray, np.ndarray]:
    layer = load_model(folder / "out" / record.identity / "model").classifier
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


def test_a_distance_is_learnt_as_well_as_a_similarity_and_answered_in_its_own_unit(folder: Path) -> None:
    record = made(folder, "data.label=distance", "train.epochs=2", "data.metrics=[spearman,mse]")
    assert record.metrics["test/spearman"] > 0.9
    assert record.metrics["test/mse"] < 4.0  # of numbers from 0 to 10, whose variance is 11
    weights, _ = last_layer(folder, record)
    assert weights[0, 0] < 0
    student = made(
        folder, "data.label=distance", "train.epochs=1", "compression=[distil]",
        f"compression.distil.teacher={record.identity}",
    )  # fmt: skip
    assert last_layer(folder, student)[0][0, 0] < 0
    assert any(re.match(r"last layer fitted to \d+ training rows: -\d", note) for note in record.notes)


def test_without_a_training_the_last_layer_alone_is_fitted(folder: Path) -> None:
    record = made(folder, "data.label=share", "model.head=fitted", "model.freeze=encoder")
    assert record.metrics["train/steps"] == 1 and record.metrics["cost/params_trained"] == 2
    assert record.metrics["test/spearman"] > 0.5  # words in common have vectors in common, random or not


def test_two_classes_are_told_apart_by_a_fitted_cosine(folder: Path) -> None:
    record = made(folder, "data.label=kind", "train.epochs=2")
    assert record.metrics["test/accuracy"] > 0.8
    assert any("both classes are equally likely at a cosine of 0." in note for note in record.notes)


def test_a_search_among_settings_starts_the_last_layer_as_the_run_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe_search, "LEAST_ROWS", 10)
    words = ["data.label=distance", "data.metrics=[spearman]", "train.epochs=1"]
    rates = ["optimizer.lr=3e-3", "optimizer.lr=1e-5"]
    searched = made(folder, *words, "train.recipe=auto", f"model.recipes={rates}").recipe
    assert searched
    for rate, tried in zip(rates, searched.tried):
        assert tried.whole == made(folder, *words, rate).metrics["val/spearman"]
