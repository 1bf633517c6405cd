"""Paired tests between groups: what is tested, what is refused, and what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar

from runner.compare.analyse import analyse
from runner.compare.pairs import Paired, Refused, score_interval
from runner.compare.pairs import refusal as why_not
from runner.compare.rows import Comparison, Row
from runner.compare.select import Run, select_runs
from runner.errors import ConfigError
from runner.record.record import RunRecord
from runner.statistics.paired import Interval
from tests.records import record_json
from tests.runner.compare.folders import answers_with, write_group, write_run


def compared(output: Path, baseline: str = "model=dsn", **more: Any) -> Comparison:
    return analyse(select_runs(output, []), baseline=baseline, **more)


def row_of(comparison: Comparison, name: str) -> Row:
    (row,) = [row for row in comparison.rows if name in row.group.name]
    return row


def test_one_seed_a_side_is_mcnemar_on_the_same_examples(tmp_path: Path) -> None:
    labels, first = answers_with(180, 200, 1)
    _, second = answers_with(150, 200, 2)
    write_run(tmp_path, "model=bert-tiny", labels=labels, answers=first)
    write_run(tmp_path, "model=dsn", labels=labels, answers=second)
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, Paired) and found.test == "McNemar" and found.examples == 200
    table = [[0, np.sum((first == labels) & (second != labels))], [np.sum((first != labels) & (second == labels)), 0]]
    assert found.p == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert found.difference == pytest.approx(0.15) and found.low < 0.15 < found.high
    assert found.in_words() == "better by 0.1500, one seed"


def test_several_seeds_are_paired_seed_by_seed_and_must_stand_against_both_chances(tmp_path: Path) -> None:
    write_group(tmp_path, "model=bert-tiny", right=[184, 176, 190])
    write_group(tmp_path, "model=dsn", right=[140, 139, 141])
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, Paired) and found.seeds == [0, 1, 2]
    expected = scipy_stats.ttest_rel([0.92, 0.88, 0.95], [0.7, 0.695, 0.705])
    assert found.p_seeds == pytest.approx(expected.pvalue)
    assert found.p == max(found.p_examples, expected.pvalue) and found.is_significant
    assert found.low <= expected.confidence_interval().low and found.high >= expected.confidence_interval().high


def test_models_that_no_seed_changes_are_not_said_to_be_of_one_seed(tmp_path: Path) -> None:
    for name, right in (("bert-tiny", 180), ("dsn", 140)):
        labels, answers = answers_with(right, 200, right)
        for seed in range(3):
            write_run(tmp_path, f"model={name}", seed=seed, labels=labels, answers=answers)
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, Paired) and found.seeds == [0, 1, 2] and found.p_seeds is None
    assert found.in_words() == "better by 0.2000, the same with every seed"


def test_a_difference_that_the_seeds_scatter_away_is_not_significant(tmp_path: Path) -> None:
    write_group(tmp_path, "model=bert-tiny", right=[198, 110, 190])
    write_group(tmp_path, "model=dsn", right=[120, 121, 119])
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, Paired) and found.p_examples < 0.001
    assert found.in_words() == "not significant: the seeds vary by as much"


def test_identical_answers_are_said_to_be_so(tmp_path: Path) -> None:
    write_group(tmp_path, "model=bert-tiny", right=[150, 160])
    write_group(tmp_path, "model=dsn", right=[150, 160])
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, Paired) and found.p == 1.0
    assert found.in_words() == "not significant: identical predictions"


def test_as_many_errors_elsewhere_are_a_tie_but_not_the_same_answers(tmp_path: Path) -> None:
    labels = np.arange(100) % 2
    for model, wrong in (("dsn", slice(0, 10)), ("bert-tiny", slice(50, 60))):
        answers = labels.copy()
        answers[wrong] = 1 - answers[wrong]
        write_run(tmp_path, f"model={model}", labels=labels, answers=answers)
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, Paired) and found.p == 1.0 and found.low < 0 < found.high
    assert found.in_words() == "not significant: within the sampling error of the examples"


def test_only_common_seeds_are_paired(tmp_path: Path) -> None:
    write_group(tmp_path, "model=bert-tiny", right=[184, 176, 190])
    write_group(tmp_path, "model=dsn", right=[140, 139])
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, Paired) and found.seeds == [0, 1] and found.difference == pytest.approx(0.2025)


def test_holm_corrects_over_the_whole_table(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150])
    for number, right in enumerate((155, 156, 157, 158)):
        write_group(tmp_path, "model=bert-tiny", f"optimizer.lr={number + 1}e-3", right=[right])
    comparison = compared(tmp_path)
    tested = [row.paired for row in comparison.rows if isinstance(row.paired, Paired)]
    assert comparison.tests == len(tested) == 4
    assert all(found.p_holm is not None and found.p_holm >= found.p for found in tested)
    lost = [found.in_words() for found in tested if found.p < 0.05 <= (found.p_holm or 0)]
    assert lost and set(lost) == {"not significant after correcting for 4 comparisons"}
    best = min(tested, key=lambda found: found.p)
    assert best.p_holm == pytest.approx(min(1.0, 4 * best.p))


@pytest.mark.parametrize("metric", ["test/f1", "test/f1_macro", "test/mcc"])
def test_other_scores_of_classes_take_the_paired_bootstrap(metric: str, tmp_path: Path) -> None:
    labels, first = answers_with(180, 200, 1)
    _, second = answers_with(120, 200, 2)
    write_run(tmp_path, "model=bert-tiny", labels=labels, answers=first, metrics={metric: 0.9})
    write_run(tmp_path, "model=dsn", labels=labels, answers=second, metrics={metric: 0.6})
    found = row_of(compared(tmp_path, metric=metric), "bert-tiny").paired
    assert isinstance(found, Paired) and found.test == "paired bootstrap"
    assert found.p < 0.01 and 0 < found.low < found.high


def of_class(positive: str | None, rows: int = 300) -> dict[str, Any]:
    """The data of a record whose F1 is of that class; None: one from before a class was chosen."""
    found = {"name": "demo", "fingerprint": "d" * 64, "rows": {"train": 9, "val": 9, "test": rows},
             "task": "classification", "primary": "test/f1", "labels": ["fraud", "ok"]}  # fmt: skip
    return found | ({"positive": positive} if positive else {})


@pytest.mark.parametrize(("positive", "label"), [(None, 1), ("ok", 1), ("fraud", 0)])
def test_f1_is_compared_of_the_class_that_the_records_name(positive: str | None, label: int, tmp_path: Path) -> None:
    from sklearn.metrics import f1_score

    random = np.random.default_rng(0)
    labels = (random.random(300) < 0.9).astype(int)
    for model, right in (("dsn", 0.95), ("bert-tiny", 0.7)):
        answers = np.where(random.random(300) < right, labels, 1 - labels)
        score = f1_score(labels, answers, pos_label=label)
        write_run(
            tmp_path, f"model={model}", labels=labels, answers=answers, metrics={"test/f1": score},
            data=of_class(positive),
        )  # fmt: skip
    comparison = compared(tmp_path)
    found = row_of(comparison, "bert-tiny").paired
    assert isinstance(found, Paired) and found.low < found.difference < found.high
    for row in comparison.rows:
        assert row.interval and row.interval.low < float(row.mean or 0) < row.interval.high


def test_f1_of_different_classes_is_not_compared(tmp_path: Path) -> None:
    labels, answers = answers_with(180, 200)
    for model, positive in (("dsn", "fraud"), ("bert-tiny", "ok")):
        write_run(tmp_path, f"model={model}", labels=labels, answers=answers, metrics={"test/f1": 0.9, "test/mcc": 0.8},
                  data=of_class(positive, 200))  # fmt: skip
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, Refused) and "f1 is for different classes" in found.reason
    assert isinstance(row_of(compared(tmp_path, metric="test/mcc"), "bert-tiny").paired, Paired)


def test_runs_of_one_config_scored_on_different_classes_are_not_pooled(tmp_path: Path) -> None:
    labels, answers = answers_with(180, 200)
    for seed, positive in ((0, "fraud"), (1, None), (2, "ok")):
        write_run(tmp_path, "model=dsn", seed=seed, labels=labels, answers=answers, metrics={"test/f1": 0.9},
                  data=of_class(positive, 200))  # fmt: skip
    groups = sorted(len(row.group.runs) for row in analyse(select_runs(tmp_path, [])).rows)
    assert groups == [1, 2], "a record that does not say is of class 1"


def test_a_split_with_one_class_alone_is_compared(tmp_path: Path) -> None:
    for model in ("dsn", "bert-tiny"):
        write_run(tmp_path, f"model={model}", labels=[0] * 50, answers=[0] * 50, metrics={"test/f1": 0.0},
                  data=of_class(None, 50))  # fmt: skip
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, Paired) and found.same_answers


@pytest.mark.parametrize(("metric", "word"), [("test/mse", "worse"), ("test/pearson", "worse")])
def test_regression_scores_are_tested_in_their_own_direction(metric: str, word: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(size=120)
    data = {"name": "demo", "fingerprint": "d" * 64, "rows": {"train": 9, "test": 120}, "task": "regression",
            "primary": metric}  # fmt: skip
    values = {"test/mse": (0.04, 4.0), "test/pearson": (0.98, 0.5)}[metric]
    for model, noise, value in (("dsn", 0.2, values[0]), ("bert-tiny", 2.0, values[1])):
        answers = labels + noise * rng.normal(size=120)
        write_run(tmp_path, f"model={model}", labels=labels, answers=answers, metrics={metric: value}, data=data)
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, Paired) and found.in_words().startswith(word) and found.p < 0.01


def refusal(output: Path, name: str = "bert-tiny", **more: Any) -> str:
    found = row_of(compared(output, **more), name).paired
    assert isinstance(found, Refused)
    return found.in_words()


def test_sets_of_labels_at_thresholds_that_were_chosen_otherwise_are_refused_unless_told() -> None:
    def run(threshold: str | None) -> Run:
        content = record_json(metrics={"test/f1_micro": 0.5, "test/map_labels": 0.5})
        content["data"]["task"] = "multilabel"
        content["config"]["data"] |= {} if threshold is None else {"threshold": threshold}
        return Run(RunRecord.from_json(content), Path())

    pairs = [(run("per_label"), run(None))]
    why = why_not(pairs, "test/f1_micro")
    assert why is not None and "different data.threshold (0.5, per_label)" in why and "--any-threshold" in why
    assert why_not(pairs, "test/map_labels") is None, "it needs no threshold"
    assert why_not(pairs, "test/f1_micro", any_threshold=True) is None
    assert why_not([(run("0.5"), run(None))], "test/f1_micro") is None


def test_runs_of_different_tasks_are_said_to_be_so() -> None:
    def run(task: str) -> Run:
        content = record_json(metrics={"test/accuracy": 0.5})
        content["data"]["task"] = task
        return Run(RunRecord.from_json(content), Path())

    why = why_not([(run("regression"), run("classification"))], "test/accuracy")
    assert why == "the runs have different tasks (classification, regression)"


def test_other_data_is_refused_with_the_reason(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150])
    write_group(tmp_path, "model=bert-tiny", right=[180], fingerprint="e" * 64)
    assert "not compared: the baseline was scored on different examples" in refusal(tmp_path)


def test_more_training_rows_do_not_make_other_test_examples(tmp_path: Path) -> None:
    for number, (model, right) in enumerate((("dsn", 150), ("bert-tiny", 190))):
        fingerprint = f"{number}" * 64
        record = write_group(tmp_path, f"model={model}", right=[right], fingerprint=fingerprint)[0]
        content = record | {"data": record["data"] | {"fingerprints": {"train": fingerprint, "test": "f" * 64}}}
        (tmp_path / record["identity"] / "record.json").write_text(json.dumps(content))
    assert isinstance(row_of(compared(tmp_path), "bert-tiny").paired, Paired)


def test_no_common_seed_is_refused_with_the_reason(tmp_path: Path) -> None:
    labels, answers = answers_with(150, 200)
    write_run(tmp_path, "model=dsn", seed=0, labels=labels, answers=answers)
    write_run(tmp_path, "model=bert-tiny", seed=1, labels=labels, answers=answers)
    assert "no seed in common (1 against 0)" in refusal(tmp_path)


def test_a_score_that_is_not_a_number_is_refused_and_not_better_by_nan(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[100, 110, 105])
    write_group(tmp_path, "model=bert-tiny", right=[180, 181])
    labels, answers = answers_with(180, 200, 2)
    nan = {"test/accuracy": float("nan")}
    found = write_run(tmp_path, "model=bert-tiny", seed=2, labels=labels, answers=answers, metrics=nan)
    assert f"not compared: run {found['identity']} (seed 2) has test/accuracy nan" in refusal(tmp_path)


def test_missing_predictions_and_other_labels_are_refused_with_the_reason(tmp_path: Path) -> None:
    labels, answers = answers_with(150, 200)
    write_run(tmp_path, "model=dsn", labels=labels, answers=answers)
    other = write_run(tmp_path, "model=bert-tiny", labels=1 - labels, answers=answers)
    assert "the labels of test differ" in refusal(tmp_path)
    path = tmp_path / other["identity"] / "predictions-test.parquet"
    path.rename(path.with_suffix(".lost"))
    assert f"run {other['identity']} (seed 0) has no readable predictions-test.parquet" in refusal(tmp_path)


def test_a_cost_is_no_score_of_examples(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150])
    write_group(tmp_path, "model=bert-tiny", right=[180])
    assert "not a score of single examples" in refusal(tmp_path, metric="cost/params")


def test_each_group_is_held_against_the_baseline_of_its_own_settings(tmp_path: Path) -> None:
    for rate, base in (("1e-3", 140), ("1e-2", 160)):
        write_group(tmp_path, "model=dsn", f"optimizer.lr={rate}", right=[base])
        write_group(tmp_path, "model=bert-tiny", f"optimizer.lr={rate}", right=[180])
    comparison = compared(tmp_path)
    found = {row.group.name: row.paired for row in comparison.rows if isinstance(row.paired, Paired)}
    assert found["model=bert-tiny optimizer.lr=0.001"].difference == pytest.approx(0.2)
    assert found["model=bert-tiny optimizer.lr=0.01"].difference == pytest.approx(0.1)


def test_a_baseline_that_is_not_there_or_not_unique_is_said(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", "optimizer.lr=1e-3", right=[150])
    write_group(tmp_path, "model=dsn", "optimizer.lr=1e-2", right=[151])
    write_group(tmp_path, "model=bert-tiny", "optimizer.lr=1e-4", right=[180])
    with pytest.raises(ConfigError, match=r"no group matches. Groups: "):
        compared(tmp_path, "model=dsn,optimizer.lr=7")
    with pytest.raises(ConfigError, match=r'name a group by key=value. Try: --baseline "model=bert-tiny '):
        compared(tmp_path, "dsn")
    with pytest.raises(ConfigError, match=r"a group has all seeds and folds. Leave out seed=0"):
        compared(tmp_path, "model=dsn, seed=0")
    assert "2 baselines match equally well" in refusal(tmp_path)
    assert isinstance(row_of(compared(tmp_path, "model=dsn,optimizer.lr=1e-3"), "bert-tiny").paired, Paired)


def test_a_single_seed_gets_the_interval_over_its_examples_and_says_so(tmp_path: Path) -> None:
    labels, answers = answers_with(150, 200)
    write_run(
        tmp_path, "model=dsn", labels=labels, answers=answers,
        metrics={"test/accuracy_low": 0.686, "test/accuracy_high": 0.805, "test/f1": 0.75},
    )  # fmt: skip
    (row,) = analyse(select_runs(tmp_path, [])).rows
    assert row.sd is None and row.interval is not None
    assert (row.interval.low, row.interval.high, row.interval.over) == (0.686, 0.805, "200 examples, one seed")
    (row,) = analyse(select_runs(tmp_path, []), metric="test/f1").rows
    assert row.interval is not None and 0.6 < row.interval.low < 0.75 < row.interval.high < 0.85


@pytest.mark.parametrize(
    ("low", "high", "p_seeds", "said"),
    [
        (-0.01, 0.03, None, "not significant: within the sampling error of the examples"),
        (0.001, 0.03, None, "not significant: borderline, the interval excludes 0 but the test is not significant"),
        (-0.03, -0.001, 0.2, "not significant: borderline, the interval excludes 0 but the test is not significant"),
    ],
)
def test_an_interval_without_0_is_never_called_chance(
    low: float, high: float, p_seeds: float | None, said: str
) -> None:
    found = Paired(
        "test/accuracy", 0.01, lambda: Interval(low, high, ""), 0.06, p_seeds, "McNemar", [0], 200, same_answers=False
    )
    assert found.in_words() == said


def test_the_interval_of_a_difference_is_computed_where_it_is_shown(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[140, 142])
    write_group(tmp_path, "model=bert-tiny", right=[180, 182])
    found = row_of(compared(tmp_path), "bert-tiny").paired
    assert isinstance(found, Paired) and found.is_significant and "better by" in found.in_words()
    assert "interval" not in vars(found), "a table of thousands shows a few"
    assert found.low < found.difference < found.high and "interval" in vars(found)


def test_the_interval_of_a_ranking_is_over_its_queries_and_not_over_their_candidates(tmp_path: Path) -> None:
    metrics = {"test/map": 0.5, "test/map_low": 0.4, "test/map_high": 0.6, "test/examples": 128}
    data = {"name": "wikiqa", "fingerprint": "d" * 64, "task": "rank", "rows": {"test": 128}, "primary": "test/map"}
    write_run(tmp_path, "model=dsn", metrics=metrics | {"test/queries": 16}, data=data)
    (run,) = select_runs(tmp_path, []).runs
    found = score_interval(run, "test/map")
    assert found is not None and (found.low, found.high, found.over) == (0.4, 0.6, "16 queries")
    write_run(tmp_path / "older", "model=dsn", metrics=metrics, data=data)
    (older,) = select_runs(tmp_path / "older", []).runs
    assert score_interval(older, "test/map") is None, "it recorded candidates alone, and has no answers to count"
