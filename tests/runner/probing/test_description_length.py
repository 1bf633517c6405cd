"""The online code: blocks, a hand computation, and labels that cannot be compressed."""

from __future__ import annotations

import numpy as np
import pytest

from runner.probing import description_length, probe
from runner.probing.description_length import block_ends, code_lengths
from runner.probing.probe import ProbeOptions, Rows
from tests.runner.probing.rows import SAID, SILENT, made_rows, made_splits


def test_the_blocks_end_at_the_shares_of_the_paper() -> None:
    assert block_ends(10_000) == [10, 20, 40, 80, 160, 320, 625, 1250, 2500, 5000, 10_000]
    assert block_ends(3) == [1, 2, 3]


def test_the_code_is_what_one_computes_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    class Known:
        def losses(self, rows: Rows) -> np.ndarray:
            return np.array([np.log(2) / 4, np.log(2)])  # a quarter of a bit a label, and one bit

    monkeypatch.setattr(description_length, "fit_probes", lambda *_: Known())
    rows = made_rows(1000, 0)
    found = code_lengths(rows, rows, 4, ProbeOptions(), 0)
    # One label of log2(4) bits without a model, then 999 by the probes.
    assert np.allclose(found.bits, [2 + 999 / 4, 2 + 999])
    assert np.allclose(found.compression, 2000 / found.bits)
    assert np.allclose(found.bits_per_label, found.bits / 1000)


def test_a_layer_that_says_the_label_compresses_and_shuffled_labels_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "EVALUATIONS", 20)
    rows = made_splits(600)
    found = code_lengths(rows["train"], rows["select"], 2, ProbeOptions(), 0)
    assert found.compression[SAID] > 3 > 1.02 > found.compression[SILENT]
    shuffled = Rows(rows["train"].vectors, np.random.default_rng(5).permutation(rows["train"].labels))
    assert (code_lengths(shuffled, rows["select"], 2, ProbeOptions(), 0).compression <= 1.02).all()
