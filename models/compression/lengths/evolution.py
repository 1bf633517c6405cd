"""Searches for lengths of each layer that lose little at each cost; numbers alone, no model.

A configuration is the tokens that leave each layer, `genes`, of `longest` that enter the first. Sources: the evolution
is that of Kim & Cho 2021, arXiv 2010.07003 (clovaai/length-adaptive-transformer, evolution.py), with an end for
encoders that run out of new configurations; seeds on a geometric curve as there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

Genes = tuple[int, ...]
LEAST = 2  # tokens that a layer keeps
ATTEMPTS = 50  # for each new configuration that is wanted, before a search gives up
BISECTIONS = 40
CUT = 0.9  # of a layer's tokens that the greedy search keeps in a step


@dataclass(frozen=True)
class Point:
    """A configuration with its cost, a share of the full model's, and its score; higher is better."""

    genes: Genes
    cost: float
    score: float


@dataclass(frozen=True)
class Problem:
    """The encoder as a search sees it: its layers with lengths to choose, and how a configuration costs and scores."""

    layers: int
    longest: int
    cost: Callable[[Genes], float]
    score: Callable[[Genes], float]

    @property
    def full(self) -> Genes:
        """The configuration that drops nothing."""
        return (self.longest,) * self.layers

    def geometric(self, drop: float) -> Genes:
        """The configuration whose layers each drop the share `drop` of their tokens."""
        genes, count = [], self.longest
        for _ in range(self.layers):
            count = max(LEAST, math.ceil((1 - drop) * count - 1e-6))
            genes.append(count)
        return tuple(genes)

    def geometric_at(self, cost: float, steepest: float) -> Genes:
        """The geometric configuration of that cost, found by bisection of its drop between 0 and `steepest`."""
        low, high = 0.0, steepest
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.cost(self.geometric(middle)) > cost else (low, middle)
        return self.geometric(high)


class Evaluated:
    """The configurations scored so far; each is scored once."""

    def __init__(self, problem: Problem, floor: float) -> None:
        """floor: the cost of the shortest configuration, below which none is scored."""
        self.problem, self.floor = problem, floor
        self.points: dict[Genes, Point] = {}

    def add(self, genes: Genes) -> bool:
        """Score a configuration; False if it is known or too short."""
        if genes in self.points:
            return False
        cost = self.problem.cost(genes)
        if cost < self.floor - 1e-12:
            return False
        self.points[genes] = Point(genes, cost, self.problem.score(genes))
        return True

    def front(self) -> list[Point]:
        """The configurations that no cheaper one equals or beats, cheapest first; the full one is always the last."""
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
    """A copy in which each layer is drawn again with probability `share`: from what the parent's next layer keeps to
    what the layer below now keeps, so that lengths never grow.
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
    """One iteration: score children of configurations on the front; returns how many were new."""
    parents = [point.genes for point in evaluated.front()]
    longest = evaluated.problem.longest

    def pick() -> Genes:
        return parents[int(generator.integers(len(parents)))]

    def mutated() -> Genes:
        return mutate(pick(), longest, share, generator)

    def crossed() -> Genes:
        return cross(pick(), pick())

    return sum(_add_new(evaluated, make, count) for make, count in ((mutated, mutations), (crossed, crossovers)))


def _add_new(evaluated: Evaluated, make: Callable[[], Genes], count: int) -> int:
    """Score `count` new configurations, fewer where hardly any are left."""
    found = 0
    for _ in range(ATTEMPTS * count):
        if found == count:
            break
        found += evaluated.add(make())
    return found


def greedy(evaluated: Evaluated) -> Iterator[Point]:
    """From full length on, cut a tenth of the tokens of one layer at a time: where the score falls least for the cost
    that is saved. Yields each step; ends when the shortest configuration is reached.
    """
    problem = evaluated.problem
    evaluated.add(problem.full)
    now = evaluated.points[problem.full]
    while True:
        tried = [genes for genes in dict.fromkeys(_cuts(now.genes)) if genes != now.genes]
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
    """The configurations with a tenth less in one layer, and at most as much above it."""
    for layer, count in enumerate(genes):
        kept = max(LEAST, math.floor(CUT * count))
        yield (*genes[:layer], *(min(kept, one) for one in genes[layer:]))
