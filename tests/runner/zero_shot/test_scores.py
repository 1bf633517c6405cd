"""Scores of labels from logits of entailment: the published numbers of both modes, and the prior."""

from __future__ import annotations

import numpy as np
import pytest

from runner.zero_shot.scores import MULTI, SINGLE, label_scores, prior_of, probabilities

# Three labels: entailment 2, 1, 0; contradiction 0, 1, -1; neutral something else, which no mode reads.
LOGITS = np.array([[[9.0, 2.0, 0.0], [-3.0, 1.0, 1.0], [5.0, 0.0, -1.0]]])


@pytest.mark.parametrize(
    ("mode", "wanted"), [(SINGLE, [0.665241, 0.244728, 0.090031]), (MULTI, [0.880797, 0.5, 0.731059])]
)
def test_the_modes_give_their_probabilities(mode: str, wanted: list[float]) -> None:
    found = probabilities(label_scores(LOGITS, 1, 2, mode), mode)
    assert np.allclose(found, [wanted], atol=1e-6)


def test_the_modes_rank_labels_differently() -> None:
    single, multi = (label_scores(LOGITS, 1, 2, mode)[0].argsort().tolist() for mode in (SINGLE, MULTI))
    assert single == [2, 1, 0] and multi == [1, 2, 0]


@pytest.mark.parametrize("mode", [SINGLE, MULTI])
def test_a_text_without_content_favours_no_label(mode: str) -> None:
    empty = np.array([[2.0, 0.5, -1.0]])
    fair = probabilities(empty - prior_of(empty, mode), mode)
    assert np.allclose(fair, 1 / 3 if mode == SINGLE else 0.5)
    assert (prior_of(np.array([[900.0, -900.0]]), mode) > -30).all(), "a sure model leaves the prior finite"
