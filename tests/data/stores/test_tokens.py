"""The token store: what goes in comes out, it is built once, and damage is noticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data.batch import collate
from data.inputs.text import Text
from data.inputs.tokenizer import train_tokenizer
from data.inputs.word_cache import Encoded
from data.labels import Labels
from data.load import load_splits
from data.settings import DataSettings
from data.splits import TokenSplit
from data.stores.build_once import SharedCache
from data.stores.tokens import open_tokens
from data.targets.class_label import ClassLabel
from tests.conftest import REPO

TEXTS = ["a short text", "another text, much longer than the first one is", "the end", "one"]
PAIRS = ["with a pair", "b", "and a rather long second text to cut away", "two"]
TOKENIZER = train_tokenizer([*TEXTS, *PAIRS] * 3, 200)


TEXT, CLASS = Text(TOKENIZER), ClassLabel(("a", "b", "c", "d"))


def build(folder: Path, pairs: list[str] | None = None, max_length: int = 16, name: str = "train") -> TokenSplit:
    def rows():  # type: ignore[no-untyped-def]
        for start in (0, 3):  # two chunks
            second = pairs[start : start + 3] if pairs else None
            yield (
                TOKENIZER.encode(TEXTS[start : start + 3], second, max_length),
                Labels(np.arange(4)[start : start + 3]),
            )

    parts = {"texts": TEXTS, "pairs": pairs, "max_length": max_length}
    return open_tokens(
        SharedCache(folder), name, parts, rows, vocab_size=TOKENIZER.vocab_size, input=TEXT, target=CLASS
    )


@pytest.mark.parametrize("pairs", [None, PAIRS])
@pytest.mark.parametrize("max_length", [8, 40])
def test_batches_equal_transformers_own(pairs: list[str] | None, max_length: int, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    TOKENIZER.save(tmp_path / "tokenizer")
    reference = AutoTokenizer.from_pretrained(tmp_path / "tokenizer")
    expected = reference(
        TEXTS, pairs, padding=True, truncation="longest_first", max_length=max_length, return_tensors="np",
        return_token_type_ids=True,
    )  # fmt: skip
    batch = collate(build(tmp_path, pairs, max_length), np.arange(4))
    np.testing.assert_array_equal(batch.inputs["input_ids"], expected["input_ids"])
    for name, default in (("attention_mask", 1), ("token_type_ids", 0)):
        # absent: nothing is padded, nothing is a second text
        found = batch.inputs.get(name, np.full_like(batch.inputs["input_ids"], default))
        np.testing.assert_array_equal(found, expected[name], err_msg=name)
    assert batch.targets["labels"].tolist() == [0, 1, 2, 3]


def test_truncated_rows_are_counted(tmp_path: Path) -> None:
    full = TOKENIZER.encode(TEXTS, None, 100).lengths
    assert build(tmp_path, max_length=8).truncated == sum(length > 8 for length in full) > 0
    assert build(tmp_path, max_length=100).truncated == 0


def test_a_second_opening_builds_nothing(tmp_path: Path) -> None:
    build(tmp_path)

    def never():  # type: ignore[no-untyped-def]
        raise AssertionError("tokenised twice")

    parts = {"texts": TEXTS, "pairs": None, "max_length": 16}
    again = open_tokens(
        SharedCache(tmp_path), "val", parts, never, vocab_size=TOKENIZER.vocab_size, input=TEXT, target=CLASS
    )
    assert (len(again), again.name) == (4, "val")


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_store_is_made_again_and_said(damage: str, tmp_path: Path) -> None:
    expected = np.array(build(tmp_path).tokens)
    file = next(tmp_path.glob("tokens/*/tokens"))
    raw = bytearray(file.read_bytes())
    if damage == "flip":
        raw[3] ^= 1
        file.write_bytes(raw)
    elif damage == "cut":
        file.write_bytes(raw[:-4])
    else:
        file.unlink()
    said: list[str] = []
    parts = {"texts": TEXTS, "pairs": None, "max_length": 16}
    rows = lambda: [(TOKENIZER.encode(TEXTS, None, 16), Labels(np.arange(4)))]  # noqa: E731
    split = open_tokens(SharedCache(tmp_path, said.append), "train", parts, rows, vocab_size=200, input=TEXT)
    assert np.array_equal(split.tokens, expected)
    assert len(said) == 1 and "damaged" in said[0]


@pytest.mark.parametrize("name", ["tokenizer.json", "sha256"])
def test_a_damaged_vocabulary_is_trained_again_and_said(name: str, reviews: Path, tmp_path: Path) -> None:
    settings = DataSettings(source="files", path=str(reviews), text="review", label="stars")
    told: list[str] = []

    def opened() -> str:
        found = load_splits(settings, tokenizer="train", vocab_size=120, cache=tmp_path / "cache", notify=told.append)
        return found.tokenizer.fingerprint

    before = opened()
    (path,) = (tmp_path / "cache" / "tokenizers").glob(f"*/{name}")
    path.write_text(path.read_text().replace("e", "f", 1))
    told.clear()
    assert opened() == before and any("vocabulary" in line and "is damaged" in line for line in told)
    told.clear()
    assert opened() == before and not any("vocabulary" in line for line in told)


def test_a_killed_build_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    def dies():  # type: ignore[no-untyped-def]
        yield TOKENIZER.encode(TEXTS[:2], None, 16), Labels(np.arange(2))
        raise KeyboardInterrupt

    parts = {"texts": TEXTS, "pairs": None, "max_length": 16}
    with pytest.raises(KeyboardInterrupt):
        open_tokens(SharedCache(tmp_path), "train", parts, dies, vocab_size=200, input=TEXT)
    assert [p for p in (tmp_path / "tokens").iterdir() if p.is_dir() and "part" not in p.name] == []
    assert len(build(tmp_path)) == 4
    assert list(tmp_path.glob("tokens/*.part")) == []


def test_six_processes_tokenise_once(reviews: Path, tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
from data.load import load_splits
from data.settings import DataSettings
settings = DataSettings(source="files", path={str(reviews)!r}, text="review", label="stars")
splits = load_splits(settings, tokenizer="train", vocab_size=100, cache=Path({str(tmp_path / "cache")!r}), notify=print)
"""
    children = [
        subprocess.Popen([sys.executable, "-c", script], cwd=REPO, stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    said = "".join(child.communicate(timeout=120)[0] for child in children)
    assert [child.returncode for child in children] == [0] * 6
    assert said.count("tokenising train") == said.count("training a vocabulary") == 1


def test_wide_vocabularies_use_four_bytes(tmp_path: Path) -> None:
    rows = lambda: [(TOKENIZER.encode(TEXTS, None, 16), Labels(np.arange(4)))]  # noqa: E731
    assert (
        open_tokens(SharedCache(tmp_path), "a", {"v": 1}, rows, vocab_size=70000, input=TEXT).tokens.dtype == np.uint32
    )
    assert (
        open_tokens(SharedCache(tmp_path), "a", {"v": 2}, rows, vocab_size=65536, input=TEXT).tokens.dtype == np.uint16
    )


def test_the_fingerprint_is_of_the_content_wherever_it_lies(reviews: Path, tmp_path: Path) -> None:
    def fingerprint(path: Path, **more: object) -> str:
        settings = DataSettings(source="files", path=str(path), text="review", label="stars", **more)  # type: ignore[arg-type]
        return load_splits(settings, tokenizer="train", vocab_size=100, cache=tmp_path / "cache").fingerprint

    copy = tmp_path / "elsewhere.csv"
    copy.write_bytes(reviews.read_bytes())
    assert fingerprint(copy) == fingerprint(reviews)
    assert fingerprint(reviews, max_rows=50) != fingerprint(reviews)
    copy.write_text(reviews.read_text().replace("number 7 of", "number 8 of"))
    assert fingerprint(copy) != fingerprint(reviews)


def test_frames_of_sounds_are_kept_as_they_are(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).normal(-10, 3, (7, 64)).astype(np.float16)
    lengths = np.array([3, 4])

    def rows():  # type: ignore[no-untyped-def]
        yield Encoded(frames[:3], lengths[:1], lengths[:1], 0), Labels(np.array([0]))
        yield Encoded(frames[3:], lengths[1:], lengths[1:], 1), Labels(np.array([1]))

    cache = SharedCache(tmp_path)
    for made in (rows, lambda: pytest.fail("it is in the store")):
        found = open_tokens(cache, "train", {}, made, vocab_size=64, input=TEXT, target=CLASS)
        np.testing.assert_array_equal(found.tokens, frames)
        assert found.tokens.dtype == np.float16 and found.truncated == 1
        np.testing.assert_array_equal(found.take(np.array([1])).tokens, frames[3:])
