"""The common part of the heads that score a fixed set of outputs."""

from __future__ import annotations

import pytest
import torch

from models.backbones.hooks import Recorder
from tests.models.helpers import batch, small


@pytest.mark.parametrize(("head", "readout"), [("text", "cls"), ("text", "mean"), ("token", "none")])
def test_scores_of_the_encoded_texts_are_the_logits(head: str, readout: str) -> None:
    model, recorder = small(head=head, readout={"name": readout}), Recorder()
    torch.testing.assert_close(model.score(model.encode(**batch(), hooks=[recorder])), model(**batch()))
    assert len(recorder.states) == 3


def test_the_names_of_the_outputs_go_both_ways() -> None:
    labels = small(head="token", readout={"name": "none"}).labels(["O", "B-X", "I-X"])
    assert labels == {"id2label": {"0": "O", "1": "B-X", "2": "I-X"}, "label2id": {"O": 0, "B-X": 1, "I-X": 2}}


def test_the_dropout_of_the_last_layer_is_the_models_or_the_readouts_own() -> None:
    assert small(dropout=0.3).dropout.p == 0.3
    tenney = {"name": "cls_layers", "weights": "learned", "size": None}
    assert small(dropout=0.3, readout=tenney).dropout.p == 0.0
