"""Whole searches in this process, with a hand-made plan and a stand-in for the launcher."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from runner.best import command
from runner.best.agenda import Work
from runner.best.command import TIMED, Launching, hold_search, search_inside, shared_words
from runner.best.search import Search
from runner.best.types import AnswerTime, Budget, Conclusion, Plan, Result
from runner.config.compose import compose
from runner.errors import ConfigError
from runner.experiment.outcome import Outcome
from runner.record.record import RunRecord
from runner.schema import Settings
from tests.runner.best.stand_ins import FIVE, record_of


def test_a_search_decides_threads_and_timing_only_where_the_command_does_not() -> None:
    own = ["baseline.ngram=off", "train.threads=1", "measure=quick"]
    assert shared_words(["data=demo"], is_timed=False) == ["data=demo", *own]
    assert shared_words(["data=demo"], is_timed=True) == ["data=demo", *own[:2], *TIMED]
    timed, default = (compose(words).measure for words in ([*TIMED], ["measure=default"]))
    assert (timed.min_time_s, timed.rounds) == (default.min_time_s, default.rounds), "answers are timed as long"
    given = ["data=demo", "train.threads=2", "measure=off"]
    assert shared_words(given, is_timed=False) == [*given, "baseline.ngram=off"]


@dataclass
class Runs:
    """A launcher that makes a record of every run; one with the word in `wrong` is refused."""

    output: Path
    wrong: str = "x=none"
    launched: list[list[str]] = field(default_factory=list)
    local: None = None

    def load(self, overrides: Sequence[str]) -> Settings:
        settings = Settings()
        settings.paths.output, settings.paths.cache = str(self.output), str(self.output / "cache")
        return settings

    def slots(self) -> int:
        return 2

    def problem_of(self, overrides: Sequence[str]) -> str | None:
        return "two settings exclude each other" if self.wrong in overrides else None

    def launch(self, batch: Sequence[Sequence[str]], first: int) -> list[Outcome]:
        self.launched += [list(words) for words in batch]
        return [Outcome(0, record_of(f"run-{words[-1][-1]}", 0.5, 1000, 20.0)) for words in batch]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How each search stopped; the plan is the one of five candidates, with the command's budget."""
    found: list[str] = []

    def make_plan(_settings: Settings, _words: Sequence[str], budget: Budget, _notify: object) -> Plan:
        return replace(FIVE, budget=budget)

    def conclude(search: command.Search, stop: object, *_: object) -> Conclusion:
        found.append(str(stop))
        finished = [name for name in "abcde" if search.agenda.is_finished(name)]
        result = Result(FIVE.key, "done", None, finished[0] if finished else None, None)
        return Conclusion(search.plan, result, None, None, (), (), {}, (), 0.0)

    monkeypatch.setattr(command, "make_plan", make_plan)
    monkeypatch.setattr(command, "encoders_ahead", lambda *_: nullcontext())
    monkeypatch.setattr(command, "conclude", conclude)
    monkeypatch.setattr(command, "show_plan", lambda plan: [f"plan {plan.key}"])
    monkeypatch.setattr(command, "show_result", lambda _: ["the result"])
    return found


def test_a_plan_alone_starts_no_run(tmp_path: Path, ended: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    runs = Runs(tmp_path)
    assert search_inside(Budget(steps=5), ["data=demo"], runs, True) == (None, 0)
    assert capsys.readouterr().out == "planning\nplan 0123456789\n" and not runs.launched and not ended


def test_a_cache_that_cannot_be_made_is_noticed_before_planning(
    tmp_path: Path, ended: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    with pytest.raises(FileExistsError):  # of which the sweeper makes a message
        search_inside(Budget(steps=5), ["data=demo"], Runs(tmp_path))
    assert capsys.readouterr().out == ""


def test_a_candidate_that_is_refused_is_a_row_and_the_others_go_on(
    tmp_path: Path, ended: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Runs(tmp_path, wrong="x=b")
    result, code = search_inside(Budget(steps=5), ["data=demo"], runs)
    assert result is not None and result.winner == "a" and code == 0
    assert [words[-1] for words in runs.launched] == ["x=a", "x=c", "x=d", "x=e"]
    assert all("baseline.ngram=off" in words for words in runs.launched)
    assert "started  a\nstarted  c; d\nstarted  e\n" in capsys.readouterr().out, "other launchers show nothing"
    assert "two settings exclude each other" in (tmp_path / "sweeps/0123456789/journal.jsonl").read_text()


def test_the_same_command_again_launches_nothing(tmp_path: Path, ended: list[str]) -> None:
    search_inside(Budget(steps=5), ["data=demo"], Runs(tmp_path))
    again = Runs(tmp_path)
    assert search_inside(Budget(steps=5), ["data=demo"], again)[1] == 0 and not again.launched


def test_with_a_cap_on_time_a_finished_run_is_timed_by_its_bundle_before_it_is_judged(
    tmp_path: Path, ended: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def time_run(record: RunRecord, output: Path, cache: Path, budget: Budget) -> AnswerTime:
        if record.identity == "run-b":
            raise ConfigError("its texts are gone")
        return AnswerTime(19.0 if record.identity == "run-a" else 9.0, "onnx")

    monkeypatch.setattr(command, "time_run", time_run)
    monkeypatch.setattr(command, "compute_forked", lambda function: function())
    search_inside(Budget(steps=3, max_us=10.0), ["data=demo"], Runs(tmp_path))
    lines = [json.loads(line) for line in (tmp_path / "sweeps/0123456789/journal.jsonl").read_text().splitlines()]
    found = [(line["status"], line["micros"], line["engine"]) for line in lines]
    assert found == [("refused", 19.0, "onnx"), ("refused", 20.0, None), ("done", 9.0, "onnx")]
    assert "its texts are gone. The time that the run measured is used" in capsys.readouterr().out


def test_without_a_winner_the_exit_code_is_1(tmp_path: Path, ended: list[str]) -> None:
    class Broken(Runs):
        def launch(self, batch: Sequence[Sequence[str]], first: int) -> list[Outcome]:
            return [Outcome(1, reason="crashed") for _ in batch]

    assert search_inside(Budget(steps=5), ["data=demo"], Broken(tmp_path))[1] == 1


def test_a_step_that_a_full_disk_stopped_is_done_by_the_same_command_again(tmp_path: Path, ended: list[str]) -> None:
    class Full(Runs):
        def launch(self, batch: Sequence[Sequence[str]], first: int) -> list[Outcome]:
            if first > 1:
                return [Outcome(1, reason="OSError: [Errno 28] No space left on device") for _ in batch]
            return super().launch(batch, first)

    with pytest.raises(ConfigError, match=r"No space left on device\. Free some space"):
        search_inside(Budget(steps=5), ["data=demo"], Full(tmp_path))
    assert len((tmp_path / "sweeps/0123456789/journal.jsonl").read_text().splitlines()) == 2, "a and b, which ended"
    again = Runs(tmp_path)
    assert search_inside(Budget(steps=5), ["data=demo"], again)[1] == 0
    assert [words[-1] for words in again.launched] == ["x=c", "x=d", "x=e"]


def test_ctrl_c_gives_the_best_so_far_and_exit_code_130(
    tmp_path: Path, ended: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(Runs):
        def launch(self, batch: Sequence[Sequence[str]], first: int) -> list[Outcome]:
            if first > 2:
                raise KeyboardInterrupt
            return super().launch(batch, first)

    result, code = search_inside(Budget(steps=5), ["data=demo"], Interrupted(tmp_path))
    assert code == 130 and result is not None and result.winner == "a"
    told = capsys.readouterr().out
    assert "interrupted after step 2 of 5: this is the best so far. Repeat the command to go on" in told

    class AtOnce(Runs):
        def launch(self, batch: Sequence[Sequence[str]], first: int) -> list[Outcome]:
            raise KeyboardInterrupt

    assert search_inside(Budget(steps=5), ["data=demo"], AtOnce(tmp_path / "other"))[1] == 130
    told = capsys.readouterr().out
    assert "interrupted after step 0 of 5: no candidate is finished yet. Repeat the command to go on" in told


@pytest.mark.parametrize(("place", "expected"), [("nowhere", [False]), ("step", [True]), ("choice", [True])])
def test_the_sweep_of_an_interrupted_search_is_closed_as_interrupted(
    place: str, expected: list[bool], tmp_path: Path, ended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = list[bool]()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    local = SimpleNamespace(finish=closed.append)
    if place == "step":  # between two batches, when no launcher sees it
        monkeypatch.setattr("runner.best.search.judge_step", interrupt)
    if place == "choice":
        monkeypatch.setattr(command, "conclude", interrupt)
    with pytest.raises(KeyboardInterrupt) if place == "choice" else nullcontext():
        search_inside(Budget(steps=5), ["data=demo"], Runs(tmp_path, local=local))  # type: ignore[arg-type]
    assert closed == expected


def test_a_search_that_finds_nothing_good_enough_has_finished_its_sweep(
    tmp_path: Path, ended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = list[bool]()

    def refuse(*_: object) -> None:
        raise ConfigError("at_least=0.9: nothing reaches 0.9")

    monkeypatch.setattr(command, "conclude", refuse)
    with pytest.raises(ConfigError):
        search_inside(Budget(steps=5), ["data=demo"], Runs(tmp_path, local=SimpleNamespace(finish=closed.append)))  # type: ignore[arg-type]
    assert closed == [False]


def test_two_searches_with_one_folder_exclude_each_other(tmp_path: Path) -> None:
    with hold_search(tmp_path, FIVE), pytest.raises(ConfigError, match="another process"), hold_search(tmp_path, FIVE):
        pass


def test_a_mistake_in_the_data_ends_the_command_before_any_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Plan:
        raise ConfigError("a class has a single row")

    monkeypatch.setattr(command, "make_plan", refuse)
    with pytest.raises(ConfigError, match="a single row"):
        search_inside(Budget(steps=5), ["data=demo"], runs := Runs(tmp_path))
    assert not runs.launched


def test_two_finished_runs_become_one_after_the_runs_of_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(FIVE, budget=Budget(max_us=50.0))
    runs, asked = Runs(tmp_path), list[tuple[object, ...]]()
    launching = Launching(plan, ["data=demo"], runs, tmp_path / "cache")
    launching.search = Search(plan, tmp_path / "search", tmp_path, launching)
    one, two = (Work(step, plan.candidates[number]) for number, step in enumerate(plan.steps[:2]))

    def make(*given: object) -> tuple[RunRecord, Path]:
        asked.append(given)
        if len(asked) > 1:
            raise ConfigError("the small model alone takes 60 us")
        return record_of("both", 0.9, 3000, 40.0), tmp_path / "both"

    monkeypatch.setattr(command, "make_within_time", make)
    monkeypatch.setattr(command, "compute_forked", lambda function: function())
    joined, plain = launching([replace(one, small="aaa", teacher="bbb"), two])
    assert [ending.outcome.record and ending.outcome.record.identity for ending in (joined, plain)] == ["both", "run-b"]
    assert asked[0][:5] == ("aaa", "bbb", 50.0, tmp_path, tmp_path / "cache") and len(runs.launched) == 1
    (refused,) = launching([replace(one, small="aaa", teacher="bbb")])
    assert refused.outcome.record is None and "takes 60 us" in str(refused.outcome.reason)


def test_a_run_that_is_finished_already_is_not_timed_at_its_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, timed = replace(FIVE, budget=Budget(max_us=50.0)), list[str]()

    def time_run(record: RunRecord, *_: object) -> AnswerTime:
        timed.append(record.identity)
        return AnswerTime(9.0, "onnx")

    monkeypatch.setattr(command, "time_run", time_run)
    monkeypatch.setattr(command, "compute_forked", lambda function: function())
    launching = Launching(plan, ["data=demo"], Runs(tmp_path), tmp_path / "cache")
    launching.search = Search(plan, tmp_path / "search", tmp_path, launching)
    steps = [replace(plan.steps[0], part="third"), replace(plan.steps[1], part="rest")]
    endings = launching([Work(step, candidate) for step, candidate in zip(steps, plan.candidates)])
    assert timed == [endings[1].outcome.record and endings[1].outcome.record.identity]
