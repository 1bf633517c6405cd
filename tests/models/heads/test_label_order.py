"""Labels matched by name, and a head brought into their order."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from models.compression.quantization.coded import CodedLinear, Codes
from models.compression.quantization.grid import Grid
from models.errors import ModelError
from models.heads.exits import attach_exits
from models.heads.label_order import label_names_of, match_labels, reorder_head, reorder_outputs
from tests.models.heads.test_added_ngrams import compared, with_ngrams
from tests.models.helpers import batch, small


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


@pytest.mark.parametrize(
    ("found", "wanted"),
    [(("LABEL_0", "LABEL_1"), ("yes", "no")), (("yes", "no"), ("0", "1")), (("0", "1"), ("a", "b"))],
)
def test_mere_numbers_are_matched_by_number_with_a_note(found: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    order, notes = match_labels(found, wanted, "teacher=x", "teacher=null")
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


@torch.no_grad()
@pytest.mark.parametrize("order", [[1, 0], [2, 0, 1]])
def test_added_ngrams_are_reordered_with_the_head(order: list[int]) -> None:
    network, inputs = compared(len(order)), batch(length=9)
    with_ngrams(network)
    before = network(**inputs)
    reorder_outputs(network, order, "from=x")
    shares = network(**inputs).softmax(-1)
    torch.testing.assert_close(shares, before.softmax(-1)[:, order])
    assert not torch.allclose(shares, before.softmax(-1))


@torch.no_grad()
def test_exits_are_reordered_with_the_head() -> None:
    network, inputs = small(layers=3), batch()
    attach_exits(network, [1, 2], rule="confidence").thresholds.fill_(0.4)
    before = network(**inputs)
    assert network.exits.take_counts(3)[3] < 5, "some rows leave"
    reorder_outputs(network, [2, 0, 1], "from=x")
    torch.testing.assert_close(network(**inputs), before[:, [2, 0, 1]])


@torch.no_grad()
@pytest.mark.parametrize("grid", [Grid(8), Grid(4, "symmetric", "group", 16), Grid(8, "affine", "tensor")])
def test_codes_of_each_label_are_reordered(grid: Grid) -> None:
    network, inputs = coded(grid), batch()
    before = coded(grid)(**inputs)
    reorder_outputs(network, [2, 0, 1], "from=x")
    torch.testing.assert_close(network(**inputs), before[:, [2, 0, 1]])


def test_codes_that_labels_share_are_refused() -> None:
    with pytest.raises(ModelError, match=r"from=x: its labels have another order .*Try: data\.label_names="):
        reorder_outputs(coded(Grid(4, block=2)), [2, 0, 1], "from=x")


def coded(grid: Grid) -> Any:
    """A network whose last layer is quantized."""
    network = small()
    layer = network.classifier
    network.classifier = CodedLinear(layer, Codes(*layer.weight.shape, grid))
    network.classifier.fill(layer.weight)
    return network
