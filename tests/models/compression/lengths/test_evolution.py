"""The search for lengths, on costs and scores that are known."""

from __future__ import annotations

import numpy as np
import pytest

from models.compression.lengths.evolution import (
    LEAST,
    Evaluated,
    Genes,
    Problem,
    cross,
    evolve,
    greedy,
    mutate,
    seeds,
)


def problem(layers: int = 4, longest: int = 100) -> Problem:
    """Costs grow with every token; only the second layer's tokens decide the score."""
    return Problem(
        layers, longest, lambda genes: sum(genes) / (layers * longest), lambda genes: min(1.0, 2 * genes[1] / longest)
    )


def searched(task: Problem, seed: int = 0, iterations: int = 3) -> Evaluated:
    evaluated = Evaluated(task, task.cost(task.geometric(0.4)))
    for genes in seeds(task, 5, 0.4):
        evaluated.add(genes)
    generator = np.random.default_rng(seed)
    for _ in range(iterations):
        evolve(evaluated, generator, mutations=8, crossovers=8, share=0.5)
    return evaluated


def test_smallest_configuration_is_the_published_one() -> None:
    found = problem(12, 384).geometric(0.2)
    assert found == (308, 247, 198, 159, 128, 103, 83, 67, 54, 44, 36, 29)


def test_seeds_are_evenly_spaced_in_cost() -> None:
    task = problem(6, 1000)
    costs = sorted(task.cost(genes) for genes in seeds(task, 7, 0.4))
    assert len(costs) == 9
    assert np.diff(costs) == pytest.approx(np.diff(costs).mean(), rel=0.1)


def test_mutations_and_crossings_never_grow_with_depth() -> None:
    generator = np.random.default_rng(0)
    genes: Genes = (80, 40, 40, 7)
    for _ in range(1000):
        child = cross(mutate(genes, 100, 0.5, generator), genes)
        assert all(LEAST <= kept <= before for kept, before in zip(child, (100, *child)))
        genes = mutate(genes, 100, 0.5, generator)


def test_front_is_not_dominated_and_ends_with_full_length() -> None:
    evaluated = searched(problem())
    front = evaluated.front()
    assert front[-1].genes == problem().full
    assert [point.cost for point in front] == sorted(point.cost for point in front)
    for point in front[:-1]:
        better = [one for one in evaluated.points.values() if one.cost <= point.cost and one.score >= point.score]
        assert better == [point]


def test_equal_seeds_find_equal_fronts() -> None:
    assert searched(problem()).front() == searched(problem()).front()
    assert searched(problem()).points.keys() != searched(problem(), seed=1).points.keys()


def test_evolution_beats_geometric_lengths_where_one_layer_decides() -> None:
    task = problem()
    only_seeds = searched(task, iterations=0).front()
    cheapest = {name: min(p.cost for p in front if p.score == 1.0) for name, front in
                {"seeds": only_seeds, "evolved": searched(task, iterations=8).front()}.items()}  # fmt: skip
    assert cheapest["evolved"] < 0.9 * cheapest["seeds"]


def test_search_ends_where_hardly_any_configuration_is_left() -> None:
    evaluated = searched(problem(2, 16), iterations=15)
    assert len(evaluated.points) <= 16 * 17 / 2


def test_each_configuration_is_scored_once_and_none_below_the_shortest() -> None:
    scored: list[Genes] = []
    task = problem()
    counting = Problem(task.layers, task.longest, task.cost, lambda genes: (scored.append(genes), task.score(genes))[1])
    searched(counting)
    assert len(scored) == len(set(scored))
    assert min(map(task.cost, scored)) >= task.cost(task.geometric(0.4))


def test_greedy_cuts_the_layers_that_do_not_matter_first() -> None:
    task = problem()
    evaluated = Evaluated(task, task.cost(task.geometric(0.4)))
    steps = list(greedy(evaluated))
    without_loss = [point for point in steps if point.score == 1.0]
    assert min(point.cost for point in without_loss) < 0.6
    assert [point.cost for point in steps] == sorted((point.cost for point in steps), reverse=True)
