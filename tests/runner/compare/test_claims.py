"""Published against measured: each branch of the rule in runner/compare/claims.py."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.compare.analyse import analyse
from runner.compare.claims import judge_claims
from runner.compare.select import select_runs
from runner.compare.verdict import ClaimVerdict
from runner.errors import ConfigError
from runner.statistics.intervals import student_interval, wilson_interval
from tests.runner.compare.folded import FOLDS, ROWS, write_fold
from tests.runner.compare.folders import write_group, write_run

DSN, TINY = {"model": "dsn"}, {"model": "bert-tiny"}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A dsn at 0.72, 0.73, 0.725 and a bert-tiny at 0.715, 0.705, 0.71, with exact costs."""
    fast = {"cost/params": 497, "speed/latency_ms_p50_b1_s128": 0.1}
    slow = {"cost/params": 4300, "speed/latency_ms_p50_b1_s128": 1.5}
    write_group(tmp_path, "model=dsn", right=[720, 730, 725], count=1000, metrics=fast)
    write_group(tmp_path, "model=bert-tiny", right=[715, 705, 710], count=1000, metrics=slow)
    return tmp_path


def verdict(output: Path, **claim: Any) -> ClaimVerdict:
    rows = analyse(select_runs(output, [])).rows
    text: dict[str, Any] = {"claim": "a claim", "source": "a paper"}
    if "all" not in claim:
        text |= {"kind": "value", "metric": "test/accuracy", "where": DSN}
    return judge_claims([text | claim], rows)[0]


@pytest.mark.parametrize(
    ("value", "tolerance", "expected"),
    [
        (0.70, None, "reproduced"),  # the mean is better
        (0.734, None, "undecided: too wide"),  # only the interval, 0.697-0.752, reaches it
        (0.80, None, "not reproduced"),
        (0.80, 0.1, "reproduced"),  # the tolerance allows it
    ],
)
def test_a_value_is_reproduced_when_the_measured_mean_reaches_it(
    value: float, tolerance: float | None, expected: str, output: Path
) -> None:
    found = verdict(output, value=value, tolerance=tolerance)
    assert found.verdict == expected, found.why
    assert found.measured == pytest.approx(0.725) and "3 seeds" in found.why


def test_costs_count_downwards_and_need_no_interval(output: Path) -> None:
    assert verdict(output, metric="cost/params", value=500).verdict == "reproduced"
    assert verdict(output, metric="cost/params", value=400).verdict == "not reproduced"


def test_seeds_that_scatter_reproduce_nothing_by_their_width(tmp_path: Path) -> None:
    """0.8558 +- 0.0153 and 0.8574 +- 0.0068 against 0.87 within 0.005: the better and narrower of the two fails."""
    write_group(tmp_path, "model=dsn", right=[8418, 8640, 8566, 8455, 8711], count=10_000)
    write_group(tmp_path, "model=bert-tiny", right=[8566, 8568, 8574, 8577, 8585], count=10_000)
    wide, narrow = (verdict(tmp_path, value=0.87, tolerance=0.005, where=where) for where in (DSN, TINY))
    assert wide.measured is not None and narrow.measured is not None and wide.measured < narrow.measured < 0.86
    assert wide.verdict == "undecided: too wide" and "more seeds" in wide.why
    assert narrow.verdict == "not reproduced" and "the whole interval falls short" in narrow.why


def test_seeds_that_agree_do_not_decide_a_score_of_few_examples(tmp_path: Path) -> None:
    """Over the seeds 0.724 to 0.728, over 1,000 examples 0.697 to 0.753."""
    write_group(tmp_path, "model=dsn", right=[725, 726, 727], count=1000, metrics={"test/f1_macro": 0.726})
    found = verdict(tmp_path, value=0.74)
    assert found.verdict == "undecided: too wide" and "t over 3 seeds, and over 1000 examples" in found.why
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((0.6975, 0.7527), abs=5e-4)
    other = verdict(tmp_path, value=0.74, metric="test/f1_macro")
    assert other.verdict == "undecided: too wide", "the same holds for scores that are not the headline"
    assert verdict(tmp_path, value=0.76).verdict == "not reproduced"


def test_a_difference_is_measured_on_pairs_of_seeds(output: Path) -> None:
    claim = {"kind": "difference", "versus": TINY}
    found = verdict(output, value=0.002, **claim)
    assert found.measured == pytest.approx(0.015) and found.interval is not None
    assert found.verdict == "undecided: too wide" and "includes no difference" in found.why
    assert verdict(output, value=0.30, **claim).verdict == "not reproduced"
    assert verdict(output, value=-0.01, **claim).verdict == "reproduced", "a loss of 1 point was claimed, there is none"


def test_a_clear_advantage_is_reproduced(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[905, 904, 906], count=1000)
    write_group(tmp_path, "model=bert-tiny", right=[705, 703, 706], count=1000)
    assert verdict(tmp_path, kind="difference", versus=TINY, value=0.19).verdict == "reproduced"
    assert verdict(tmp_path, kind="difference", where=TINY, versus=DSN, value=0.1).verdict == "not reproduced"


def test_one_run_decides_nothing_where_a_number_varies_with_the_seed(tmp_path: Path) -> None:
    for name, accuracy in (("dsn", 0.70), ("bert-tiny", 0.71)):
        write_group(tmp_path, f"model={name}", right=[700], count=1000, metrics={"probe/semantic_accuracy": accuracy})
    claim = {"metric": "probe/semantic_accuracy", "value": 0.0, "tolerance": 0.02}
    for kind, versus in (("equal", TINY), ("difference", TINY), ("value", None)):
        found = verdict(tmp_path, kind=kind, versus=versus, **claim)
        assert found.verdict == "undecided: too wide" and "one run decides nothing" in found.why


def test_a_score_of_one_run_that_is_not_the_headline_has_its_interval_over_the_examples(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[900], count=1000, metrics={"test/f1_macro": 0.9})
    found = verdict(tmp_path, metric="test/f1_macro", value=0.88)
    assert found.verdict == "undecided: too wide" and found.why.endswith("(1000 examples, one seed)")
    assert found.interval is not None and 0.03 < found.interval.high - found.interval.low < 0.05
    assert verdict(tmp_path, metric="test/f1_macro", value=0.95).verdict == "not reproduced"


@pytest.mark.parametrize(
    "claim", [{"value": 0.75}, {"kind": "difference", "versus": TINY, "value": 0.05},
              {"kind": "ratio", "versus": TINY, "value": 1.05}, {"kind": "equal", "value": 0.8, "tolerance": 0.05}]
)  # fmt: skip
def test_one_seed_reproduces_nothing(claim: dict[str, Any], tmp_path: Path) -> None:
    """The examples alone would decide each of these; another seed may score otherwise."""
    write_group(tmp_path / "1", "model=dsn", right=[800], count=1000)
    write_group(tmp_path / "1", "model=bert-tiny", right=[700], count=1000)
    found = verdict(tmp_path / "1", **claim)
    assert found.verdict == "undecided: too wide" and "with one seed, but others may differ" in found.why
    write_group(tmp_path / "3", "model=dsn", right=[800, 801, 800], count=1000)
    write_group(tmp_path / "3", "model=bert-tiny", right=[700, 701, 702], count=1000)
    assert verdict(tmp_path / "3", **claim).verdict == "reproduced"


@pytest.mark.parametrize(("kind", "versus"), [("value", None), ("difference", TINY), ("ratio", TINY), ("equal", TINY)])
@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_a_number_that_is_not_finite_reproduces_nothing(
    bad: float, kind: str, versus: dict[str, str] | None, tmp_path: Path
) -> None:
    for seed, seconds in enumerate((1.0, bad, 1.2)):
        write_run(tmp_path, "model=dsn", seed=seed, metrics={"time/train_s": seconds})
        write_run(tmp_path, "model=bert-tiny", seed=seed, metrics={"time/train_s": 2.0 + seed})
    found = verdict(tmp_path, metric="time/train_s", kind=kind, versus=versus, value=0.5)
    assert found.verdict == "not testable here" and "infinite or not a number" in found.why


def test_folds_are_repeats_for_the_rows_that_they_hold_out_alone(tmp_path: Path) -> None:
    for model, right in (("dsn", 0.9), ("bert-tiny", 0.55)):
        for fold in range(FOLDS):
            write_fold(tmp_path, model, fold, np.random.default_rng(0).random(ROWS) < right)
    held = verdict(tmp_path, metric="val/accuracy", value=0.7)
    assert held.verdict == "reproduced" and "5 folds" in held.why
    compared = verdict(tmp_path, metric="val/accuracy", kind="difference", versus=TINY, value=0.4)
    assert compared.verdict == "undecided: too wide" and "repeats of the folds, may decide it" in compared.why
    reported = verdict(tmp_path, metric="test/accuracy", value=0.4)
    assert reported.verdict == "not testable here" and "folds are not repeats of it" in reported.why
    assert verdict(tmp_path, metric="cost/params", value=1000).why.endswith("(the same in 5 folds)")
    ratio = verdict(tmp_path, metric="val/accuracy", kind="ratio", versus=TINY, value=1.1)
    assert ratio.verdict == "not testable here" and "no ratios over folds" in ratio.why


def test_one_fold_reproduces_nothing(tmp_path: Path) -> None:
    write_fold(tmp_path, "dsn", 0, np.ones(ROWS, bool))
    found = verdict(tmp_path, metric="val/accuracy", value=0.6)
    assert found.verdict == "undecided: too wide" and "with one fold, but others may differ" in found.why


def test_times_of_two_machines_are_not_compared(tmp_path: Path) -> None:
    claim = {"metric": "speed/answer_us_p50", "where": TINY, "versus": DSN, "value": 2.0}
    for folder, cpus, expected in (
        ("one", ("a cpu", "a cpu"), "reproduced"),
        ("two", ("a cpu", "b cpu"), "not testable here"),
    ):
        for model, cpu, time in (("dsn", cpus[0], 100.0), ("bert-tiny", cpus[1], 500.0)):
            metrics, environment = {"speed/answer_us_p50": time, "cost/params": 5}, {"cpu": cpu}
            write_run(tmp_path / folder, f"model={model}", metrics=metrics, environment=environment)
        for kind in ("ratio", "difference"):
            found = verdict(tmp_path / folder, kind=kind, **claim)
            assert found.verdict == expected and ("different machines" in found.why) == (folder == "two")
        sizes = verdict(tmp_path / folder, metric="cost/params", kind="ratio", where=TINY, versus=DSN, value=1.0)
        assert sizes.verdict == "reproduced", "a size is the same everywhere"


def test_a_group_is_not_compared_with_itself(output: Path) -> None:
    for metric, kind, value in (("cost/params", "ratio", 1.0), ("test/accuracy", "difference", 0.0)):
        found = verdict(output, metric=metric, kind=kind, versus={"model.name": "dsn"}, value=value)
        assert found.verdict == "not testable here" and "name the same group" in found.why


def test_bits_of_a_weight_are_exact_and_need_no_scatter(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[700, 705, 698], count=1000, metrics={"quantize/bits_per_weight": 6.0})
    claim = {"metric": "quantize/bits_per_weight", "kind": "equal", "tolerance": 0.05}
    assert verdict(tmp_path, value=6.0, **claim).verdict == "reproduced"
    assert verdict(tmp_path, value=4.0, **claim).verdict == "not reproduced"


def test_a_ratio_is_where_over_versus(output: Path) -> None:
    claim = {"metric": "speed/latency_ms_p50_b1_s128", "kind": "ratio", "versus": TINY}
    found = verdict(output, value=1 / 14, **claim)
    assert found.measured == pytest.approx(0.1 / 1.5) and found.verdict == "reproduced"
    assert verdict(output, value=1 / 20, **claim).verdict == "not reproduced"
    assert verdict(output, value=1 / 15, metric="test/loss", kind="ratio", versus=TINY).verdict == "not testable here"


def test_a_ratio_over_several_seeds_is_the_geometric_mean_of_their_pairs(tmp_path: Path) -> None:
    metric, pairs = "speed/latency_ms_p50_b1_s128", [(1.0, 2.0), (4.0, 2.0), (3.0, 3.0)]
    for seed, times in enumerate(pairs):
        for model, time in zip(("dsn", "bert-tiny"), times):
            write_run(tmp_path, f"model={model}", seed=seed, metrics={metric: time})
    found = verdict(tmp_path, metric=metric, kind="ratio", where=DSN, versus=TINY, value=1.0)
    assert found.measured == pytest.approx(1.0) and found.interval is not None
    expected = np.exp(student_interval(np.log([0.5, 2.0, 1.0])))
    assert (found.interval.low, found.interval.high) == pytest.approx(expected)


def test_a_ratio_of_scores_spans_the_examples_too(tmp_path: Path) -> None:
    """The seeds agree that 99 % are kept; 7 of 1,000 examples cannot tell that from 98.5 %."""
    write_group(tmp_path, "model=dsn", right=[720, 721, 722], count=1000)
    write_group(tmp_path, "model=bert-tiny", right=[713, 714, 715], count=1000)
    found = verdict(tmp_path, kind="ratio", where=TINY, versus=DSN, value=0.99)
    assert found.measured == pytest.approx(0.9903, abs=1e-4) and found.interval is not None
    assert 0.980 < found.interval.low < 0.987 and found.interval.high < 1.0
    assert found.verdict == "undecided: too wide" and "3 pairs of seeds, 1000 examples" in found.why
    assert verdict(tmp_path, kind="ratio", where=TINY, versus=DSN, value=0.98).verdict == "reproduced"


def test_a_ratio_of_costs_above_one_claims_at_least_that_factor(output: Path) -> None:
    claim = {"metric": "speed/latency_ms_p50_b1_s128", "kind": "ratio", "where": TINY, "versus": DSN}
    assert verdict(output, value=14, **claim).verdict == "reproduced"
    assert verdict(output, value=18, **claim).verdict == "not reproduced"
    assert verdict(output, value=18, tolerance=3.0, **claim).verdict == "reproduced"


def test_a_difference_of_costs_above_zero_claims_at_least_that_much_and_below_at_most_that_little(
    output: Path,
) -> None:
    more = {"metric": "cost/params", "kind": "difference", "where": TINY, "versus": DSN}  # 4300 - 497
    assert [verdict(output, value=value, **more).verdict for value in (3800, 3810)] == ["reproduced", "not reproduced"]
    less = more | {"where": DSN, "versus": TINY}
    assert [verdict(output, value=value, **less).verdict for value in (-3800, -3810)] == [
        "reproduced", "not reproduced",
    ]  # fmt: skip
    assert verdict(output, value=3800, **more, direction="lower").verdict == "not reproduced", "at most that much"


def test_only_seeds_that_both_have_with_the_metric_are_pairs(tmp_path: Path) -> None:
    metric, times = "speed/latency_ms_p50_b1_s128", {0: 1.0, 1: 4.0, 2: 3.0}
    for seed, time in times.items():
        write_run(tmp_path, "model=dsn", seed=seed, metrics={metric: time})
    for seed in (1, 2, 3):
        write_run(tmp_path, "model=bert-tiny", seed=seed, metrics={metric: 2.0})
    claim = {"metric": metric, "where": DSN, "versus": TINY}
    ratio = verdict(tmp_path, kind="ratio", value=1.0, **claim)
    assert ratio.measured == pytest.approx(math.sqrt(2.0 * 1.5))
    difference = verdict(tmp_path, kind="difference", value=0.0, **claim)
    assert difference.measured == pytest.approx((2.0 + 1.0) / 2) and difference.interval is not None
    assert (difference.interval.low, difference.interval.high) == pytest.approx(student_interval([2.0, 1.0]))
    assert difference.interval.over == "t over 2 pairs of seeds"
    write_run(tmp_path, "model=eelbert", seed=7, metrics={metric: 2.0})
    apart = verdict(tmp_path, kind="ratio", value=1.0, **claim | {"versus": {"model": "eelbert"}})
    assert apart.verdict == "not testable here" and apart.why == "no seed in common"


def test_a_number_that_is_zero_or_negative_has_no_ratio(tmp_path: Path) -> None:
    for folder, mine, other in (("above", 0.0, 2.0), ("below", 2.0, 0.0)):
        write_run(tmp_path / folder, "model=dsn", metrics={"time/train_s": mine})
        write_run(tmp_path / folder, "model=bert-tiny", metrics={"time/train_s": other})
        found = verdict(tmp_path / folder, metric="time/train_s", kind="ratio", versus=TINY, value=1.0)
        assert found.verdict == "not testable here" and "is not positive" in found.why


def test_the_share_of_runs_that_diverge_has_wilsons_interval_over_the_runs(tmp_path: Path) -> None:
    for seed, diverged in enumerate((1.0, 0.0, 0.0, 1.0, 0.0)):
        write_run(tmp_path, "model=dsn", seed=seed, metrics={"train/diverged": diverged})
    found = verdict(tmp_path, metric="train/diverged", value=0.5)
    assert found.measured == pytest.approx(0.4) and found.interval is not None
    assert (found.interval.low, found.interval.high) == wilson_interval(0.4, 5)
    assert found.interval.over == "Wilson's, 5 runs"


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ({"why": "needs a GPU"}, "needs a GPU"),
        ({"where": {"model": "bert-base"}}, "no finished run here has model=bert-base"),
        ({"where": {"model.dendrites": 3}}, "has all the settings model.dendrites=3"),
        ({"metric": "test/f1"}, "test/f1 was not measured for model=dsn"),
        ({"where": {"data": "demo"}}, "2 groups have data=demo"),
        ({"kind": "difference"}, "needs `versus`"),
    ],
)
def test_what_cannot_be_tested_says_why(claim: dict[str, Any], why: str, output: Path) -> None:
    found = verdict(output, value=0.5, **claim)
    assert found.verdict == "not testable here" and why in found.why and found.measured is None


@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_scores_of_other_examples_are_not_testable(kind: str, tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150])
    write_group(tmp_path, "model=bert-tiny", right=[100], fingerprint="e" * 64)
    found = verdict(tmp_path, kind=kind, versus=TINY, value=0.1)
    assert found.verdict == "not testable here" and "different examples" in found.why


def test_a_claim_that_is_none_is_the_users_mistake(output: Path) -> None:
    with pytest.raises(ConfigError, match="a claim needs value"):
        verdict(output, value=None)
    with pytest.raises(ConfigError, match="kind: value, difference, ratio or equal"):
        verdict(output, value=1, kind="factor")
    with pytest.raises(ConfigError, match="are numbers"):
        verdict(output, value="high")
    with pytest.raises(ConfigError, match="not negative"):
        verdict(output, value=1, tolerance=-0.1)
    with pytest.raises(ConfigError, match="direction is higher or lower"):
        verdict(output, value=1, direction="up")
    with pytest.raises(ConfigError, match="`all` is a list"):
        verdict(output, all=[])


def test_equality_is_a_test_of_its_own(output: Path) -> None:
    assert verdict(output, kind="equal", value=0.725, tolerance=0.03).verdict == "reproduced"
    assert verdict(output, kind="equal", value=0.725, tolerance=0.005).verdict == "undecided: too wide"
    assert verdict(output, kind="equal", value=0.6, tolerance=0.02).verdict == "not reproduced", "better is not equal"
    between = verdict(output, kind="equal", versus=TINY, value=0.0, tolerance=0.1)
    assert between.measured == pytest.approx(0.015) and between.verdict == "reproduced", "a difference"


def test_the_claim_may_say_which_direction_is_meant(output: Path) -> None:
    claim = {"metric": "cost/params", "kind": "ratio", "where": TINY, "versus": DSN, "value": 1.0001}
    assert verdict(output, **claim).verdict == "reproduced", "read as at least that much"
    assert verdict(output, **claim, direction="lower").verdict == "not reproduced", "read as at most that much"


def test_a_claim_with_several_sides_needs_them_all(output: Path) -> None:
    good = {"metric": "test/accuracy", "where": DSN, "value": 0.7}
    small = {"metric": "cost/params", "where": DSN, "value": 500}
    found = verdict(output, all=[good, small])
    assert found.verdict == "reproduced" and [part.verdict for part in found.parts] == ["reproduced"] * 2
    large = verdict(output, all=[good, small | {"where": TINY}])
    assert large.verdict == "not reproduced" and "cost/params: the whole interval falls short" in large.why
    assert verdict(output, all=[good, small], why="on a phone").why == "on a phone"


def test_not_diverging_where_the_other_does_needs_the_other_to_diverge(tmp_path: Path) -> None:
    steady = {"metric": "train/diverged", "where": DSN, "value": 0.0}
    common = {"metric": "train/diverged", "where": TINY, "value": 0.5, "direction": "higher"}

    def found(diverged: list[float]) -> str:
        for folder in tmp_path.iterdir():
            shutil.rmtree(folder)
        for seed, value in enumerate(diverged):
            write_run(tmp_path, "model=dsn", seed=seed, metrics={"train/diverged": 0.0})
            write_run(tmp_path, "model=bert-tiny", seed=seed, metrics={"train/diverged": value})
        return verdict(tmp_path, all=[steady, common]).verdict

    assert found([1.0, 1.0, 0.0]) == "reproduced"
    assert found([0.0]) == "undecided: too wide", "one run says little of how often"
    assert verdict(tmp_path, **steady).verdict == "undecided: too wide", "another may diverge"
    assert found([0.0] * 6) == "not reproduced", "nothing diverges, so nothing is to be seen of the difference"


def test_a_score_at_the_level_of_the_majority_class_reproduces_nothing(tmp_path: Path) -> None:
    low = {"test/accuracy_low": 0.48, "test/accuracy_high": 0.55, "baseline/majority": 0.51}
    high = {"test/accuracy_low": 0.68, "test/accuracy_high": 0.75, "baseline/majority": 0.51}
    write_group(tmp_path, "model=dsn", right=[515], count=1000, metrics=low)
    write_group(tmp_path, "model=bert-tiny", right=[715], count=1000, metrics=high)
    found = verdict(tmp_path, value=0.5)
    assert (
        found.verdict == "not testable here" and "model=dsn is at baseline, so" in found.why and found.measured == 0.515
    )
    assert verdict(tmp_path, value=0.9).verdict == "not reproduced"
    ahead = verdict(tmp_path, where=TINY, versus=DSN, kind="difference", value=0.1)
    assert ahead.verdict == "not testable here" and "model=dsn is at baseline, so" in ahead.why
    assert verdict(tmp_path, metric="cost/params", value=2000).verdict == "reproduced", "a size needs no learning"


def test_two_groups_that_have_learned_nothing_refute_no_difference(tmp_path: Path) -> None:
    low = {"test/accuracy_low": 0.48, "test/accuracy_high": 0.55, "baseline/majority": 0.51}
    high = {"test/accuracy_low": 0.68, "test/accuracy_high": 0.75, "baseline/majority": 0.51}
    claim = {"where": TINY, "versus": DSN, "kind": "difference", "value": 0.2}
    for folder, of_dsn, expected in (("both", low, "not testable here"), ("one", high, "not reproduced")):
        write_group(tmp_path / folder, "model=bert-tiny", right=[515, 514, 516], count=1000, metrics=low)
        right = [510, 511, 513] if of_dsn is low else [710, 715, 711]
        write_group(tmp_path / folder, "model=dsn", right=right, count=1000, metrics=of_dsn)
        found = verdict(tmp_path / folder, **claim)
        assert found.verdict == expected, found.why
        assert ("nothing was learned that could differ" in found.why) == (expected == "not testable here")


def test_a_control_that_has_learned_nothing_reproduces_nothing(tmp_path: Path) -> None:
    low = {"test/accuracy_low": 0.48, "test/accuracy_high": 0.55, "baseline/majority": 0.51}
    high = {"test/accuracy_low": 0.68, "test/accuracy_high": 0.75, "baseline/majority": 0.51}
    write_group(tmp_path, "model=bert-tiny", right=[715, 714, 716], count=1000, metrics=high)
    write_group(tmp_path, "model=dsn", right=[510, 511, 513], count=1000, metrics=low)
    for value in (-0.04, 0.1):  # no worse by 4 points, and better by 10
        found = verdict(tmp_path, where=TINY, versus=DSN, kind="difference", value=value)
        assert found.verdict == "not testable here" and "model=dsn is at baseline" in found.why, found.why
    smaller = verdict(tmp_path, where=TINY, versus=DSN, kind="ratio", metric="cost/params", value=1.0)
    assert smaller.verdict == "reproduced", "a size needs no learning"
