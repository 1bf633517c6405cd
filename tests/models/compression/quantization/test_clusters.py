"""Three clusters by k-means, the same at every call."""

from __future__ import annotations

import pytest
import torch

from models.compression.quantization.clusters import assign_clusters, cluster_boundaries


@pytest.mark.parametrize(
    "numbers",
    [
        [-3.0, -2.9, -2.8, 0.0, 0.1, 0.2, 0.3, 5.0, 5.2, 9.0],
        # Of the two initialisations, only the quantiles lead to the optimum of these:
        [-9.0, -7.0, -6.0, -3.0, 0.0, 3.0, 3.0, 5.0, 7.0, 8.0],
        [-9.0, -9.0, -7.0, -6.0, -4.0, -2.0, 4.0, 6.0, 7.0, 9.0],
        # and only the extremes and the median to the optimum of these:
        [-4.0, 0.0, 1.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 9.0],
        [-8.0, -8.0, -5.0, -3.0, -3.0, -2.0, 3.0, 5.0, 6.0, 7.0],
    ],
)
def test_the_clusters_are_those_of_an_exhaustive_search(numbers: list[float]) -> None:
    values = torch.tensor(numbers)

    def inertia(low: int, high: int) -> float:
        return sum(
            float((part - part.mean()).square().sum()) for part in (values[:low], values[low:high], values[high:])
        )

    best = min(((i, j) for i in range(1, 9) for j in range(i + 1, 10)), key=lambda cut: inertia(*cut))
    assert assign_clusters(values).tolist() == [0] * best[0] + [1] * (best[1] - best[0]) + [2] * (10 - best[1])
    centres = [float(part.mean()) for part in (values[: best[0]], values[best[0] : best[1]], values[best[1] :])]
    wanted = [(centres[0] + centres[1]) / 2, (centres[1] + centres[2]) / 2]
    assert cluster_boundaries(values).tolist() == pytest.approx(wanted)


def test_a_value_on_a_boundary_belongs_to_the_lower_cluster() -> None:
    values = torch.tensor([0.0, 2.0, 4.0])  # the centres are the values, and the boundaries 1 and 3
    assert cluster_boundaries(values).tolist() == [1.0, 3.0]
    assert cluster_boundaries(torch.tensor([0.0, 1.0, 5.0, 6.0, 10.0])).tolist() == pytest.approx([3.0, 7.75])


@pytest.mark.parametrize("numbers", [[0.5], [0.5] * 4, [-1.0, 2.0], [-1.0, -1.0, 2.0, 2.0, 2.0]])
def test_fewer_values_than_clusters_keep_apart_what_differs(numbers: list[float]) -> None:
    values = torch.tensor(numbers)
    assert bool(cluster_boundaries(values).isfinite().all())
    found = assign_clusters(values)
    assert len(set(zip(numbers, found.tolist()))) == len(set(numbers)) == len(found.unique())


def test_clusters_do_not_depend_on_chance() -> None:
    values = torch.randn(64, 128, generator=torch.Generator().manual_seed(0))
    first = cluster_boundaries(values)
    torch.manual_seed(5)
    assert torch.equal(cluster_boundaries(values), first)
