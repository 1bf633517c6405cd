"""The end of a search, with runs that are records and answers alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runner.best.bundle import Bundle
from runner.best.choice.left_out import left_out
from runner.best.conclude import conclude, words_on_all_rows
from runner.best.evidence import Ending
from runner.best.finished import finished_candidates
from runner.best.search import Search, Stop
from runner.best.types import AnswerTime, Budget, Conclusion, Plan, Step
from runner.errors import ConfigError
from runner.experiment.outcome import Outcome
from runner.record.json_files import write_json
from runner.record.record import RunRecord
from runner.statistics.answers import Answers
from tests.records import a_record
from tests.runner.best.stand_ins import FIVE, Machine, journal, search_of

ROWS = 200
DONE = Stop("done")


def saved(output: Path, identity: str, score: float, size: int = 1000) -> RunRecord:
    """A finished run as a folder with its record."""
    metrics = {"val/accuracy": score, "cost/bytes_deployed": size, "speed/answer_us_p50": 20.0, "train/best_epoch": 2}
    record = a_record(identity=identity, metrics=metrics)
    record = replace(record, data=replace(record.data, selection="val/accuracy"))
    (output / identity).mkdir(parents=True, exist_ok=True)
    write_json(output / identity / "record.json", record.to_json())
    return record


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are right as often as the run's score says; a bundle is its place alone."""

    def answers(repeats: Sequence[Sequence[Path]]) -> tuple[Answers, ...]:
        content = json.loads((repeats[0][0] / "record.json").read_text())
        right = np.arange(ROWS) < ROWS * content["metrics"]["val/accuracy"]
        label = np.arange(ROWS) % 2
        return (Answers({"label": label, "prediction": np.where(right, label, 1 - label)}),)

    monkeypatch.setattr("runner.best.finished.selection_answers", answers)
    monkeypatch.setattr(
        "runner.best.conclude.write_bundle", lambda record, _output, place, *_: Bundle(place, record.identity)
    )


def concluded(plan: Plan, folder: Path, scores: dict[str, float], **sizes: int) -> Conclusion:
    for name, score in scores.items():
        saved(folder, f"run-{name}", score, sizes.get(name, 1000))
    search = search_of(plan, folder, Machine(scores=scores, sizes=sizes))
    stop = search.work()
    return conclude(search, stop, no_run, untimed)


def no_run(_words: Sequence[str]) -> Ending:
    raise AssertionError("nothing is trained once the choice is made")


def untimed(_record: RunRecord, _bundle: Path) -> float | None:
    raise AssertionError("only a graph that no cap had judged is timed")


SCORES = dict(zip("abcde", (0.7, 0.8, 0.9, 0.75, 0.6)))


def test_the_highest_score_that_fits_wins_and_best_json_says_so(tmp_path: Path) -> None:
    plan = replace(FIVE, budget=Budget(max_kb=2, steps=99))
    found = concluded(plan, tmp_path, SCORES, c=2001)
    assert found.result.winner == "b" and found.result.run == "run-b" and found.result.sha256 == "run-b"
    assert [one.name for one in found.scored] == list("abde") and [one.name for one in found.others] == ["c"]
    assert found.ended == (("c", "refused", "2,001 bytes, 1 over max_kb=2"),)
    assert left_out(found) == [
        "trained, but not chosen: d 0.7500 (1.0 KB), a 0.7000 (1.0 KB), e 0.6000 (1.0 KB)",
        "c 0.9000: refused: 2,001 bytes, 1 over max_kb=2",
    ]
    kept = json.loads((tmp_path / "search" / "best.json").read_text())
    assert kept["winner"] == "b" and kept["choice"]["winner"] == "b" and kept["compared"] == 5


def test_the_winners_graph_is_timed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "runner.best.conclude.write_bundle",
        lambda record, _output, place, *_: Bundle(place, "graph", engine="onnx-int8"),
    )
    asked = list[tuple[str, str]]()

    def timed(record: RunRecord, bundle: Path) -> float | None:
        asked.append((record.identity, bundle.name))
        return 2400.0 if len(asked) > 1 else None

    for name, score in SCORES.items():
        saved(tmp_path, f"run-{name}", score)
    search = search_of(FIVE, tmp_path, Machine(scores=SCORES))
    stop = search.work()
    interrupted = conclude(search, Stop("interrupted", "Ctrl-C"), no_run, timed).result
    assert (interrupted.micros, interrupted.engine) == (20.0, None) and not asked, "that of the run"
    found = [conclude(search, stop, no_run, timed).result for _ in range(3)]
    assert asked == [("run-c", "bundle")] * 2, "the second time is kept in best.json"
    assert [(one.micros, one.engine) for one in found] == [(20.0, None), *[(2400.0, "onnx-int8")] * 2]


def test_without_a_finished_candidate_there_is_no_winner(tmp_path: Path) -> None:
    found = conclude(
        search_of(FIVE, tmp_path, Machine()), Stop("interrupted", "interrupted after step 0 of 5"), no_run, untimed
    )
    assert found.result.winner is None and found.choice is None and found.result.status == "interrupted"


def test_a_step_that_the_clock_did_not_let_begin_is_not_counted_as_done(tmp_path: Path) -> None:
    found = concluded(replace(FIVE, budget=Budget(minutes=1.2)), tmp_path, SCORES)
    assert "stopped after step 3 of 5" in str(found.result.stopped) and found.result.done == 3


def test_a_score_that_nothing_reaches_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing reaches"):
        concluded(replace(FIVE, budget=Budget(at_least=0.99, steps=99)), tmp_path, SCORES)


def test_an_interrupted_search_may_still_reach_it(tmp_path: Path) -> None:
    for name, score in SCORES.items():
        saved(tmp_path, f"run-{name}", score)
    search = search_of(replace(FIVE, budget=Budget(at_least=0.99, steps=99)), tmp_path, Machine(scores=SCORES))
    search.work()
    found = conclude(search, Stop("interrupted", "interrupted after step 5 of 5"), no_run, untimed)
    assert found.choice is None and found.result.status == "interrupted"


def test_a_skipped_candidate_is_a_row_with_its_reason(tmp_path: Path) -> None:
    found = concluded(
        replace(FIVE, candidates=(*FIVE.candidates[:4], replace(FIVE.candidates[4], teacher="a"))), tmp_path, SCORES
    )
    ((name, status, reason),) = found.ended
    assert (name, status) == ("e", "skipped") and "its teacher, a (0.7000), does not lead c" in reason


def in_folds(**teachers: str) -> Plan:
    """A plan of two folds of the candidates a and b."""
    steps = [
        Step(2 * n + fold + 1, name, "fold", fold=fold, repeat=0) for n, name in enumerate("ab") for fold in (0, 1)
    ]
    candidates = [replace(one, has_cut=True, teacher=teachers.get(one.name)) for one in FIVE.candidates[:2]]
    budget = Budget(max_kb=2, steps=99)
    return replace(FIVE, candidates=tuple(candidates), steps=(*steps, Step(5, "", "final")), folds=2, budget=budget)


def test_a_winner_by_folds_is_trained_once_more_on_all_rows(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def train(words: Sequence[str]) -> Ending:
        asked.append(list(words))
        return Ending(Outcome(0, saved(tmp_path, "whole", 0.9)))

    search = folded(tmp_path, in_folds())
    found = conclude(search, DONE, train, untimed)
    assert asked == [["x=b", "data.folds=2", "data.fold=all", "train.epochs=2"]]
    assert found.result.winner == "b" and found.result.run == "whole"
    assert search.journal.finals["b"].run == "whole"
    assert (found.result.done, found.result.planned) == (5, 5), "the last training is a step of the plan"
    again = conclude(folded(tmp_path, in_folds()), DONE, no_run, untimed)
    assert again.result == found.result


@pytest.mark.parametrize(("epochs", "expected"), [((1.0, 4.0), 3), ((1.0, 1.0), 1), ((4.0, None), 4), ((0.2, 0.2), 1)])
def test_the_last_training_has_the_median_of_the_epochs_that_were_best(
    tmp_path: Path, epochs: tuple[float | None, float | None], expected: int
) -> None:
    search = folded(tmp_path, in_folds())
    for number, best in zip((3, 4), epochs):
        search.journal.ended[number] = replace(search.journal.ended[number], epochs=best)
    assert f"train.epochs={expected}" in words_on_all_rows(search, search.plan.candidate("b"))


def test_of_a_candidate_on_folds_the_largest_model_and_the_time_on_the_first_fold_count(tmp_path: Path) -> None:
    search = folded(tmp_path, in_folds())
    for number, size, micros in ((1, 900, 30.0), (2, 1500, None)):
        search.journal.ended[number] = replace(search.journal.ended[number], bytes=size, micros=micros)
    one = next(one for one in finished_candidates(search).fitting if one.name == "a")
    assert (one.bytes, one.micros) == (1500, 30.0)


def test_steps_of_the_command_give_way_to_the_epochs_that_were_best_on_the_folds(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def train(words: Sequence[str]) -> Ending:
        asked.append(list(words))
        return Ending(Outcome(0, saved(tmp_path, "whole", 0.9)))

    search = folded(tmp_path, in_folds())
    record = json.loads((tmp_path / "run-b" / "record.json").read_text())
    record["config"].setdefault("train", {})["steps"] = 500  # longer than the epochs that were best
    write_json(tmp_path / "run-b" / "record.json", record)
    conclude(search, DONE, train, untimed)
    assert asked == [["x=b", "data.folds=2", "data.fold=all", "train.epochs=2", "train.steps=null"]]


def test_a_search_that_ends_before_the_folds_are_repeated_has_a_winner(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def train(words: Sequence[str]) -> Ending:
        asked.append(list(words))
        return Ending(Outcome(0, saved(tmp_path, "whole", 0.9)))

    first = in_folds()
    again = [replace(step, number=step.number + 4, repeat=1) for step in first.steps[:4]]
    steps = (*first.steps[:4], *again, Step(9, "", "final"))
    plan = replace(first, steps=steps, repeats=2, budget=replace(first.budget, steps=4))
    found = conclude(folded(tmp_path, plan), DONE, train, untimed)
    assert found.result.winner == "b" and found.result.run == "whole"
    assert asked == [["x=b", "data.folds=2", "data.fold=all", "train.epochs=2"]]


def test_a_winner_that_is_too_large_on_all_rows_makes_way_for_the_next(tmp_path: Path) -> None:
    def train(words: Sequence[str]) -> Ending:
        size = 2001 if words[0] == "x=b" else 1999
        return Ending(Outcome(0, saved(tmp_path, f"whole-{words[0][-1]}", 0.9, size=size)))

    found = conclude(folded(tmp_path, in_folds()), DONE, train, untimed)
    assert found.result.winner == "a" and found.result.run == "whole-a"
    assert "b 0.8000: refused: on all rows: 2,001 bytes, 1 over max_kb=2" in left_out(found)


def test_a_student_learns_from_a_teacher_that_has_seen_all_rows(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def train(words: Sequence[str]) -> Ending:
        asked.append(list(words))
        return Ending(Outcome(0, saved(tmp_path, f"whole{len(asked)}", 0.9)))

    plan = in_folds(b="a")
    student = replace(plan.candidates[1], overrides=("t={teacher}",))
    plan = replace(plan, candidates=(replace(plan.candidates[0], fits=False), student))
    found = conclude(folded(tmp_path, plan), DONE, train, untimed)
    assert [words[0] for words in asked] == ["x=a", "t=whole1"] and found.result.run == "whole2"


def folded(tmp_path: Path, plan: Plan) -> Search:
    scores = {"a": 0.7, "b": 0.8}
    for name, score in scores.items():
        saved(tmp_path, f"run-{name}", score)
    search = search_of(plan, tmp_path, Machine(scores=scores))
    search.work()
    assert [status for _, status in journal(tmp_path)] == ["done"] * 4
    return search


def test_a_winner_whose_bundle_breaks_the_cap_is_refused_once_and_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def write(record: RunRecord, _output: Path, place: Path, *_: object) -> Bundle:
        asked.append(record.identity)
        place.mkdir(parents=True, exist_ok=True)
        return Bundle(place, record.identity, 2500 if record.identity == "run-c" else 1500)

    monkeypatch.setattr("runner.best.conclude.write_bundle", write)
    plan = replace(FIVE, budget=replace(FIVE.budget, max_kb=2.0))
    for _ in range(2):
        found = concluded(plan, tmp_path, SCORES)
        assert found.result.winner == "b" and found.result.bundle_bytes == 1500
        assert "c 0.9000: refused: its bundle has 2,500 bytes, 500 over max_kb=2" in left_out(found)
    assert asked == ["run-c", "run-b", "run-b"], "the second time the journal knows"
    assert [status for _, status in journal(tmp_path)] == ["done"] * 5, "later decisions are those without a bundle"


def test_the_bundle_has_the_form_whose_time_was_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = list[object]()

    def write(record: RunRecord, _output: Path, place: Path, *how: object) -> Bundle:
        written.append(how[-1])
        return Bundle(place, record.identity)

    monkeypatch.setattr("runner.best.conclude.write_bundle", write)
    for name, score in SCORES.items():
        saved(tmp_path, f"run-{name}", score)
    plan = replace(FIVE, budget=Budget(max_us=30.0, steps=99))
    machine = Machine(scores=SCORES, answers={"c": AnswerTime(8.0, "onnx-int8"), "b": AnswerTime(31.0, "onnx")})
    search = search_of(plan, tmp_path, machine)
    found = conclude(search, search.work(), no_run, untimed)
    assert written == ["onnx-int8"] and (found.result.micros, found.result.engine) == (8.0, "onnx-int8")
    assert found.ended == (("b", "refused", "31.0 us per answer, 1.0 over max_us=30"),)


def test_the_time_of_a_model_of_all_rows_is_judged_by_its_own_bundle(tmp_path: Path) -> None:
    def train(words: Sequence[str]) -> Ending:
        name = words[0][-1]
        answer = AnswerTime(31.0 if name == "b" else 29.0, "numpy")
        return Ending(Outcome(0, saved(tmp_path, f"whole-{name}", 0.9)), answer=answer)

    plan = replace(in_folds(), budget=Budget(max_us=30.0, steps=99))
    search = folded(tmp_path, plan)
    found = conclude(search, DONE, train, untimed)
    assert found.result.winner == "a" and (found.result.micros, found.result.engine) == (29.0, "numpy")
    assert "b 0.8000: refused: on all rows: 31.0 us per answer, 1.0 over max_us=30" in " ".join(left_out(found))
    again = conclude(folded(tmp_path, plan), DONE, no_run, untimed)
    assert again.result == found.result, "a time is judged once"


@pytest.mark.parametrize(("able", "count"), [(None, 1), ("data.threshold=0.2", 2), ("train.epochs=2", 3)])
def test_a_model_of_all_rows_gets_the_first_thresholds_that_it_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, able: str | None, count: int
) -> None:
    ways, asked = ["data.calibration=folds", "data.threshold=0.2"], list[str]()
    monkeypatch.setattr("runner.best.conclude.threshold_words", lambda folders: ways if len(folders) == 2 else [])

    def train(words: Sequence[str]) -> Ending:
        asked.append(words[-1])
        if able not in (None, words[-1]):
            return Ending(Outcome(2, reason="a teacher has seen these rows"))
        return Ending(Outcome(0, saved(tmp_path, "whole", 0.9)))

    found = conclude(folded(tmp_path, in_folds()), DONE, train, untimed)
    assert asked == ["data.calibration=folds", "data.threshold=0.2", "train.epochs=2"][:count]
    assert found.result.run == "whole" and found.result.winner == "b"


def test_a_last_training_that_is_interrupted_is_not_tried_in_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.best.conclude.threshold_words", lambda _: ["data.calibration=folds"])
    with pytest.raises(KeyboardInterrupt):
        conclude(folded(tmp_path, in_folds()), DONE, lambda _: Ending(Outcome(130)), untimed)


def test_only_the_winner_gets_thresholds_and_not_its_teacher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.best.conclude.threshold_words", lambda _: ["data.threshold=0.2"])
    asked = list[str]()

    def train(words: Sequence[str]) -> Ending:
        asked.append(words[-1])
        return Ending(Outcome(0, saved(tmp_path, f"whole{len(asked)}", 0.9)))

    plan = in_folds(b="a")
    plan = replace(plan, candidates=(replace(plan.candidates[0], fits=False), plan.candidates[1]))
    conclude(folded(tmp_path, plan), DONE, train, untimed)
    assert asked == ["train.epochs=2", "data.threshold=0.2"]
