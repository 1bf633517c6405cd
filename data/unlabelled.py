"""Unlabelled texts for distillation: the student learns the teacher's logits for them.

Some of them may be texts that the run is evaluated on; these are counted and reported, or left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from data.duplicates import count_overlaps, text_hashes
from data.errors import DataError
from data.inputs.tokenizer import Tokenizer
from data.inputs.words import Words
from data.settings import DataSettings
from data.sources.choice import read_raw
from data.sources.raw import RawSplit
from data.splits import TokenSplit
from data.splitting import pick_rows
from data.stores.build_once import Notify, SharedCache, Waiting
from data.tokenising import input_of, tokenise_split

NAME = "unlabelled"  # of the split


@dataclass(frozen=True)
class Unlabelled:
    """Tokenised texts, the sha256 of their content, and how many rows of each reported split occur among them."""

    split: TokenSplit
    fingerprint: str
    reported: dict[str, int] = field(default_factory=dict)
    left_out: int = 0  # number of texts left out because they equal held-out ones


def load_unlabelled(
    settings: DataSettings,
    tokenizer: Tokenizer,
    *,
    rows: int | None,
    cache: Path,
    notify: Notify = None,
    waiting: Waiting = nullcontext,
    reported: Mapping[str, np.ndarray] | None = None,
    held_out: Mapping[str, np.ndarray] | None = None,
    like: TokenSplit | None = None,
) -> Unlabelled:
    """Read and tokenise the texts of a file, or of the split `settings.split` of a hub dataset, without any labels.

    rows: draw at most this many, with settings.split_seed; reported: hashes of the reported texts, by split; held_out:
    hashes, by split, of texts to leave out and count. like: the training rows; if they are words, texts are split into
    words too. Raises DataError.
    """
    shared = SharedCache(cache, notify, waiting)
    data = read_raw(texts_alone(settings), shared)
    raw = data.splits["train"]
    for what, count in data.dropped.items():
        shared.tell(f"unlabelled rows left out: {count:,} ({what})")
    raw, left_out = _without_held_out(raw, held_out or {}, shared)
    if rows is not None and rows < len(raw):
        raw = raw.take(pick_rows(len(raw), rows, settings.split_seed))
    fingerprint = raw.fingerprint()
    if like is not None and isinstance(like.input, Words):
        split = _words(list(raw.texts()), tokenizer, settings, like)
    else:
        own = input_of(data, tokenizer)
        split = tokenise_split(raw, NAME, fingerprint, own, None, settings.max_length, shared)
    return Unlabelled(
        split,
        fingerprint,
        count_overlaps(text_hashes(raw, fingerprint, shared), reported or {}),
        left_out,
    )


def texts_alone(settings: DataSettings) -> DataSettings:
    """Return the settings without every column but the texts: other texts need not have labels, groups or folds."""
    return replace(
        settings, task="auto", label=None, labels=[], label_separator=None, tokens=None, tags=None, codes=None,
        tree=None, group=None, fold_column=None, fold=None, folds=None, calibration=None, missing="drop",
    )  # fmt: skip


def _without_held_out(raw: RawSplit, held_out: Mapping[str, np.ndarray], cache: SharedCache) -> tuple[RawSplit, int]:
    """Return the texts that are not held out, and how many were; DataError if nothing is left."""
    if not held_out:
        return raw, 0
    is_held_out = np.isin(text_hashes(raw, raw.fingerprint(), cache), np.concatenate([*held_out.values()]))
    if is_held_out.all():
        raise DataError(
            f"all {len(raw):,} unlabelled texts are texts of {' or '.join(held_out)}, which must not be trained on. "
            "Try: other unlabelled texts"
        )
    return raw.take(np.flatnonzero(~is_held_out)), int(is_held_out.sum())


def _words(texts: list[str], tokenizer: Tokenizer, settings: DataSettings, like: TokenSplit) -> TokenSplit:
    """Split texts into words, in the form that a model trained on words takes."""
    own = Words.for_questions(tokenizer, (), {"language": settings.language, "windows": settings.windows})
    split = own.ask([texts], settings.max_length).split
    return replace(split, name=NAME, tokens=split.tokens.astype(like.tokens.dtype), target=like.target)


def append_unlabelled(train: TokenSplit, extra: TokenSplit) -> TokenSplit:
    """Append the rows without labels to the training rows."""
    blank = replace(extra, labels=extra.labels.blank(np.arange(len(extra)), train.labels.values))
    return replace(train.followed_by(blank), num_unlabelled=train.num_unlabelled + len(extra))
