"""Masked words as a task: what they forbid, and what they leave out of the dataset's settings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from data.splits import TokenSplit
from data.targets.masked_words import MaskedWords as Target
from data.targets.masked_words import pack_blocks
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.tasks.mlm import MaskedWords
from tests.data.helpers import split_of as tokens_of
from tests.data.targets.test_masked_words import VOCABULARY, masking
from tests.runner.tasks.splits import split_of


def test_settings_about_labels_mean_nothing() -> None:
    settings = resolve(compose(["task=mlm", "model=bert-tiny", "data=stsb"]))
    assert (settings.data.task, settings.data.metrics, settings.data.positive) == ("auto", [], None)
    assert MaskedWords.metrics_by(settings.data) == ("perplexity", "masked_accuracy")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["model=static-ngram"], "without an encoder it trains new word vectors and nothing else"),
        (["model=dsn-bigram"], "without an encoder it trains a table of word vectors, which .*=bigram is not"),
        (["model=dsn"], r"task\.output=tied makes hard to learn\. Try: model=bert-tiny, or task\.output=own"),
        (["model=dsn", "task.output=own", "model.init=pca", "model.init_from=some/encoder"], "trains new word vectors"),
        (["model=bert-tiny", "data.class_weights=balanced"], "no classes"),
        (["model=bert-tiny", "task.masked=0.9", "task.random=0.2"], "add up to more than 1"),
        (["model=bert-tiny", "measure=quick", "measure.onnx=true"], "a masked language model is not exported"),
    ],
)
def test_what_masked_words_forbid_is_said_with_the_cure(words: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        resolve(compose(["task=mlm", "data=demo", *words]))
    assert "Try: " in str(error.value) or "Leave it out" in str(error.value)


def test_sums_that_are_not_finite_are_refused_in_blocks() -> None:
    with pytest.raises(ValueError, match="losses of 1 of 2 blocks are not finite"):
        MaskedWords().answers(np.array([[np.nan, 0, 1], [1, 0, 1]]), split_of([]))


def test_the_mean_loss_is_of_words_and_not_of_blocks() -> None:
    assert MaskedWords().evaluated_loss(np.float32([[6, 1, 2], [2, 2, 6]]), split_of([])) == 1.0


def test_the_loss_is_the_mean_over_the_masked_words_and_0_without_any() -> None:
    scores: Any = SimpleNamespace(cross_entropy=lambda labels: torch.tensor(2.0 * len(labels) + len(labels) ** 2))
    assert float(MaskedWords().loss(scores, {"labels": torch.arange(3)})) == 5.0
    assert float(MaskedWords().loss(scores, {"labels": torch.arange(0)})) == 0.0
    assert MaskedWords().evaluated_loss(np.zeros((2, 3), np.float32), split_of([])) == 0.0


def test_the_baseline_is_the_perplexity_of_word_frequencies_plus_one() -> None:
    def of(*words: int) -> TokenSplit:
        return pack_blocks(tokens_of([np.array(words * 50, np.uint16)], target=Target(masking())), 40)

    train, split = of(10, 10, 10, 11), of(10)
    common, rare = (np.asarray(train.tokens) == 10).sum() + 1, (np.asarray(train.tokens) == 11).sum() + 1
    words = common + rare + VOCABULARY - 5 - 2  # five special tokens are no words, and two words have been counted
    assert MaskedWords().baseline(train, split, "perplexity") == pytest.approx(words / common)
    assert MaskedWords().baseline(train, of(11), "perplexity") == pytest.approx(words / rare)
    assert MaskedWords().baseline(train, of(999), "perplexity") == pytest.approx(words)
