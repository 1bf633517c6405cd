"""The way in: read the rows, cut and limit the splits, open or train a tokenizer, tokenise into the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from data import duplicates
from data.groups import row_groups
from data.inputs.text import Text
from data.inputs.tokenizer import Tokenizer
from data.inputs.word_cache import Encoded
from data.labels import Labels
from data.settings import DataSettings, TaskSettings, metrics_of
from data.sources.demo_splits import read_demo
from data.sources.files import read_files
from data.sources.hub import read_hub
from data.sources.raw import RawData, RawSplit, require_two_classes
from data.splits import DataTask, RowTarget, Splits, TokenSplit
from data.splitting import apply_split_rule, limit_rows
from data.stores.build_once import Notify, SharedCache, Waiting
from data.stores.tokens import open_tokens
from data.stores.trained_tokenizer import open_or_train_tokenizer
from data.targets.class_label import ClassLabel
from data.targets.masked_words import UNCUT, Masking, pack_blocks
from data.targets.number import Number, narrow_targets, target_scale
from data.targets.positive_class import check_metrics, positive_class

TRUNCATED_NOTE = 0.01  # above this share of cut rows the user is told


def load_splits(
    settings: DataSettings,
    *,
    tokenizer: str,
    vocab_size: int,
    cache: Path,
    notify: Notify = None,
    waiting: Waiting = nullcontext,
    task: TaskSettings | None = None,
    seed: int = 0,
) -> Splits:
    """Read a dataset and return its splits, tokenised.

    tokenizer: hub id, folder, or "train" for a vocabulary of `vocab_size` tokens from the training rows in use.
    cache: folder that all runs share; notify: is told what is going on; waiting: entered while another process builds
    an entry of the cache. task, seed: how words are masked, for texts without labels. Raises DataError.
    """
    shared = SharedCache(cache, notify, waiting)
    raw = read_raw(settings, shared)
    select, report = _cut(raw, settings, shared)
    data_task = _task(raw, settings)
    fingerprints = {name: raw.splits[name].fingerprint() for name in ("train", select, *report)}
    repeats = _repeats(raw, settings, fingerprints, shared)
    hashes = {name: duplicates.text_hashes(raw.splits[name], fingerprints[name], shared) for name in report}
    chosen = open_or_train_tokenizer(tokenizer, vocab_size, raw.splits["train"], fingerprints["train"], shared)
    raw.notes += [f"rows left out: {count:,} ({what})" for what, count in raw.dropped.items()]
    longest = UNCUT if raw.kind == "mlm" else settings.max_length
    target = Number() if raw.kind == "regression" else ClassLabel(raw.label_names)
    tokens = {
        name: tokenise_split(raw.splits[name], name, value, chosen, longest, shared, target)
        for name, value in fingerprints.items()
    }
    raw.notes += _truncated(tokens, raw.kind, settings.max_length)
    if raw.kind == "mlm":
        tokens = _blocks(tokens, settings.max_length, Masking.of(task or TaskSettings(), chosen), seed)
    fingerprint = hashlib.sha256(repr((raw.label_names, sorted(fingerprints.items()))).encode()).hexdigest()
    return Splits(
        data_task, tokens["train"], tokens[select], tuple(tokens[name] for name in report), chosen, fingerprint,
        fingerprints, raw.dropped, raw.notes, repeats, hashes,
    )  # fmt: skip


def _task(raw: RawData, settings: DataSettings) -> DataTask:
    """Describe what the labels in use are; DataError for a score, a positive class or targets that do not fit them."""
    metrics = metrics_of(raw.kind, settings, len(raw.label_names))
    check_metrics(metrics, raw)
    positive = positive_class(settings.positive, raw)
    targets = target_scale(settings, raw.kind, raw.splits["train"].labels, _where(settings))
    if targets:
        raw.notes.append(f"targets are standardised (mean {targets.mean:,.6g}, sd {targets.sd:,.6g})")
    return DataTask(raw.kind, raw.label_names, settings.text_pair is not None, metrics, positive, targets)


def _truncated(tokens: dict[str, TokenSplit], kind: str, max_length: int) -> list[str]:
    """Return a note for each split in which more than 1 % of the texts were cut."""
    limit_key = f"data.max_length={max_length}" if kind != "mlm" else f"{UNCUT:,} tokens"
    shares = {name: split.truncated / len(split) for name, split in tokens.items()}
    return [
        f"{share:.1%} of the {name} texts are longer than {limit_key} and were cut"
        for name, share in shares.items()
        if share > TRUNCATED_NOTE
    ]


def _where(settings: DataSettings) -> str:
    """Name the training rows as messages do: by file, hub id or dataset."""
    return settings.path or settings.train_path or settings.id or settings.name


def _cut(raw: RawData, settings: DataSettings, cache: SharedCache) -> tuple[str, list[str]]:
    """Cut the raw splits down to the rows in use; return the name of the split that selects and of those reported."""
    if settings.duplicates == "drop":
        duplicates.drop_repeats(raw, cache)
    require_two_classes(raw, _where(settings))
    narrow_targets(raw, _where(settings))
    raw.splits["train"].groups = row_groups(raw, settings, cache)
    select, report = apply_split_rule(raw, settings)
    limit_rows(raw, settings)
    return select, report


def _repeats(raw: RawData, settings: DataSettings, fingerprints: dict[str, str], cache: SharedCache) -> dict[str, int]:
    """Count repeated texts and add a note about them; DataError where the settings refuse them."""
    found = duplicates.cached_counts(raw.splits, fingerprints, cache)
    if settings.duplicates == "refuse":
        hashes = {name: duplicates.text_hashes(raw.splits[name], value, cache) for name, value in fingerprints.items()}
        duplicates.refuse_repeats(raw.splits, hashes, found)
    if note := duplicates.repeats_note(found, {name: len(raw.splits[name]) for name in fingerprints}):
        raw.notes.append(note + (". Try: data.duplicates=drop" if settings.duplicates == "keep" else ""))
    return found


def tokenise_split(
    raw: RawSplit, name: str, fingerprint: str, tokenizer: Tokenizer, longest: int, cache: SharedCache,
    target: RowTarget | None,
) -> TokenSplit:  # fmt: skip
    """Open a raw split in the token store, tokenising it first if needed; rows have at most `longest` tokens.

    target: makes labels into targets; None for texts that are only to be read.
    """
    stored = open_tokens(
        cache,
        name,
        {"source": fingerprint, "tokenizer": tokenizer.fingerprint, "max_length": longest},
        lambda: _encode(raw, name, tokenizer, longest, cache),
        vocab_size=tokenizer.vocab_size,
        input=Text(tokenizer, "text_pair" in raw.table.column_names),
        target=target,
    )
    return replace(stored, source_rows=raw.source_rows)


def _blocks(tokens: dict[str, TokenSplit], length: int, masking: Masking, seed: int) -> dict[str, TokenSplit]:
    """Lay each split out in blocks of text; only the training masks depend on the run's seed."""
    own = replace(masking, seed=seed)
    return {name: pack_blocks(split, length, own if name == "train" else masking) for name, split in tokens.items()}


def read_raw(settings: DataSettings, cache: SharedCache) -> RawData:
    """Read the raw splits from the source that the settings name."""
    if settings.source == "hub":
        return read_hub(settings)
    if settings.source == "files":
        return read_files(settings, cache)
    return read_demo(settings)


def _encode(
    split: RawSplit, name: str, tokenizer: Tokenizer, max_length: int, cache: SharedCache
) -> Iterator[tuple[Encoded, Labels]]:
    """Yield the rows of a split in chunks, as token ids and labels."""
    cache.tell(f"tokenising {name}, {len(split):,} rows")
    for texts, pairs, labels in split.chunks():
        yield tokenizer.encode(texts, pairs, max_length), Labels(labels)
