"""Trimmed tokenizers: texts of kept tokens are split as before, in all three kinds, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from data.errors import DataError
from data.inputs.tokenizer import PieceTokenizer, load_tokenizer, train_tokenizer, wrap_backend
from data.inputs.trimmed import TrimmedTokenizer, count_tokens, trim, trim_note, untouched
from tests.data.helpers import split_of

WORDS = [
    "good",
    "bad",
    "dull",
    "unbelievable",
    "believable",
    "goodness",
    "film",
    "films",
    "filmed",
    "reader",
    "reading",
]
TEXTS = [f"The {a} {b}, un{a}ly {b}ing!" for a in WORDS for b in WORDS]
NEEDED = TEXTS[:40:3]  # "training texts": a part of what the full vocabulary was made for
ROBERTA = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"}
BEGIN = ["<s>", "<pad>", "</s>", "<unk>"]


def wordpiece() -> PieceTokenizer:
    return train_tokenizer(TEXTS, 150)


def byte_level_bpe() -> PieceTokenizer:
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=360, special_tokens=BEGIN, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    backend.train_from_iterator(TEXTS, trainer)
    backend.add_special_tokens(["<mask>"])
    backend.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return wrap_backend(backend, "made-up", ROBERTA)


def letters_bpe() -> PieceTokenizer:
    """BPE of letters, with a mark at the end of a word."""
    backend = Backend(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=140, special_tokens=BEGIN, end_of_word_suffix="</w>", show_progress=False)
    backend.train_from_iterator(TEXTS, trainer)
    return wrap_backend(backend, "made-up", {**ROBERTA, "mask_token": "<s>"})


def unigram() -> PieceTokenizer:
    backend = Backend(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=130, special_tokens=BEGIN, unk_token="<unk>", show_progress=False)
    backend.train_from_iterator(TEXTS, trainer)
    backend.add_special_tokens(["<mask>"])
    backend.post_processor = processors.TemplateProcessing("<s> $A </s>", None, [("<s>", 0), ("</s>", 2)])
    return wrap_backend(backend, "made-up", ROBERTA)


KINDS: list[Callable[[], PieceTokenizer]] = [wordpiece, byte_level_bpe, letters_bpe, unigram]


def encode(tokenizer: PieceTokenizer, texts: list[str]) -> list[np.ndarray]:
    found = tokenizer.encode(texts, None, 64)
    return np.split(found.tokens, np.cumsum(found.lengths)[:-1])


def trimmed_for(full: PieceTokenizer, wanted: str = "task") -> TrimmedTokenizer:
    return trim(full, count_tokens(np.concatenate(encode(full, NEEDED)), full.vocab_size), wanted)


@pytest.mark.parametrize("make", KINDS)
def test_texts_of_kept_tokens_are_split_as_before_and_no_other_ones(make: Callable[[], PieceTokenizer]) -> None:
    full = make()
    for wanted in ("task", str(trimmed_for(full).vocab_size - 3)):
        small = trimmed_for(full, wanted)
        assert small.vocab_size == len(small.kept) < full.vocab_size
        before, after = encode(full, TEXTS), encode(small, TEXTS)
        same = untouched(split_of(before), small.kept)
        assert 0 < same.sum() < len(TEXTS)
        for kept, old, new in zip(same, before, after):
            assert np.array_equal(small.kept[new], old) == kept
        assert not any((new == small.backend.token_to_id(small.names["unk_token"])).any() for new in after)
        assert small.tokens() == [full.tokens()[old] for old in small.kept]


@pytest.mark.parametrize("make", KINDS)
def test_a_saved_folder_is_the_same_tokenizer_for_us_and_for_transformers(
    make: Callable[[], PieceTokenizer], tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    small = trimmed_for(make())
    small.save(tmp_path, 64)
    again = load_tokenizer(str(tmp_path))
    assert (again.fingerprint, again.pad_id, again.vocab_size) == (small.fingerprint, small.pad_id, small.vocab_size)
    stock = AutoTokenizer.from_pretrained(tmp_path)
    for text, ids in zip(TEXTS[:30], encode(small, TEXTS[:30])):
        assert stock(text)["input_ids"] == ids.tolist()


def test_berts_kind_is_saved_as_a_list_of_pieces(tmp_path: Path) -> None:
    small = trimmed_for(wordpiece())
    small.save(tmp_path, 64)
    assert {path.name for path in tmp_path.iterdir()} == {"vocab.txt", "tokenizer_config.json"}
    assert (tmp_path / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1] == small.tokens()


def test_other_rules_than_berts_are_kept_in_a_tokenizer_file(tmp_path: Path) -> None:
    full = wordpiece()
    content = json.loads(full.backend.to_str())
    content["normalizer"]["clean_text"] = False  # vocab.txt cannot say that
    small = trimmed_for(wrap_backend(Backend.from_str(json.dumps(content)), "made-up", full.names))
    small.save(tmp_path, 64)
    assert json.loads((tmp_path / "tokenizer.json").read_text())["normalizer"]["clean_text"] is False


def test_a_tokenizer_of_whole_words_is_refused() -> None:
    backend = Backend(models.WordLevel({"<pad>": 0, "<unk>": 1, "a": 2}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    full = wrap_backend(backend, "made-up", {"pad_token": "<pad>", "unk_token": "<unk>"})
    with pytest.raises(DataError, match="WordLevel, which cannot be trimmed"):
        trim(full, np.ones(3, np.int64), "task")


def test_the_note_counts_untouched_texts_and_tokens() -> None:
    full = wordpiece()
    small = trimmed_for(full)
    before, after = split_of(encode(full, TEXTS)), split_of(encode(small, TEXTS))
    share = untouched(before, small.kept).mean()
    assert trim_note(small, full, before, after) == (
        f"vocabulary: {small.vocab_size} of {full.vocab_size} tokens; {share:.1%} of the train texts are split as "
        f"before; {len(before.tokens) / 121:.1f} tokens per text became {len(after.tokens) / 121:.1f}, 0 unknown"
    )
