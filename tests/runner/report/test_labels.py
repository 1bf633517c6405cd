"""Labels overlap neither each other nor points, and stay within the bounds."""

from __future__ import annotations

import random

import pytest

from runner.report.labels import Box, Label, place_labels

BOUNDS = Box(0, 0, 700, 400)


@pytest.mark.parametrize("crowd", [1.0, 0.2, 0.03])
def test_forty_labels_are_placed_without_touching(crowd: float) -> None:
    draw = random.Random(0)
    places = [(350 + crowd * draw.uniform(-330, 330), 200 + crowd * draw.uniform(-180, 180)) for _ in range(40)]
    points = [Box(x - 5, y - 5, x + 5, y + 5) for x, y in places]
    found = place_labels([Label(x, y, 16, 15) for x, y in places], BOUNDS, points)
    boxes = [box for box in found if box]
    assert len(boxes) == 40 and all(BOUNDS.holds(box) for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert not any(box.overlaps(point) for box in boxes for point in points)


def test_a_label_without_room_has_no_place_and_what_stands_already_is_kept_free() -> None:
    wide = Label(350, 200, 900, 15)
    assert place_labels([wide], BOUNDS, []) == [None]
    near = Label(350, 200, 100, 15, reach=10)
    everything = Box(200, 100, 500, 300)
    assert place_labels([near], BOUNDS, [], [everything]) == [None]


def test_the_first_choice_is_to_the_right() -> None:
    found = place_labels([Label(350, 200, 50, 14)], BOUNDS, [])[0]
    assert found and found.left == pytest.approx(358) and (found.top + found.bottom) / 2 == pytest.approx(200)
