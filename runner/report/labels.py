"""Places labels beside their points so that no two labels overlap and none covers a point.

    places = place_labels([Label(x, y, width, height)], Box(0, 0, 700, 400), points)

Greedy, in the given order: around its point, at growing distances. Needs neither a browser nor a drawing library.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ANGLES = tuple(math.radians(degrees) for degrees in (0, 180, -90, 90, -30, 30, -150, 150, -60, 60, -120, 120))
DISTANCES = (2.0, 7.0, 14.0, 24.0, 36.0, 52.0, 72.0, 100.0, 140.0, 190.0, 260.0)
GAP = 1.5  # pixels between two labels


@dataclass(frozen=True)
class Box:
    """A rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box, gap: float = 0.0) -> bool:
        """Return whether the two boxes overlap, or are closer to each other than the gap."""
        return (
            self.left < other.right + gap
            and other.left < self.right + gap
            and self.top < other.bottom + gap
            and other.top < self.bottom + gap
        )

    def holds(self, other: Box) -> bool:
        """Return whether the other box lies within this one."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


@dataclass(frozen=True)
class Label:
    """A label of this size for a point at (x, y). reach: the maximum distance from the point."""

    x: float
    y: float
    width: float
    height: float
    radius: float = 6.0  # of the point
    reach: float = math.inf


def place_labels(
    labels: Sequence[Label], bounds: Box, points: Sequence[Box], taken: Sequence[Box] = ()
) -> list[Box | None]:
    """Return the box of each label within the bounds; None if there is no room for it.

    points: areas that no label may cover. taken: the boxes of labels that are placed already.
    """
    standing = list(taken)
    places: list[Box | None] = []
    for label in labels:
        free = (
            box
            for box in _candidates(label)
            if bounds.holds(box)
            and not any(box.overlaps(other, GAP) for other in standing)
            and not any(box.overlaps(point) for point in points)
        )
        found = next(free, None)
        places.append(found)
        standing += [found] if found else []
    return places


def _candidates(label: Label) -> Iterator[Box]:
    """Yield places around a label's point, the nearest first: right, left, above, below, then between."""
    for distance in DISTANCES:
        if distance > label.reach:
            return
        for angle in ANGLES:
            across, down = math.cos(angle), math.sin(angle)
            x = label.x + across * (label.radius + distance + label.width / 2)
            y = label.y + down * (label.radius + distance + label.height / 2)
            yield Box(x - label.width / 2, y - label.height / 2, x + label.width / 2, y + label.height / 2)
