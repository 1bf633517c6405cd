"""The inputs of a graph: ids or features, the mask, and segments where an encoder has them."""

from __future__ import annotations

import torch

from models.onnx.inputs import example_inputs, given_inputs
from tests.models.helpers import small
from tests.models.sounds import WIDTH, of_sounds


def test_a_graph_of_sounds_takes_features_in_the_place_of_ids() -> None:
    assert list(example_inputs(small().bert, 2, 5)) == ["input_ids", "attention_mask", "token_type_ids"]
    found = example_inputs(of_sounds("tiny").bert, 2, 5)
    assert list(found) == ["features", "attention_mask"] and found["features"].shape == (2, 5, WIDTH)
    assert found["attention_mask"].tolist() == [[1] * 5, [1, 1, 0, 0, 0]]


def test_what_is_left_out_of_a_call_is_filled_in() -> None:
    found = given_inputs(torch.zeros(2, 3, 4), None, None)
    assert found["attention_mask"].tolist() == [[1] * 3] * 2 and found["token_type_ids"].sum() == 0
    assert found["attention_mask"].dtype == torch.int64
