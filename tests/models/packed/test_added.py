"""N-grams of pieces beside word vectors of a single text: the reader's logits are the network's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.heads.target_scale import attach_target_scale
from models.packed.added import added_ngrams
from runner.deploy.bundle.predict import Model
from tests.models.packed.test_fold import differences, make
from tests.models.packed.test_pair import add_random_ngrams, rounded


@pytest.mark.parametrize(("bits", "norm"), [(0, "none"), (0, "layer"), (8, "none"), (4, "layer")])
@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_the_reader_adds_the_ngrams_of_a_text(tmp_path: Path, outputs: int, norm: str, bits: int) -> None:
    network = make(outputs, norm=norm)
    if outputs == 1:
        attach_target_scale(network, {"mean": 30.0, "sd": 4.0})
    plain, _ = differences(network, tmp_path)
    alone = Model(tmp_path).scores(["a good story"])
    add_random_ngrams(network, None)
    if bits:
        rounded(network, bits)
    found, arrays = differences(network, tmp_path)
    assert max(np.abs(plain).max(), np.abs(found).max()) < 1e-4 and {"ngram_rows", "ngram_high"} <= arrays
    assert np.abs(np.array(Model(tmp_path).scores(["a good story"])) - np.array(alone)).max() > 0.01


def test_a_network_without_ngrams_adds_nothing_to_its_file() -> None:
    assert added_ngrams(make()) == ({}, {})
