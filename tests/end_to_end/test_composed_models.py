"""Every valid combination of embedding, backbone and readout trains, is saved and reopened; others are refused."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import AutoModelForSequenceClassification

from models.build import build
from models.checkpoints.open import load_model
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import FRAMES, OF_FAMILY, WORD_READOUTS, ModelSettings
from tests.conftest import REPO
from tests.models.checkpoints.test_save import write
from tests.models.embeddings.test_hash import save_words, tokens
from tests.models.helpers import batch

POSITIONS = 64


def parts(group: str) -> dict[str, dict[str, Any]]:
    """The options of each choice in a config group, from its YAML file."""
    files = sorted((REPO / "conf/model" / group).glob("[!_]*.yaml"))
    texts = {
        path.stem: path.read_text(encoding="utf-8").replace("${data.max_length}", str(POSITIONS)) for path in files
    }
    return {name: yaml.safe_load(text) for name, text in texts.items()}


EMBEDDINGS, READOUTS = parts("embedding"), parts("readout")
del READOUTS["auto"]  # resolves to one of the others
for of_sounds in FRAMES:  # tested in tests/models/embeddings/
    del EMBEDDINGS[of_sounds]
BACKBONES = {"bert": "bert-tiny", "dsn": "none", "bilstm": "bilstm"}
FAMILIES = tuple(BACKBONES)
GRID = list(product(EMBEDDINGS, FAMILIES, READOUTS))


def settings(embedding: str, family: str, readout: str) -> ModelSettings:
    layers = 4 if readout == "xception" else 2  # the fewest that xception accepts
    return ModelSettings(
        family=family, backbone=BACKBONES[family], layers=layers, hidden=32, heads=4, intermediate=48,
        positions=POSITIONS, embedding=dict(EMBEDDINGS[embedding]), readout=dict(READOUTS[readout]),
    )  # fmt: skip


@pytest.mark.parametrize(("embedding", "family", "readout"), GRID)
def test_a_combination_trains_and_comes_back_or_is_refused(
    tmp_path: Path, embedding: str, family: str, readout: str
) -> None:
    torch.manual_seed(0)
    options: dict[str, Any] = {"head": HeadSpec(outputs=3), "vocab_size": 90, "tokens": tokens}
    chosen = settings(embedding, family, readout)
    if family == "dsn" and readout not in WORD_READOUTS:
        with pytest.raises(ModelError, match=f"model/readout={readout} reads the states of an encoder"):
            build(chosen, **options)
        return
    if family == "bilstm" and readout not in OF_FAMILY["bilstm"]:
        with pytest.raises(ModelError, match=f"model/readout={readout} reads the states of an encoder"):
            build(chosen, **options)
        return
    if family == "bert" and readout == "pair":
        with pytest.raises(ModelError, match="model/readout=pair is for models without attention"):
            build(chosen, **options)
        return
    if readout == "none":
        with pytest.raises(ModelError, match="gives a vector for each token, but this task needs one for the text"):
            build(chosen, **options)
        return
    model, _ = build(chosen, **options)
    model.train()(**batch()).logsumexp(1).sum().backward()
    # The key bias cancels out in the softmax. In the last layer, which computes only one query, it has no gradient.
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    missing = [name for name, p in trained.items() if p.grad is None and not name.endswith("key.bias")]
    assert not missing
    folder = write(model.eval(), tmp_path / "m", tokenizer_save=save_words)
    assert torch.equal(load_model(folder)(**batch()), model(**batch()))
    theirs = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    torch.testing.assert_close(theirs(**batch()).logits, model(**batch()), atol=1e-5, rtol=0)
