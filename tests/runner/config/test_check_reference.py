"""A reference model that cannot be made is refused before the training, with a cure."""

from __future__ import annotations

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("auto", "its shape is that of a checkpoint"),
        ("minilm", "its shape is that of a checkpoint"),
        ("ngram", "no n-grams before it is fitted"),
        ("ngram-vectors", "no n-grams before it is fitted"),
        ("eelbert", "without their letters or sounds"),
        ("tiny-sound", "without their letters or sounds"),
    ],
)
def test_a_preset_without_random_weights_is_refused(name: str, why: str) -> None:
    with pytest.raises(ConfigError, match=f"measure.baseline={name}: .*{why}.*Try: measure.baseline=bert-tiny"):
        resolve(compose(["model=dsn", "data=demo", f"measure.baseline={name}"]))


@pytest.mark.parametrize(
    "name", ["bert-tiny", "bert-mini", "bermo", "bertvision", "bilstm", "dsn-64", "static", "null"]
)
def test_other_presets_are_timed(name: str) -> None:
    resolve(compose(["model=dsn", "data=demo", f"measure.baseline={name}"]))


def test_nothing_is_refused_that_is_not_timed() -> None:
    resolve(compose(["model=dsn", "data=demo", "measure.baseline=minilm", "measure=off"]))
