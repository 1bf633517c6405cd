"""Texts that occur more than once, exactly or almost, within and across splits, and labels that contradict."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator

import numpy as np

from data.duplicates import accuracy_ceiling, cached_counts, rows_found, text_hashes
from data.load import Rows
from data.near_repeats import LEAST, NearPairs, jaccard, near_pairs, plain_texts
from data.stores.build_once import SharedCache
from data.text_facts import sample_texts
from runner.audit.facts import LeakFacts, NearExample, NearFacts, RepeatFacts
from runner.audit.labels import used_splits

SHOWN = 20  # pairs of row numbers kept for each pair of splits
EXAMPLES = 3  # near repeats that are shown
LOOKED_UP = 10_000  # rows whose near repeats are looked for, unless all are wanted
MOST_LETTERS = 8_000_000  # total letters of the texts that they are compared with: about a second
SEED = 0
BETWEEN = "\n"  # the two texts of a pair


class Texts:
    """The hashes of the texts of all splits in use, and their labels.

    trains_too: splits whose rows are training rows as well, which are left out.
    """

    def __init__(self, rows: Rows, cache: SharedCache, trains_too: Collection[str] = ()) -> None:
        self.rows, self.cache = rows, cache
        self.names = [name for name in used_splits(rows) if name not in trains_too]
        self.hashes = {name: text_hashes(rows.raw.splits[name], rows.fingerprints[name], cache) for name in self.names}

    def keys(self, split: str) -> np.ndarray:
        """Return a number for the label of each row, (rows,) uint64."""
        return self.rows.raw.splits[split].labels.keys()

    def numbers(self, split: str, rows: np.ndarray) -> list[int]:
        """Return the numbers of these rows in the user's file."""
        return [int(number) for number in self.rows.raw.splits[split].source_rows[rows]]


def exact_repeats(texts: Texts) -> tuple[dict[str, RepeatFacts], tuple[LeakFacts, ...]]:
    """Return the repeats within each split, and the rows of each split whose text is in an earlier one."""
    rows = texts.rows
    found = cached_counts(rows.raw.splits, {name: rows.fingerprints[name] for name in texts.names}, texts.cache)
    within = {}
    for name in texts.names:
        is_class = rows.raw.target.strata(rows.raw.splits[name].labels) is not None
        ceiling = accuracy_ceiling(texts.hashes[name], texts.keys(name)) if is_class else None
        exact, repeated, wrong = (found[f"{name}/{kind}"] for kind in ("exact", "normalised", "contradicting"))
        within[name] = RepeatFacts(len(texts.hashes[name]), exact, repeated, wrong, ceiling)
    leaks = []
    for inside, split in itertools.combinations(texts.names, 2):
        again, first = rows_found(texts.hashes[split], texts.hashes[inside])
        examples = zip(texts.numbers(split, again[:SHOWN]), texts.numbers(inside, first[:SHOWN]))
        leaks.append(LeakFacts(split, inside, len(again), found[f"{inside}+{split}/contradicting"], tuple(examples)))
    return within, tuple(leaks)


def near_repeats(texts: Texts, *, all_of_them: bool) -> NearFacts:
    """Return the texts that are almost equal to another one.

    all_of_them: look up every text, and compare it with every other; else LOOKED_UP texts drawn with SEED, compared
    with as many as have MOST_LETTERS. Equal texts count once, and not as near ones. Sounds are not looked at.
    """
    if not texts.rows.raw.splits["train"].holds_texts:
        return NearFacts({}, 0, True, {}, {}, {}, ())
    split_of, row_of = _distinct(texts)
    total = len(split_of)
    if all_of_them or total <= LOOKED_UP:
        wanted = np.ones(total, bool)
    else:
        lengths = [len(text) for text in sample_texts(texts.rows.raw.splits["train"], 1000)]
        kept, chosen = _drawn(split_of > 0, max(LOOKED_UP, int(MOST_LETTERS / max(1.0, float(np.mean(lengths))))))
        split_of, row_of, wanted = split_of[kept], row_of[kept], chosen[kept]
    columns = list(_columns(texts, split_of, row_of))
    pairs = _near(columns, np.flatnonzero(wanted))
    return _counted(texts, pairs, split_of, row_of, wanted, total)


def _drawn(is_held_out: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the texts that are compared, and those that are looked up: up to half of these from outside train.

    is_held_out: (texts,) bool. Returns row numbers, sorted, at most `most`; and (texts,) bool.
    """
    draw = np.random.default_rng(SEED)
    held, train = (draw.permutation(np.flatnonzero(is_held_out == side)) for side in (True, False))
    of_held = max(min(len(held), LOOKED_UP // 2), LOOKED_UP - len(train))
    first = np.concatenate([held[:of_held], train[: LOOKED_UP - of_held]])
    rest = draw.permutation(np.concatenate([held[of_held:], train[LOOKED_UP - of_held :]]))
    wanted = np.zeros(len(is_held_out), bool)
    wanted[first] = True
    return np.sort(np.concatenate([first, rest[: most - len(first)]])), wanted


def _distinct(texts: Texts) -> tuple[np.ndarray, np.ndarray]:
    """Return the split, by its number, and the row of the first occurrence of each distinct text."""
    split_of = np.repeat(np.arange(len(texts.names)), [len(found) for found in texts.hashes.values()])
    row_of = np.concatenate([np.arange(len(found)) for found in texts.hashes.values()])
    first = np.sort(np.unique(np.concatenate(list(texts.hashes.values())), return_index=True)[1])
    return split_of[first], row_of[first]


def _columns(texts: Texts, split_of: np.ndarray, row_of: np.ndarray) -> Iterator[list[str]]:
    """Yield the plain texts of each column of these rows."""
    parts = [texts.rows.raw.splits[name].read(row_of[split_of == number]) for number, name in enumerate(texts.names)]
    for column in parts[0]:
        cells = [cell for part in parts for cell in part[column]]
        yield plain_texts([cell if isinstance(cell, str) else " ".join(cell) for cell in cells])


def _near(columns: list[list[str]], among: np.ndarray) -> NearPairs:
    """Return the near repeats of rows of one text, or of two, which must both be near."""
    if len(columns) == 1:
        return near_pairs(columns[0], among)
    found = near_pairs([BETWEEN.join(cells) for cells in zip(*columns)], among)
    ends = list(zip(found.first, found.second))
    least = np.array([min(jaccard(column[a], column[b]) for column in columns) for a, b in ends], np.float64)
    kept = np.flatnonzero(least >= LEAST)
    return NearPairs(found.first[kept], found.second[kept], least[kept])


def _counted(
    texts: Texts, pairs: NearPairs, split_of: np.ndarray, row_of: np.ndarray, wanted: np.ndarray, total: int
) -> NearFacts:
    """Count the rows that were looked up by what was found for them.

    Labels of places in a text, such as tags of words, are not compared: they differ wherever the texts do.
    """
    keys = np.concatenate([texts.keys(name)[row_of[split_of == number]] for number, name in enumerate(texts.names)])
    if texts.rows.raw.target.marks_places:
        keys = np.zeros_like(keys)
    ends = np.concatenate([pairs.first, pairs.second])
    others = np.concatenate([pairs.second, pairs.first])
    counts = {}
    for what, chosen in (
        ("near", np.ones(len(ends), bool)), ("in_train", split_of[others] == 0), ("other", keys[ends] != keys[others]),
    ):  # fmt: skip
        has = np.zeros(len(wanted), bool)
        has[ends[chosen]] = True
        counts[what] = _by_split(texts, split_of[has & wanted])
    telling = np.argsort(keys[pairs.first] == keys[pairs.second], kind="stable")[:EXAMPLES]  # other labels first
    examples = [
        _example(texts, split_of[[a, b]], row_of[[a, b]], similarity)
        for a, b, similarity in zip(pairs.first[telling], pairs.second[telling], pairs.similarity[telling])
    ]
    return NearFacts(
        _by_split(texts, split_of[wanted]), len(wanted), bool(wanted.sum() == total),
        counts["near"], counts["in_train"], counts["other"], tuple(examples),
    )  # fmt: skip


def _by_split(texts: Texts, splits: np.ndarray) -> dict[str, int]:
    return {name: int((splits == number).sum()) for number, name in enumerate(texts.names)}


def _example(texts: Texts, splits: np.ndarray, rows: np.ndarray, similarity: float) -> NearExample:
    """Return a pair of near repeats with the texts and labels of the source."""
    names, shown, labels, numbers = [], [], [], []
    for split, row in zip(splits, rows):
        name = texts.names[split]
        raw, at = texts.rows.raw.splits[name], np.array([row])
        cells = [column[0] for column in raw.read(at).values()]
        names.append(name)
        shown.append(" | ".join(cell if isinstance(cell, str) else " ".join(cell) for cell in cells))
        labels.append(texts.rows.raw.target.in_words(raw.labels.take(at)))
        numbers.append(texts.numbers(name, at)[0])
    return NearExample(
        float(similarity), (names[0], names[1]), (numbers[0], numbers[1]), (shown[0], shown[1]), (labels[0], labels[1])
    )
