"""Search algorithms for layer lengths that lose little at each cost; they work on numbers only, without a model.

A configuration (`genes`) is the number of tokens that leave each layer, when `longest` enter the first. Source: the
evolution of Kim & Cho 2021, arXiv 2010.07003 (clovaai/length-adaptive-transformer, evolution.py), with the same seeds
on a geometric curve. Unlike there, it stops when an encoder runs out of new configurations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

Genes = tuple[int, ...]
LEAST = 2  # tokens that every layer keeps
ATTEMPTS = 50  # for each requested new configuration, before a search gives up
BISECTIONS = 40
CUT = 0.9  # share of a layer's tokens that the greedy search keeps in a step


@dataclass(frozen=True)
class Point:
    """A configuration with its cost relative to the full model, and its score; higher is better."""

    genes: Genes
    cost: float
    score: float


def geometric(layers: int, longest: int, whole: frozenset[int], drop: float) -> Genes:
    """The configuration in which each layer drops a share `drop` of its tokens; those in `whole` drop none."""
    genes, count = [], longest
    for layer in range(layers):
        if layer not in whole:
            count = max(LEAST, math.ceil((1 - drop) * count - 1e-6))
        genes.append(count)
    return tuple(genes)


@dataclass(frozen=True)
class Problem:
    """The inputs of a search: the number of layers with lengths to choose, and the cost and score functions."""

    layers: int
    longest: int
    cost: Callable[[Genes], float]
    score: Callable[[Genes], float]
    whole: frozenset[int] = frozenset()  # layers, from 0, that keep all tokens that enter them

    def fitted(self, genes: Genes) -> Genes:
        """The configuration, with the layers in `whole` keeping all tokens."""
        found = list(genes)
        for layer in sorted(self.whole & {*range(self.layers)}):
            found[layer] = found[layer - 1] if layer else self.longest
        return tuple(found)

    @property
    def full(self) -> Genes:
        """The configuration that drops nothing."""
        return (self.longest,) * self.layers

    def geometric(self, drop: float) -> Genes:
        """The configuration in which each layer drops a share `drop` of its tokens."""
        return geometric(self.layers, self.longest, self.whole, drop)

    def geometric_at(self, cost: float, steepest: float) -> Genes:
        """The geometric configuration with that cost, found by bisecting its drop between 0 and `steepest`."""
        low, high = 0.0, steepest
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.cost(self.geometric(middle)) > cost else (low, middle)
        return self.geometric(high)


class Evaluated:
    """The configurations scored so far; each is scored once."""

    def __init__(self, problem: Problem, floor: float) -> None:
        """floor: the cost of the shortest configuration, at most that of the full one; cheaper ones are not scored."""
        self.problem, self.floor = problem, floor
        self.points: dict[Genes, Point] = {}

    def add(self, genes: Genes) -> bool:
        """Score a configuration; False if it was scored before or is too short."""
        if genes in self.points:
            return False
        cost = self.problem.cost(genes)
        if cost < self.floor - 1e-12:
            return False
        self.points[genes] = Point(genes, cost, self.problem.score(genes))
        return True

    def front(self) -> list[Point]:
        """The Pareto-optimal configurations, cheapest first, plus the full one, which always comes last."""
        found: list[Point] = []
        for point in sorted(self.points.values(), key=lambda one: (one.cost, -one.score, one.genes)):
            if point.genes != self.problem.full and (not found or point.score > found[-1].score):
                found.append(point)
        full = self.points.get(self.problem.full)
        return [point for point in found if full is None or point.cost < full.cost] + ([full] if full else [])


def seeds(problem: Problem, count: int, steepest: float) -> list[Genes]:
    """The full and the shortest configuration, and `count` geometric ones evenly spaced in cost between them."""
    shortest = problem.geometric(steepest)
    low, high = problem.cost(shortest), problem.cost(problem.full)
    costs = [low + (high - low) * (place + 1) / (count + 1) for place in range(count)]
    return list(dict.fromkeys([problem.full, shortest, *(problem.geometric_at(cost, steepest) for cost in costs)]))


def mutate(parent: Genes, longest: int, share: float, generator: np.random.Generator) -> Genes:
    """A copy in which each layer is redrawn with probability `share`, between the tokens that the parent's next layer
    keeps and those that the previous layer of the copy keeps, so that lengths never grow.
    """
    genes, above = list(parent), longest
    for layer in range(len(genes)):
        if generator.random() < share:
            low = parent[layer + 1] if layer + 1 < len(parent) else min(LEAST, above)
            genes[layer] = int(generator.integers(min(low, above), above + 1))
        genes[layer] = above = min(genes[layer], above)
    return tuple(genes)


def cross(first: Genes, second: Genes) -> Genes:
    """The mean of two configurations, layer by layer, rounded up."""
    return tuple(math.ceil((one + other) / 2) for one, other in zip(first, second))


def evolve(
    evaluated: Evaluated, generator: np.random.Generator, *, mutations: int, crossovers: int, share: float
) -> int:
    """One iteration: score mutations and crossovers of configurations on the front; returns how many were new."""
    parents = [point.genes for point in evaluated.front()]
    longest = evaluated.problem.longest

    def pick() -> Genes:
        return parents[int(generator.integers(len(parents)))]

    def mutated() -> Genes:
        return evaluated.problem.fitted(mutate(pick(), longest, share, generator))

    def crossed() -> Genes:
        return cross(pick(), pick())

    return sum(_add_new(evaluated, make, count) for make, count in ((mutated, mutations), (crossed, crossovers)))


def _add_new(evaluated: Evaluated, make: Callable[[], Genes], count: int) -> int:
    """Score `count` new configurations, or fewer if the attempts run out."""
    found = 0
    for _ in range(ATTEMPTS * count):
        if found == count:
            break
        found += evaluated.add(make())
    return found


def greedy(evaluated: Evaluated) -> Iterator[Point]:
    """Starting from full length, cut a tenth of one layer's tokens at a time, where the score falls least per cost
    saved. Yields each step; ends when no allowed cut is left.
    """
    problem = evaluated.problem
    evaluated.add(problem.full)
    now = evaluated.points[problem.full]
    while True:
        tried = [genes for genes in dict.fromkeys(map(problem.fitted, _cuts(now.genes))) if genes != now.genes]
        for genes in tried:
            evaluated.add(genes)
        points = [evaluated.points[genes] for genes in tried if genes in evaluated.points]
        cheaper = [point for point in points if point.cost < now.cost]
        if not cheaper:
            return
        before = now
        now = min(cheaper, key=lambda one: ((before.score - one.score) / (before.cost - one.cost), one.cost, one.genes))
        yield now


def _cuts(genes: Genes) -> Iterable[Genes]:
    """The configurations with a tenth fewer tokens in one layer, and at most as many in the layers above it."""
    for layer, count in enumerate(genes):
        kept = max(LEAST, math.floor(CUT * count))
        yield (*genes[:layer], *(min(kept, one) for one in genes[layer:]))
