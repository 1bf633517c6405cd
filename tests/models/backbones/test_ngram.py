"""A model over n-grams: its logits are those of the packed file's reader, and its saved folder opens again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from data.inputs.hashed_words import HashedWords
from models.build import build
from models.checkpoints.open import load_model
from models.checkpoints.save import save_model
from models.heads.base import HeadSpec
from models.heads.text import SequenceClassifier
from models.settings import ModelSettings
from tests.models.packed.golden import PRINTS, ROWS, SCALE, SCORES


def golden_network() -> SequenceClassifier:
    """The model of the golden file, with longer fingerprints of the same n-grams."""
    settings = ModelSettings(name="ngram", family="ngram", readout={"name": "sum"})
    model, _ = build(settings, HeadSpec(outputs=2), vocab_size=1 << 32)
    assert isinstance(model, SequenceClassifier)
    model.bert.fill(PRINTS, ROWS.T)
    model.bert.bits = 16
    with torch.no_grad():
        model.classifier.weight.copy_(torch.tensor([[0.0], [float(SCALE[0])]]))
        model.classifier.bias.copy_(torch.tensor([0.0, 0.125]))
    model.architecture["ngram"] = {"n": 2, "count": len(PRINTS), "temperature": 1.0}
    return model.eval()


def batch(*texts: str) -> dict[str, torch.Tensor]:
    found = HashedWords().encode(list(texts), None, 99)
    rows = np.split(found.tokens, np.cumsum(found.lengths)[:-1])
    padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(row) for row in rows], batch_first=True)
    mask = torch.arange(padded.shape[1]) < torch.from_numpy(found.lengths)[:, None]
    return {"input_ids": padded, "attention_mask": mask.long()}


def test_logits_are_those_of_the_golden_file() -> None:
    logits = golden_network()(**batch(*SCORES))
    expected = [score for score, _ in SCORES.values()]
    assert np.allclose(logits.detach().numpy(), np.array([[0.0, score] for score in expected]), atol=1e-6)


def test_a_saved_model_opens_with_its_ngrams(tmp_path: Path) -> None:
    model = golden_network()
    model.bert.fill(PRINTS, ROWS.T)  # with the bits that so few n-grams have
    save_model(model, tmp_path / "model", tokenizer_save=HashedWords().save, label_names=["neg", "pos"], card="")
    opened = load_model(tmp_path / "model")
    assert torch.equal(opened.bert.prints, model.bert.prints) and torch.equal(opened.bert.rows, model.bert.rows)
    assert opened.bert.bits == model.bert.bits and opened.bert.n == 2
    assert torch.equal(opened(**batch("not good")), model(**batch("not good")))


def test_a_model_that_is_not_fitted_answers_with_its_bias() -> None:
    settings = ModelSettings(name="ngram", family="ngram", readout={"name": "sum"})
    model, _ = build(settings, HeadSpec(outputs=3), vocab_size=1 << 32)
    assert model(**batch("a b", "")).shape == (2, 3) and model.bert.state_shape() == (3, 0)


def test_a_fitted_table_lies_where_the_model_does() -> None:
    model = golden_network().to("meta")
    model.bert.fill(PRINTS, ROWS.T)
    assert {tensor.device.type for tensor in (*model.parameters(), *model.buffers())} == {"meta"}
