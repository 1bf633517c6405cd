"""Data augmentation for distillation: copies of texts with some words replaced. They have no labels.

A masked language model predicts, once per text, which words fit in each place; each copy draws its words from these.
The copies are stored like tokens, in <cache>/augmented/<key>/, so that all runs share them.
Source: Jiao et al. 2020, TinyBERT (arXiv 1909.10351), algorithm 1. Differences: words of several pieces are never
replaced (TinyBERT uses word vectors for them), and stop words may be (TinyBERT's code leaves them alone).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from data.batch import Batch, collate
from data.errors import DataError
from data.inputs.tokenizer import Tokenizer, require_pieces
from data.inputs.word_cache import Encoded
from data.labels import Labels
from data.sampler import eval_batches
from data.splits import TokenSplit
from data.stores.build_once import SharedCache
from data.stores.tokens import open_tokens

FORMAT = 1  # raise when the way copies are made changes
CHUNK, BATCH = 256, 64  # texts in memory at a time; masked texts in one batch for the model
MASK = "[MASK]"

Guess = Callable[[Batch], np.ndarray]  # the most probable words at a batch's places, (N, words), best first


@dataclass(frozen=True)
class Recipe:
    """Options for making copies."""

    copies: int  # of each text; duplicates are removed, so there may be fewer
    share: float  # probability that a replaceable word is replaced
    words: int  # draw from this many of the most probable words
    seed: int


def replaceable_tokens(tokenizer: Tokenizer) -> tuple[np.ndarray, np.ndarray]:
    """Return which tokens are words (letters only), and which continue the word before them; (V,) bool each."""
    tokens = tokenizer.tokens()
    return np.array([token.isalpha() for token in tokens]), np.array([token.startswith("##") for token in tokens])


def open_replaced_words(
    split: TokenSplit, tokenizer: Tokenizer, recipe: Recipe, model: str, guess: Guess, cache: SharedCache
) -> TokenSplit:  # fmt: skip
    """Open the copies of all texts of `split`, making them first if no run has done so before.

    model: fingerprint of the model behind `guess`.
    """
    parts = {"texts": split.fingerprint, "model": model, "format": FORMAT} | asdict(recipe)
    return open_tokens(
        cache, "augmented", parts, lambda: _chunks(split, tokenizer, recipe, guess),
        vocab_size=tokenizer.vocab_size, input=split.input, target=split.target, folder="augmented",
    )  # fmt: skip


def _chunks(split: TokenSplit, tokenizer: Tokenizer, recipe: Recipe, guess: Guess) -> Iterator[tuple[Encoded, Labels]]:
    """Yield the copies of a few texts at a time; DataError if there is none at all."""
    words, continues = replaceable_tokens(tokenizer)
    mask_id, made = require_pieces(tokenizer, "replacing words").backend.token_to_id(MASK), 0
    assert mask_id is not None, "only tokenizers with [MASK] come here"
    for start in range(0, len(split), CHUNK):
        rows = range(start, min(start + CHUNK, len(split)))
        places = {row: word_positions(_tokens(split, row), words, continues) for row in rows}
        fitting = _fitting(split, places, mask_id, guess)
        found = [(row, copy) for row in fitting for copy in draw_copies(split, row, places[row], fitting[row], recipe)]
        made += len(found)
        lengths = np.array([len(copy) for _, copy in found], np.int64)
        starts = np.array([split.segment_starts[row] for row, _ in found], np.int64)
        tokens = np.concatenate([copy for _, copy in found]) if found else np.zeros(0, np.int64)
        yield Encoded(tokens, lengths, starts, 0), split.labels.blank(np.array([row for row, _ in found], np.int64))
    if not made:
        raise DataError(
            f"no word of the {len(split):,} {split.name} texts can be replaced. Leave out the setting augment.model"
        )


def word_positions(tokens: np.ndarray, words: np.ndarray, continues: np.ndarray) -> np.ndarray:
    """Return the positions of single-piece words in a row (T,); words, continues: from `replaceable_tokens`."""
    is_cut = np.append(continues[tokens[1:]], False)
    return np.flatnonzero(words[tokens] & ~is_cut)


def _tokens(split: TokenSplit, row: int) -> np.ndarray:
    """Return the token ids of a row, (T,) int64."""
    return np.asarray(split.tokens[split.offsets[row] : split.offsets[row + 1]]).astype(np.int64)


def _fitting(split: TokenSplit, places: dict[int, np.ndarray], mask_id: int, guess: Guess) -> dict[int, np.ndarray]:
    """Return the words that fit at each place of each row, (places, words): `guess` sees one masked word at a time."""
    rows = np.repeat(list(places), [len(own) for own in places.values()])
    if not len(rows):
        return {}
    masked = np.concatenate(list(places.values()))
    batches = eval_batches(split.lengths[rows], batch_size=BATCH)
    answers = []
    for chosen in batches:
        inputs = collate(split, rows[chosen]).inputs
        ids = inputs["input_ids"].reshape(-1)
        at = np.arange(len(chosen)) * inputs["input_ids"].shape[1] + masked[chosen]
        inputs["places"], targets = at, {"labels": ids[at].copy()}
        ids[at] = mask_id
        answers.append(guess(Batch(inputs, targets, rows[chosen])))
    ordered = np.empty((len(rows), answers[0].shape[1]), np.int64)
    ordered[np.concatenate(batches)] = np.concatenate(answers)
    ends = np.cumsum([len(own) for own in places.values()])
    return {row: part for row, part in zip(places, np.split(ordered, ends[:-1])) if len(part)}


def draw_copies(
    split: TokenSplit, row: int, places: np.ndarray, fitting: np.ndarray, recipe: Recipe
) -> list[np.ndarray]:
    """Draw the copies of a row, without duplicates and the row itself; they depend only on the seed and the row."""
    original = _tokens(split, row)
    draw = np.random.default_rng((recipe.seed, row))
    is_replaced = draw.random((recipe.copies, len(places))) < recipe.share
    picked = fitting[np.arange(len(places)), draw.integers(fitting.shape[1], size=is_replaced.shape)]
    made = np.tile(original, (recipe.copies, 1))
    made[:, places] = np.where(is_replaced, picked, original[places])
    distinct = {copy.tobytes(): copy for copy in made}
    distinct.pop(original.tobytes(), None)
    return list(distinct.values())
