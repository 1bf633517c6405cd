"""Pairs of a training text and its codes, for runs that learn from both views (`view=codes`)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from data.errors import DataError
from data.settings import DataSettings
from data.sources.code_tree import SHOWN, CodeTree, read_tree
from data.sources.raw import CODES, RawData, RawSplit
from data.splits import PairedRows, TokenSplit


def pair_rows(
    raw: RawData, settings: DataSettings, held_out: Sequence[str], tokenise: Callable[[RawSplit], TokenSplit]
) -> PairedRows:
    """Return all training rows that have a code, with their texts tokenised; adds notes for the user to `raw`.

    held_out: the names of the validation and reported splits; tokenise: tokenises texts and ignores their labels.
    Raises DataError if the tree has no code of the training rows and no prefix of one.
    """
    rows, train = raw.splits[raw.training_texts], raw.splits["train"]
    is_labelled = np.isin(rows.rows, train.rows)
    rows = rows.take(np.argsort(~is_labelled, kind="stable"))
    if CODES not in rows.table.column_names:
        raise DataError("no codes were read with the texts. Try: data.codes=<a column of codes> data.tree=<a file>")
    tree, unknown = read_tree(settings), Counter[str]()
    codes = tree.paths_of(rows.codes(), unknown)
    chosen = np.flatnonzero(codes.has_codes)
    if not len(chosen):
        raise DataError(_none_known(tree, unknown, settings))
    raw.notes += _notes(len(rows) - len(chosen), unknown, tree)
    found = {name: tree.paths_of(raw.splits[name].codes(), Counter()) for name in held_out}
    texts = tokenise(rows.take(chosen))
    taken = codes.take(chosen)
    parts = [texts.fingerprint, *(one.fingerprint for one in (taken, *found.values()))]
    return PairedRows(
        texts=texts,
        codes=taken,
        labelled=chosen[chosen < len(train)],
        train=codes.take(np.arange(len(train))),
        held_out=found,
        fingerprint=hashlib.sha256(repr(parts).encode()).hexdigest(),
    )


def _none_known(tree: CodeTree, unknown: Counter[str], settings: DataSettings) -> str:
    """Return the error message for when the tree has none of the codes."""
    if not unknown:
        return f"data.codes={settings.codes}: no training row has a code. Try: another column with data.codes=..."
    have, known = (", ".join(list(some)[:SHOWN]) for some in (unknown, tree.numbers))
    return (
        f"data.codes={settings.codes}: no code of the training rows ({have}, ...), nor a prefix of one, is in "
        f"data.tree={settings.tree} ({known}, ...). Try: another tree, or another column"
    )


def _notes(skipped: int, unknown: Counter[str], tree: CodeTree) -> list[str]:
    """Return notes for the user on the codes of the training rows."""
    found = []
    if skipped:
        found.append(f"{skipped:,} training rows without a code are not in the view of codes")
    if unknown:
        shown = ", ".join(code for code, _ in unknown.most_common(SHOWN)) + ", ..." * (len(unknown) > SHOWN)
        lost = sum(count for code, count in unknown.items() if tree.find(code) is None)
        ends = [f"{lost:,} of them are left out"] if lost else []
        if kept := unknown.total() - lost:
            ends.append(f"the longest prefix in the tree replaces {f'{kept:,}' if lost else 'each'}")
        found.append(f"{unknown.total():,} codes of training rows are not in the tree ({shown}); {', and '.join(ends)}")
    return found
