"""A model whose texts are lowered by the rules of Turkish is asked as it was trained: library, NumPy and browser."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from data.inputs.hashed_words import HashedWords
from data.inputs.language_case import lowered
from data.inputs.tokenizer import train_tokenizer
from models.packed.format import pack
from models.packed.ngram import Table, pack_ngrams
from models.packed.vocabulary import Vocabulary, wordpiece_vocabulary
from runner.deploy.bundle.language import lower_turkish
from runner.deploy.bundle.predict import Model
from runner.deploy.bundle.wordpiece import WordPiece
from runner.deploy.bundles import sources_for
from tests.runner.deploy.bundle.hard_texts import HARD
from tests.runner.deploy.page.node import NEEDS_NODE, check_answers

TURKISH = ["IŞIK ışık", "İstanbul'da I\u0307I ISI", "ÇAĞRI [SEP] [sep]", "i\u0307I ΟΔΟΣ ΣΑΣ", "İ", "XI. yüzyıl"]
TEXTS = [*TURKISH, *HARD, *(f"{one}I{other}" for one, other in pairwise(HARD))]
WIDTH = 4


@pytest.fixture(scope="module")
def backend() -> Tokenizer:
    return train_tokenizer([*HARD, *TURKISH] * 2, 600, "tr").backend


def vocabulary_of(backend: Tokenizer) -> Vocabulary:
    return wordpiece_vocabulary(json.loads(backend.to_str()))


def bag(backend: Tokenizer) -> bytes:
    """A bag of words with random numbers."""
    vocabulary, rng = vocabulary_of(backend), np.random.default_rng(0)
    shapes = {"words": (len(vocabulary.pieces), WIDTH), "places": (40, WIDTH), "segments": (2, WIDTH)}
    shapes |= {"bias": (3,), "shift": (3,), "head": (3, WIDTH)}
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    fields = {"power": 1.0, "max_length": 40, "pieces": vocabulary.settings} | vocabulary.language
    return pack("dsn", ["a", "b", "c"], arrays | {"pieces": vocabulary.array()}, fields, temperature=1.5)


def test_pure_python_gives_the_ids_of_the_library(backend: Tokenizer) -> None:
    uncased = lowered(train_tokenizer([*HARD, *TURKISH] * 2, 500).backend, "tr")
    for one in (backend, uncased):
        vocabulary = vocabulary_of(one)
        known = {piece: place for place, piece in enumerate(vocabulary.pieces)}
        words = WordPiece(known, vocabulary.settings | vocabulary.language)
        for text in TEXTS:
            found = [int(vocabulary.ids[piece]) for piece in words.ids(text, 10**9)]
            assert found == one.encode(text, add_special_tokens=False).ids, repr(text)


def test_a_plain_vocabulary_names_no_language() -> None:
    assert vocabulary_of(train_tokenizer(HARD, 300).backend).language == {}


@NEEDS_NODE
def test_the_page_gives_the_answers_of_the_bundle(tmp_path: Path, backend: Tokenizer) -> None:
    rows = [[text] for text in TEXTS if "\ud800" not in text]
    check_answers(tmp_path, [(bag(backend), rows)], 1e-5, kind="dsn")


def ngrams(words: list[str], **more: Any) -> bytes:
    """A model over single words, each with a weight."""
    hashes = np.concatenate([HashedWords().encode([word], None, 1).tokens for word in words])
    prints = np.unique(hashes.astype(np.uint32) * np.uint32(0x9E3779B1) >> np.uint32(0))
    rows = np.arange(1, len(prints) + 1, dtype=np.int8).reshape(-1, 1)
    table = Table(prints, rows, np.ones(1), np.zeros(1), 1, 32)
    return pack_ngrams(table, ["no", "yes"], 1.0, 99, more or None)


def test_a_model_of_words_finds_them_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(ngrams(["ışık", "istanbul"], language="tr"))
    turkish = Model(tmp_path)
    assert np.array_equal(turkish.scores(["IŞIK İSTANBUL"]), turkish.scores(["ışık istanbul"]))
    assert not np.array_equal(turkish.scores(["IŞIK"]), turkish.scores([""]))
    (tmp_path / "model.bin").write_bytes(ngrams(["ışık", "istanbul"]))
    assert np.array_equal(Model(tmp_path).scores(["IŞIK"]), Model(tmp_path).scores([""])), "i is another letter than ı"


@NEEDS_NODE
def test_the_page_of_words_gives_the_answers_of_the_bundle(tmp_path: Path) -> None:
    content = ngrams(["ışık", "istanbul", "isi", "ısı", "x"], language="tr")
    rows = [[text] for text in TEXTS if "\ud800" not in text]
    check_answers(tmp_path, [(content, rows)], 1e-6)


def test_a_bundle_gets_the_code_that_its_header_needs() -> None:
    header = {"kind": "ngram", "language": "tr"}
    assert "language.py" in sources_for(header) and "language.py" not in sources_for({"kind": "ngram"})


def test_small_letters_are_composed() -> None:
    assert lower_turkish("I\u0307STANBUL S\u0327") == "istanbul ş" and lower_turkish("ΟΔΟΣ") == "οδος"
