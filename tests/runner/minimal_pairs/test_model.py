"""A model is asked in float32 over the whole vocabulary; rounding its weights is what compression=int8 does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertForMaskedLM

from data.inputs.tokenizer import load_tokenizer, require_pieces
from models.checkpoints.read import weights_digest
from models.errors import ModelError
from runner.errors import ConfigError
from runner.minimal_pairs.likelihood import sentence_scores
from runner.minimal_pairs.model import open_subject
from runner.minimal_pairs.sentences import encode_sentences
from runner.minimal_pairs.wanted import Wanted, pair_source
from runner.record.subject import Subject
from tests.models.helpers import small
from tests.runner.minimal_pairs.toys import agreeing, saved, toy_tokenizer

TEXTS = [text for pair in agreeing()[1][:20] for text in pair]


def wanted(compression: str = "none") -> Wanted:
    return Wanted(pair_source("blimp"), compression=compression, device="cpu", threads=1)


def scores(folder: Path, compression: str = "none", texts: list[str] = TEXTS) -> np.ndarray:
    opened = open_subject(Subject(str(folder), "toy"), wanted(compression))
    return sentence_scores(encode_sentences(opened.tokenizer, texts, "pll"), opened, "pll")


def test_a_score_equals_as_many_separate_passes_of_transformers(learned: Path) -> None:
    stock = BertForMaskedLM.from_pretrained(learned, attn_implementation="eager").eval()
    tokenizer = require_pieces(load_tokenizer(str(learned)), "a test")
    for text, found in zip(TEXTS[:4], scores(learned)):
        ids = torch.tensor(tokenizer.backend.encode(text).ids)
        total = 0.0
        for place in range(1, len(ids) - 1):
            masked = ids.clone()
            masked[place] = tokenizer.backend.token_to_id("[MASK]")
            with torch.no_grad():
                total += float(stock(masked[None]).logits[0, place].log_softmax(-1)[ids[place]])
        assert found == pytest.approx(total, abs=1e-5)


def test_two_calls_are_equal_bit_for_bit_and_alone_as_among_others(learned: Path) -> None:
    assert np.array_equal(scores(learned), scores(learned))
    assert scores(learned, texts=TEXTS[:1])[0] == pytest.approx(scores(learned)[0], abs=1e-5)


def test_rounding_to_8_bits_moves_the_scores_a_little_and_to_2_bits_more(learned: Path) -> None:
    plain = scores(learned)
    eight, two = (np.abs(scores(learned, bits) - plain).mean() for bits in ("int8", "int2"))
    assert 0 < eight < 0.1 < two


def test_a_compression_that_trains_or_rounds_activations_is_refused(learned: Path) -> None:
    for name in ("distil", "int8_dynamic"):
        with pytest.raises(ConfigError, match=rf"compression={name}: .* Try: compression=int8"):
            scores(learned, name)


def test_a_classifier_is_refused_with_the_command_that_trains_a_model(tmp_path: Path) -> None:
    folder = saved(small(vocab_size=40), toy_tokenizer(), tmp_path / "classifier")
    with pytest.raises(ModelError, match=r"from=.*no head for masked words.*task=mlm"):
        scores(folder)


def test_the_digest_is_of_the_weights(learned: Path, untrained: Path) -> None:
    assert weights_digest(str(learned)) == weights_digest(str(learned)) != weights_digest(str(untrained))
