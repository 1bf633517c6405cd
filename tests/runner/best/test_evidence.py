from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.best.evidence import Ending, judge_step, micros_of, over_caps, score_at_cut, slowed
from runner.best.types import AnswerTime, Budget, Done
from runner.cascade.make import TYPICAL
from runner.deploy.exported import CASCADE
from runner.experiment.outcome import Outcome
from runner.record.record import RunRecord
from tests.runner.best.stand_ins import FIVE, Machine, record_of, search_of


def test_a_run_over_a_cap_is_refused_with_by_how_much_and_its_time_is_judged_once(tmp_path: Path) -> None:
    plan = replace(FIVE, budget=Budget(max_kb=2.0, max_us=30.0, steps=99))
    machine = Machine(sizes={"b": 2013}, micros=30.5)
    search = search_of(plan, tmp_path, machine)
    search.work()
    assert search.journal.ended[2].reason == "2,013 bytes, 13 over max_kb=2 and 30.5 us per answer, 0.5 over max_us=30"
    again = search_of(plan, tmp_path, Machine(micros=1.0))
    again.work()
    assert again.journal.ended[1].micros == 30.5


def test_a_refusal_says_where_the_time_is_far_from_what_was_expected(tmp_path: Path) -> None:
    ending = Ending(Outcome(0, record_of("run-a", 0.5, 1, 46.0)))

    def reason(expected: float | None) -> str:
        candidate = replace(FIVE.candidates[0], micros=expected)
        return str(judge_step(FIVE.steps[0], candidate, ending, Budget(max_us=9.0), tmp_path).reason)

    plain = "46.0 us per answer, 37.0 over max_us=9"
    assert reason(None) == reason(23.0) == plain
    assert reason(11.0) == f"{plain} (about 11 us were expected: other work on the machine may have slowed it)"


def test_the_score_at_the_cut_is_that_of_an_epoch_and_not_of_a_compression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = {10: 0.5, 20: 0.6, 30: 0.7, 1000: 0.1}
    monkeypatch.setattr("runner.best.evidence.points", lambda *_: points)
    record = replace(record_of("run-a", 0.9, 1, 1.0), config={"train": {"epochs": 3.0}})
    assert score_at_cut(record, tmp_path) == 0.5
    longer = replace(record, config={"train": {"epochs": 3.0, "steps": 60}})
    assert score_at_cut(longer, tmp_path) == 0.6, "a third of the steps that were planned"
    points.clear()
    assert score_at_cut(record, tmp_path) == 0.9


def test_the_time_of_a_cascade_is_the_mean_of_both_models() -> None:
    record = record_of("run-a", 0.9, 1, 7.0)
    times = {"speed/answer_us_p50": 7.0, TYPICAL: 90.0}
    assert micros_of(replace(record, metrics=times)) == 7.0
    assert micros_of(replace(record, metrics=times, config={CASCADE: {"small": "a"}})) == 90.0


def test_bytes_that_were_not_counted_matter_only_where_they_are_capped() -> None:
    unknown = replace(record_of("run-a", 0.5, 1, 20.0), metrics={"val/accuracy": 0.5})
    assert over_caps(unknown, 20.0, Budget(max_us=30)) is None
    assert over_caps(unknown, 20.0, Budget(max_kb=1)) == "its bytes were not counted"
    assert over_caps(unknown, None, Budget(max_us=30)) == "its time to answer was not measured"
    assert over_caps(unknown, None, Budget(max_us=30), is_timed=False) is None


def test_a_time_within_the_cap_was_not_slowed_however_fast_the_twin_is() -> None:
    expected = replace(FIVE.candidates[0], micros=10.0)
    assert slowed(50.0, expected, Budget(max_us=60)) == "" and "about 10 us" in slowed(
        70.0, expected, Budget(max_us=60)
    )
    assert slowed(19.0, expected, Budget(max_us=5)) == "", "less than twice as long"


def test_a_failed_run_is_a_row_with_its_reason(tmp_path: Path) -> None:
    step, candidate = FIVE.steps[0], FIVE.candidates[0]
    failed = replace(record_of("run-a", 0.5, 1, 1.0), status="failed", reason="RuntimeError: no")
    done = judge_step(step, candidate, Ending(Outcome(1, failed)), Budget(), tmp_path)
    assert (done.status, done.run, done.reason) == ("failed", "run-a", "RuntimeError: no")
    refused = judge_step(step, candidate, Ending(Outcome(2, reason="no such key")), Budget(), tmp_path)
    assert (refused.status, refused.run, refused.reason) == ("failed", None, "no such key")


def test_a_ceiling_may_be_over_the_caps(tmp_path: Path) -> None:
    ending = Ending(Outcome(0, record_of("run-a", 0.5, 10_000, 1.0)))
    ceiling = replace(FIVE.candidates[0], fits=False)
    assert judge_step(FIVE.steps[0], ceiling, ending, Budget(max_kb=1.0), tmp_path).status == "done"
    assert judge_step(FIVE.steps[0], FIVE.candidates[0], ending, Budget(max_kb=10.0), tmp_path).status == "done"
    assert judge_step(FIVE.steps[0], FIVE.candidates[0], ending, Budget(max_kb=9.999), tmp_path).status == "refused"


def test_a_cap_on_what_was_not_measured_is_not_met(tmp_path: Path) -> None:
    record = record_of("run-a", 0.5, 1, 1.0)
    untimed = replace(record, metrics={"val/accuracy": 0.5, "cost/bytes_deployed": 1})
    done = judge_step(FIVE.steps[0], FIVE.candidates[0], Ending(Outcome(0, untimed)), Budget(max_us=9.0), tmp_path)
    assert done.status == "refused" and "was not measured" in str(done.reason)


def test_the_time_of_the_bundle_counts_and_not_that_of_the_run(tmp_path: Path) -> None:
    step, candidate, slow = FIVE.steps[0], FIVE.candidates[0], Outcome(0, record_of("run-a", 0.5, 1, 46.0))
    ending = Ending(slow, answer=AnswerTime(8.0, "onnx"))
    done = judge_step(step, candidate, ending, Budget(max_us=9.0), tmp_path)
    assert (done.status, done.micros, done.engine) == ("done", 8.0, "onnx")
    assert judge_step(step, candidate, Ending(slow), Budget(max_us=9.0), tmp_path).status == "refused"


def test_of_the_runs_on_folds_only_the_first_is_timed(tmp_path: Path) -> None:
    record = record_of("run-a", 0.5, 1000, 1.0)
    untimed = Ending(Outcome(0, replace(record, metrics={"val/accuracy": 0.5, "cost/bytes_deployed": 1000})))
    for fold, repeat, max_kb, status in ((1, 0, 1, "done"), (0, 1, 1, "done"), (1, 0, 0.9, "refused")):
        step = replace(FIVE.steps[0], part="fold", fold=fold, repeat=repeat)
        found = judge_step(step, FIVE.candidates[0], untimed, Budget(max_us=9.0, max_kb=max_kb), tmp_path)
        assert found.status == status


def with_points(folder: Path, *points: tuple[int, float], epochs: float = 3, **changes: Any) -> RunRecord:
    """A finished run with these scores by step."""
    record = replace(record_of("run-a", 0.9, 5000, 99.0), config={"train": {"epochs": epochs}}, **changes)
    (folder / "run-a").mkdir()
    lines = [json.dumps({"step": step, "time": 1.0, "val/accuracy": score}) for step, score in points]
    (folder / "run-a" / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    return record


def third_of(record: RunRecord, folder: Path) -> Done:
    step = replace(FIVE.steps[0], part="third")
    return judge_step(step, FIVE.candidates[0], Ending(Outcome(0, record)), Budget(max_kb=1.0, max_us=1.0), folder)


def test_a_run_that_another_search_has_finished_is_compared_by_its_score_at_the_cut(tmp_path: Path) -> None:
    done = third_of(with_points(tmp_path, (40, 0.3), (80, 0.6), (120, 0.9), (120, 0.8), (160, 0.95)), tmp_path)
    assert (done.status, done.score, done.reason) == ("done", 0.3, None), "caps are judged after the last step"


@pytest.mark.parametrize(
    ("epochs", "scores", "expected"),
    [
        (3, (0.3, 0.6), 0.3),  # stopped as overdue after two of three epochs
        (4, (0.3, 0.6, 0.7, 0.8), 0.6),  # a quarter of the steps is before the cut
        (4, (0.3, 0.6, 0.7), 0.6),
        (9, (0.1, 0.2, 0.3, 0.4, 0.5), 0.3),
        (1, (0.3,), 0.3),
    ],
)
def test_the_cut_is_the_first_end_of_an_epoch_after_a_third_of_the_planned_steps(
    tmp_path: Path, epochs: int, scores: tuple[float, ...], expected: float
) -> None:
    points = [(50 * place, score) for place, score in enumerate(scores, 1)]
    paused = {"status": "killed", "reason": "paused", "metrics": {}} if len(scores) < epochs else {}
    done = third_of(with_points(tmp_path, *points, epochs=epochs, **paused), tmp_path)
    assert (done.status, done.score) == ("done", expected)


def test_without_logged_points_the_final_score_counts_at_the_cut(tmp_path: Path) -> None:
    assert third_of(record_of("run-a", 0.9, 5000, 99.0), tmp_path).score == 0.9
