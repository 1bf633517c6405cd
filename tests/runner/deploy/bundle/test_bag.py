"""The reader of bags of words; its logits are compared with the network's in tests/models/packed/test_fold.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.inputs.word_cache import cut_longest as cut_arrays
from models.packed.format import pack
from runner.deploy.bundle.bag import unpack_bits
from runner.deploy.bundle.predict import Model, ModelFileError
from runner.deploy.bundle.wordpiece import cut_longest

PIECES = ["[UNK]", "[CLS]", "[SEP]", "good", "bad"]
SETTINGS = {
    "first": 1, "last": 2, "unknown": "[UNK]", "prefix": "##", "special": PIECES[:3], "longest": 100, "lower": True,
    "accents": True, "chinese": True,
}  # fmt: skip


def content(places: int = 6, texts: int = 1) -> bytes:
    """A folded model of two classes: the mean over the pieces, `good` counts 3 and `bad` -3."""
    arrays = {
        "words": np.array([[0], [0], [0], [3], [-3]], np.float32),
        "places": np.zeros((places, 1), np.float32),
        "segments": np.zeros((texts, 1), np.float32),
        "bias": np.array([0.5], np.float32),
        "shift": np.zeros(1, np.float32),
        "pieces": np.frombuffer("\n".join(PIECES).encode(), np.uint8),
    }
    return pack("dsn", ["no", "yes"], arrays, {"power": 1.0, "max_length": 6, "pieces": SETTINGS, "texts": texts})


def test_scores_are_means_over_pieces(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(content())
    found = Model(tmp_path).scores(["good", "Good bad BAD", "", "good " * 10])
    assert np.allclose(found, [[0, 1.5], [0, -0.1], [0, 0.5], [0, 2.5]])


def test_a_model_of_pairs_reads_two_texts(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(content(texts=2))
    model = Model(tmp_path)
    assert np.allclose(model.scores(["good"], ["bad"]), [[0, 0.5]])
    assert model("good", "good")["prediction"] == "yes"
    with pytest.raises(ValueError, match="reads two texts"):
        model("good")
    with pytest.raises(ValueError, match="2 texts and 1 second texts"):
        model(["good", "bad"], ["good"])
    with pytest.raises(TypeError, match="second text 1 of 1 is of type int"):
        model("good", 3)  # type: ignore[arg-type]


def test_arrays_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(content(places=5))
    with pytest.raises(ModelFileError, match="places for texts of 6 pieces"):
        Model(tmp_path)


@pytest.mark.parametrize("room", [0, 1, 4, 5])
def test_pairs_are_cut_as_in_training(room: int) -> None:
    for one in range(8):
        for other in range(8):
            wanted = [int(kept[0]) for kept in cut_arrays(np.array([one]), np.array([other]), room)]
            assert list(cut_longest(one, other, room)) == wanted


@pytest.mark.parametrize(("bits", "width"), [(4, 1 << 40), (4, 0), (0, 6), (9, 2)])
def test_rows_wider_than_their_bytes_are_refused(bits: int, width: int) -> None:
    assert unpack_bits(np.zeros((2, 3), np.uint8), 4, 6).shape == (2, 6)
    with pytest.raises(ValueError, match="3 bytes a row"):
        unpack_bits(np.zeros((2, 3), np.uint8), bits, width)
