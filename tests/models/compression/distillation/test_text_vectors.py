"""Regression of a teacher's vectors of texts: its scale, its start, and students that have no such vector."""

from __future__ import annotations

import pytest
import torch
from transformers import SqueezeBertForSequenceClassification

from models.compression.distillation.teacher import TransformersClassifier
from models.compression.distillation.text_vectors import TextMap, encode_texts, vector_mismatches
from tests.models.families import config_of
from tests.models.helpers import batch, small, tagger


def test_a_student_that_knows_nothing_has_a_loss_of_one_and_can_learn() -> None:
    torch.manual_seed(0)
    theirs = torch.randn(400, 6) * 5 + torch.arange(6)
    own = theirs @ torch.randn(6, 4) * 0.1
    found = TextMap(4, theirs, seed=0)
    assert found(torch.zeros(400, 4), theirs).item() == pytest.approx(1.0, abs=1e-4)
    optimizer = torch.optim.Adam(found.parameters(), 0.1)
    for _ in range(150):
        optimizer.zero_grad()
        loss = found(own, theirs)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5, "four of six directions can be had"
    again = TextMap(4, theirs, seed=0).map.weight
    assert torch.equal(TextMap(4, theirs, seed=0).map.weight, again) and not torch.equal(again, found.map.weight)


def test_the_vectors_are_those_that_the_last_layer_reads() -> None:
    model = small(family="dsn", readout={"name": "mean"})
    assert torch.equal(model.score(encode_texts(model, batch())), model(**batch()))


def test_a_student_without_one_vector_a_text_is_refused() -> None:
    pair = small(family="dsn", readout={"name": "pair", "norm": "none", "size": None, "dropout": 0.0})
    assert "Try: model/readout=mean" in vector_mismatches(pair, small())[0]
    assert "answers for each word" in vector_mismatches(tagger(), small())[0]
    assert not vector_mismatches(small(), small())


def test_a_teacher_whose_vectors_cannot_be_read_is_refused() -> None:
    teacher = TransformersClassifier(SqueezeBertForSequenceClassification(config_of("SqueezeBert")))
    assert "those of the teacher cannot be read" in vector_mismatches(small(), teacher)[0]
