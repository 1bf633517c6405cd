"""An edge probe pools spans by attention, finds what a layer holds of two of them, and mixes layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from runner.probing.edges import edge_probe
from runner.probing.edges.edge_probe import EdgeProbes, Edges, fit_edges

HIDDEN = 8


def made_edges(count: int, seed: int) -> Edges:
    """Edges of two spans of two and one tokens; in layer 1 alone, the label says whether two numbers have one sign.

    The number of the first span stands in its second token.
    """
    generator = np.random.default_rng(seed)
    states = generator.normal(size=(count * 3, 2, HIDDEN)).astype(np.float32)
    starts = np.arange(count)[:, None] * 3 + np.array([0, 2])
    states[starts[:, 0], :, 0], states[starts[:, 0] + 1, :, 0] = 0.0, 3.0  # which token of a span it is
    is_one = states[starts[:, 0] + 1, 1, 1] + states[starts[:, 1], 1, 1] > 0
    return Edges(states, starts, np.tile([2, 1], (count, 1)), np.stack([is_one, ~is_one], 1).astype(np.float32))


def test_the_layer_that_holds_the_label_is_found_alone_and_in_a_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_probe, "PLAN", replace(edge_probe.PLAN, evaluations=5))
    monkeypatch.setattr(edge_probe, "RATE", 0.01)
    train, select = made_edges(900, 0), made_edges(300, 1)
    reads = np.array([[True, False], [False, True], [True, True]])
    probes = fit_edges(train, select, reads, "linear", 0)
    right = (probes.answers(select) == (select.labels > 0)).mean((1, 2))
    assert right[0] < 0.6 and right[1] > 0.9 and right[2] > 0.85
    weights = probes.weights_of_layers().detach().numpy()
    assert weights[:2].tolist() == [[1, 0], [0, 1]] and weights[2, 1] > 0.6
    again = fit_edges(train, select, reads, "linear", 0)
    assert np.array_equal(again.losses(select), probes.losses(select))


def test_an_untrained_probe_answers_by_the_shares_and_its_pooling_is_the_mean() -> None:
    edges = made_edges(50, 0)
    probes = EdgeProbes(edges, np.eye(2, dtype=bool), "mlp")
    share = (edges.labels[:, 0].sum() + 0.5) / 51
    expected = -(np.log([share, 1 - share]) * [edges.labels[:, 0].mean(), edges.labels[:, 1].mean()]).sum()
    assert probes.losses(edges)[0] == pytest.approx(2 * expected, abs=0.02)
    tokens, owners = edges.tokens(np.array([3]), 0)
    assert owners.tolist() == [0, 0]
    with torch.no_grad():
        pooled = probes._pooled(tokens, owners, 0, 1)[1, 0]
        mean = ((tokens - probes.mean) * probes.scale)[:, 1].mean(0) @ probes.projections[1, 0]
    torch.testing.assert_close(pooled, mean)


def test_attention_prefers_a_token_whatever_other_spans_are_in_the_batch() -> None:
    edges = made_edges(40, 2)
    probes = EdgeProbes(edges, np.eye(2, dtype=bool), "linear")
    with torch.no_grad():
        probes.attention.normal_()
        probes.weights[-1].normal_()
        alone, together = probes(edges, np.array([5])), probes(edges, np.arange(40))
    torch.testing.assert_close(alone[:, 0], together[:, 5])
