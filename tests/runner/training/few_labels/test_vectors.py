"""The vectors of an encoder, computed once for each text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from data.batch import collate
from data.splits import Splits
from data.stores.build_once import SharedCache
from models.build import build
from models.heads.base import HeadSpec
from models.heads.text import SequenceClassifier
from models.settings import ModelSettings
from runner.training.few_labels.vectors import encode, stored_vectors, text_vectors
from runner.training.inference import to_tensors

CPU = torch.device("cpu")


@pytest.fixture
def model(splits: Splits) -> SequenceClassifier:
    torch.manual_seed(0)
    settings = ModelSettings(layers=1, hidden=8, heads=2, readout={"name": "mean"})
    found, _ = build(settings, HeadSpec("text", 2), vocab_size=splits.tokenizer.vocab_size)
    assert isinstance(found, SequenceClassifier)
    return found


def test_vectors_are_in_the_order_of_the_rows_and_without_dropout(splits: Splits, model: SequenceClassifier) -> None:
    model.train()
    found = text_vectors(model, splits.train, CPU)
    assert found.shape == (len(splits.train), 8) and model.training
    model.eval()
    with torch.no_grad():
        alone = [
            encode(model, to_tensors(collate(splits.train, np.array([row])), CPU))[0].numpy()
            for row in range(len(splits.train))
        ]
    np.testing.assert_allclose(found, alone, atol=1e-6)


def test_a_text_is_encoded_once_however_the_rows_are_split(
    splits: Splits, model: SequenceClassifier, tmp_path: Path
) -> None:
    told = list[str]()
    cache = SharedCache(tmp_path, told.append)
    train, select = stored_vectors(model, (splits.train, splits.select), CPU, cache)
    np.testing.assert_allclose(train, text_vectors(model, splits.train, CPU), atol=1e-6)
    np.testing.assert_allclose(select, text_vectors(model, splits.select, CPU), atol=1e-6)
    half = np.arange(len(splits.train) // 2)
    rest = np.arange(len(half), len(splits.train))
    folds = (splits.train.take(rest), splits.select, splits.train.take(half), splits.train.take(half))
    again = stored_vectors(model, folds, CPU, cache)
    np.testing.assert_array_equal(again[3], train[half])
    assert len(told) == 1 and told[0].startswith("computing the vectors of")
    with torch.no_grad():
        next(model.bert.parameters()).add_(1.0)
    other, _ = stored_vectors(model, (splits.train, splits.select), CPU, cache)
    assert len(told) == 2 and (other != train).any(), "another encoder has its own entry"
