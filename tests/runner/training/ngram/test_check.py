"""Settings that leave nothing to fit are refused, each with the cure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.inputs.hashed_words import HashedWords
from data.targets.class_label import ClassLabel
from models.heads.base import LABEL_SETS
from runner.errors import ConfigError
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.training.ngram.check import check_fit
from runner.training.ngram.fit import fit_ngrams
from tests.runner.training.ngram.rows import SETTINGS, intent_names, intent_texts, review_splits, split_of_texts


def test_settings_that_leave_nothing_to_fit_are_refused() -> None:
    splits, task = review_splits()
    check_fit(splits, replace(SETTINGS, max_kb=1), task.head())
    with pytest.raises(ConfigError, match=r"model\.min_df=601: .* 600 training rows.*model\.min_df=1"):
        check_fit(splits, replace(SETTINGS, min_df=601), task.head())
    splits.task = replace(splits.task, label_names=tuple(f"a class with a long name {place}" for place in range(40)))
    with pytest.raises(ConfigError, match=r"model\.max_kb=1: .* Try: model\.max_kb=[2-9]"):
        check_fit(splits, replace(SETTINGS, max_kb=1), task.head())


def test_a_file_that_is_not_refused_has_room_for_n_grams_beside_all_of_its_entries() -> None:
    splits, _ = review_splits(3)
    settings = replace(SETTINGS, max_kb=1)
    fitted, refused = list[int](), list[int]()
    for length in range(84, 112, 4):  # of the names of the classes, which fill the file
        names = tuple(letter * length for letter in "abc")
        splits.task = replace(splits.task, label_names=names)
        splits.tokenizer = HashedWords(cleaning=("tweets",))
        task = Classification(LabelFacts(names))
        try:
            check_fit(splits, settings, task.head())
        except ConfigError:
            refused.append(length)
            continue
        found = fit_ngrams(splits, task, settings)
        fitted.append(length)
        assert len(found.table.prints) and found.bytes_packed <= 1000
    assert fitted and refused and max(fitted) < min(refused)
    names = tuple("abc")
    splits.task = replace(splits.task, label_names=names)
    several = replace(Classification(LabelFacts(names)).head(), outputs=200, problem_type=LABEL_SETS)
    with pytest.raises(ConfigError, match=r"model\.max_kb=1: .* Try: model\.max_kb=5"):  # each label has a threshold
        check_fit(splits, settings, several)


def test_many_classes_get_room_for_their_biases_and_scales() -> None:
    names = intent_names(150)
    splits, _ = review_splits()
    splits.task = replace(splits.task, label_names=names)
    splits.train, splits.select = (
        replace(split_of_texts(*intent_texts(rows, 150, seed)), target=ClassLabel(names))
        for seed, rows in enumerate((900, 300))
    )
    task = Classification(LabelFacts(names))
    with pytest.raises(ConfigError, match=r"model\.max_kb=3: .* Try: model\.max_kb=5"):
        check_fit(splits, replace(SETTINGS, max_kb=3), task.head())
    check_fit(splits, replace(SETTINGS, max_kb=5), task.head())
    found = fit_ngrams(splits, task, replace(SETTINGS, max_kb=5))
    assert len(found.table.prints) and found.bytes_packed <= 5000
