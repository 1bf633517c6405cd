"""Writes a model over n-grams as a model.bin: sorted fingerprints, one byte per n-gram and class, one scale per class.

content = pack_ngrams(Table(prints, rows, scale, bias, n=2, bits=26), labels=("neg", "pos"))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.backbones.ngram import BagOfNgrams
from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS
from models.json_types import JsonObject
from models.network import Network
from models.ngrams.pairs import PairOptions
from models.packed.elias_fano import encode
from models.packed.facts import Facts
from models.packed.format import pack

TOKEN = r"\w+|[^\w\s]"  # as in data/inputs/hashed_words.py, unless the facts of a run name another
# Maximum sizes, in bytes, of entries in the header.
LENGTH_ENTRY = 24  # the maximum text length, which is unknown when the model is fitted
PAIRS_ENTRY = 64  # the entries for pairs
CHARACTERS_ENTRY = 84  # the lengths of character n-grams, and the longer pattern that finds their words
CLEANING_ENTRY = 64  # the steps that clean a text
LANGUAGE_ENTRY = 24  # the language whose rules lowercase texts
SETS_ENTRY, OF_A_LABEL = 48, 9  # the entries for multi-label classification, and the part for each label
LEVELS = 127  # of an int8 on each side of zero


@dataclass(frozen=True)
class Table:
    """The numbers of a fitted model over n-grams.

    prints: (n,) ascending, of `bits` bits; rows: (n, columns) int8; scale, bias: (columns,): a column's score is the
    sum of its rows x scale + bias; n: words in the longest n-gram; mean: divide the sum by the number of its rows.
    """

    prints: np.ndarray
    rows: np.ndarray
    scale: np.ndarray
    bias: np.ndarray
    n: int
    bits: int
    pairs: PairOptions | None = None  # for a model of two texts
    mean: bool = False
    characters: tuple[int, int] | None = None  # lengths of the shortest and the longest character n-gram


def pack_ngrams(
    table: Table, labels: Sequence[str], temperature: float = 1.0, max_length: int | None = None,
    entries: JsonObject | None = None,
) -> bytes:  # fmt: skip
    """The content of a model.bin.

    labels: in id order, () for regression; max_length: in words, None for no limit; entries: more header entries.
    """
    arrays, fields = stored_table(table)
    more: JsonObject = {"lower": True, "token": TOKEN} | ({} if max_length is None else {"max_length": max_length})
    more |= {"texts": 2} if table.pairs else {}
    return pack("ngram", labels, arrays, fields | more | (entries or {}), temperature=temperature)


def sets_entry(labels: int) -> int:
    """The maximum size in bytes of the header's entries for multi-label classification with this many labels."""
    return SETS_ENTRY + OF_A_LABEL * labels


def stored_table(table: Table) -> tuple[dict[str, np.ndarray], JsonObject]:
    """The arrays of a table, and its entries in a header."""
    code = encode(table.prints, table.bits)
    arrays = {
        "scale": table.scale.astype(np.float32), "bias": table.bias.astype(np.float32), "high": code.high,
        "low": code.low, "rows": np.ascontiguousarray(table.rows.T),
    }  # fmt: skip
    fields: JsonObject = {
        "bits": table.bits, "count": len(table.prints), "grams": table.n, "low": code.low_bits,
    }  # fmt: skip
    fields |= {"pairs": table.pairs.entry()} if table.pairs else {}
    fields |= {"characters": list(table.characters)} if table.characters else {}
    return arrays, fields | ({"mean": True} if table.mean else {})


def table_of(network: LinearHead) -> Table:
    """The table of a network over n-grams, with the scale and the bias before the temperature."""
    bag, targets = network.bert, network.architecture.get(TARGETS)
    assert isinstance(bag, BagOfNgrams)
    weight = network.classifier.weight.detach().cpu().double().numpy()
    bias = network.classifier.bias.detach().cpu().double().numpy()
    columns = weight.shape[1]
    scale = weight[-columns:].diagonal()  # with two classes, only the second has weights
    bias = bias[-columns:]
    if targets:
        scale, bias = scale * targets["sd"], bias * targets["sd"] + targets["mean"]
    temperature = network.architecture["ngram"]["temperature"]
    prints, rows = bag.prints.cpu().numpy(), bag.rows.detach().cpu().numpy()
    return Table(
        prints, rows, scale * temperature, bias * temperature, bag.n, bag.bits, bag.pairs, bag.is_mean, bag.characters
    )


def pack_bag_of_ngrams(network: Network, facts: Facts) -> bytes:
    """The content of the model.bin of a network over n-grams."""
    assert isinstance(network, LinearHead)
    temperature = network.architecture["ngram"]["temperature"]
    return pack_ngrams(table_of(network), facts.labels, temperature, facts.max_length, facts.of_words)


def round_rows(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round weights (columns, n) to int8 rows (n, columns), with the scale of each column, (columns,) float32."""
    largest = np.abs(weights).max(1, initial=0.0)
    scale = np.where(largest > 0, largest / LEVELS, 1.0).astype(np.float32)
    rounded = np.clip(np.rint(weights / scale.astype(np.float64)[:, None]), -LEVELS, LEVELS)
    return rounded.T.astype(np.int8), scale
