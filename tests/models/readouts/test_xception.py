"""The Xception heads: parameters and statistics as published, lengths, and what they need."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from models.checkpoints.open import load_model
from models.errors import ModelError
from models.parts import make_readout
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch, small

# kind: trained parameters and norm statistics over BERT-large with two outputs, as in the published Keras summaries
PUBLISHED = {"short": (264_066, 2_944), "residual": (266_114, 2_944), "full": (20_662_106, 54_528)}


@pytest.mark.parametrize(("kind", "expected"), PUBLISHED.items())
def test_parameters_and_statistics_are_those_published(kind: str, expected: tuple[int, int]) -> None:
    with torch.device("meta"):
        readout: Any = make_readout({"name": "xception", "kind": kind}, 1024, 24)
    trained = sum(p.numel() for p in readout.parameters() if p.requires_grad) + readout.width * 2 + 2
    statistics = sum(b.numel() for b in readout.buffers() if b.is_floating_point())
    assert (trained, statistics) == expected


def test_the_short_head_adds_up_to_the_published_total() -> None:
    assert sum(PUBLISHED["short"]) == 267_010 and sum(PUBLISHED["residual"]) == 269_058
    assert sum(PUBLISHED["full"]) == 20_716_634


def test_lengths_shrink_as_in_the_published_head() -> None:
    readout: Any = make_readout({"name": "xception", "kind": "short"}, 1024, 24)
    image, lengths = torch.randn(2, 26, 1024), []
    for step in readout.body:
        image = step(image)
        lengths.append(image.shape[2])
    assert lengths == [341, 341, 339, 339, 170] and image.shape[1] == 512


@pytest.mark.parametrize("kind", PUBLISHED)
def test_each_kind_trains_saves_and_comes_back_with_its_statistics(kind: str, tmp_path: Any) -> None:
    model = small(layers=4, hidden=48, readout={"name": "xception", "kind": kind}).train()
    model(**batch()).sum().backward()
    assert all(p.grad is not None for name, p in model.bert.pooler.named_parameters() if "dense" not in name)
    model.eval()
    assert torch.equal(load_model(write(model, tmp_path / "m"))(**batch()), model(**batch()))


def test_an_encoder_of_two_layers_is_refused_with_what_is_needed() -> None:
    with pytest.raises(ModelError, match=r"at least 4 of them; this encoder has 2. Try: model/backbone=bert-mini"):
        small(layers=2, readout={"name": "xception", "kind": "short"})


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ModelError, match="short, residual, full"):
        small(layers=4, readout={"name": "xception", "kind": "long"})
