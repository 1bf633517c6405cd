"""The network over frames; its logits are compared with torch's in tests/models/packed/test_sound.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from runner.deploy.bundle.frame_network import (
    FrameNetwork,
    Parts,
    dynamic_layer,
    floats_layer,
    gelu,
    softmax,
    static_layer,
)

HEADER: dict[str, Any] = {
    "matrices": [[2, 3, "float"]],
    "network": {"width": 3, "project": False, "first": False, "positions": False, "segments": False, "norm": False,
                "heads": [], "readout": "mean", "eps": 1e-12},
}  # fmt: skip


def arrays(floats: int, codes: int = 0) -> dict[str, np.ndarray]:
    return {"floats": np.arange(floats, dtype=np.float32), "codes": np.arange(codes, dtype=np.int8)}


def test_a_mean_and_a_linear_layer() -> None:
    network = FrameNetwork(HEADER, arrays(8))  # weights 0 to 5, then biases 6 and 7
    assert network.logits(np.array([[1, 1, 1], [3, 1, 1]], np.float32)) == [0 * 2 + 1 + 2 + 6, 3 * 2 + 4 + 5 + 7]


@pytest.mark.parametrize(
    ("found", "matrices", "message"),
    [
        (arrays(7), [[2, 3, "float"]], "floats are fewer"),
        (arrays(9), [[2, 3, "float"]], "more numbers"),
        (arrays(4, 5), [[2, 3, "codes"]], "codes are fewer"),
        (arrays(8), [[2, 3, "int4"]], "stored as 'int4'"),
        (arrays(8), [], "stored as 'none'"),
        (arrays(8), [[2, -3, "float"]], "2 x -3"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(found: Any, matrices: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FrameNetwork(HEADER | {"matrices": matrices}, found)


def test_a_table_in_codes_has_a_step_and_a_zero_for_each_row() -> None:
    parts = Parts({"matrices": [[2, 2, "codes"]]}, {"codes": np.array([1, 2, -3, 4], np.int8),
                                                    "floats": np.array([0.5, 2, 1, -3], np.float32)})  # fmt: skip
    assert parts.table().tolist() == [[0.0, 0.5], [0.0, 14.0]]


def test_whole_numbers_come_near_the_product_of_floats() -> None:
    random = np.random.default_rng(0)
    weight, bias = random.normal(size=(5, 16)).astype(np.float32), random.normal(size=5).astype(np.float32)
    rows = random.normal(size=(40, 16)).astype(np.float32)
    step = np.abs(weight).max(axis=1) / 127
    codes = np.rint(weight / step[:, None]).astype(np.int8)
    exact = floats_layer(weight, bias)(rows)
    low, high = float(rows.min()), float(rows.max())
    input_step = (high - low) / 255
    zero = round(-low / input_step) - 128
    for layer in (dynamic_layer(codes, step, bias), static_layer(codes, step, bias, input_step, zero)):
        assert np.abs(layer(rows) - exact).max() < 0.1 and layer(rows).dtype == np.float32
    assert np.array_equal(dynamic_layer(codes, step, bias)(np.zeros((1, 16), np.float32))[0], bias)


def test_softmax_and_gelu_are_torchs() -> None:
    values = np.linspace(-8, 8, 101, dtype=np.float32).reshape(1, -1)
    np.testing.assert_allclose(gelu(values), torch.nn.functional.gelu(torch.from_numpy(values)).numpy(), atol=1e-6)
    np.testing.assert_allclose(softmax(values), torch.from_numpy(values).softmax(-1).numpy(), atol=1e-7)
