"""The masked-word model that varies texts: the words it finds probable, and the models that cannot do it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.batch import Batch
from data.load import load_splits
from data.settings import DataSettings
from data.splits import Splits
from data.stores.build_once import SharedCache
from data.stores.replaced_words import replaceable_tokens
from models.build import build
from models.checkpoints.save import save_model
from models.compression.settings.learn import Augment
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.errors import ConfigError
from runner.experiment.word_replacer import WordReplacer
from runner.machine.exclusive import Exclusive
from tests.conftest import write_reviews

WORDS = HeadSpec("words", output="tied")
KEY = "compression.distil.augment.model"


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    folder = tmp_path_factory.mktemp("data")
    data = DataSettings(source="files", path=str(write_reviews(folder / "r.csv")), text="review", label="stars")
    return load_splits(data, tokenizer="train", vocab_size=120, cache=folder / "cache")


def saved(splits: Splits, folder: Path, head: HeadSpec = WORDS) -> str:
    """The folder of a model of random weights with the tokenizer of the splits."""
    torch.manual_seed(0)
    settings, own = ModelSettings(layers=1, hidden=32, heads=2, positions=64), splits.tokenizer
    model, _ = build(settings, head, vocab_size=own.vocab_size, pad_id=own.pad_id)
    save_model(model, folder, tokenizer_save=own.save, label_names=[], card="")
    return str(folder)


def replacer(source: str, splits: Splits, folder: Path, **options: Any) -> WordReplacer:
    augment = Augment(**({"model": source, "copies": 3} | options))
    return WordReplacer(source, KEY, augment, splits, torch.device("cpu"), SharedCache(folder / "cache"), Exclusive())


@pytest.fixture(scope="module")
def masked(splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> str:
    return saved(splits, tmp_path_factory.mktemp("model") / "m")


def test_the_most_probable_other_words_come_best_first(splits: Splits, masked: str, tmp_path: Path) -> None:
    found = replacer(masked, splits, tmp_path, words=5)
    ids = splits.tokenizer.tokens()
    film, mask = ids.index("film"), ids.index("[MASK]")
    row = np.array([[2, ids.index("the"), mask, 3]])
    inputs = {"input_ids": row, "attention_mask": np.ones_like(row), "places": np.array([2])}
    guessed = found.guess(Batch(inputs, {"labels": np.array([film])}, np.array([0])))
    with torch.no_grad():
        words = found.network(**{name: torch.from_numpy(value) for name, value in inputs.items()})
        scores = (words.hidden @ words.table.T + words.bias)[0].numpy()
    scores[~replaceable_tokens(splits.tokenizer)[0]] = -np.inf
    scores[film] = -np.inf
    assert guessed.tolist() == [np.argsort(-scores)[:5].tolist()]


def test_no_more_words_are_guessed_than_there_are(splits: Splits, masked: str, tmp_path: Path) -> None:
    found = replacer(masked, splits, tmp_path, words=1000)
    row = np.array([[2, splits.tokenizer.tokens().index("[MASK]"), 3]])
    inputs = {"input_ids": row, "attention_mask": np.ones_like(row), "places": np.array([1])}
    others = int(replaceable_tokens(splits.tokenizer)[0].sum()) - 1
    film = splits.tokenizer.tokens().index("film")
    guessed = found.guess(Batch(inputs, {"labels": np.array([film])}, np.array([0])))
    assert guessed.shape == (1, others) and film not in guessed


def test_copies_are_made_once_and_read_by_the_next_run(
    splits: Splits, masked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = replacer(masked, splits, tmp_path).vary(splits.train)
    originals = {
        tuple(np.asarray(splits.train.tokens[a:b]).tolist()) for a, b in pairwise(splits.train.offsets.tolist())
    }
    copies = [tuple(np.asarray(first.tokens[a:b]).tolist()) for a, b in pairwise(first.offsets.tolist())]
    assert len(splits.train) < len(copies) <= 3 * len(splits.train) and not originals & set(copies)
    monkeypatch.setattr(WordReplacer, "guess", None)  # now every call fails
    again = replacer(masked, splits, tmp_path).vary(splits.train)
    assert np.array_equal(np.asarray(again.tokens), np.asarray(first.tokens))
    with pytest.raises(TypeError):  # other copies would have to be made
        replacer(masked, splits, tmp_path, seed=1).vary(splits.train)


def test_reading_the_model_draws_no_random_number_of_the_run(splits: Splits, masked: str, tmp_path: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    replacer(masked, splits, tmp_path).check(16)
    assert torch.rand(1) == expected


def test_a_model_that_cannot_do_it_is_refused_with_the_cure(splits: Splits, masked: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no head for masked words"):
        replacer(saved(splits, tmp_path / "c", HeadSpec("text", 2)), splits, tmp_path).check(16)
    with pytest.raises(
        ConfigError, match=r"reads 64 tokens at most, but data\.max_length=65\. Try: data\.max_length=64"
    ):
        replacer(masked, splits, tmp_path).check(65)
    other = Path(saved(splits, tmp_path / "o"))
    text = (other / "tokenizer.json").read_text(encoding="utf-8")
    (other / "tokenizer.json").write_text(text.replace('"film"', '"play"'), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"{KEY}=.*: has a different vocabulary from the student's"):
        replacer(str(other), splits, tmp_path).check(16)
