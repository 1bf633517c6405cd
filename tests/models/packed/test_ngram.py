"""A model over n-grams as a file: byte for byte the golden one, rounding, and what a network becomes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch

from models.heads.target_scale import attach_target_scale
from models.packed.ngram import LENGTH_ENTRY, Table, pack_ngrams, round_rows, table_of
from runner.deploy.bundle.predict import Model
from tests.models.backbones.test_ngram import golden_network
from tests.models.packed.golden import PRINTS, SCALE, SHA256


def test_the_golden_file_comes_out_byte_for_byte() -> None:
    weights = np.array([[2.0, -3.0, 0.25, -2.0, 2.5, -0.5]])  # of the n-grams in the order of their fingerprints
    rows, scale = round_rows(weights)
    assert rows.T.tolist() == [[85, -127, 11, -85, 106, -21]] and scale.tolist() == SCALE.tolist()
    content = pack_ngrams(Table(PRINTS, rows, scale, np.array([0.125]), 2, 16), ["neg", "pos"])
    assert hashlib.sha256(content).hexdigest() == SHA256


def test_a_network_becomes_its_table_with_the_temperature_beside_it() -> None:
    model = golden_network()
    model.architecture["ngram"]["temperature"] = 2.0
    table = table_of(model)
    assert np.allclose(table.scale, 2 * SCALE) and table.bias.tolist() == [0.25] and table.bits == 16


def test_the_scale_of_numbers_is_folded_in() -> None:
    model = golden_network()
    model.classifier = torch.nn.Linear(1, 1)
    with torch.no_grad():
        model.classifier.weight.fill_(0.5)
        model.classifier.bias.fill_(1.0)
    attach_target_scale(model, {"mean": 10.0, "sd": 4.0})
    table = table_of(model)
    assert table.scale.tolist() == [2.0] and table.bias.tolist() == [14.0]


def test_a_column_of_zeros_is_rounded_without_a_division_by_zero() -> None:
    rows, scale = round_rows(np.array([[0.0, 0.0], [1.0, -0.25]]))
    assert rows.tolist() == [[0, 127], [0, -32]] and scale[0] == 1


def test_a_text_is_cut_as_in_training(tmp_path: Path) -> None:
    table = Table(PRINTS, np.array([[85, -127, 11, -85, 106, -21]], np.int8).T, SCALE, np.array([0.125]), 2, 16)
    contents = [pack_ngrams(table, ["neg", "pos"], 1.0, longest) for longest in (None, 2, 1 << 20)]
    assert max(map(len, contents)) <= len(contents[0]) + LENGTH_ENTRY
    for content, cut in zip(contents, (False, True, False)):
        (tmp_path / "model.bin").write_bytes(content)
        model = Model(tmp_path)
        short, long = model.scores(["not bad", "not bad good"])
        assert (short.tolist() == long.tolist()) == cut and model.lengths(["not bad good"]).tolist() == [3]
