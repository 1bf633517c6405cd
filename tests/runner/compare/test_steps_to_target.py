"""Steps to the baseline's score, as a metric of the runs that were evaluated often enough."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.compare.analyse import analyse
from runner.compare.claims import judge_claims
from runner.compare.select import select_runs
from runner.compare.steps_to_target import NEARLY, STEPS, overturning
from runner.compare.table import markdown
from runner.compare.verdict import NOT_REPRODUCED, REPRODUCED, UNDECIDED, Published
from tests.runner.compare.folders import write_group

SLOW = [0.5, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9, 0.9]
FAST = [0.7, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]
FASTER = [0.9] * 8
CLAIM = {
    "claim": "twice as fast", "source": "a paper", "metric": STEPS, "kind": "ratio",
    "where": {"model.name": "bert-tiny"}, "versus": {"model.name": "bermo"},
    "value": 1.67, "tolerance": 0.1, "why": None,
}  # fmt: skip


def write(output: Path, model: str, *curves: list[float], words: tuple[str, ...] = ()) -> None:
    """Write a run for each curve, with further settings; one curve: two runs with it."""
    curves = curves if len(curves) > 1 else curves * 2
    right, metrics = [150] * len(curves), {"train/steps": 80}
    records = write_group(output, f"model={model}", "train.evals=8", *words, right=right, metrics=metrics)
    for record, scores in zip(records, curves):
        points = [{"step": 10 * i, "time": 0.0, "val/accuracy": score} for i, score in enumerate(scores, 1)]
        path = output / str(record["identity"]) / "metrics.jsonl"
        path.write_text("".join(json.dumps(point) + "\n" for point in points), encoding="utf-8")


def test_each_run_gets_the_steps_to_the_baselines_score_and_a_claim_is_judged_by_them(tmp_path: Path) -> None:
    write(tmp_path, "bert-tiny", SLOW)
    write(tmp_path, "bermo", FAST)
    compared = analyse(select_runs(tmp_path, []), baseline={"model.name": "bert-tiny"})
    steps = {row.group.settings["model.name"]: row.group.values(STEPS) for row in compared.rows}
    assert steps == {"bert-tiny": [70, 70], "bermo": [40, 40]}
    assert {row.costs[STEPS] for row in compared.rows} == {70, 40}
    assert all(row.group.values(NEARLY) == steps[row.group.settings["model.name"]] for row in compared.rows)
    text = markdown(compared, "compared", None)
    assert "steps to target" in text and "gravity" not in text
    (verdict,) = judge_claims([CLAIM], compared.rows)
    assert verdict.measured == pytest.approx(1.75) and verdict.verdict == UNDECIDED
    assert "runs without any scatter decide nothing" in verdict.why and "in 2 pairs of seeds" in verdict.why


def test_a_claim_is_judged_by_the_scatter_of_the_steps(tmp_path: Path) -> None:
    write(tmp_path, "bert-tiny", SLOW, SLOW, SLOW)
    write(tmp_path, "bermo", FAST, FAST, FASTER)
    compared = analyse(select_runs(tmp_path, []), baseline={"model.name": "bert-tiny"})
    (verdict,) = judge_claims([CLAIM], compared.rows)
    assert verdict.measured == pytest.approx(1.75 ** (2 / 3) * (7 / 3) ** (1 / 3)) and verdict.verdict == REPRODUCED


def test_runs_that_never_get_there_are_said(tmp_path: Path) -> None:
    write(tmp_path, "bert-tiny", SLOW)
    write(tmp_path, "bermo", [0.5] * 8)
    compared = analyse(select_runs(tmp_path, []), baseline={"model.name": "bert-tiny"})
    assert any("2 of 2 runs never reached 0.9000" in note for note in compared.notes)
    assert next(row for row in compared.rows if not row.is_baseline).group.values(STEPS) == [80, 80]


NEVER = [0.5] * 8


@pytest.mark.parametrize(
    ("bert", "bermo", "expected"),
    [
        ([SLOW, SLOW, FAST], [SLOW, FAST, SLOW], NOT_REPRODUCED),
        ([SLOW, SLOW, NEVER], [SLOW, NEVER, NEVER], UNDECIDED),  # BERT could take far more steps than its 80
        ([SLOW, SLOW, FAST], [SLOW, NEVER, NEVER], NOT_REPRODUCED),  # BERMo could only be slower still
        ([SLOW, SLOW, SLOW], [FASTER, FASTER, FAST], REPRODUCED),
    ],
)
def test_runs_that_never_get_there_refute_no_speed_that_longer_runs_could_show(
    tmp_path: Path, bert: list[list[float]], bermo: list[list[float]], expected: str
) -> None:
    write(tmp_path, "bert-tiny", *bert)
    write(tmp_path, "bermo", *bermo)
    rows = analyse(select_runs(tmp_path, []), baseline={"model.name": "bert-tiny"}).rows
    (verdict,) = judge_claims([CLAIM | {"value": 5.0}] if expected != REPRODUCED else [CLAIM], rows)
    assert verdict.verdict == expected, verdict.why
    assert ("not all runs of model=bert-tiny" in verdict.why) == (expected == UNDECIDED)


def test_either_side_of_a_number_may_be_a_bound(tmp_path: Path) -> None:
    write(tmp_path, "bert-tiny", SLOW)
    write(tmp_path, "bermo", NEVER)
    rows = {row.group.name: row for row in analyse(select_runs(tmp_path, []), baseline={"model": "bert-tiny"}).rows}
    ends, never = rows["model=bert-tiny"], rows["model=bermo"]
    at_least, at_most, same = Published(2.0), Published(0.5, sign=-1.0), Published(1.0, is_equal=True)
    for published, verdict, sides in (
        (at_least, NOT_REPRODUCED, (never, ends)),  # the ratio may be larger
        (at_least, REPRODUCED, (ends, never)),  # the ratio may be smaller
        (at_most, NOT_REPRODUCED, (ends, never)),
        (at_most, REPRODUCED, (never, ends)),
        (at_most, REPRODUCED, (never,)),
    ):
        assert overturning(sides, STEPS, verdict, published) == [never]
        assert overturning(sides[::-1], STEPS, verdict, published) == [] or len(sides) == 1
        assert overturning(sides, STEPS, UNDECIDED, published) == []
    for verdict in (REPRODUCED, NOT_REPRODUCED):
        assert (
            overturning((ends, never), STEPS, verdict, same) == [never] == overturning((never,), STEPS, verdict, same)
        )
    assert overturning((never,), STEPS, NOT_REPRODUCED, at_most) == [], "more steps are worse still"


def test_of_several_baselines_the_target_is_that_of_the_one_that_a_group_is_tested_against(tmp_path: Path) -> None:
    low, high = ("optimizer.lr=0.001",), ("optimizer.lr=0.01",)
    write(tmp_path, "bert-tiny", [0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6], words=low)
    write(tmp_path, "bert-tiny", SLOW, words=high)
    write(tmp_path, "bermo", SLOW, words=low)
    write(tmp_path, "bermo", FAST, words=high)
    compared = analyse(select_runs(tmp_path, []), baseline={"model.name": "bert-tiny"})
    found = {(row.group.settings["model.name"], row.group.settings["optimizer.lr"]): row for row in compared.rows}
    steps = {key: row.group.values(STEPS)[0] for key, row in found.items()}
    assert steps == {("bert-tiny", 0.001): 40, ("bert-tiny", 0.01): 70, ("bermo", 0.001): 30, ("bermo", 0.01): 40}
    assert not any(row.unreached[STEPS] for row in found.values())


def test_runs_with_few_evaluations_or_without_a_baseline_have_no_such_metric(tmp_path: Path) -> None:
    write(tmp_path, "bert-tiny", SLOW[:2])
    write(tmp_path, "bermo", FAST)
    for baseline in (None, {"model.name": "bert-tiny"}):
        compared = analyse(select_runs(tmp_path, []), baseline=baseline)
        assert not any(row.group.values(STEPS) for row in compared.rows)
