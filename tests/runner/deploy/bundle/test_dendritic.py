"""The reader of last layers with dendrites, by hand; its logits are compared in tests/models/packed/test_layers.py."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from models.packed.format import pack
from runner.deploy.bundle.predict import Model, ModelFileError
from tests.runner.deploy.bundle.test_bag import SETTINGS


def content(act: str = "sigmoid", lateral: float = 2.0, rows: int = 3, temperature: float = 1.0) -> bytes:
    """A number: the soma reads 1 for `good` and -1 for `bad`, the first dendrite twice, the second thrice as much."""
    arrays = {
        "words": np.array([[0] * 3, [0] * 3, [0] * 3, [1, 2, 3], [-1, -2, -3]], np.float32)[:, :rows],
        "places": np.zeros((6, rows), np.float32), "segments": np.zeros((1, rows), np.float32),
        "bias": np.array([0.5, 0, 1], np.float32)[:rows], "shift": np.zeros(rows, np.float32),
        "to_soma": np.array([[10], [100]], np.float32),
        "lateral": np.array([[[0], [0]], [[lateral], [0]]], np.float32),
        "pieces": np.frombuffer(b"[UNK]\n[CLS]\n[SEP]\ngood\nbad", np.uint8),
    }  # fmt: skip
    fields = {"power": 0.0, "max_length": 6, "pieces": SETTINGS, "texts": 1, "dendrites": {"act": act}}
    return pack("dendritic", [], arrays, fields, temperature=temperature)


def score(folder: Path, text: str, **changes: str | float) -> float:
    (folder / "model.bin").write_bytes(content(**changes))  # type: ignore[arg-type]
    return float(Model(folder).scores([text])[0][0])


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_dendrites_read_the_text_and_the_dendrites_before_them(tmp_path: Path) -> None:
    first = sigmoid(2)
    assert score(tmp_path, "good") == pytest.approx(1.5 + 10 * first + 100 * sigmoid(3 + 1 + 2 * first))
    assert score(tmp_path, "good", act="relu") == pytest.approx(1.5 + 10 * 2 + 100 * (4 + 2 * 2))
    assert score(tmp_path, "bad", act="relu") == pytest.approx(-0.5)
    assert score(tmp_path, "bad bad", act="tanh", lateral=0.0) == pytest.approx(
        -1.5 + 10 * math.tanh(-4) + 100 * math.tanh(-5)
    )


def test_the_temperature_divides_scores_and_not_what_dendrites_read(tmp_path: Path) -> None:
    assert score(tmp_path, "good", temperature=4.0) == pytest.approx(score(tmp_path, "good") / 4)


def test_arrays_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="2 dendrites for each of 1 scores in a layer of 2 rows"):
        score(tmp_path, "good", rows=2)
    with pytest.raises(ModelFileError, match="softplus"):
        score(tmp_path, "good", act="softplus")
