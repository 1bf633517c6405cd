"""Settings that contradict two texts read apart, each with its cure."""

from __future__ import annotations

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError

PAIRS = ["model=bi-encoder", "data=stsb"]


def test_numbers_are_learnt_from_0_to_1_and_nothing_else_changes() -> None:
    assert resolve(compose(PAIRS)).data.standardize == "range"
    assert resolve(compose([*PAIRS, "model.readout.compare=parts"])).data.standardize == "auto"
    untrained = resolve(compose([*PAIRS, "model.head=fitted", "model.freeze=encoder"]))
    assert untrained.model.readout == {"name": "bi_encoder", "pooling": "mean", "compare": "cosine"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model=bert-tiny", "data=stsb", "train.loss=cosent"], "Try: model=bi-encoder, or train.loss=auto"),
        (["model=bert-tiny", "data=stsb", "train.loss=squared"], "train.loss=squared is for the cosine of two texts"),
        ([*PAIRS, "train.loss=cosent", "model.readout.compare=parts"], "is for the cosine of two texts"),
        (["model=bi-encoder", "data=wikiqa", "task=rank", "train.loss=cosent"], "is not a loss of the task rank"),
        (["model=bi-encoder", "data=sst2"], "compares the two texts of a pair, but data=sst2 has one text per row"),
        ([*PAIRS, "data.standardize=never"], "data.standardize=never: a cosine is compared with targets"),
        (["model=bi-encoder", "data=mrpc", "data.class_weights=balanced", "train.loss=cosent"], "weights do not apply"),
        ([*PAIRS, "model.freeze=encoder"], "Try: model.head=fitted"),
        (["model=bi-encoder", "data=mrpc", "train.loss=cosent", "train.accumulate=2"], "Try: train.accumulate=1"),
        ([*PAIRS, "train.accumulate=2"], "train.loss=cosent (auto) compares all rows of a batch"),
        (["model=dsn", "model/readout=bi_encoder", "data=stsb"], "model/backbone=none has no encoder"),
    ],
)
def test_a_contradiction_is_refused_with_its_cure(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        resolve(compose(words))
    assert message in str(error.value)
