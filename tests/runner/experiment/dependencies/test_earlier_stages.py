"""A chain without its last stage as a run of its own."""

from __future__ import annotations

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.dependencies.earlier_stages import earlier_overrides, earlier_settings

WORDS = ["model=bert-tiny", "data=demo", "data.max_rows=9", "compression=[magnitude,int8]", "compression.int8.bits=8"]


def earlier(words: list[str]) -> list[str]:
    return earlier_overrides(resolve(compose(words)), words)


def test_the_last_stage_and_its_settings_are_left_out() -> None:
    assert earlier([*WORDS, "force=true"]) == [*WORDS[:3], "compression=[magnitude]"]
    assert earlier(["model=bert-tiny", "data=demo", "compression=[int8]"]) == ["model=bert-tiny", "data=demo"]


def test_the_share_of_weights_is_kept_by_the_stages_that_read_it() -> None:
    words = ["density=0.5", *WORDS]
    assert earlier(words) == ["density=0.5", *WORDS[:3], "compression=[magnitude]"]
    plain = earlier(["density=0.5", "model=bert-tiny", "compression=[magnitude]"])
    assert plain == ["model=bert-tiny"], "nothing of the plain training is pruned"


@pytest.mark.parametrize("more", [[], ["force=true"]])
def test_its_settings_are_those_that_its_overrides_make(more: list[str]) -> None:
    settings = resolve(compose([*WORDS, *more]))
    made = earlier_settings(settings)
    assert list(made.compression) == ["magnitude"] and not made.force
    assert made == resolve(compose(earlier_overrides(settings, [*WORDS, *more])))
    assert list(settings.compression) == ["magnitude", "int8"], "the whole run's settings stay as they are"
