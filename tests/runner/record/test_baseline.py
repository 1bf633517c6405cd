"""A run is at baseline, or not, from its recorded metrics alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.experiment.progress import Terminal
from runner.record.baseline import describe_ngram, is_at_baseline, marked, no_better_than_ngrams
from runner.record.model_card import model_card
from runner.record.record import RunRecord
from runner.record.table import show_record, summary_rows
from runner.sweep.plan import Job
from runner.sweep.table import score_text
from runner.tune import report
from tests.records import record_json

ACCURACY = "test/accuracy"


def run(score: float, half: float | None = 0.03, base: float | None = 0.5, name: str = ACCURACY) -> dict[str, float]:
    ends = {} if half is None else {f"{name}_low": score - half, f"{name}_high": score + half}
    return {name: score, **ends} | ({} if base is None else {"baseline/majority": base})


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([run(0.54)], False),
        ([run(0.52)], True),  # better, but within the chance of the examples
        ([run(0.53)], True),  # the end of the interval touches the baseline
        ([run(0.40)], True),
        ([run(0.54), run(0.55), run(0.545)], False),
        ([run(0.52), run(0.521), run(0.522)], True),  # the seeds agree; the examples are the same few
        ([run(0.90), run(0.90), run(0.51)], True),  # one has not learned, and three seeds do not say how often
        ([run(0.90)] * 9 + [run(0.51)], False),
        ([run(0.90), run(0.80)], False),  # each by itself is clearly better; Student's t of two is 1.3 wide
        ([run(0.51, None)], False),  # no interval is recorded: the score alone
        ([run(0.50, None)], True),
        ([run(0.51, None), run(0.60, None), run(0.70, None)], True),  # over the seeds: 0.37 to 0.84
        ([run(float("nan"), None)], True),
    ],
)
def test_a_group_is_at_baseline_unless_its_interval_lies_above(runs: list[dict[str, float]], expected: bool) -> None:
    assert is_at_baseline(runs, ACCURACY) is expected


def test_what_is_better_lower_is_judged_by_the_upper_end() -> None:
    name = "val/perplexity"
    assert is_at_baseline([run(500.0, 20.0, 812.0, name)], name) is False
    assert is_at_baseline([run(800.0, 20.0, 812.0, name)], name) is True
    assert is_at_baseline([run(900.0, 20.0, 812.0, name)], name) is True
    assert is_at_baseline([run(0.9, 0.05, 1.0, "test/mse")], "test/mse") is False


def test_a_correlation_is_judged_against_that_of_a_constant() -> None:
    assert is_at_baseline([run(0.10, 0.05, 0.0, "val/pearson")], "val/pearson") is False
    assert is_at_baseline([run(0.02, 0.05, 0.0, "val/pearson")], "val/pearson") is True


def test_the_same_answer_to_every_row_is_at_baseline_whatever_the_score() -> None:
    constant = run(0.90, 0.01, 0.5) | {"test/constant_predictions": 1.0}
    assert is_at_baseline([constant], ACCURACY) is True
    assert is_at_baseline([constant, *[run(0.9)] * 9], ACCURACY) is False, "one seed of ten"


def test_without_a_recorded_baseline_or_score_nothing_is_judged() -> None:
    assert is_at_baseline([run(0.5, base=None)], ACCURACY) is None
    assert is_at_baseline([{"baseline/majority": 0.5}], ACCURACY) is None
    assert is_at_baseline([], ACCURACY) is None


def test_the_mark_is_put_behind_a_text() -> None:
    assert marked("0.5200", run(0.52), ACCURACY) == "0.5200 (at baseline)"
    assert marked("0.9000", run(0.9), ACCURACY) == "0.9000" and marked("0.5", {}, ACCURACY) == "0.5"


def finished(score: float, **more: Any) -> RunRecord:
    """The record of a finished run with that accuracy, +- 3 points, where the majority class has 0.5."""
    metrics = run(score) | {"cost/params_nonzero": 10.0, "cost/bytes_file": 10.0}
    stages = [{"name": "train", "metrics": run(0.9)}, {"name": "int8", "metrics": metrics, "seconds": 1.0}]
    record = record_json(metrics=metrics, stages=stages, **more)
    record["config"]["compression"] = {"int8": {}}
    return RunRecord.from_json(record)


def test_show_marks_the_score_and_the_stage_that_lost_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    show_record(finished(0.51), tmp_path)
    shown = capsys.readouterr().out
    assert "0.5100  [0.4800, 0.5400] (at baseline)" in shown and "int8 (at baseline)" in shown
    assert "train (at baseline)" not in shown and "at baseline: not better, by more than chance" in shown
    show_record(finished(0.9), tmp_path)
    assert "at baseline" not in capsys.readouterr().out


def test_baselines_of_another_score_than_accuracy_name_it() -> None:
    scores = {"test/accuracy": 0.9, "test/f1_macro": 0.6, "baseline/majority": 0.3, "baseline/ngram": 0.5}
    record = record_json(metrics=scores)
    record["data"]["primary"] = "test/f1_macro"
    shown = dict(summary_rows(RunRecord.from_json(record)))
    assert shown["majority-class baseline, f1_macro"] == "0.3000" and shown["n-gram baseline, f1_macro"] == "0.5000"
    assert "majority-class baseline" in dict(summary_rows(finished(0.9)))


def test_the_line_of_a_job_the_line_of_a_stage_and_the_card_mark_it(capsys: pytest.CaptureFixture[str]) -> None:
    job = Job(0, [], "model=dsn", record=finished(0.51))
    assert score_text(job) == "test/accuracy 0.5100 (at baseline)  "
    Terminal().stage(finished(0.51))
    assert "test/accuracy 0.5100 (at baseline), " in capsys.readouterr().out
    lost, learned = (model_card(finished(score), "AutoModelForSequenceClassification") for score in (0.51, 0.9))
    assert "\nAt baseline: not better" in lost and "At baseline" not in learned


def test_the_tuner_marks_a_best_trial_that_has_learned_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    optuna = pytest.importorskip("optuna")
    study = optuna.create_study(direction="maximize")
    study.add_trial(optuna.trial.create_trial(value=0.5, user_attrs={"run": "0123456789", "at baseline": True}))
    assert report.show_study(study, ["select"], [], "memory", Path("outputs"))
    shown = capsys.readouterr().out
    assert "0123456789 (at baseline)" in shown and "at baseline on the reported split: not better" in shown


NGRAM = {"baseline/ngram": 0.8, "baseline/ngram_bytes": 200_000.0, "baseline/ngram_us": 15.0}
LARGE = {"cost/bytes_deployed": 900_000.0, "speed/answer_us_p50": 600.0}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (run(0.82) | LARGE, "larger, slower and not better"),
        (run(0.84) | LARGE, ""),  # better by more than chance
        (run(0.82) | LARGE | {"speed/answer_us_p50": 9.0}, "larger and not better"),
        (run(0.82) | {"cost/bytes_deployed": 900.0, "speed/answer_us_p50": 9.0}, ""),  # smaller and faster
        (run(0.82), ""),  # its costs were not measured
    ],
)
def test_what_the_ngram_model_makes_superfluous_is_said(own: dict[str, float], expected: str) -> None:
    said = no_better_than_ngrams([own | NGRAM], ACCURACY)
    assert said == (f"{expected} than the n-gram baseline (0.8000 at 0.20 MB, 15 us)" if expected else "")


def test_a_run_without_an_ngram_baseline_is_not_judged_by_it() -> None:
    assert no_better_than_ngrams([run(0.1) | LARGE], ACCURACY) == ""
    assert describe_ngram({"baseline/ngram": 0.8}) == "0.8000"  # nothing was timed
