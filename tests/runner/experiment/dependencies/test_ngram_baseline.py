"""Which runs get an n-gram baseline, and what follows when it cannot be made. The baseline itself: end_to_end/."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.dependencies.inner_run import InnerRunUnfinished
from runner.experiment.dependencies.ngram_baseline import find_ngram_baseline, is_wanted
from runner.experiment.outcome import Outcome
from runner.record.record import RunRecord
from runner.schema import Settings
from tests.records import record_json

COMMAND = ["model=dsn", "data=demo", "train.epochs=2", "tracker=none"]


def settings(tmp_path: Path, *words: str) -> Settings:
    return resolve(compose([*COMMAND, f"paths.output={tmp_path}", *words]))


def ngram_record(status: str = "done") -> RunRecord:
    costs = {"cost/bytes_deployed": 200_000.0, "speed/answer_us_p50": 15.0, "test/accuracy": 0.8}
    return RunRecord.from_json(record_json(status=status, metrics=costs))


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], True),
        (["baseline.ngram=off"], False),
        (["measure=off"], False),
        (["model=bert-tiny", "task=tags"], False),  # an answer for each word
        (["model=bert-tiny", "task=mlm"], False),
        (["model=ngram"], False),
    ],
)
def test_runs_with_one_answer_a_text_get_a_baseline(tmp_path: Path, words: list[str], wanted: bool) -> None:
    assert is_wanted(settings(tmp_path, *words)) is wanted


def test_the_run_is_that_of_the_ngram_preset_on_the_same_data(tmp_path: Path) -> None:
    asked: list[tuple[Settings, list[str]]] = []

    def make_run(inner: Settings, words: list[str]) -> Outcome:
        asked.append((inner, words))
        return Outcome(0, ngram_record())

    said: list[str] = []
    of_pieces = ["optimizer.lr=0.1", "data.added_tokens=[x]"]
    own = settings(tmp_path, "data.demo_rows=300", *of_pieces, "seed=7", "device=cpu")
    found = find_ngram_baseline(own, [*COMMAND, "data.demo_rows=300", *of_pieces], said.append, make_run)
    assert found == {"baseline/ngram": 0.8, "baseline/ngram_bytes": 200_000.0, "baseline/ngram_us": 15.0}
    ((inner, words),) = asked
    assert words == ["model=ngram", "data=demo", "tracker=none", "data.demo_rows=300"]
    plain = resolve(compose([*words, f"paths.output={tmp_path}"]))
    assert (inner.model, inner.train, inner.optimizer, inner.seed) == (plain.model, plain.train, plain.optimizer, 0)
    assert inner.device == "cpu", "the baseline asks for no device that its run was told to leave alone"
    assert inner.data == plain.data and "0.8000 at 0.20 MB, 15 us" in said[-1]


def test_the_baseline_of_a_run_that_folds_calibrate_needs_no_folds(tmp_path: Path) -> None:
    asked: list[tuple[Settings, list[str]]] = []

    def make_run(inner: Settings, words: list[str]) -> Outcome:
        asked.append((inner, words))
        return Outcome(0, ngram_record())

    folds = ["data.folds=3", "data.fold=all"]
    find_ngram_baseline(
        settings(tmp_path, *folds, "data.calibration=folds"), [*COMMAND, *folds, "data.calibration=folds"],
        lambda _: None, make_run,
    )  # fmt: skip
    ((inner, words),) = asked
    assert (inner.data.fold, inner.data.calibration) == ("all", None) and words[-2:] == folds


def test_texts_whose_order_means_nothing_are_read_so(tmp_path: Path) -> None:
    asked: list[Settings] = []

    def make_run(inner: Settings, words: list[str]) -> Outcome:
        asked.append(inner)
        return Outcome(0, ngram_record())

    own = settings(tmp_path, "data=mrpc")
    find_ngram_baseline(own, ["model=dsn", "data=mrpc"], lambda _: None, make_run)
    assert asked[0].data.symmetric and not own.data.symmetric, "other models read the texts one after the other"


@pytest.mark.parametrize("status", ["failed", "refused"])
def test_data_that_ngrams_cannot_learn_from_do_not_end_the_run(tmp_path: Path, status: str) -> None:
    def make_run(inner: Settings, words: list[str]) -> Outcome:
        if status == "refused":
            raise DataError("no n-gram occurs twice")
        return Outcome(1, RunRecord.from_json(record_json(status=status, reason="no n-gram occurs twice")))

    said: list[str] = []
    assert find_ngram_baseline(settings(tmp_path), COMMAND, said.append, make_run) == {}
    assert said[-1].startswith("no n-gram baseline") and "no n-gram occurs twice" in said[-1]


def test_ctrl_c_during_the_baseline_ends_the_command(tmp_path: Path) -> None:
    outcome = Outcome(130, ngram_record("killed"))
    with pytest.raises(InnerRunUnfinished):
        find_ngram_baseline(settings(tmp_path), COMMAND, lambda _: None, lambda inner, words: outcome)
