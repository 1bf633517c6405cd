"""Tokenizers: trained ones are reproducible, loaded ones equal transformers', saved ones open there."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from data.tokenizer import Tokenizer, load_tokenizer, train_tokenizer

TEXTS = [f"The {word} film number {i}, unbelievably!" for i, word in enumerate(["good", "bad", "dull", "fine"] * 30)]


def train(size: int = 120) -> Tokenizer:
    return train_tokenizer(lambda: TEXTS, size)


def test_training_gives_the_same_vocabulary_for_the_same_texts() -> None:
    first = train()
    assert [train().fingerprint for _ in range(5)] == [first.fingerprint] * 5
    assert first.vocab_size <= 120 and first.pad_id == 0


def test_the_vocabulary_size_is_a_lever() -> None:
    sizes = [train(size).vocab_size for size in (70, 90)]
    assert sizes[0] < sizes[1] <= 90


def test_saved_tokenizers_open_again_and_in_transformers(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    ours = train()
    ours.save(tmp_path)
    stock = AutoTokenizer.from_pretrained(tmp_path)
    text = "An unbelievably GOOD film?"
    expected = ours.encode([text], None, 64).tokens.tolist()
    assert stock(text)["input_ids"] == expected
    assert stock.pad_token == "[PAD]" and stock.mask_token == "[MASK]"
    assert load_tokenizer(str(tmp_path)).encode([text], None, 64).tokens.tolist() == expected


def test_a_vocabulary_file_alone_is_read_as_wordpiece(tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "##ness", "film"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n")
    assert load_tokenizer(str(tmp_path)).encode(["Goodness film"], None, 16).tokens.tolist() == [2, 5, 6, 7, 3]


@pytest.mark.parametrize("content", ["{", '{"version": "1.0"}'])
def test_a_damaged_tokenizer_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(DataError, match=r"model\.tokenizer=train"):
        load_tokenizer(str(tmp_path))


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither tokenizer\.json nor vocab\.txt"):
        load_tokenizer(str(tmp_path))


@pytest.mark.hub
def test_the_default_wordpiece_equals_transformers() -> None:
    from transformers import AutoTokenizer

    name = "google-bert/bert-base-uncased"
    stock, ours = AutoTokenizer.from_pretrained(name), load_tokenizer(name)
    text = "Déjà vu: don't over-think naïve tokenisation!"
    assert ours.encode([text], None, 64).tokens.tolist() == stock(text)["input_ids"]


@pytest.mark.hub
def test_an_unknown_tokenizer_is_refused() -> None:
    with pytest.raises(DataError, match="neither a folder nor a repository"):
        load_tokenizer("nobody/never-was")
