"""Settings of rows to calibrate on that contradict others, each with the cure."""

from __future__ import annotations

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError

FOLDS = ["data=demo", "data.folds=3", "data.fold=all", "data.calibration=folds"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data=demo", "data.calibration=1.5"], r"above 0 and at most 0.9. Try: data.calibration=0.1"),
        (["data=demo", "data.calibration=0"], "above 0"),
        (["data=demo", "data.calibration=extra"], "names a split of a hub dataset, but data=demo has none"),
        (["data=mnli", "data.calibration=validation_matched"], "this split is reported"),
        (["data=imdb", "data.calibration=train"], "this split is used to train"),
        (["data=demo", "data.calibration=0.1", "calibration=off"], "sets rows aside, but calibration=off leaves them"),
        (["data=demo", "task=mlm", "data.calibration=0.1"], "nothing is calibrated for task=mlm"),
        (["data=demo", "data.calibration=folds"], r"a model trained on all rows. Try: data.folds=5 data.fold=all"),
        (["data=demo", "data.folds=3", "data.fold=1", "data.calibration=folds"], r"Try: data.folds=3 data.fold=all"),
        ([*FOLDS, "compression=[exits]"], r"exits calibrates its exits on held-out rows.*Try: data.calibration=0.1"),
        ([*FOLDS, "compression=[length]"], r"length searches for lengths on held-out rows"),
        ([*FOLDS, "compression=[dendrites]"], r"keeps a dendrite by its gain on held-out rows"),
        ([*FOLDS, "compression=[distil]", "compression.distil.teacher=0123456789"], r"a teacher, which may have seen"),
        ([*FOLDS, "data.labelled_rows=50"], r"Try: data.labelled_rows=null data.max_rows=50"),
        (
            ["data=files", "data.path=a.csv", "data.fold_column=part", "data.fold=all", "data.calibration=folds"],
            r"not of data.fold_column. Try: data.calibration=0.1",
        ),
        (["data=esc10", "model=tiny-sound", "data.calibration=a.csv"], "gives sounds. Try: data.calibration=0.1"),
    ],
)
def test_rows_that_cannot_be_set_aside_are_refused(words: list[str], message: str) -> None:
    model = [] if any(word.startswith("model=") for word in words) else ["model=bert-tiny"]
    with pytest.raises(ConfigError, match=message):
        resolve(compose([*model, *words]))


def test_a_share_a_file_and_another_split_are_taken() -> None:
    for value in ("0.1", "later.csv"):
        assert resolve(compose(["model=bert-tiny", "data=demo", f"data.calibration={value}"])).data.calibration == value
    assert resolve(compose(["model=bert-tiny", "data=imdb", "data.calibration=unsupervised"])).data.calibration


def test_a_further_reported_split_calibrates_instead() -> None:
    data = resolve(compose(["model=bert-tiny", "data=mnli", "data.calibration=validation_mismatched"])).data
    assert data.report_splits == {"val": "validation_matched"}
    assert list(resolve(compose(["model=bert-tiny", "data=mnli"])).data.report_splits) == ["val", "val_mm"]


def test_folds_calibrate_models_that_are_trained_or_rounded_alike() -> None:
    for words in ([], ["compression=[magnitude,int8]"]):
        assert resolve(compose(["model=bert-tiny", *FOLDS, *words])).data.calibration == "folds"
