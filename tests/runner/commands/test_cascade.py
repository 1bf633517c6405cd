"""`run cascade`: two runs become one record and one folder, which is shown, compared, asked and copied."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from runner.cli import run_verb
from runner.commands import compare, predict, show
from runner.commands.cascade import main
from runner.deploy.exported import read_export
from runner.errors import ConfigError
from runner.python.model import load
from runner.record.folder import read_all_records, read_record
from runner.record.predictions import read_predictions
from runner.record.record import RunRecord
from tests.runner.cascade.runs import LARGE, SMALL, write_pair
from tests.runner.deploy.promised import texts_of

TEXTS = texts_of(30, 4)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs in `outputs`."""
    folder = tmp_path_factory.mktemp("cascade")
    write_pair(folder / "outputs", folder / "cache")
    return folder


def words(place: Path, *more: str) -> list[str]:
    return [f"small={SMALL}", f"large={LARGE}", f"paths.output={place}/outputs", f"paths.cache={place}/cache", *more]


def cascades(place: Path) -> list[RunRecord]:
    return [record for record in read_all_records(place / "outputs")[0] if record.config.get("cascade")]


@pytest.fixture(scope="module")
def made(place: Path) -> RunRecord:
    assert main(words(place, "at_most_loss=0.05", "seconds=1", f"out={place}/copy")) == 0
    (record,) = cascades(place)
    return record


@pytest.mark.parametrize("wrong", ["soon", "0", "nan"])
def test_a_time_that_is_none_is_refused(place: Path, wrong: str) -> None:
    with pytest.raises(ConfigError, match="expected microseconds, above 0"):
        main(words(place, f"max_us={wrong}"))


@pytest.mark.parametrize("loss", ["at_most_loss=0.01", "guarantee=none", "delta=0.01"])
def test_a_loss_beside_a_time_would_have_no_effect_and_is_refused(place: Path, made: RunRecord, loss: str) -> None:
    given = [word for word in words(place) if not word.startswith("at_most_loss=")]
    with pytest.raises(ConfigError, match=f"{loss} with max_us=500: the threshold follows from the time"):
        main([*given, "max_us=500", loss])


def test_other_ways_are_not_compared_without_time_to_answer(place: Path) -> None:
    with pytest.raises(ConfigError, match=f"seconds=0 and beside={SMALL}: .*Try: seconds=20"):
        main(words(place, "seconds=0", f"beside={SMALL}"))


def test_record_has_scores_costs_and_times(place: Path, made: RunRecord) -> None:
    metrics, folder = made.metrics, place / "outputs" / made.identity
    assert made.status == "done" and made.overrides[:2] == ["cascade", f"small={SMALL}"]
    answers = read_predictions(folder, "test", made)
    assert answers is not None
    assert np.mean(answers["label"] == answers["prediction"]) == pytest.approx(metrics["test/accuracy"])
    lost = metrics["cascade/large_score"] - metrics["test/accuracy"]
    assert metrics["cascade/loss"] == pytest.approx(lost) and metrics["cascade/loss_bound"] <= 0.05
    assert metrics["cascade/loss_low"] < lost < metrics["cascade/loss_high"]
    assert 0.2 < metrics["cascade/by_small"] < 0.8 and metrics["cost/params"] == 200
    assert metrics["cost/macs"] == pytest.approx(10 + (1 - metrics["cascade/by_small"]) * 1000)
    sizes = [
        sum(path.stat().st_size for path in (place / "copy" / part).iterdir() if path.name != "deploy.json")
        for part in ("small", "large")
    ]
    assert metrics["cost/bytes_deployed"] == sum(sizes)
    assert metrics["cascade/small_us_mean"] < metrics["cascade/formula_us_mean"]
    assert metrics["speed/answer_us_p50"] <= metrics["speed/answer_us_p95"]


def test_it_is_asked_by_its_id_its_folder_and_its_copy(
    place: Path, made: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = place / "outputs"
    shutil.copytree(place / "copy", tmp_path / "moved")
    with (tmp_path / "texts.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["text"], *([text] for text in TEXTS)])
    written = []
    for source in (made.identity, str(output / made.identity), str(tmp_path / "moved")):
        out = tmp_path / f"{len(written)}.csv"
        assert predict.main([source, str(tmp_path / "texts.csv"), f"out={out}", f"paths.output={output}"]) == 0
        written.append(out.read_text(encoding="utf-8"))
    assert written[0] == written[1] == written[2]
    assert read_export(tmp_path / "moved").identity == made.identity
    rows = list(csv.DictReader(written[0].splitlines()))
    assert {row["answered_by"] for row in rows} == {"small", "large"}
    model = load(made.identity, output=output)
    assert model.predict(TEXTS).tolist() == [row["prediction"] for row in rows]
    assert model.predict_proba(TEXTS).shape == (30, 2)
    assert predict.main([str(tmp_path / "moved"), TEXTS[0]]) == 0
    assert "the model that answered: " in capsys.readouterr().out


def test_it_is_found_again_shown_and_compared(place: Path, made: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    before = (place / "outputs" / made.identity / "record.json").stat().st_mtime_ns
    assert main(words(place, "at_most_loss=0.05", "seconds=1")) == 0
    assert (place / "outputs" / made.identity / "record.json").stat().st_mtime_ns == before
    capsys.readouterr()
    assert show.main([made.identity, f"paths.output={place}/outputs"]) == 0
    shown = capsys.readouterr().out
    assert "at most 5 points of accuracy are lost" in shown and "answers" in shown
    assert compare.main([made.identity, LARGE, f"paths.output={place}/outputs"]) == 0
    assert "bert-tiny+bert-tiny" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["at_most_loss=0.001"], "on the 116 rows of val: it takes at least 3,688 calibration rows"),
        (["at_most_loss=5"], "at_most_loss=5: expected a share between 0 and 1. Try: at_most_loss=0.05"),
        (["guarantee=no"], "guarantee=no: expected exact or none. Try: guarantee=exact"),
        (["large="], "which model is the large one? Try: run cascade small=<id> large=<id>"),
        ([f"large={SMALL}"], "a cascade of a run with itself saves nothing"),
        (["at_most_los=0.1"], "'at_most_los=0.1' is not one of its options"),
        (["seconds=-1"], "seconds=-1: expected a whole number"),
    ],
)  # fmt: skip
def test_mistakes_are_one_message_and_write_nothing(
    place: Path, made: RunRecord, more: list[str], message: str
) -> None:
    before = sorted((place / "outputs").iterdir())
    with pytest.raises(ConfigError) as refused:
        main(words(place, *more))
    assert message in str(refused.value) and sorted((place / "outputs").iterdir()) == before


def test_other_verbs_say_what_a_cascade_is(place: Path, made: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    output = f"paths.output={place}/outputs"
    for verb, more, message in (
        ("export", ["format=safetensors"], "is a cascade of two models, which is deployed as a folder. Try: run"),
        ("predict", ["a text", "reject=0.05"], "is a cascade, whose promise is about the accuracy lost"),
        ("predict", ["a text", "engine=onnx"], "is for cascade. Try: engine=auto"),
        ("explain", [], "The command was: run cascade small="),
        ("cascade", [], f"small={made.identity}: is itself a cascade"),
    ):  # fmt: skip
        asked = [f"small={made.identity}", f"large={LARGE}"] if verb == "cascade" else [made.identity, *more]
        assert run_verb(verb, [*asked, output]) == 2
        assert message in capsys.readouterr().err


def test_an_estimate_needs_no_guarantee_and_no_time(place: Path, made: RunRecord) -> None:
    assert main(words(place, "at_most_loss=0.001", "guarantee=none", "seconds=0")) == 0
    record = next(one for one in cascades(place) if one.identity != made.identity)
    assert "cascade/loss_bound" not in record.metrics and "speed/answer_us_mean" not in record.metrics
    assert record.notes[0].startswith("no guarantee: on the 116 calibration rows of val")
    facts = json.loads((place / "outputs" / record.identity / "cascade.json").read_text(encoding="utf-8"))
    assert facts["calibration"]["guarantee"] == "none"
    assert read_record(place / "outputs" / record.identity) == record
    assert main(words(place, "at_most_loss=0.001", "guarantee=none", "seconds=1")) == 0
    timed = read_record(place / "outputs" / record.identity)
    assert timed is not None and timed.metrics["speed/answer_us_mean"] > 0, "made again, for its times"
    assert timed.metrics["speed/threads"] == 1
    assert main(words(place, "at_most_loss=0.001", "guarantee=none", "seconds=1", "threads=2")) == 0
    again = read_record(place / "outputs" / record.identity)
    assert again is not None and again.metrics["speed/threads"] == 2, "times on one thread are none on two"
