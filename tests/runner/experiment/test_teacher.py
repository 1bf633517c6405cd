"""A teacher that answers for words: its logits are kept by word, in its own tokens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from data.inputs.hashed_words import HashedWords
from data.inputs.tokenizer import bert_backend, train_tokenizer, wrap_backend
from data.labels import Labels
from data.stores.build_once import SharedCache
from models.heads.base import HeadSpec
from runner.errors import ConfigError
from runner.experiment import teacher as teacher_module
from runner.experiment.teacher import KeptTeacher
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.tasks.tags import Tags
from tests.data.helpers import tagged_split
from tests.models.checkpoints.test_save import write
from tests.models.helpers import tagger

NAMES = ("O", "B-X", "I-X")
CPU = torch.device("cpu")


class OfWords(Classification):
    """One of several classes for each word."""

    def head(self) -> HeadSpec:
        return HeadSpec("token", 3)


def teacher(folder: Path, cache: Path, **more: Any) -> KeptTeacher:
    splits: Any = SimpleNamespace(task=SimpleNamespace(label_names=NAMES, target_scale=None))
    task = more.pop("task", OfWords(LabelFacts(NAMES)))
    return KeptTeacher(str(folder), "teacher=x", splits, task, CPU, SharedCache(cache), **more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tagger(), tmp_path / "tagger", label_names=list(NAMES))


def test_a_word_without_a_token_has_no_logits(folder: Path, tmp_path: Path) -> None:
    split = tagged_split()
    found = teacher(folder, tmp_path).item_logits(split)
    lost = np.asarray(split.labels.places) < 0
    assert found.shape == (len(lost), 3) and np.isnan(found).all(1).tolist() == lost.tolist()
    with torch.no_grad():
        logits = tagger()(torch.from_numpy(split.tokens[: split.lengths[0]].astype(np.int64))[None])[0]
    np.testing.assert_allclose(found[0], logits[1], atol=1e-5)


def test_the_same_tokens_with_other_words_are_other_logits(folder: Path, tmp_path: Path) -> None:
    split = tagged_split()
    places = np.where(np.asarray(split.labels.places) > 0, 1, -1).astype(np.int32)
    other = replace(split, labels=Labels(split.labels.values, split.labels.offsets, places))
    kept = teacher(folder, tmp_path)
    assert split.fingerprint == other.fingerprint
    assert not np.array_equal(kept.logits(split), kept.logits(other)) and kept.rows_answered == 18
    assert np.array_equal(teacher(folder, tmp_path).logits(split), kept.logits(split))


def test_a_teacher_whose_scores_are_no_numbers_teaches_nothing(folder: Path, tmp_path: Path) -> None:
    kept = teacher(folder, tmp_path)
    with torch.no_grad():
        for weight in kept.network.parameters():
            weight.fill_(torch.nan)
    with pytest.raises(ConfigError, match=r"teacher=x: some of its scores are not numbers.* Try: another teacher"):
        kept.logits(tagged_split())


def test_a_teacher_of_words_teaches_no_texts(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"answers for each token, but this task needs answers for each text.*Try"):
        teacher(folder, tmp_path, task=Classification(LabelFacts(NAMES)))


def test_a_good_teacher_of_tags_need_not_know_every_word_by_heart(folder: Path, tmp_path: Path) -> None:
    split, task = tagged_split(), Tags(LabelFacts(NAMES))
    labels = np.asarray(split.labels.values)[split.labels.has_output]
    found = teacher(folder, tmp_path, task=task)
    found.splits = SimpleNamespace(select=split)  # type: ignore[assignment]
    half = np.where(np.arange(len(labels)) % 2, labels, 0)
    found.logits = lambda split: np.eye(3, dtype=np.float32)[half]  # type: ignore[method-assign]
    found._check_score()
    found.logits = lambda split: np.eye(3, dtype=np.float32)[np.zeros_like(labels)]  # type: ignore[method-assign]
    with pytest.raises(ConfigError, match=r"learned nothing has 0\.000: it was not trained for this task"):
        found._check_score()


def test_words_as_hashes_are_shared_only_with_a_teacher_of_the_same_words(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = teacher(folder, tmp_path)
    found.splits.tokenizer = HashedWords()
    monkeypatch.setattr(teacher_module, "load_tokenizer", lambda source: HashedWords())
    found._check_tokens(9)
    for other in (HashedWords((2, 4)), train_tokenizer(["a b"], 30)):
        monkeypatch.setattr(teacher_module, "load_tokenizer", lambda source, other=other: other)
        with pytest.raises(ConfigError, match=r"teacher=x: splits texts differently.* Try: tokens=own to learn"):
            found._check_tokens(9)


@pytest.mark.parametrize("differs", ["cleaning", "case", "nothing"])
def test_one_vocabulary_is_shared_only_if_texts_are_prepared_alike(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, differs: str
) -> None:
    own, found = train_tokenizer(["a b ask @ana https at istanbul ist"], 60), teacher(folder, tmp_path)
    vocab = {token: index for index, token in enumerate(own.tokens())}
    other = wrap_backend(bert_backend(vocab, {"do_lower_case": differs != "case"}, dict(own.names)), "other")
    other = other.cleaned_by(("tweets",)) if differs == "cleaning" else other
    found.splits.tokenizer = own
    monkeypatch.setattr(teacher_module, "load_tokenizer", lambda source: other)
    if differs == "nothing":
        return found._check_tokens(9)
    with pytest.raises(ConfigError, match=r"has the student's vocabulary, but prepares texts differently.* tokens=own"):
        found._check_tokens(9)
