"""Lengths of texts in words and tokens against data.max_length, and how the tokenizer fits the texts."""

from __future__ import annotations

import numpy as np

from data.errors import DataError
from data.inputs.added_tokens import with_added, without
from data.inputs.bare_texts import facts_of
from data.inputs.cleaning import clean_text, cleaning_of
from data.inputs.tokenizer import (
    PieceTokenizer,
    Tokenizer,
    load_tokenizer,
    lower_as,
    train_tokenizer,
    wrap_backend,
)
from data.inputs.word_cache import Encoded
from data.load import Rows
from data.sources.raw import RawSplit
from data.text_facts import find_words, sample_columns, sample_texts, script_shares
from runner.audit.facts import LengthFacts, Spread, TokenizerFacts
from runner.audit.labels import used_splits
from runner.schema import Settings

LOOKED_AT = 10_000  # rows of train whose texts are counted, fewer of long ones; of every other split a fifth of them
MOST_LETTERS = 2_000_000  # of the rows of train that are counted
TRAINED_ON = 5_000  # rows for a vocabulary that is used only to count
UNCUT = 65_536  # tokens: no text is cut
HASHED = "words"
UNKNOWN = "keep"  # unknown tokens, also where a model drops them, since they are counted


def length_facts(rows: Rows, settings: Settings) -> tuple[dict[str, LengthFacts], TokenizerFacts]:
    """Return the lengths of each split's texts, and how the tokenizer of the settings fits those of train."""
    if not rows.raw.splits["train"].holds_texts:
        return _sound_lengths(rows, settings)
    tokenizer, name, why = _open(rows, settings)
    tokenizer = tokenizer and tokenizer.cleaned_by(cleaning_of(settings.data))
    longest = settings.data.max_length
    found, of_train = dict[str, LengthFacts](), None
    some = [len(text) for text in sample_texts(rows.raw.splits["train"], 500)]
    most = min(LOOKED_AT, max(500, int(MOST_LETTERS / max(1.0, float(np.mean(some))))))
    for split in used_splits(rows):
        cells = list(sample_columns(rows.raw.splits[split], most if split == "train" else most // 5))
        words = [sum(len(find_words(cell)) for cell in row) for row in cells]
        encoded = _encode(tokenizer, cells) if tokenizer else None
        of_train = (encoded, words) if split == "train" else of_train
        cut = None if encoded is None else float((encoded.lengths > longest).mean())
        found[split] = LengthFacts(
            len(cells), _spread(np.array(words)), None if encoded is None else _spread(encoded.lengths), cut
        )
    scripts = script_shares(sample_texts(rows.raw.splits["train"], most))
    unknown, per_word = _fit(tokenizer, *of_train) if of_train else (None, None)
    return found, TokenizerFacts(name, why, longest, unknown, per_word, scripts)


def _sound_lengths(rows: Rows, settings: Settings) -> tuple[dict[str, LengthFacts], TokenizerFacts]:
    """Return the seconds of each split's sounds, and which features a model reads of them."""
    found = {}
    for name in used_splits(rows):
        seconds, longest = rows.raw.splits[name].row_seconds(), settings.data.seconds
        cut = None if longest is None else float((seconds > longest).mean())
        found[name] = LengthFacts(len(seconds), None, None, cut, _spread(seconds))
    model, data = settings.model, settings.data
    why = f"features of model={model.name}, at {data.rate:,} Hz"
    return found, TokenizerFacts(model.tokenizer, why, data.max_length, None, None, {})


def _open(rows: Rows, settings: Settings) -> tuple[Tokenizer | None, str, str]:
    """Return the tokenizer that a run of these settings has, its name, and where it comes from.

    A tokenizer that a run would train on all its rows is trained on a part of them here, and so is the stand-in for one
    that is not available.
    """
    model, train = settings.model, rows.raw.splits["train"]

    added, cleaning = settings.data.added_tokens, cleaning_of(settings.data)

    def trained() -> PieceTokenizer:
        texts = (without(clean_text(text, cleaning), added) for text in sample_texts(train, TRAINED_ON))
        found = with_added(train_tokenizer(texts, model.vocab_size - len(added), settings.data.lower), added)
        if model.special_tokens:
            return found
        return wrap_backend(found.backend, "train", found.names, facts_of(None, UNKNOWN))

    if model.tokenizer.partition(":")[0] == HASHED:
        return None, model.tokenizer, f"model={model.name} reads whole words"
    if model.tokenizer == "train":
        return trained(), "train", f"{_said(train, model.vocab_size)}; a run trains it on all"
    try:
        found = load_tokenizer(model.tokenizer, special_tokens=model.special_tokens, unknown_tokens=UNKNOWN)
        if isinstance(found, PieceTokenizer):
            found = with_added(lower_as(found, settings.data.lower), added)
        return found, model.tokenizer, f"the tokenizer of model={model.name}"
    except DataError as error:
        why = f"{str(error).partition(' Go on with')[0].rstrip('.')}; instead {_said(train, model.vocab_size)}"
        return trained(), "train", why


def _said(train: RawSplit, vocab_size: int) -> str:
    return f"a vocabulary of at most {vocab_size:,} tokens trained on {min(TRAINED_ON, len(train)):,} rows"


def _encode(tokenizer: Tokenizer, cells: list[tuple[str, ...]]) -> Encoded:
    """Return the tokens of rows, not cut."""
    first, *second = ([row[column] for row in cells] for column in range(len(cells[0])))
    return tokenizer.encode(first, second[0] if second else None, UNCUT)


def _spread(lengths: np.ndarray) -> Spread:
    p50, p95 = np.percentile(lengths, (50, 95))
    return Spread(float(p50), float(p95), float(lengths.max()))


def _fit(tokenizer: Tokenizer | None, encoded: Encoded | None, words: list[int]) -> tuple[float | None, float | None]:
    """Return the share of unknown tokens, and the tokens of a word; None without a vocabulary."""
    if not isinstance(tokenizer, PieceTokenizer) or encoded is None:
        return None, None
    special = [tokenizer.backend.token_to_id(token) for key, token in tokenizer.names.items() if key != "unk_token"]
    pieces = int((~np.isin(encoded.tokens, [number for number in special if number is not None])).sum())
    unknown = tokenizer.backend.token_to_id(tokenizer.names.get("unk_token", ""))
    share = 0.0 if unknown is None else float((encoded.tokens == unknown).sum() / max(1, pieces))
    return share, pieces / max(1, sum(words))
