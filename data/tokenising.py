"""Tokenises rows of any kind: picks a run's tokenizer and input, and puts the tokens into the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from data.counted import counted
from data.inputs.base import Input
from data.inputs.cleaning import cleaning_of
from data.inputs.maxmatch_dropout import MaxMatchDropout
from data.inputs.sound import SOUND, Sound, require_features
from data.inputs.sound_augmentation import AugmentedSounds
from data.inputs.sound_features import SoundFeatures, features_of
from data.inputs.text import Text
from data.inputs.tokenizer import Tokenizer
from data.inputs.truncation import END
from data.inputs.word_cache import Encoded
from data.inputs.words import WORDS, Words
from data.labels import Labels
from data.settings import DataSettings
from data.sources.raw import RawData, RawSplit
from data.splits import TokenSplit
from data.stores.build_once import SharedCache
from data.stores.tokens import open_tokens
from data.stores.trained_tokenizer import open_or_train_tokenizer
from data.targets.base import Target


def tokenizer_of(
    settings: DataSettings, source: str, vocab_size: int, texts: RawSplit, fingerprint: str, cache: SharedCache,
    special_tokens: bool, unknown_tokens: str,
) -> Tokenizer:  # fmt: skip
    """Return the tokenizer of a run, or its audio features; `load_splits` explains the arguments."""
    if not texts.holds_texts:
        return features_of(source, settings, special_tokens)
    return open_or_train_tokenizer(
        source, vocab_size, texts, fingerprint, cache, special_tokens=special_tokens, unknown_tokens=unknown_tokens,
        language=settings.lower, cleaning=cleaning_of(settings), added=settings.added_tokens,
    )  # fmt: skip


def with_scaling(tokenizer: Tokenizer, train: TokenSplit) -> Tokenizer:
    """Fit the scaling of audio features to the training rows, unless they have one; return tokenizers unchanged."""
    if not isinstance(tokenizer, SoundFeatures) or tokenizer.mean:
        return tokenizer
    return tokenizer.fitted(train.tokens, train.offsets)


def with_augmentation(
    train: TokenSplit, tokenizer: Tokenizer, settings: DataSettings, seed: int, classes: int, maxmatch_dropout: float
) -> TokenSplit:
    """Return the training split with its augmentation: sounds always have one, texts only with MaxMatch dropout.

    seed: the run's; classes: how many, 1 for regression; maxmatch_dropout: probability that a piece is skipped.
    """
    if not isinstance(tokenizer, SoundFeatures):
        if not maxmatch_dropout:
            return train
        dropout = MaxMatchDropout(
            tokenizer, share=maxmatch_dropout, seed=seed, max_length=settings.max_length, truncate=settings.truncate
        )
        return replace(train, augment=dropout)
    has_first = tokenizer.special_tokens
    return replace(train, augment=AugmentedSounds(settings.augment, seed=seed, classes=classes, has_first=has_first))


def input_of(raw: RawData, tokenizer: Tokenizer) -> Input:
    """Return the input that turns the columns of the dataset into tokens."""
    if found := raw.target.input(tokenizer):
        return found
    columns = raw.splits["train"].columns
    if SOUND in columns:
        return Sound(require_features(tokenizer, "data.audio"))
    if WORDS in columns:
        return Words(tokenizer)
    return Text(tokenizer, "text_pair" in columns, raw.truncate)


def tokenise_split(
    raw: RawSplit, name: str, fingerprint: str, own: Input, target: Target | None, longest: int, cache: SharedCache
) -> TokenSplit:
    """Open a raw split in the token store, tokenising it first if needed; rows have at most `longest` tokens.

    fingerprint: of the raw split; own: turns its columns into tokens; target: turns labels into targets; None for texts
    whose labels are not used.
    """
    tokenizer = own.tokenizer
    further = {} if own.truncate == END else {"truncate": own.truncate}
    stored = open_tokens(
        cache,
        name,
        {"source": fingerprint, "tokenizer": tokenizer.fingerprint, "max_length": longest} | further,
        lambda: _encode(raw, name, own, target, longest, cache),
        vocab_size=tokenizer.vocab_size,
        input=own,
        target=target,
    )
    return replace(stored, source_rows=raw.source_rows, texts=raw)


def _encode(
    split: RawSplit, name: str, own: Input, target: Target | None, max_length: int, cache: SharedCache
) -> Iterator[tuple[Encoded, Labels]]:
    """Yield the rows of a split in chunks, as token ids and labels."""
    cache.tell(f"{'tokenising' if split.holds_texts else 'computing features of'} {name}, {counted(len(split), 'row')}")
    for columns, labels in split.chunks():
        encoded = own.encode(columns, max_length)
        yield encoded, labels if target is None else target.align(labels, encoded)
