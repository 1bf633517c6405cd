"""Three clusters by k-means, the same at every call."""

from __future__ import annotations

import torch

from models.compression.quantization.clusters import assign_clusters, cluster_boundaries


def test_the_clusters_are_those_of_an_exhaustive_search() -> None:
    values = torch.tensor([-3.0, -2.9, -2.8, 0.0, 0.1, 0.2, 0.3, 5.0, 5.2, 9.0])

    def inertia(low: int, high: int) -> float:
        return sum(
            float((part - part.mean()).square().sum()) for part in (values[:low], values[low:high], values[high:])
        )

    best = min(((i, j) for i in range(1, 9) for j in range(i + 1, 10)), key=lambda cut: inertia(*cut))
    assert assign_clusters(values).tolist() == [0] * best[0] + [1] * (best[1] - best[0]) + [2] * (10 - best[1])
    assert cluster_boundaries(values).shape == (2,)


def test_clusters_do_not_depend_on_chance() -> None:
    values = torch.randn(64, 128, generator=torch.Generator().manual_seed(0))
    first = cluster_boundaries(values)
    torch.manual_seed(5)
    assert torch.equal(cluster_boundaries(values), first)
