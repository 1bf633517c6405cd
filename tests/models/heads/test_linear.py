"""The common part of the heads that score a fixed set of outputs."""

from __future__ import annotations

import pytest
import torch

from models.backbones.hooks import Recorder
from models.build import build
from models.heads.base import HeadSpec
from models.settings import ModelSettings
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


@pytest.mark.parametrize(("width", "classes", "is_told"), [(2, 6, True), (5, 6, False), (1, 2, False), (2, 1, False)])
def test_a_width_below_the_classes_less_one_is_said(width: int, classes: int, is_told: bool) -> None:
    settings = ModelSettings(family="dsn", hidden=width, readout={"name": "mean"})
    _, report = build(settings, HeadSpec(outputs=classes), vocab_size=20)
    told = [note for note in report.notes if f"reads {width} numbers for {classes} classes" in note]
    assert len(told) == is_told and all(f"below {classes - 1}" in note for note in told)
