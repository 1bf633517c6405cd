"""A text encoder learns from codes, is used without them, and goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from safetensors.torch import load_file

from runner.deploy.exported import model_of_run
from runner.deploy.predictors import open_predictor
from runner.errors import ConfigError
from runner.experiment.outcome import Outcome
from runner.record.bounds import BOUND_NOTE, is_bound
from runner.record.record import RunRecord
from runner.training.trainer import Trainer
from tests.runner.experiment.second_view.pairs import made, write_pairs

Make = Callable[..., RunRecord]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def make(folder: Path) -> Make:
    @cache
    def once(*words: str) -> RunRecord:
        outcome = made(folder, *words)
        assert outcome.exit_code == 0 and outcome.record
        return outcome.record

    return once


def accuracy(record: RunRecord) -> float:
    return record.metrics["test/accuracy"]


@pytest.mark.parametrize("method", ["distil", "dcca"])
def test_twenty_labels_and_codes_beat_twenty_labels(make: Make, method: str) -> None:
    alone, found = make(), make("view=codes", f"view.method={method}")
    assert accuracy(found) > accuracy(alone) + 0.1
    mixed = make("view=codes", f"view.method={method}", "view.shuffle=true")
    assert accuracy(found) > accuracy(mixed) + 0.1, "codes of other rows teach nothing"


def test_correlations_are_recorded_and_those_of_other_rows_codes_are_smaller(make: Make) -> None:
    found = make("view=codes", "view.method=dcca").metrics
    mixed = make("view=codes", "view.method=dcca", "view.shuffle=true").metrics
    assert found["view/corr_train"] > found["view/corr_val"] > mixed["view/corr_val"] + 3
    assert found["view/dimensions"] > mixed["view/dimensions"]


@pytest.mark.parametrize("method", ["distil", "dcca"])
def test_the_saved_model_is_the_texts_own_and_answers_as_it_was_scored(make: Make, folder: Path, method: str) -> None:
    alone, found = make(), make("view=codes", f"view.method={method}")
    places = [folder / "outputs" / record.identity / "model" for record in (alone, found)]
    shapes = [{k: v.shape for k, v in load_file(place / "model.safetensors").items()} for place in places]
    assert shapes[0] == shapes[1], "no tensor of the view"
    assert found.metrics["cost/params"] == alone.metrics["cost/params"] == alone.metrics["cost/params_trained"]
    assert found.metrics["cost/params_trained"] > found.metrics["cost/params"]
    ask, names = open_predictor(model_of_run(found, places[1].parent), 1), found.data.labels
    answers = [answer["prediction"] for answer in ask([str(text) for text in pd.read_csv(folder / "test.csv")["text"]])]
    wanted = pd.read_parquet(places[1].parent / "predictions-test.parquet")["prediction"]
    assert answers == [names[place] for place in wanted], "from texts alone"


def interrupted(folder: Path, out: Path, steps: int, *words: str) -> Outcome:
    """The run, after it was killed at the end of so many of its steps and resumed."""
    step, taken = Trainer.step, 0

    def kill(self: Trainer, rows: Any) -> Any:
        nonlocal taken
        if taken == steps:
            raise KeyboardInterrupt
        taken += 1
        return step(self, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "step", kill)
        killed = made(folder, *words, "checkpoint.every_s=1e-9", out=out)
    assert killed.exit_code == 130 and killed.record and killed.record.status == "killed"
    return made(folder, *words, "resume=must", out=out)


@pytest.mark.parametrize("steps", [7, 25, 41])  # while views correlate, while the teacher learns, while the text does
def test_an_interrupted_run_goes_on_in_its_phase_and_ends_the_same(
    make: Make, folder: Path, tmp_path: Path, steps: int
) -> None:
    words = ("view=codes", "view.method=both", "train.epochs=2", "view.epochs=10")
    whole, resumed = make(*words), interrupted(folder, tmp_path, steps, *words).record
    assert resumed and resumed.identity == whole.identity and resumed.status == "done"
    kinds = ("train/steps", "distil", "view", "test", "cost")
    same = {k: v for k, v in whole.metrics.items() if k.startswith(kinds) and k != "distil/teacher_rows"}
    assert {k: resumed.metrics[k] for k in same} == same


@pytest.mark.parametrize("reads", ["codes", "both"])
def test_a_bound_is_scored_and_never_deployed(make: Make, folder: Path, reads: str) -> None:
    record = make("view=codes", f"view.reads={reads}")
    assert accuracy(record) > 0.9, "the label is that of the code's parent"
    assert is_bound(record) and BOUND_NOTE in record.notes
    place = folder / "outputs" / record.identity
    assert not (place / "model").exists() and (place / "report.html").is_file()
    with pytest.raises(ConfigError, match="reads codes, which a question does not have"):
        model_of_run(record, place)


def test_a_view_of_none_leaves_the_run_as_it_was(make: Make) -> None:
    assert make("view=none", "view.method=dcca").identity == make().identity
