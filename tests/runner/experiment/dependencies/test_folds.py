"""The runs of the folds calibrate the model of all rows by what they answered to rows that they held out."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from data.calibration import OUT_OF_FOLD
from data.splits import DataTask, Splits, TokenSplit
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.deploy.parity import rows_to_compare
from runner.deploy.promise import WantedPromise, calibration_split, find_promise
from runner.errors import ConfigError
from runner.experiment.dependencies import folds as module
from runner.experiment.dependencies.folds import answer_by_folds, fold_overrides, fold_settings
from runner.experiment.dependencies.inner_run import InnerRunUnfinished
from runner.experiment.outcome import Outcome
from runner.experiment.run import run
from runner.record.compared import models_compared
from runner.record.folder import read_record
from runner.record.predictions import calibrated_probabilities, read_logits, read_source_rows
from runner.record.record import RunRecord
from runner.statistics.rejection import DELTA, FOLDS_MARGIN, Threshold, find_threshold
from runner.statistics.temperature import fit_temperature
from tests.data.helpers import split_of
from tests.records import a_record, record_json

FOLDS = ["model=ngram", "data=files", "data.folds=3", "data.fold=all", "data.calibration=folds"]
WORDS = ("a", "film", "of", "some", "length", "with", "plots", "and", "songs", "that", "many", "actors", "liked")


def write_reviews(path: Path, label_of: Any, rows: int = 300) -> Path:
    """Write reviews whose words tell most labels."""
    draw = random.Random(0)
    lines = ["text,label"]
    for row in range(rows):
        tone = ("dull", "warm")[draw.random() < 0.5]
        lines.append(f"{' '.join(draw.choices(WORDS, k=5))} {tone} {row * 7919},{label_of(tone, draw)}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def made(folder: Path, *words: str) -> RunRecord:
    every = [
        *words, "measure=off", "tracker=none", "train.threads=1", f"paths.output={folder / 'out'}",
        f"paths.cache={folder / 'cache'}",
    ]  # fmt: skip
    record = run(resolve(compose(every)), every).record
    assert record and record.status == "done", record and record.reason
    return record


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folds")
    path = write_reviews(
        folder / "reviews.csv", lambda tone, draw: "good" if (tone == "warm") != (draw.random() < 0.1) else "bad"
    )
    own = made(folder, *FOLDS[:3], "data.fold=1", f"data.path={path}")
    whole = made(folder, *FOLDS, f"data.path={path}")
    (folder / "ids").write_text(f"{own.identity} {whole.identity}")
    return folder


def records(folder: Path) -> tuple[RunRecord, RunRecord]:
    """The run on one fold that was there before, and the run of all rows."""
    found = [read_record(folder / "out" / name) for name in (folder / "ids").read_text().split()]
    assert found[0] and found[1]
    return found[0], found[1]


def test_the_answers_to_held_out_rows_calibrate_the_model_of_all_rows(reviews: Path) -> None:
    own, whole = records(reviews)
    output, facts = reviews / "out", whole.calibration
    assert facts is not None and len(facts.folds) == 3 and facts.folds[1] == own.identity, "found, not made again"
    assert facts.split == whole.data.calibration == OUT_OF_FOLD and facts.rows == whole.data.rows["train"] == 270
    stored = read_logits(output / whole.identity, OUT_OF_FOLD, whole)
    numbers = read_source_rows(output / whole.identity, OUT_OF_FOLD)
    assert stored is not None and numbers is not None
    places = {number: place for place, number in enumerate(numbers.tolist())}
    assert len(places) == 270
    for name in facts.folds:
        fold = read_record(output / name)
        assert fold is not None
        held = read_logits(output / name, "val", fold)
        rows = read_source_rows(output / name, "val")
        assert held is not None and rows is not None
        at = [places.pop(number) for number in rows.tolist()]
        assert np.array_equal(stored[0][at], held[0]) and np.array_equal(stored[1][at], held[1])
    assert not places, "each row is held out once"
    assert facts.temperature == pytest.approx(fit_temperature(*stored).value, rel=1e-6)
    accuracy = float(np.mean(stored[0].argmax(1) == stored[1]))
    assert whole.metrics[f"{OUT_OF_FOLD}/accuracy"] == pytest.approx(accuracy)


def test_the_model_is_the_same_whether_the_runs_of_folds_are_made_or_found(tmp_path: Path) -> None:
    path = write_reviews(tmp_path / "reviews.csv", lambda tone, draw: tone, 150)
    words = ["model=dsn", "model.tokenizer=train", "model.token_dropout=0.3", *FOLDS[1:], "train.epochs=1"]
    words.append("baseline.ngram=off")
    first = made(tmp_path, *words, f"data.path={path}")
    weights = tmp_path / "out" / first.identity / "model" / "model.safetensors"
    before = weights.read_bytes()
    again = made(tmp_path, *words, f"data.path={path}", "force=true")
    assert first.calibration and again.calibration and first.calibration.folds == again.calibration.folds
    assert first.identity == again.identity and weights.read_bytes() == before


def test_a_promise_is_made_on_these_answers(reviews: Path) -> None:
    own, whole = records(reviews)
    output = reviews / "out"
    assert calibration_split(whole, "reject=0.2") == OUT_OF_FOLD and models_compared(output, whole) == 1
    promise = find_promise(whole, output / whole.identity, WantedPromise(0.2), 1)
    assert (promise["rows"], promise["split"], promise["delta"]) == (270, OUT_OF_FOLD, DELTA)
    logits, labels = read_logits(output / whole.identity, OUT_OF_FOLD, whole) or (np.zeros(0), np.zeros(0))
    shares = calibrated_probabilities(whole, logits)
    how: Any = {"models": 1, "usual": 270}
    safe = find_threshold(shares.max(1), shares.argmax(1) != labels, 0.2, delta=DELTA / FOLDS_MARGIN, **how)
    assert isinstance(safe, Threshold) and promise["threshold"] == safe.threshold
    assert promise["rows_sha256"] != own.data.examples("train")
    without: Any = whole.to_json() | {"calibration": None}
    without["data"] |= {"calibration": None}
    with pytest.raises(ConfigError, match=r"data.fold=all trains on the rows of val too"):
        calibration_split(RunRecord.from_json(without), "reject=0.2")


def test_an_export_in_8_bits_has_no_rows_to_calibrate_on_again(reviews: Path) -> None:
    _, whole = records(reviews)
    predictor: Any = type("Model", (), {"exported": type("Place", (), {"folder": "words:1-2", "reads_sounds": False})})
    assert rows_to_compare(whole, predictor).calibration is None


def test_thresholds_of_label_sets_are_chosen_by_these_answers(tmp_path: Path) -> None:
    path = write_reviews(tmp_path / "sets.csv", lambda tone, draw: f"{tone}/long" if draw.random() < 0.3 else tone, 150)
    sets = ("data.task=multilabel", "data.label_separator=/", "data.threshold=per_label", f"data.path={path}")
    whole = made(tmp_path, *FOLDS, *sets)
    assert whole.thresholds is not None and whole.thresholds.split == OUT_OF_FOLD
    assert whole.thresholds.rows == whole.data.rows["train"] and len(whole.thresholds.values) == 3


def test_the_runs_of_folds_are_trained_as_the_run_of_all_rows() -> None:
    words = ["model=dsn", *FOLDS[1:], "data.path=a.csv", "force=true"]
    settings = resolve(compose(words))
    fold = fold_settings(settings, 2)
    assert (fold.data.fold, fold.data.calibration, fold.force) == ("2", None, False)
    assert not fold.train.keep_best, "no epoch is chosen by the rows that are held out"
    shown = fold_overrides(settings, words, 2)
    assert shown == ["model=dsn", "data=files", "data.folds=3", "data.path=a.csv", "data.fold=2",
                     "train.keep_best=false", "baseline.ngram=off"]  # fmt: skip
    assert resolve(compose(shown)) == fold


def test_rows_that_no_fold_holds_out_do_not_calibrate_and_other_rows_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = replace(split_of([[1], [2], [3], [4]], [0, 1, 1, 0]), source_rows=np.array([9, 4, 6, 5]))
    record = a_record(data=record_json()["data"] | {"labels": ["no", "yes"], "selection": "val/accuracy"})
    prepared = prepared_of(train, tmp_path)

    def answer(numbers: list[int], labels: list[int]) -> None:
        found = np.array(numbers), np.arange(2.0 * len(numbers)).reshape(-1, 2), np.array(labels)
        monkeypatch.setattr(module, "held_out_logits", lambda folders: found)
        answer_by_folds(prepared, [], lambda _: None, lambda *_: Outcome(0, record))

    answer([4, 6, 9], [1, 1, 0])  # row 5 is a phrase of another one, which data.group keeps in train
    apart, held_out = prepared.splits.apart, prepared.held_out
    assert apart is not None and held_out is not None
    assert (apart.name, apart.source_rows.tolist(), apart.labels.values.tolist()) == (
        "out_of_fold",
        [9, 4, 6],
        [0, 1, 1],
    )
    assert held_out.logits.tolist() == [[4, 5], [0, 1], [2, 3]] and held_out.runs == (record.identity,) * 2
    with pytest.raises(ConfigError, match="held out different rows"):
        answer([4, 6, 7], [1, 1, 0])
    with pytest.raises(ConfigError, match="held out different rows"):
        answer([4, 6, 9], [1, 0, 0])
    record.data.labels.reverse()
    with pytest.raises(ConfigError, match="have different classes"):
        answer([4, 6, 9], [1, 1, 0])


def prepared_of(train: TokenSplit, folder: Path) -> Any:
    """As much of a prepared run as the pooling of answers needs."""
    task = DataTask("class_label", ("no", "yes"), False)
    splits = Splits(task, train, train, (train,), cast(Any, None), "f", {"train": "t"}, folds=2)
    settings = resolve(compose([*FOLDS, "data.path=a.csv"]))
    return SimpleNamespace(settings=settings, splits=splits, folder=folder / "run", held_out=None)


def test_a_run_of_a_fold_that_does_not_finish_ends_the_run() -> None:
    settings = resolve(compose([*FOLDS, "data.path=a.csv"]))
    prepared: Any = type("Prepared", (), {"settings": settings, "splits": type("Splits", (), {"folds": 3})})
    with pytest.raises(InnerRunUnfinished):
        answer_by_folds(prepared, [], lambda _: None, lambda *_: Outcome(130))
    settings.data.calibration = None
    answer_by_folds(prepared, [], lambda _: None, lambda *_: pytest.fail("nothing is asked for"))
