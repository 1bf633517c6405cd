"""Which layer learns from which."""

from __future__ import annotations

import pytest

from models.compression.distillation.layer_map import layer_map
from models.errors import ModelError


@pytest.mark.parametrize(
    ("name", "student", "teacher", "layers"),
    [
        ("uniform", 4, 12, [3, 6, 9, 12]), ("uniform", 2, 12, [6, 12]), ("uniform", 6, 12, [2, 4, 6, 8, 10, 12]),
        ("uniform", 8, 12, [2, 3, 5, 6, 8, 9, 11, 12]), ("uniform", 4, 6, [2, 3, 5, 6]), ("uniform", 3, 3, [1, 2, 3]),
        ("top", 4, 12, [9, 10, 11, 12]), ("bottom", 4, 12, [1, 2, 3, 4]),
    ],
)  # fmt: skip
def test_every_layer_has_its_teacher(name: str, student: int, teacher: int, layers: list[int]) -> None:
    assert layer_map(name, student, teacher) == dict(zip(range(1, student + 1), layers))


def test_last_pairs_the_last_layers_alone() -> None:
    assert layer_map("last", 2, 12) == {2: 12}


def test_a_student_with_more_layers_is_refused() -> None:
    with pytest.raises(ModelError, match="6 layers cannot learn the layers of a teacher that has 4"):
        layer_map("uniform", 6, 4)
