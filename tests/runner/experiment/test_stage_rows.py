"""The rows that a compression stage reads: every row, a sample, or whole groups of a ranking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.labels import Labels
from data.settings import DataSettings
from data.splits import TokenSplit
from data.targets.relevance import Relevance
from data.units import Units
from runner.experiment.stage_rows import stage_batches
from tests.data.helpers import split_of

QUERIES, EACH = 20, 4  # the first document of each query is relevant


def ranking() -> TokenSplit:
    """Texts whose order by length is not that of the queries."""
    rows = QUERIES * EACH
    lengths = np.random.default_rng(0).integers(2, 30, rows)
    is_relevant = np.arange(rows) % EACH == 0
    labels = np.stack([is_relevant, np.ones(rows), np.zeros(rows), np.arange(rows) // EACH], 1).astype(np.float32)
    units = Units(np.arange(0, rows + 1, EACH), is_relevant, ~is_relevant, EACH - 1)
    return replace(split_of([[1] * int(length) for length in lengths]), labels=Labels(labels), units=units)


def test_a_ranking_has_whole_groups_for_a_loss_that_compares_documents() -> None:
    split, target = ranking(), Relevance(DataSettings())
    for seed, rows in ((0, None), (1, 40)):
        batches = list(stage_batches(split, rows=rows, batch_size=16, seed=seed, in_groups=True))
        assert sum(map(len, batches)) == (rows or len(split)) + (8 if rows else 0)
        for numbers in batches:
            found = target.collate(split, numbers, {}, 0)
            counts = np.bincount(found["item_groups"], minlength=1)
            assert (counts == EACH).all(), "every relevant document has others of its query beside it"
            assert (np.bincount(found["item_groups"], weights=found["labels"]) == 1).all()


def test_other_rows_are_read_once_from_long_to_short() -> None:
    split = ranking()
    batches = list(stage_batches(split, rows=None, batch_size=16, seed=None, in_groups=False))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(split)))
    lengths = split.lengths[np.concatenate(batches)]
    assert (np.diff(lengths) <= 0).all()
    plain = replace(split, units=None)
    sampled = [
        np.concatenate(list(stage_batches(plain, rows=10, batch_size=4, seed=seed, in_groups=True)))
        for seed in (1, 1, 2)
    ]
    assert len(sampled[0]) == 10 and sampled[0].tolist() == sampled[1].tolist() != sampled[2].tolist()
