"""Answers within milliseconds: lengths by the text and by its limit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from runner.deploy.budgets import find_model_at
from runner.deploy.bundle.calibration import hash_of
from runner.deploy.exported import find_model
from runner.deploy.predictor import Predictor
from runner.deploy.predictors import KeepsTime
from runner.deploy.reasons import find_reasons
from runner.deploy.service import answer_questions, health_of
from runner.deploy.service_models import TimedQuestion
from runner.deploy.timed_lengths import TimedPredictor
from runner.errors import ConfigError
from tests.runner.deploy.adaptive import write_adaptive_run

SHORT, LONG = "a fine film", "a film without a plot and without wit and without an end and without a title"
SIZES = [4, 60]


@pytest.fixture(scope="module")
def adaptive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    write_adaptive_run(folder, "dddd")
    return folder


@pytest.fixture
def timed(adaptive: Path, monkeypatch: pytest.MonkeyPatch) -> TimedPredictor:
    """A predictor whose lengths take 1, 2 and 3 ms for 4 tokens, and ten times that for 60."""
    monkeypatch.setattr(TimedPredictor, "_time", lambda *_: (SIZES, [(1.0, 10.0), (2.0, 20.0), (3.0, 30.0)]))
    return TimedPredictor(find_model("dddd", adaptive, "auto"), 1, 6.0)


def test_lengths_follow_from_the_text_and_its_limit(timed: TimedPredictor) -> None:
    assert isinstance(timed, KeepsTime)
    assert [timed.choose(4, limit).share for limit in (0.5, 1.0, 2.0, 2.9, 50.0)] == [0.4, 0.4, 0.7, 0.7, 0.7]
    assert timed.choose(60, 10.0).share == 0.4
    assert timed.least_ms(32) == pytest.approx(5.5)


def test_an_answer_is_that_of_its_lengths_whatever_else_is_asked(timed: TimedPredictor, adaptive: Path) -> None:
    shortest = Predictor(find_model_at("dddd", adaptive, "auto", 0.4))
    longer = Predictor(find_model_at("dddd", adaptive, "auto", 0.7))
    found = timed.answers_within(timed.ask([LONG, SHORT, LONG]), [1.0, 6.0, 99.0], 32)
    expected = [shortest([LONG])[0], longer([SHORT])[0], longer([LONG])[0]]
    for one, other in zip(found, expected):
        assert one["prediction"] == other["prediction"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_one_server_answers_three_limits_and_refuses_one_out_of_reach(timed: TimedPredictor) -> None:
    questions = [TimedQuestion(texts=[LONG], max_ms=limit) for limit in (99.0, 9.0, 0.1, None)]
    found: list[Any] = list(answer_questions(timed, questions, 32))
    assert [len(one) for one in (found[0], found[1], found[3])] == [1, 1, 1]
    assert found[2].status_code == 422
    assert "max_ms=0.1: a text of" in found[2].detail and "Try: max_ms=" in found[2].detail


def test_what_a_server_says_of_its_answers_does_not_change_with_them(
    adaptive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimedPredictor, "_time", lambda *_: (SIZES, [(1.0, 10.0), (2.0, 20.0), (3.0, 30.0)]))
    shutil.copytree(adaptive / "dddd", tmp_path / "dddd")
    model = find_model("dddd", tmp_path, "auto")
    facts = {"method": "temperature", "temperature": 3.0, "rows": 9, "split": "val", "of": [hash_of(model.weights)]}
    model.weights.with_name("calibration.json").write_text(json.dumps(facts))
    assert Predictor(model).calibration.is_calibrated
    timed = TimedPredictor(model, 1, 6.0)
    before = health_of(timed)
    assert before.calibrated is False and "several lengths" in before.calibration
    for limit in (1.0, 99.0):
        answer_questions(timed, [TimedQuestion(texts=[LONG], max_ms=limit)], 32)
        assert health_of(timed) == before
    timed.speeds = timed.speeds[-1:]
    assert timed([LONG])[0]["probabilities"] == pytest.approx(Predictor(model)([LONG])[0]["probabilities"], abs=1e-6)


def test_reasons_are_found_at_the_limit_of_the_request(timed: TimedPredictor, adaptive: Path) -> None:
    (found,) = answer_questions(timed, [TimedQuestion(texts=[LONG], max_ms=99.0, explain=True)], 32)
    longer = Predictor(find_model_at("dddd", adaptive, "auto", 0.7))
    wanted = find_reasons(longer, [LONG], longer([LONG])[0])
    assert wanted and isinstance(found, list)
    adds = {(part["text"], *part["spans"]): part["adds"] for part in found[0]["reasons"]["parts"]}
    assert adds == pytest.approx({(part.text, *part.spans): part.adds for part in wanted.parts}, abs=1e-5)


def test_a_limit_below_the_shortest_lengths_is_refused_with_the_reachable_one(
    adaptive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimedPredictor, "_time", lambda *_: (SIZES, [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]))
    with pytest.raises(ConfigError, match=r"max_ms=0\.5: the shortest lengths take 1 ms .* Try: max_ms=1\.1"):
        TimedPredictor(find_model("dddd", adaptive, "auto"), 1, 0.5)


def test_lengths_are_timed_at_the_start(adaptive: Path) -> None:
    timed = TimedPredictor(find_model("dddd", adaptive, "auto"), 1, 1e6)
    assert [speed.share for speed in timed.speeds] == [0.4, 0.7, 1.0]
    assert all(ms > 0 for speed in timed.speeds for ms in speed.ms)
    assert timed.describe().startswith("max_ms=1e+06: a text of 20 tokens takes")
