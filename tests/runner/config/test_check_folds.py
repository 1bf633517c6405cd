"""Settings of folds that contradict each other, each with the cure."""

from __future__ import annotations

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data.fold_column=part"], "needs the value whose rows are the test split"),
        (["data.fold_column=part", "data.fold=1", "data.folds=5"], "gives the folds, but"),
        (["data.fold_column=part", "data.fold=1", "data.test_path=b.csv"], r"data.test_path names others"),
        (["data.fold_column=part", "data.fold=all", "train.patience=2"], "which are needed to stop early"),
    ],
)
def test_settings_against_own_folds_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(compose(["model=dsn", "data=files", "data.path=a.csv", "model.tokenizer=words", *words]))


def test_the_built_in_data_have_no_folds_of_their_own() -> None:
    with pytest.raises(ConfigError, match="has no such column"):
        resolve(compose(["model=dsn", "data=demo", "data.fold_column=part", "data.fold=1"]))
