"""Settings of rows to calibrate on that contradict others, each with the cure."""

from __future__ import annotations

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data=demo", "data.calibration=1.5"], r"above 0 and at most 0.9. Try: data.calibration=0.1"),
        (["data=demo", "data.calibration=0"], "above 0"),
        (["data=demo", "data.calibration=extra"], "names a split of a hub dataset, and data=demo has none"),
        (["data=mnli", "data.calibration=validation_matched"], "this split is reported"),
        (["data=imdb", "data.calibration=train"], "this split trains"),
        (["data=demo", "data.calibration=0.1", "calibration=off"], "sets rows aside, and calibration=off leaves them"),
        (["data=demo", "task=mlm", "data.calibration=0.1"], "nothing is calibrated for task=mlm"),
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
