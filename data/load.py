"""The table of contents of this package: read, split, limit, choose a tokenizer, tokenise into the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from data import shared
from data.encoding import Encoded
from data.errors import DataError
from data.masking import UNCUT, Masking, pack
from data.settings import DataSettings, TaskSettings, split_names
from data.split import cut, pick
from data.store import open_or_build
from data.table import RawData, RawSplit, require_two_classes
from data.targets import narrow, standardised
from data.tokenizer import Tokenizer, load_tokenizer, train_tokenizer, wrap
from data.types import DataTask, Splits, TokenSplit

Notify = Callable[[str], None] | None
TOKENIZER, CHECKSUM = "tokenizer.json", "sha256"  # of a trained vocabulary's folder
TRUNCATED_NOTE = 0.01  # above this share of cut rows the user is told


def load(
    settings: DataSettings,
    *,
    tokenizer: str,
    vocab_size: int,
    cache: Path,
    notify: Notify = None,
    task: TaskSettings | None = None,
    seed: int = 0,
) -> Splits:
    """Ready splits of a dataset.

    tokenizer: hub id, folder, or "train" for a vocabulary of `vocab_size` tokens from the training rows in use.
    cache: folder of the shared caches; task, seed: what to learn from texts without labels, and of its masks.
    Raises DataError.
    """
    raw = read(settings, cache, notify)
    where = settings.path or settings.train_path or settings.id or settings.name
    require_two_classes(raw, where)
    narrow(raw, where)
    select, report = apply_split_rule(raw, settings)
    limit(raw, settings)
    targets = standardised(settings, raw.kind, raw.splits["train"].labels, where)
    if targets:
        raw.notes.append(f"targets are standardised (mean {targets.mean:,.6g}, sd {targets.sd:,.6g})")
    prints = {name: raw.splits[name].fingerprint() for name in ("train", select, *report)}
    chosen = _tokenizer(tokenizer, vocab_size, raw.splits["train"], prints["train"], cache, notify)
    longest = UNCUT if raw.kind == "mlm" else settings.max_length
    tokens = {name: tokenised(raw.splits[name], name, prints[name], chosen, longest, cache, notify) for name in prints}
    for split in tokens.values():
        share = split.truncated / len(split)
        if share > TRUNCATED_NOTE:
            limit_key = f"data.max_length={settings.max_length}" if raw.kind != "mlm" else f"{UNCUT:,} tokens"
            raw.notes.append(f"{share:.1%} of the {split.name} texts are longer than {limit_key} and were cut")
    if raw.kind == "mlm":
        tokens = _blocks(tokens, settings.max_length, Masking.of(task or TaskSettings(), chosen), seed)
    data_task = DataTask(raw.kind, raw.label_names, settings.text_pair is not None, _metrics(settings, raw), targets)
    fingerprint = hashlib.sha256(repr((raw.label_names, sorted(prints.items()))).encode()).hexdigest()
    return Splits(
        data_task, tokens["train"], tokens[select], tuple(tokens[name] for name in report), chosen, fingerprint,
        prints, raw.dropped, raw.notes,
    )  # fmt: skip


def tokenised(
    raw: RawSplit, name: str, fingerprint: str, tokenizer: Tokenizer, longest: int, cache: Path, notify: Notify
) -> TokenSplit:
    """A raw split, known by its fingerprint, from the token store; rows have at most `longest` tokens."""
    return open_or_build(
        cache / "tokens",
        name,
        {"source": fingerprint, "tokenizer": tokenizer.fingerprint, "max_length": longest},
        lambda: _encode(raw, name, tokenizer, longest, notify),
        vocab_size=tokenizer.vocab_size,
        notify=notify,
    )


def _blocks(tokens: dict[str, TokenSplit], length: int, masking: Masking, seed: int) -> dict[str, TokenSplit]:
    """The splits as blocks of text; only the training masks change with the run's seed."""
    own = replace(masking, seed=seed)
    return {name: pack(split, length, own if name == "train" else masking) for name, split in tokens.items()}


def read(settings: DataSettings, cache: Path, notify: Notify = None) -> RawData:
    """The raw splits from wherever the settings say."""
    if settings.source == "hub":
        from data.hub import read_hub

        return read_hub(settings)
    if settings.source == "files":
        from data.files import read_files

        return read_files(settings, cache, notify)
    return _generate(settings)


def _generate(settings: DataSettings) -> RawData:
    """The built-in data: three splits from three seeds, held-out rows that occur in train removed."""
    import pyarrow as pa

    from data.demo import LABELS, generate

    wanted = {"train": settings.demo_rows, "val": settings.demo_rows // 6, "test": settings.demo_rows // 6}
    data, seen = RawData("classification", tuple(LABELS[settings.demo_task]), {}), set[tuple[str, str | None]]()
    if settings.label is None:
        data = RawData("mlm", (), {})
    for offset, (name, count) in enumerate(wanted.items()):
        rows = generate(settings.demo_task, count, 3 * settings.split_seed + offset)
        rows = [row for row in rows if (row[0], row[1]) not in seen]
        seen |= {(row[0], row[1]) for row in rows}
        columns = {"text": [row[0] for row in rows]}
        if settings.text_pair:
            columns["text_pair"] = [row[1] or "" for row in rows]
        labels = np.array([row[2] if data.label_names else 0 for row in rows], dtype=np.int64)
        data.splits[name] = RawSplit(pa.table(columns), labels, np.arange(len(rows)))
    return data


def apply_split_rule(data: RawData, settings: DataSettings) -> tuple[str, list[str]]:
    """Name the split that selects and those that are reported, cutting off train what is missing.

    One file: cut off both. The slices are seeded and stratified.
    """
    one = settings.source == "files" or settings.split is not None
    if one and "test" not in data.splits:
        count = round(len(data.splits["train"]) * settings.test_fraction)
        _cut_off(data, "test", count, settings)
    select, report = split_names(settings)
    if select not in data.splits:
        count = round(len(data.splits["train"]) * settings.select_fraction)
        _cut_off(data, select, min(count, settings.select_max_rows), settings)
    return select, report


def _cut_off(data: RawData, name: str, count: int, settings: DataSettings) -> None:
    train = data.splits["train"]
    stratify = data.kind == "classification"
    least = len(np.unique(train.labels)) if stratify else 1
    if count < least or len(train) - count < least:
        raise DataError(
            f"{len(train)} training rows are too few to cut off {count} for `{name}` ({least} are needed). "
            "Try: more rows, or files of their own with data.val_path=... data.test_path=..."
        )
    kept, taken = cut(train.labels, count, settings.split_seed, stratify)
    data.splits["train"], data.splits[name] = train.take(kept), train.take(taken)


def limit(data: RawData, settings: DataSettings) -> None:
    """Keep at most max_rows training rows and max_eval_rows of every other split, seeded and stratified."""
    for name, split in data.splits.items():
        most = settings.max_rows if name == "train" else settings.max_eval_rows
        if most is not None and most < len(split):
            chosen = pick(split.labels, most, settings.split_seed, data.kind == "classification")
            data.splits[name] = split.take(chosen)


def _metrics(settings: DataSettings, data: RawData) -> tuple[str, ...]:
    if data.kind == "mlm":
        return ("perplexity", "masked_accuracy")
    if settings.metrics:
        return tuple(settings.metrics)
    if data.kind == "regression":
        return ("spearman", "pearson")
    return ("accuracy", "f1" if len(data.label_names) == 2 else "f1_macro")


def _tokenizer(
    source: str, vocab_size: int, train: RawSplit, fingerprint: str, cache: Path, notify: Notify
) -> Tokenizer:
    """Load a tokenizer, or train one on the training rows, once for all processes."""
    if source != "train":
        return load_tokenizer(source)
    path = cache / "tokenizers" / f"{fingerprint[:20]}-{vocab_size}"

    def build(folder: Path) -> None:
        if notify:
            notify(f"training a vocabulary of {vocab_size:,} tokens")
        text = train_tokenizer(train.texts, vocab_size).backend.to_str()
        (folder / TOKENIZER).write_text(text, encoding="utf-8")
        (folder / CHECKSUM).write_text(shared.checksum(folder / TOKENIZER), encoding="ascii")

    return shared.open_or_build(
        path, _trained, build, damaged=f"the vocabulary in {path} is damaged; training it again", notify=notify
    )


def _trained(folder: Path) -> Tokenizer | None:
    """The tokenizer that was trained into a folder, or None where it is not as it was written."""
    from tokenizers import Tokenizer as Backend

    try:
        if (folder / CHECKSUM).read_text(encoding="ascii") != shared.checksum(folder / TOKENIZER):
            return None
    except (OSError, ValueError):
        return None
    return wrap(Backend.from_file(str(folder / TOKENIZER)), "train")


def _encode(
    split: RawSplit, name: str, tokenizer: Tokenizer, max_length: int, notify: Notify
) -> Iterator[tuple[Encoded, np.ndarray]]:
    if notify:
        notify(f"tokenising {name}, {len(split):,} rows")
    for texts, pairs, labels in split.chunks():
        yield tokenizer.encode(texts, pairs, max_length), labels


def class_weights(labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Balanced weights as scikit-learn defines them: rows / (classes x rows of the class), (C,) float32.

    A class without training rows weighs 0: it cannot occur in the loss.
    """
    counts = np.bincount(labels, minlength=num_labels)
    weights = len(labels) / (num_labels * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0.0).astype(np.float32)
