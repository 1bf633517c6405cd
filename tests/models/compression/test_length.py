"""The length stage: given lengths, what is saved of them, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from models.backbones.lengths import Lengths
from models.compression.length import Length, restore
from models.compression.lengths.chosen import lengths_of
from models.compression.settings.length import Length as Options
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.rebuild import rebuild
from tests.models.compression.tensor_context import started
from tests.models.helpers import batch, small


def test_given_lengths_are_set_saved_and_opened_again() -> None:
    model = Length(Options(lengths=[1.0, 0.5])).run(small(), Any)  # type: ignore[arg-type]
    again = rebuild(model.architecture, HeadSpec(outputs=3)).eval()  # type: ignore[arg-type]
    again.load_state_dict(model.state_dict())
    assert lengths_of(again) == Lengths((1.0, 0.5)) and again.architecture == model.architecture
    assert torch.equal(again(**batch()), model(**batch()))


def test_lengths_that_do_not_fit_the_model_are_refused_before_anything_is_trained() -> None:
    for options, told in (
        (Options(lengths=[1.0]), "1 values for 2 layers"),
        (Options(lengths=[90, 50], mode="absolute"), "this model takes 64 at most"),
        (Options(lengths=[20, 50], mode="absolute"), "lengths that do not grow"),
    ):
        with pytest.raises(ModelError, match=told):
            Length(options).check(small())
    with pytest.raises(ModelError, match="our own BERTs only"):
        Length(Options()).check(started())


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"lengths": "all"}, "Expected a list of numbers"),
        ({"lengths": [0.5, None]}, "Expected a list of numbers"),
        ({"lengths": [0.5, True]}, "Expected a list of numbers"),
        ({"lengths": [0.5]}, "1 values for 2 layers"),
        ({"lengths": [0.5, 0.5], "mode": "x" * 100}, "mode is 'x"),
        ({"lengths": [10, 20], "mode": "absolute"}, "do not grow"),
    ],
)
def test_a_config_with_impossible_lengths_is_refused(entry: dict[str, Any], told: str) -> None:
    with pytest.raises(ModelError, match=told):
        restore(small(), entry)
    assert lengths_of(restore(small(), {})) is None
