"""Entry point: reads the rows, cuts and limits the splits, opens or trains a tokenizer, tokenises into the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from data import duplicates
from data.calibration import CALIBRATION, check_apart
from data.counted import counted
from data.errors import DataError
from data.folds import also_trained_on, take_fold, take_own_fold
from data.groups import row_groups
from data.inputs.tokenizer import Tokenizer, require_pieces
from data.inputs.trimmed import FULL, TrimmedTokenizer, count_tokens, trim, trim_note
from data.pairs import pair_rows
from data.parallel import add_parallel, parallel_name
from data.settings import DataSettings, TaskSettings
from data.sources.choice import read_raw
from data.sources.raw import TEXTS, RawData, RawSplit
from data.sources.sounds import check_reader
from data.splits import DataTask, PairedRows, Splits, TokenSplit
from data.splitting import apply_split_rule, keep_labels, limit_rows
from data.stores.build_once import Notify, SharedCache, Waiting
from data.stores.trained_tokenizer import open_or_train_tokenizer
from data.targets.base import Target
from data.tokenising import input_of, tokenise_split, tokenizer_of, with_augmentation, with_scaling
from data.tokenizer_fit import fit_notes

TRUNCATED_NOTE = 0.01  # above this share of truncated rows the user is told


def load_splits(
    settings: DataSettings,
    *,
    tokenizer: str,
    vocab_size: int,
    vocabulary: str = FULL,
    special_tokens: bool = True,
    unknown_tokens: str = "auto",
    cache: Path,
    notify: Notify = None,
    waiting: Waiting = nullcontext,
    task: TaskSettings | None = None,
    seed: int = 0,
    target: str = "auto",
    codes: bool = False,
    maxmatch_dropout: float = 0.0,
    check: Callable[[DataTask], object] = lambda _: None,
) -> Splits:
    """Read a dataset and return its splits, tokenised.

    tokenizer: hub id, folder, or "train" for a vocabulary of `vocab_size` tokens trained on the training rows in use,
    including those that do not keep their labels.
    vocabulary: full; task: only the tokens that the training rows need; or a number of tokens. special_tokens,
    unknown_tokens: as in `load_tokenizer`.
    cache: folder shared by all runs; notify: receives progress messages; waiting: a context entered while another
    process builds a cache entry. task, seed: how words are masked, for texts without labels. target: name of the
    target; auto: chosen by the labels. codes: also learn from the codes of the texts? maxmatch_dropout: as in train.
    check: raises DataError for labels that the run cannot use, before anything is tokenised. Raises DataError.
    """
    check_reader(settings, tokenizer)
    shared = SharedCache(cache, notify, waiting)
    rows = read_rows(settings, shared, target)
    check(rows.task)
    raw, select, report, fingerprints, contents = rows.raw, rows.select, rows.report, rows.fingerprints, rows.contents
    trained_on = also_trained_on(settings, select, report)
    repeats = _repeats(rows, settings, {k: v for k, v in fingerprints.items() if k not in trained_on}, shared)
    hashes, texts = rows.held_out_hashes(shared), raw.training_texts
    chosen = tokenizer_of(
        settings, tokenizer, vocab_size, raw.splits[texts], contents[texts], shared, special_tokens, unknown_tokens
    )
    raw.notes += raw.notes_on_dropped()
    longest = raw.target.longest(settings.max_length)

    def tokenise(name: str, tokenizer: Tokenizer) -> TokenSplit:
        own, target = input_of(raw, tokenizer), _targets(raw, tokenizer, task or TaskSettings(), seed)[name]
        return tokenise_split(raw.splits[name], name, contents[name], own, target, longest, shared)

    found = tokenise("train", chosen)
    raw.notes += fit_notes(raw.splits["train"], found, chosen, settings)
    chosen = with_scaling(chosen, found)
    if vocabulary != FULL:
        chosen = _trim(chosen, vocabulary, (texts, report[0]), tokenise, raw.notes)
    targets = _targets(raw, chosen, task or TaskSettings(), seed)
    tokens = _laid_out({name: tokenise(name, chosen) for name in fingerprints}, raw, targets, settings)
    train = with_augmentation(tokens["train"], chosen, settings, seed, rows.task.num_labels, maxmatch_dropout)
    paired = _paired(raw, settings, tuple(hashes), chosen, shared) if codes else None
    return Splits(
        rows.task, train, tokens[select], tuple(tokens[name] for name in report), chosen, rows.fingerprint,
        fingerprints, raw.dropped, raw.notes, repeats, {name: hashes[name] for name in report}, hashes, paired,
        tuple(parallel_name(report[0], config) for config in settings.report), tokens.get(CALIBRATION), raw.folds,
    )  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """The rows of a dataset in their splits, before tokenisation."""

    raw: RawData
    select: str  # the name of the validation split
    report: tuple[str, ...]  # the names of the reported splits, the headline one first
    is_cut: bool  # was the validation split taken from the training rows?
    task: DataTask
    language: str | None = None  # whose rules lower-case the texts
    added: tuple[str, ...] = ()  # texts that a tokenizer keeps whole
    # The held-out splits that the source itself has: data.duplicates leaves texts that they have in common.
    own: frozenset[str] = frozenset()

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """The sha256 of the content and labels of each split in use."""
        apart = [CALIBRATION] if CALIBRATION in self.raw.splits else []
        return {name: self.raw.splits[name].fingerprint() for name in ("train", self.select, *self.report, *apart)}

    def held_out_hashes(self, cache: SharedCache) -> dict[str, np.ndarray]:
        """Return the hashes (rows,) uint64 of the normalised texts of each split in use except train."""
        held_out = {name: of for name, of in self.fingerprints.items() if name != "train"}
        return {name: duplicates.text_hashes(self.raw.splits[name], of, cache) for name, of in held_out.items()}

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 of the fingerprints of all splits in use and of the class names."""
        return hashlib.sha256(repr((self.raw.target.names, sorted(self.fingerprints.items()))).encode()).hexdigest()

    @cached_property
    def contents(self) -> dict[str, str]:
        """The sha256 of each split in use, and of all training rows, including those that do not keep their labels."""
        texts = self.raw.training_texts
        return self.fingerprints | {texts: self.raw.splits[texts].fingerprint()}


def read_rows(settings: DataSettings, cache: SharedCache, target: str = "auto") -> Rows:
    """Read a dataset and cut its splits as `load_splits` does, without tokenising them. Raises DataError."""
    raw = read_raw(settings, cache, target)
    given = set(raw.splits)
    select, report = _cut(raw, settings, cache)
    added, own = tuple(settings.added_tokens), frozenset(given - {"train", "" if settings.folds is None else select})
    return Rows(raw, select, tuple(report), select not in given, _task(raw, settings), settings.lower, added, own)


def tokenise_rows(rows: Rows, name: str, tokenizer: Tokenizer, max_length: int, cache: SharedCache) -> TokenSplit:
    """Return one split of these rows, tokenised, from the store that runs use."""
    raw, longest = rows.raw, rows.raw.target.longest(max_length)
    own = input_of(raw, tokenizer)
    return tokenise_split(raw.splits[name], name, rows.contents[name], own, raw.target, longest, cache)


def open_tokenizer(
    rows: Rows, tokenizer: str, *, vocab_size: int, vocabulary: str, special_tokens: bool, max_length: int,
    cache: SharedCache, cleaning: tuple[str, ...] = (), unknown_tokens: str = "auto",
) -> Tokenizer:  # fmt: skip
    """Open, train or trim a tokenizer for these rows like `load_splits`, which explains the arguments."""
    texts = rows.raw.splits[rows.raw.training_texts]
    chosen = open_or_train_tokenizer(
        tokenizer, vocab_size, texts, rows.contents[rows.raw.training_texts], cache, special_tokens=special_tokens,
        unknown_tokens=unknown_tokens, language=rows.language, cleaning=cleaning, added=rows.added,
    )  # fmt: skip
    if vocabulary == FULL:
        return chosen
    pieces = require_pieces(chosen, f"model.vocabulary={vocabulary}")
    tokens = tokenise_rows(rows, rows.raw.training_texts, pieces, max_length, cache).tokens
    return trim(pieces, count_tokens(tokens, pieces.vocab_size), vocabulary)


def _task(raw: RawData, settings: DataSettings) -> DataTask:
    """Describe the labels in use; DataError if the positive class or the standardisation setting does not fit them."""
    target, labels = raw.target, raw.splits["train"].labels
    # All folds have the same positive class, or their scores could not be compared.
    positive = target.positive_class(settings.positive, labels if raw.whole is None else raw.whole)
    scale = target.scale(settings, labels, _where(settings))
    if scale and settings.standardize == "range":
        most = scale.mean + scale.sd
        raw.notes.append(f"targets run from 0 to 1 in training ({scale.mean:,.6g} to {most:,.6g} in the data)")
    elif scale:
        raw.notes.append(f"targets are standardised (mean {scale.mean:,.6g}, sd {scale.sd:,.6g})")
    is_pair = settings.text_pair is not None
    return DataTask(target.name, target.names, is_pair, positive, scale, target.columns, target.has_empty)


def _targets(raw: RawData, tokenizer: Tokenizer, task: TaskSettings, seed: int) -> dict[str, Target]:
    """Return the target of each split; only that of train may depend on the run's seed."""
    return {name: raw.target.ready(tokenizer, task, seed if name == "train" else None) for name in raw.splits}


def _trim(
    full: Tokenizer, wanted: str, splits: tuple[str, str], tokenise: Callable[[str, Tokenizer], TokenSplit],
    notes: list[str],
) -> TrimmedTokenizer:  # fmt: skip
    """Return the tokenizer trimmed to the tokens that the training rows need; adds a note on how this affects texts.

    splits: the names of the split with the training rows and of the split that the note describes; tokenise: returns
    the tokens of a split, given its name and a tokenizer.
    """
    texts, shown = splits
    pieces = require_pieces(full, f"model.vocabulary={wanted}")
    trimmed = trim(pieces, count_tokens(tokenise(texts, pieces).tokens, pieces.vocab_size), wanted)
    notes.append(trim_note(trimmed, pieces, tokenise(shown, pieces), tokenise(shown, trimmed)))
    return trimmed


def _paired(
    raw: RawData, settings: DataSettings, held_out: tuple[str, ...], tokenizer: Tokenizer, cache: SharedCache
) -> PairedRows:
    """Return all training texts paired with their codes; held_out: the names of the other splits."""
    own, longest = input_of(raw, tokenizer), raw.target.longest(settings.max_length)

    def tokenise(rows: RawSplit) -> TokenSplit:
        return tokenise_split(rows, TEXTS, rows.fingerprint(), own, None, longest, cache)

    return pair_rows(raw, settings, held_out, tokenise)


def _laid_out(
    tokens: dict[str, TokenSplit], raw: RawData, targets: dict[str, Target], settings: DataSettings
) -> dict[str, TokenSplit]:
    """Return the tokenised splits as arranged by their targets; adds notes on truncation and on the result."""
    raw.notes += _truncated(tokens, raw.target.longest(settings.max_length), settings, raw.splits["train"].unit)
    found = {name: targets[name].arrange(split, settings) for name, split in tokens.items()}
    raw.notes += [note for split in found.values() for note in raw.target.notes_on(split, settings)]
    return found


def _truncated(tokens: dict[str, TokenSplit], longest: int, settings: DataSettings, unit: str) -> list[str]:
    """Return a note for each split in which more than 1 % of the rows were truncated; unit: what rows are called."""
    limit = f"data.max_length={longest}" if longest == settings.max_length else f"{longest:,} tokens"
    if unit != RawSplit.unit:
        limit = f"data.seconds={settings.seconds} or {limit} frames"
    shares = {name: split.truncated / len(split) for name, split in tokens.items()}
    return [
        f"{share:.1%} of the {name} {unit} are longer than {limit} and were cut"
        for name, share in shares.items()
        if share > TRUNCATED_NOTE
    ]


def _where(settings: DataSettings) -> str:
    """Return the name of the training rows for messages: the file, hub id or dataset."""
    return settings.path or settings.train_path or settings.id or settings.name


def _cut(raw: RawData, settings: DataSettings, cache: SharedCache) -> tuple[str, list[str]]:
    """Reduce the raw splits to the rows in use; return the names of the validation split and the reported splits."""
    if settings.duplicates == "drop":
        duplicates.drop_repeats(raw, cache)
    checked = raw.target.check({name: split.labels for name, split in raw.splits.items()}, _where(settings))
    for name, labels in checked.items():
        raw.splits[name].labels = labels
    raw.splits["train"].groups = row_groups(raw, settings, cache)
    if settings.fold_column is not None:
        take_own_fold(raw, settings)
    select, report = apply_split_rule(raw, settings)
    limit_rows(raw, settings)
    if settings.folds is not None:
        take_fold(raw, settings, select, cache)
    keep_labels(raw, settings)
    _check_left(raw, settings)
    return select, [*report, *add_parallel(raw, settings, report[0])]


def _check_left(raw: RawData, settings: DataSettings) -> None:
    """Raise DataError if nothing can be learnt from the rows that the cuts leave for training."""
    train = raw.splits["train"]
    problem = raw.target.why_unlearnable(train.labels)
    if problem is None:
        return
    given = {"max_rows": settings.max_rows, "labelled_rows": settings.labelled_rows, "fold": settings.fold}
    cuts = {name: value for name, value in given.items() if value is not None}
    why = ", ".join(f"data.{name}={value}" for name, value in cuts.items()) or "the others are held out"
    cures = [f"{'another' if name == 'fold' else 'a larger'} data.{name}" for name in cuts] or ["more rows"]
    raise DataError(
        f"{_where(settings)}: {problem} among the {counted(len(train), 'row')} left for training ({why}). "
        f"Try: {', or '.join(cures)}"
    )


def _repeats(rows: Rows, settings: DataSettings, fingerprints: dict[str, str], cache: SharedCache) -> dict[str, int]:
    """Count repeated texts and note them; DataError if repeats are refused or too many calibration rows are repeats."""
    raw = rows.raw
    found = duplicates.cached_counts(raw.splits, fingerprints, cache)
    raw.notes += check_apart(settings, found, {name: len(raw.splits[name]) for name in fingerprints})
    if settings.duplicates == "refuse":
        hashes = {name: duplicates.text_hashes(raw.splits[name], value, cache) for name, value in fingerprints.items()}
        duplicates.refuse_repeats(raw.splits, hashes, found)
    sizes = {name: len(raw.splits[name]) for name in fingerprints}
    if note := duplicates.repeats_note(found, sizes):
        dropped = {
            key: n for key, n in found.items() if "+" not in key or not {*key.split("/")[0].split("+")} <= rows.own
        }
        is_cured = settings.duplicates == "keep" and duplicates.repeats_note(dropped, sizes)
        raw.notes.append(note + (". Try: data.duplicates=drop" if is_cured else ""))
    return found
