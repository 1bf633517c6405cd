"""Models and tasks whose texts cannot be split into other pieces in every epoch."""

from __future__ import annotations

import pytest

from runner.config.check import check_overrides

DROPOUT = "train.maxmatch_dropout=0.1"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["task=mlm", "model=bert-tiny", "data=demo"], "moves the tokens that the task mlm has labels for"),
        (["task=tags", "model=bert-tiny", "data=demo", "data.demo_task=tags"], "moves the tokens that the task tags"),
        (["model=ngram", "data=demo"], "model=ngram is fitted without epochs. Try: train.maxmatch_dropout=0"),
        (["model=frozen", "data=demo"], "model=frozen is fitted without epochs"),
        (["model=tiny-sound", "data=esc10"], "is for texts"),
        (["model=dsn", "data=icd10-severity", "view=codes"], "view=codes reads texts unchanged"),
    ],
)
def test_what_cannot_go_with_other_pieces_is_refused(words: list[str], message: str) -> None:
    assert message in "\n".join(check_overrides([*words, DROPOUT]))


@pytest.mark.parametrize("model", ["bert-tiny", "dsn"])
def test_models_that_are_trained_in_epochs_take_it(model: str) -> None:
    assert check_overrides([f"model={model}", "data=demo", DROPOUT]) == []
