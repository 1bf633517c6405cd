"""Labels matched by name, and a head brought into their order."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.errors import ModelError
from models.heads.label_order import label_names_of, match_labels, reorder_head


def test_names_come_in_the_order_of_the_logits() -> None:
    assert label_names_of({"id2label": {"10": "k", "2": "c", "0": "a"}}) == ("a", "c", "k")
    assert label_names_of({}) == ("LABEL_0", "LABEL_1")


@pytest.mark.parametrize(
    ("found", "wanted", "order"),
    [
        (("no", "yes"), ("yes", "no"), [1, 0]),
        (("No", "YES"), ("yes", "no"), [1, 0]),
        (("A", "a"), ("a", "A"), [1, 0]),
        (("value",), (), [0]),
    ],
)
def test_labels_are_matched_by_name(found: tuple[str, ...], wanted: tuple[str, ...], order: list[int]) -> None:
    assert match_labels(found, wanted, "teacher=x", "teacher=null") == (order, [])


def test_mere_numbers_are_matched_by_number_with_a_note() -> None:
    order, notes = match_labels(("LABEL_0", "LABEL_1"), ("yes", "no"), "teacher=x", "teacher=null")
    assert order == [0, 1] and "were compared by number only" in notes[0]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (("a", "b", "c"), "predicts 3 labels, the task has 2"),
        (("a", "b"), "its labels are a, b, the task's are yes, no"),
    ],
)
def test_other_labels_are_refused(found: tuple[str, ...], message: str) -> None:
    with pytest.raises(ModelError, match=f"teacher=x: {message}. Try: teacher=null"):
        match_labels(found, ("yes", "no"), "teacher=x", "teacher=null")


def test_a_reordered_head_gives_the_same_logits_in_the_new_order() -> None:
    torch.manual_seed(0)
    head, vectors = nn.Linear(4, 3), torch.randn(5, 4)
    before = head(vectors).detach()
    reorder_head(head, [2, 0, 1])
    torch.testing.assert_close(head(vectors), before[:, [2, 0, 1]])
