"""The n-grams with the largest weights. A model holds only fingerprints, so their texts are found in training rows.

section = card_section(network, splits)     # for the README.md of a model folder
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from data.inputs.character_grams import START
from data.inputs.cleaning import clean_text
from data.inputs.hashed_words import HashedWords
from data.splits import Splits, TokenSplit
from models.backbones.ngram import BagOfNgrams
from models.heads.linear import LinearHead
from models.network import Network
from models.ngrams.fingerprints import K2, WIDEST
from models.ngrams.pairs import FACTOR, MODULUS, PairOptions, step, word
from models.packed.ngram import Table, table_of
from runner.sanitize import code_span
from runner.training.ngram.counting import grams_of

MOST = 50  # n-grams of each class
CHUNK = 2000  # training rows searched at a time, until all n-grams are found
COUNTS = {
    "b": "words only in the second text", "a": "words only in the first text, by twos",
    "sb": "tenths of the second text's words that are shared", "sa": "tenths of the first text's words that are shared",
    "sp": "tenths of neighbouring words that are shared", "d": "difference of the lengths, by twos",
    "o": "words in one text only, by twos", "m": "words only in the text with fewer of them",
    "su": "tenths of all words that are shared",
}  # fmt: skip

Named = Iterator[tuple[int, str]]  # hashes with their texts


def card_section(network: Network, splits: Splits) -> str:
    """Return Markdown with the largest n-grams of each class; "" for other models, and without training texts."""
    if not isinstance(network, LinearHead) or not isinstance(network.bert, BagOfNgrams):
        return ""
    found = largest(table_of(network), splits, has_label_sets=network.spec.has_label_sets)
    lines = [
        f"- {name}: " + ", ".join(f"{code_span(text)} {value:.2f}" for text, value in ones) for name, ones in found
    ]
    if not lines:
        return ""
    return (
        f"\n## N-grams with the largest weights\n\nAt most {MOST} for each answer. The weights of those in a "
        "text, each counted once, are added up. The n-grams shown are from training rows.\n\n" + "\n".join(lines) + "\n"
    )


def largest(table: Table, splits: Splits, *, has_label_sets: bool = False) -> list[tuple[str, list[tuple[str, float]]]]:
    """Return the texts and weights of the largest n-grams for each class, or for "less" and "more" of a number.

    Weights of classes are relative to their mean, which changes no probability; each label of a set is decided alone.
    """
    weights = table.rows * table.scale.astype(np.float64)
    if weights.shape[1] == 1:
        weights = np.hstack([-weights, weights])
    elif not has_label_sets:
        weights = weights - weights.mean(1, keepdims=True)
    names = splits.task.label_names or ("less", "more")
    chosen = [np.argsort(-column, kind="stable")[:MOST] for column in weights.T]
    chosen = [rows[column[rows] > 0] for rows, column in zip(chosen, weights.T)]
    wanted = table.prints[np.unique(np.concatenate(chosen))].astype(np.int64)
    tokenizer = splits.tokenizer if isinstance(splits.tokenizer, HashedWords) else HashedWords()
    texts = texts_of(wanted, table, splits.train, tokenizer)
    listed = [
        [(texts[int(table.prints[row])], float(column[row])) for row in rows if int(table.prints[row]) in texts]
        for rows, column in zip(chosen, weights.T)
    ]
    return [(name, ones) for name, ones in zip(names, listed) if ones]


def texts_of(wanted: np.ndarray, table: Table, train: TokenSplit, tokenizer: HashedWords) -> dict[int, str]:
    """Return the texts of fingerprints (k,), as far as they are found in training rows with known texts.

    tokenizer: the one of these rows.
    """
    found: dict[int, str] = {}
    if train.texts is None or len(train.texts) != len(train):
        return found
    for start in range(0, len(train), CHUNK):
        missing = wanted[~np.isin(wanted, list(found))]
        if not len(missing):
            break
        part = train.take(np.arange(start, min(start + CHUNK, len(train))))
        grams = grams_of(part, table.n, table.pairs)
        prints = grams.prints(table.bits).astype(np.int64)
        hit = np.isin(prints, missing)
        _, first = np.unique(prints[hit], return_index=True)
        columns = train.texts.read(start + np.unique(grams.rows[hit][first]))
        for row in zip(*columns.values()):
            words = [tokenizer.words_of(clean_text(str(text), tokenizer.cleaning)) for text in row]
            for hashed, text in _named(words, [tokenizer.hash_words(one) for one in words], table):
                print_ = (hashed * int(K2) % MODULUS) >> (WIDEST - table.bits)
                if print_ not in found and print_ in missing:
                    found[print_] = text
    return found


def _named(words: Sequence[list[str]], hashes: Sequence[list[int]], table: Table) -> Named:
    """Yield all n-grams of a text, or the features of a pair; words, hashes: those of each text."""
    if table.pairs:
        yield from _named_pairs(words, hashes, table.pairs)
        return
    yield from _named_runs(words[0], hashes[0], table.n)
    if table.characters:
        for token in dict.fromkeys(words[0]):
            marked = f"<{token}>" if len(token) > 1 else ""
            for length in range(table.characters[0], table.characters[1] + 1):
                for begin in range(len(marked) - length + 1):
                    gram = marked[begin : begin + length]
                    yield (START + zlib.crc32(gram.encode()) + 1) % MODULUS, f"…{gram}…"


def _named_runs(words: list[str], hashes: list[int], n: int, kind: str | None = None) -> Named:
    """Yield n-grams of 1 to n words, with hashes that start with the word of their kind."""
    for begin in range(len(words)):
        hashed = 0 if kind is None else word(kind)
        for end in range(begin, min(begin + n, len(words))):
            hashed = (hashed * FACTOR + hashes[end]) % MODULUS
            yield hashed, " ".join(words[begin : end + 1])


def _named_pairs(words: Sequence[list[str]], hashes: Sequence[list[int]], options: PairOptions) -> Named:
    """Yield the features of two texts, as models/ngrams/pairs.py hashes them."""
    one, two = (dict(zip(known, own)) for known, own in zip(hashes, words))
    first, second = ("one", "other") if options.symmetric else ("first", "second")
    sides = {"s": ("both", one.keys() & two.keys()), "-": (f"{first} alone", one.keys() - two.keys())}
    sides["+"] = (f"{'one' if options.symmetric else second} alone", two.keys() - one.keys())
    for side, (about, kept) in sides.items():
        start = word("d" if options.symmetric and side != "s" else side) * FACTOR
        for hashed in kept:
            yield (start + hashed) % MODULUS, f"{about}: {(one | two)[hashed]}"
    for hashed, text in _named_runs(words[1], hashes[1], options.n, "2"):
        yield hashed, f"second: {text}"
    if options.cross:
        start = word("x") * FACTOR * FACTOR
        for left in sides["-"][1]:
            for right in sides["+"][1]:
                low, high = sorted((left, right)) if options.symmetric else (left, right)
                yield (start + low * FACTOR + high) % MODULUS, f"{first} {one[left]}, {second} {two[right]}"
    for kind, about in COUNTS.items():
        for value in range(-6, 13):
            yield step(kind, value), f"{about}: {value}"
