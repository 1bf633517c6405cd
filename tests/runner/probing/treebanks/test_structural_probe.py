"""A map is found after which distances are those in the tree, of the layer that has them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from runner.probing.treebanks import structural_probe
from runner.probing.treebanks.structural_probe import Parse, StructuralProbes, fit_structural
from runner.probing.treebanks.tree import depths, distances
from tests.runner.probing.treebanks.made import path_vectors, random_heads

HIDDEN = 10


def made_parses(count: int, seed: int, is_distance: bool) -> list[Parse]:
    """Random trees; the first layer has them, turned and squeezed, and the second is noise."""
    generator, found = np.random.default_rng(seed), []
    turn = np.linalg.qr(np.random.default_rng(9).normal(size=(HIDDEN, HIDDEN)))[0] / 2
    for _ in range(count):
        heads = random_heads(int(generator.integers(3, HIDDEN)), generator)
        vectors = np.stack([path_vectors(heads, HIDDEN) @ turn, generator.normal(size=(len(heads), HIDDEN))], 1)
        found.append(Parse(vectors.astype(np.float32), distances(heads) if is_distance else depths(heads)))
    return found


@pytest.mark.parametrize("is_distance", [True, False])
def test_what_is_linear_in_a_layer_is_found_and_noise_is_not(
    is_distance: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(structural_probe, "RATE", 0.02)
    monkeypatch.setattr(structural_probe, "PLAN", replace(structural_probe.PLAN, evaluations=10))
    train, other = made_parses(100, 0, is_distance), made_parses(30, 1, is_distance)
    probes = fit_structural(train, other, seed=0)
    losses = probes.losses(other)
    assert losses[0] < 0.1 < 0.5 < losses[1]
    answers = probes.answers(other[0].vectors)
    assert answers.shape == (2, *other[0].target.shape)
    assert np.abs(answers[0] - other[0].target).mean() < 0.2
    again = fit_structural(train, other, seed=0)
    assert np.array_equal(again.losses(other), losses)


def test_the_loss_is_the_mean_error_of_a_sentence_whatever_stands_beside_it() -> None:
    probes = StructuralProbes(1, 2, 2, True)
    with torch.no_grad():
        probes.maps.copy_(torch.eye(2))
    short = Parse(np.array([[[0, 0]], [[2, 0]]], np.float32), np.array([[0, 1], [1, 0]]))
    long = Parse(np.zeros((3, 1, 2), np.float32), np.ones((3, 3)) - np.eye(3))
    # |4 - 1| of two of the four pairs; 1 of six of the nine.
    assert probes.loss([short, long]).flatten().tolist() == pytest.approx([6 / 4, 6 / 9])
    assert probes.losses([short, long])[0] == pytest.approx((6 / 4 + 6 / 9) / 2)
    assert probes.answers(short.vectors)[0].tolist() == [[0, 4], [4, 0]]
