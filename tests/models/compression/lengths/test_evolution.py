"""The search for lengths, on costs and scores that are known."""

from __future__ import annotations

import numpy as np
import pytest

from models.compression.lengths.evolution import (
    LEAST,
    Evaluated,
    Genes,
    Point,
    Problem,
    cross,
    evolve,
    geometric,
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


def test_a_mutation_draws_between_the_next_layer_of_the_parent_and_the_layer_before_in_the_copy() -> None:
    generator, parent = np.random.default_rng(0), (8, 5, 4, 3)
    drawn = np.array([mutate(parent, 10, 1.0, generator) for _ in range(2000)])
    assert set(drawn[:, 0].tolist()) == {5, 6, 7, 8, 9, 10} and drawn[:, 3].min() == LEAST
    above = np.column_stack([np.full(2000, 10), drawn[:, :3]])
    least = np.minimum([5, 4, 3, LEAST], above)
    assert (least <= drawn).all() and (drawn <= above).all()
    assert all({"least", "most"} == {*np.where(column, "most", "least")} for column in (drawn == above).T)
    assert mutate(parent, 10, 0.0, generator) == parent
    half = np.mean(
        [one != two for _ in range(2000) for one, two in zip(mutate((9, 9, 9), 10, 0.5, generator), (9,) * 3)]
    )
    assert 0.2 < half < 0.5, "half of the layers are redrawn, some to the number that they had"


def test_layers_without_heads_keep_all_tokens_that_enter_them() -> None:
    assert geometric(4, 10, frozenset({0, 2}), 0.5) == (10, 5, 5, 3)
    task = Problem(3, 10, sum, max, frozenset({0, 2, 7}))  # the search may not reach layer 7
    assert task.fitted((7, 5, 3)) == (10, 5, 5) and task.geometric(0.5) == (10, 5, 5)
    evaluated = Evaluated(task, task.cost(task.geometric(0.5)))
    for genes in seeds(task, 3, 0.5):
        evaluated.add(genes)
    evolve(evaluated, np.random.default_rng(0), mutations=5, crossovers=5, share=0.5)
    assert len(evaluated.points) > 5
    assert all(first == 10 and second == third for first, second, third in evaluated.points)


def test_geometric_lengths_of_a_cost_take_no_more_than_it_and_are_the_longest_that_do() -> None:
    task = problem(3, 50)
    for cost in (0.4, 0.55, 0.9):
        found = task.geometric_at(cost, 0.6)
        assert cost - 0.04 < task.cost(found) <= cost


def test_a_configuration_is_new_once_and_not_below_the_cost_of_the_shortest() -> None:
    evaluated = Evaluated(Problem(2, 10, sum, max), floor=10)
    assert [evaluated.add(genes) for genes in ((5, 5), (5, 5), (5, 4), (10, 10))] == [True, False, False, True]
    assert evaluated.points == {(5, 5): Point((5, 5), 10, 5), (10, 10): Point((10, 10), 20, 10)}


def test_lengths_that_take_longer_than_all_tokens_are_not_on_the_front() -> None:
    evaluated = Evaluated(Problem(2, 4, sum, max), floor=0)
    points = [Point((2, 2), 0.5, 0.6), Point((3, 2), 0.7, 0.5), Point((3, 3), 1.2, 0.99), Point((4, 4), 1.0, 0.9)]
    evaluated.points = {point.genes: point for point in points}
    assert [point.genes for point in evaluated.front()] == [(2, 2), (4, 4)]
    del evaluated.points[4, 4]
    assert [point.genes for point in evaluated.front()] == [(2, 2), (3, 3)]


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
