"""Blocks of text and their masks: nothing lost, nothing copied, 15 % and 80/10/10, a function of seed and epoch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from data.batch import collate
from data.errors import DataError
from data.load import load_splits
from data.settings import DataSettings, TaskSettings
from data.splits import Splits, TokenSplit
from data.targets.masked_words import MaskedWords, Masking, pack_blocks, random_bits
from tests.data.helpers import split_of

VOCABULARY, MASK, CLS, SEP = 1000, 4, 2, 3


def masking(share: float = 0.15, masked: float = 0.8, random: float = 0.1, seed: int = 0) -> Masking:
    special = np.arange(VOCABULARY) < 5
    return Masking(share, masked, random, MASK, CLS, SEP, special, seed)


def blocks(length: int = 64, tokens: int = 64 * 2000, **settings: float) -> TokenSplit:
    drawn = np.random.default_rng(1).integers(0, VOCABULARY, tokens).astype(np.uint16)  # special tokens among them
    target = MaskedWords(masking(**settings))  # type: ignore[arg-type]
    return pack_blocks(split_of([drawn], target=target), length)


def of_files(path: Path, cache: Path, seed: int = 0, **more: object) -> Splits:
    settings = DataSettings(source="files", path=str(path), text="review", label=None, max_length=32, **more)  # type: ignore[arg-type]
    return load_splits(settings, tokenizer="train", vocab_size=200, cache=cache, task=TaskSettings("mlm"), seed=seed)


def test_a_seventh_is_masked_and_of_these_eight_in_ten_become_the_mask() -> None:
    split = blocks()
    batch = collate(split, np.arange(2000))
    plain = np.array(split.tokens).astype(np.int64).reshape(-1, 64)
    plain[:, 0], plain[:, -1] = CLS, SEP
    may = plain > 4
    count = len(batch.inputs["places"])
    assert count == len(batch.targets["labels"])
    assert count / may.sum() == pytest.approx(0.15, abs=0.004)  # 4 standard deviations of 125,000 draws
    assert (batch.targets["labels"] == plain.reshape(-1)[batch.inputs["places"]]).all(), (
        "labels are the words that were there"
    )
    now = batch.inputs["input_ids"].reshape(-1)[batch.inputs["places"]]
    same, hidden = now == batch.targets["labels"], now == MASK
    assert hidden.mean() == pytest.approx(0.8, abs=0.012)
    assert same.mean() == pytest.approx(0.1 + 0.1 / VOCABULARY, abs=0.009)
    others = now[~same & ~hidden]
    assert len(np.unique(others)) > 0.8 * VOCABULARY, "any word of the vocabulary may be put in"
    elsewhere = np.ones(plain.size, bool)
    elsewhere[batch.inputs["places"]] = False
    assert (batch.inputs["input_ids"].reshape(-1) == plain.reshape(-1))[elsewhere].all(), "the other tokens stay"
    assert set(batch.inputs) == {"input_ids", "places"}


def test_special_tokens_are_never_masked_and_frame_each_block() -> None:
    batch = collate(blocks(share=0.9), np.arange(100))
    assert batch.targets["labels"].min() > 4
    assert (batch.inputs["input_ids"][:, 0] == CLS).all() and (batch.inputs["input_ids"][:, -1] == SEP).all()


def test_masks_depend_on_seed_epoch_and_place_alone() -> None:
    split, other = blocks(), blocks(seed=1)
    whole = collate(split, np.arange(40), epoch=3)
    parts = [collate(split, rows, epoch=3) for rows in (np.arange(25), np.arange(25, 40))]
    np.testing.assert_array_equal(
        whole.inputs["input_ids"], np.concatenate([part.inputs["input_ids"] for part in parts])
    )
    np.testing.assert_array_equal(whole.targets["labels"], np.concatenate([part.targets["labels"] for part in parts]))
    for batch in (collate(split, np.arange(40), epoch=4), collate(other, np.arange(40), epoch=3)):
        shared = len(np.intersect1d(whole.inputs["places"], batch.inputs["places"])) / len(whole.inputs["places"])
        assert shared == pytest.approx(0.15, abs=0.08), "another seed or epoch is another draw"


def test_the_bits_of_the_draw_are_even_and_uncorrelated() -> None:
    bits = np.unpackbits(random_bits(np.arange(20000), 0, 0).view(np.uint8)).reshape(20000, 64)
    assert np.abs(bits.mean(0) - 0.5).max() < 0.02
    lagged = np.corrcoef(bits[1:].T, bits[:-1].T)[:64, 64:]
    assert np.abs(lagged).max() < 0.035  # 5 standard deviations: neighbouring places know nothing of each other
    assert len(np.unique(random_bits(np.arange(20000), 0, 0))) == 20000


def test_blocks_are_the_store_itself_and_lose_no_text(reviews: Path, tmp_path: Path) -> None:
    splits = of_files(reviews, tmp_path)
    split = splits.train
    assert isinstance(split.tokens, np.memmap), "packing copies nothing"
    assert len(split) == len(split.tokens) // 32 and (split.lengths == 32).all()
    uncut = of_files(reviews, tmp_path, max_rows=None).train
    known = splits.tokenizer.backend
    text = known.decode(np.asarray(uncut.tokens).tolist(), skip_special_tokens=True)
    assert text.count("of the year") == 97  # 120 reviews less 12 for test and 11 for val
    assert splits.task.target == "masked_words"


def test_held_out_masks_are_the_same_for_every_seed(reviews: Path, tmp_path: Path) -> None:
    one, other = of_files(reviews, tmp_path), of_files(reviews, tmp_path, seed=5)
    rows = np.arange(3)
    held = [collate(splits.report[0], rows) for splits in (one, other)]
    np.testing.assert_array_equal(held[0].inputs["input_ids"], held[1].inputs["input_ids"])
    trained = [collate(splits.train, rows) for splits in (one, other)]
    assert not np.array_equal(trained[0].inputs["input_ids"], trained[1].inputs["input_ids"])


def test_texts_too_few_for_a_block_are_refused_with_a_cure(reviews: Path, tmp_path: Path) -> None:
    settings = DataSettings(source="files", path=str(reviews), text="review", label=None, max_length=5000)
    with pytest.raises(DataError, match=r"fewer than a block of data\.max_length=5000"):
        load_splits(settings, tokenizer="train", vocab_size=200, cache=tmp_path, task=TaskSettings("mlm"))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_files_need_nothing_but_a_column_of_texts(suffix: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts, path = [f"the film number {i} of this year" for i in range(80)], tmp_path / f"texts.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.table({"review": texts}), path)
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps({"review": text}) + "\n" for text in texts))
    else:
        path.write_text("\n".join(["review", *texts]))
    splits = of_files(path, tmp_path / "cache")
    assert [len(split.tokens) > 8 * 8 for split in (splits.train, splits.select, *splits.report)] == [True] * 3
    assert not splits.dropped
