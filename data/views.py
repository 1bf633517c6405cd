"""Splits whose rows are codes, or texts and codes: for training with a second view, and for control experiments.

Such a split stores only row numbers; texts and codes are looked up when a batch is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.codes import CodePaths
from data.errors import DataError
from data.splits import Arrays, PairedRows, Splits, TokenSplit


@dataclass(frozen=True)
class CodeInput:
    """Codes as arguments of a code encoder's forward, and optionally the texts of the same rows."""

    codes: CodePaths
    texts: TokenSplit | None = None

    def collate(self, split: TokenSplit, rows: np.ndarray, lookup: np.ndarray | None = None) -> Arrays:
        """Return the inputs of the rows; texts are padded to the longest of them."""
        numbers = np.asarray(split.tokens[split.offsets[rows]])
        found = self.codes.collate(numbers)
        return found if self.texts is None else found | self.texts.input.collate(self.texts, numbers, lookup)

    def example(self, split: TokenSplit, batch_size: int, length: int, *, seed: int = 0) -> Arrays:
        """Raise DataError: only models that are deployed are timed, and models that read codes are not."""
        raise DataError("a model that reads codes is not deployed, so it is not timed")


def with_codes(split: TokenSplit, codes: CodePaths, *, texts: bool) -> TokenSplit:
    """Return the split as rows of codes with the same labels; texts: include its texts as well?"""
    count = len(split)
    assert len(codes) == count, "codes and texts of the same rows"
    return replace(
        split,
        tokens=np.arange(count),
        offsets=np.arange(count + 1),
        segment_starts=np.ones(count, np.int32),
        input=CodeInput(codes, split if texts else None),
    )


def all_with_codes(splits: Splits, *, texts: bool) -> Splits:
    """Return the splits of a run as rows of codes, each converted by `with_codes`."""
    paired = splits.paired
    assert paired is not None, "loaded with codes"
    held_out = paired.held_out
    return replace(
        splits,
        train=with_codes(splits.train, paired.train, texts=texts),
        select=with_codes(splits.select, held_out[splits.select.name], texts=texts),
        report=tuple(with_codes(part, held_out[part.name], texts=texts) for part in splits.report),
    )


def pairs_of(splits: Splits, name: str) -> Splits:
    """Return all pairs of a text and its codes as training rows, and those of the validation split.

    name: of the validation split of pairs, the prefix of its metrics. Labels are placeholders.
    """
    paired = splits.paired
    assert paired is not None, "loaded with codes"
    codes = paired.held_out[splits.select.name]
    rows = np.flatnonzero(codes.has_codes)
    select = with_codes(splits.select.take(rows), codes.take(rows), texts=True)
    train = with_codes(paired.texts, paired.codes, texts=True)
    return replace(splits, train=_unread(train, "train"), select=_unread(select, name), report=())


def _unread(split: TokenSplit, name: str) -> TokenSplit:
    """Return the split under another name, with its labels unused."""
    return replace(split, name=name, target=None, num_unlabelled=0, parts=None)


def shuffled(paired: PairedRows, seed: int) -> PairedRows:
    """Return the pairs with codes permuted at random across rows: a control, from which nothing can be learned."""
    random = np.random.default_rng(seed)

    def mixed(codes: CodePaths) -> CodePaths:
        return codes.take(random.permutation(len(codes)))

    held_out = {name: mixed(codes) for name, codes in paired.held_out.items()}
    return replace(paired, codes=mixed(paired.codes), train=mixed(paired.train), held_out=held_out)
