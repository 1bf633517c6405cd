"""The largest n-grams of a fitted model, by their texts: words, characters, and features of pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.inputs.columns import Columns
from data.inputs.hashed_words import HashedWords
from data.inputs.text import Text
from data.labels import Labels
from data.splits import DataTask, Splits
from models.build import build
from models.ngrams.fingerprints import bits_for, fingerprints_of, hash_of
from models.ngrams.pairs import PairOptions
from models.packed.ngram import Table
from runner.training.ngram.counting import grams_of
from runner.training.ngram.fit import fit_ngrams, put_into
from runner.training.ngram.strongest import card_section, largest
from tests.runner.training.ngram.rows import MOODS, SETTINGS, review_splits, review_texts, split_of_texts


@dataclass
class Read:
    """The texts of a split."""

    columns: dict[str, list[str]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def read(self, rows: np.ndarray) -> Columns:
        """The cells of some rows."""
        return {name: [cells[row] for row in rows] for name, cells in self.columns.items()}


def test_the_words_that_tell_a_class_are_in_its_line() -> None:
    splits, task = review_splits(3)
    read = Read({"text": review_texts(600, 3, 0)[0]})
    splits = replace(splits, train=replace(splits.train, texts=read))
    network, _ = build(SETTINGS, task.head(), vocab_size=1 << 32)
    put_into(network, fit_ngrams(splits, task, SETTINGS))
    lines = card_section(network, splits).splitlines()
    for name, moods in list(MOODS.items())[:3]:
        (line,) = (line for line in lines if line.startswith(f"- {name}: "))
        first = [part.split("`")[1] for part in line.split(", ")[:3]]
        assert {text for text in first if " " not in text} <= set(moods) and set(first) & set(moods)
    assert card_section(network, replace(splits, train=replace(splits.train, texts=None))) == ""


def table_of_all(split, pairs: PairOptions | None, characters: tuple[int, int] | None = None) -> Table:  # type: ignore[no-untyped-def]
    """A model that has every feature of a split."""
    hashes = np.unique(grams_of(split, 2, pairs).hashes)
    bits = bits_for(len(hashes))
    prints = np.unique(fingerprints_of(hashes, bits))
    rows = np.ones((len(prints), 1), np.int8)
    return Table(prints, rows, np.ones(1), np.zeros(1), 2, bits, pairs, characters=characters)


def named(split, table: Table, is_pair: bool) -> list[str]:  # type: ignore[no-untyped-def]
    splits = Splits(DataTask("class_label", ("no", "yes"), is_pair), split, split, (split,), HashedWords(), "")
    ((_, found),) = largest(table, splits)
    assert len(found) == min(50, len(table.prints)), "each feature of a training row has a text"
    return [text for text, _ in found]


def test_every_feature_of_a_pair_has_a_text() -> None:
    columns = {"text": ["A good film", "dogs"], "text_pair": ["a film , good", "cats sleep"]}
    encoded = Text(HashedWords(), is_pair=True).encode(columns, 99)
    split = replace(
        split_of_texts(["a", "b"], [0, 1]), tokens=encoded.tokens, segment_starts=encoded.segment_starts,
        offsets=np.concatenate([[0], np.cumsum(encoded.lengths)]), labels=Labels(np.arange(2)), texts=Read(columns),
    )  # fmt: skip
    for options in (PairOptions(2, cross=True), PairOptions(2, symmetric=True, cross=True)):
        found = named(split, table_of_all(split, options), is_pair=True)
        crossed = "one dogs, other cats" if options.symmetric else "first dogs, second cats"
        assert {"both: good", "both: film", crossed} <= set(found)
        assert ("second: film ," in found) != options.symmetric


def test_every_character_n_gram_has_a_text() -> None:
    texts = ["ab ! çd", "ab"]
    encoded = Text(HashedWords((2, 3))).encode({"text": texts}, 99)
    split = replace(
        split_of_texts(texts, [0, 1]), tokens=encoded.tokens, segment_starts=encoded.segment_starts,
        offsets=np.concatenate([[0], np.cumsum(encoded.lengths)]), texts=Read({"text": texts}),
    )  # fmt: skip
    found = named(split, table_of_all(split, None, (2, 3)), is_pair=False)
    assert {"ab", "ab !", "…<ab…", "…çd…"} <= set(found)


def test_a_word_against_one_label_of_a_set_is_not_for_the_others() -> None:
    texts = ["good film", "bad film"]
    split = replace(split_of_texts(texts, [0, 1]), texts=Read({"text": texts}))
    splits = Splits(DataTask("label_set", ("a", "b", "c"), False), split, split, (split,), HashedWords(), "")
    table = table_of_all(split, None)
    weights = {hash_of("good"): [100, 100, 0], hash_of("bad"): [-100, 0, 0], hash_of("film"): [0, 0, 50]}
    rows = np.zeros((len(table.prints), 3), np.int8)
    for hashed, row in weights.items():
        rows[np.searchsorted(table.prints, fingerprints_of(np.array([hashed], np.uint32), table.bits))] = row
    table = replace(table, rows=rows, scale=np.ones(3), bias=np.zeros(3))
    assert largest(table, splits, has_label_sets=True) == [
        ("a", [("good", 100.0)]), ("b", [("good", 100.0)]), ("c", [("film", 50.0)])
    ]  # fmt: skip
    assert dict(largest(table, splits))["b"][0][0] == "bad", "of classes that exclude each other it is"


def test_the_n_grams_of_cleaned_texts_have_their_texts() -> None:
    tokenizer = HashedWords(cleaning=("tweets",))
    split = replace(split_of_texts(["thanks @USER", "b"], [0, 1]), texts=Read({"text": ["thanks @ann", "b"]}))
    splits = Splits(DataTask("class_label", ("no", "yes"), False), split, split, (split,), tokenizer, "")
    ((_, found),) = largest(table_of_all(split, None), splits)
    assert {"user", "@ user"} <= {text for text, _ in found}
