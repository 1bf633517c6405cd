"""A fitted model: above the majority where labels mean something, no larger than it may be, the same in the network."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from data.inputs.hashed_words import HashedWords
from data.inputs.marked_words import MARKED
from data.inputs.text import Text
from data.labels import Labels
from data.splits import DataTask, Splits, TokenSplit
from data.targets.class_label import ClassLabel
from models.build import build
from models.heads.base import HeadSpec
from models.packed.facts import Facts
from models.packed.format import NAME
from models.packed.ngram import table_of
from models.packed.pack import pack_network
from runner.deploy.bundle.predict import Model
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.tasks.multilabel import MultiLabel
from runner.tasks.regression import Regression
from runner.training.inference import predict
from runner.training.ngram.fit import FittedNgrams, fit_ngrams, put_into
from tests.runner.training.ngram.rows import (
    NOUNS,
    SETTINGS,
    intent_names,
    intent_texts,
    review_splits,
    split_of_texts,
)


def accuracy(classes: int = 2, *, shuffled: bool = False, **changes: object) -> tuple[float, FittedNgrams]:
    """The accuracy on reported rows of the network, and the fit behind it."""
    splits, task = review_splits(classes, shuffled=shuffled)
    settings = replace(SETTINGS, **changes)
    found = fit_ngrams(splits, task, settings)
    network, _ = build(settings, task.head(), vocab_size=1 << 32)
    put_into(network, found)
    table = table_of(network)
    assert np.array_equal(table.rows, found.table.rows) and np.allclose(table.scale, found.table.scale, rtol=1e-5)
    kept = predict(network, splits.report[0], batch_size=64, device=torch.device("cpu"), precision="fp32")
    return float((kept.argmax(1) == np.asarray(splits.report[0].labels.values)).mean()), found


@pytest.mark.parametrize("classes", [2, 3])
def test_a_fitted_model_beats_the_majority_class(classes: int) -> None:
    found, fit = accuracy(classes)
    assert found > 1 / classes + 0.25 and "n-grams kept" in fit.sentence()


def test_a_model_fitted_on_shuffled_labels_does_not_beat_the_majority_class() -> None:
    assert abs(accuracy(shuffled=True)[0] - 0.5) < 3 * np.sqrt(0.25 / 400)


def test_a_file_is_no_larger_than_it_may_be() -> None:
    whole = accuracy()[1].bytes_packed
    found, fit = accuracy(max_kb=1)
    assert fit.bytes_packed <= 1000 < whole and found > 0.75


def test_a_larger_cap_does_not_cost_accuracy() -> None:
    found = [accuracy(max_kb=most)[0] for most in (1, 2, 4)]
    assert all(after >= before - 0.005 for before, after in pairwise(found))


@pytest.mark.parametrize("has_label_sets", [False, True])
def test_the_bytes_said_are_those_of_the_file(has_label_sets: bool) -> None:
    splits, task = review_splits(3)
    splits.tokenizer = HashedWords(cleaning=("tweets",), language="tr")
    names, chosen = splits.task.label_names, task
    if has_label_sets:
        chosen = MultiLabel(LabelFacts(names, threshold="0.5"))
        for part in (splits.train, splits.select):
            part.labels = Labels(np.eye(3, dtype=np.int8)[np.asarray(part.labels.values)])
    fit = fit_ngrams(splits, chosen, SETTINGS, max_length=65_536)
    network, _ = build(SETTINGS, chosen.head(), vocab_size=1 << 32)
    put_into(network, fit)
    facts = Facts(names, 65_536, cleaning=("tweets",), language="tr", sets=chosen.reader_facts())
    assert fit.bytes_packed == len(pack_network(network, facts))


def test_a_class_that_no_selection_row_has_is_said() -> None:
    splits, task = review_splits(3)
    part = splits.select.take(np.flatnonzero(np.asarray(splits.select.known_labels) != 2))
    fit = fit_ngrams(replace(splits, select=part), task, SETTINGS)
    assert fit.missing == ("odd",) and "no row of odd" in fit.sentence()


def test_with_many_classes_a_small_file_has_the_words_of_each() -> None:
    intents = 60
    parts = [
        replace(split_of_texts(*intent_texts(rows, intents, seed), name), target=ClassLabel(intent_names(intents)))
        for seed, (name, rows) in enumerate({"train": 900, "val": 300, "test": 600}.items())
    ]
    names = intent_names(intents)
    splits = Splits(DataTask("class_label", names, False), parts[0], parts[1], (parts[2],), HashedWords(), "")
    settings, task = replace(SETTINGS, max_kb=5), Classification(LabelFacts(names))
    fit = fit_ngrams(splits, task, settings)
    network, _ = build(settings, task.head(), vocab_size=1 << 32)
    put_into(network, fit)
    kept = predict(network, parts[2], batch_size=64, device=torch.device("cpu"), precision="fp32")
    assert fit.bytes_packed <= 5000 and (fit.table.rows != 0).mean() < 0.1
    assert (kept.argmax(1) == np.asarray(parts[2].labels.values)).mean() > 0.9


def test_numbers_have_no_temperature() -> None:
    splits, _ = review_splits()
    train, select = (replace(part, labels=Labels(part.known_labels * 2.5)) for part in (splits.train, splits.select))
    fit = fit_ngrams(
        replace(splits, train=train, select=select, task=DataTask("number", (), False)), Regression(), SETTINGS
    )
    assert fit.is_number and "temperature" not in fit.sentence()


@pytest.mark.parametrize("weighting", ["nb", "presence", "tfidf"])
def test_every_weighting_can_be_asked_for(weighting: str) -> None:
    found, fit = accuracy(weighting=weighting, n=1)
    assert found > 0.75 and fit.choice.weighting == weighting and fit.table.n == 1


def test_pairs_are_fitted_on_what_the_texts_share(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    texts = [(random.choice(NOUNS, 4), random.choice(NOUNS, 4)) for _ in range(700)]
    pairs = [(one, np.append(one[:3], other[0]) if row % 2 else other) for row, (one, other) in enumerate(texts)]
    own = Text(HashedWords(), is_pair=True)
    columns = {"text": [" ".join(one) for one, _ in pairs], "text_pair": [" ".join(two) for _, two in pairs]}
    found = own.encode(columns, 99)
    offsets = np.concatenate([[0], np.cumsum(found.lengths)])
    labels = Labels(np.arange(700) % 2)
    whole = TokenSplit("train", found.tokens, offsets, found.segment_starts, labels, 0, own, ClassLabel(("no", "yes")))
    parts = [whole.take(np.arange(*rows)) for rows in ((0, 400), (400, 500), (500, 700))]
    names = ("no", "yes")
    splits = Splits(DataTask("class_label", names, True), parts[0], parts[1], (parts[2],), HashedWords(), "")
    fit = fit_ngrams(splits, Classification(LabelFacts(names)), SETTINGS, is_symmetric=True)
    network, _ = build(SETTINGS, HeadSpec(outputs=2), vocab_size=1 << 32)
    put_into(network, fit)
    kept = predict(network, parts[2], batch_size=64, device=torch.device("cpu"), precision="fp32")
    assert (kept.argmax(1) == np.arange(500, 700) % 2).mean() > 0.95
    (tmp_path / NAME).write_bytes(pack_network(network, Facts(names, 128, is_pair=True)))
    scores = Model(tmp_path).scores(columns["text"][500:], columns["text_pair"][500:])
    assert np.allclose(scores, kept, atol=1e-5)


def test_character_n_grams_know_words_by_their_parts(tmp_path: Path) -> None:
    random, tokenizer = np.random.default_rng(0), HashedWords((2, 4))
    own = Text(tokenizer)
    texts = [
        "".join(random.choice(list("xyzw"), 6)) + ("lik" if row % 2 else "siz") + " " + NOUNS[row % 7]
        for row in range(500)
    ]
    found = own.encode({"text": texts}, 99)
    offsets = np.concatenate([[0], np.cumsum(found.lengths)])
    names, labels = ("without", "with"), Labels(np.arange(500) % 2)
    whole = TokenSplit("train", found.tokens, offsets, found.segment_starts, labels, 0, own, ClassLabel(names))
    parts = [whole.take(np.arange(*rows)) for rows in ((0, 250), (250, 350), (350, 500))]
    splits = Splits(DataTask("class_label", names, False), parts[0], parts[1], (parts[2],), tokenizer, "")
    settings = replace(SETTINGS, characters=[2, 4], max_kb=2)
    fit = fit_ngrams(splits, Classification(LabelFacts(names)), settings, max_length=128)
    network, _ = build(settings, HeadSpec(outputs=2), vocab_size=1 << 32)
    put_into(network, fit)
    kept = predict(network, parts[2], batch_size=64, device=torch.device("cpu"), precision="fp32")
    assert (kept.argmax(1) == np.arange(350, 500) % 2).mean() > 0.95
    content = pack_network(network, Facts(names, 128, word_pattern=MARKED))
    (tmp_path / NAME).write_bytes(content)
    assert len(content) == fit.bytes_packed <= 2000
    assert np.allclose(Model(tmp_path).scores(texts[350:]), kept, atol=1e-5)
