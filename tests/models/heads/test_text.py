"""One answer a text: what is saved of the head of a classifier and of a regression."""

from __future__ import annotations

import torch

from models.heads.target_scale import standardise_targets
from tests.models.helpers import small


def test_a_config_names_the_classes_and_the_loss() -> None:
    labels = small(num_labels=2).labels(["no", "yes"])
    assert labels["id2label"] == {"0": "no", "1": "yes"} and labels["problem_type"] == "single_label_classification"
    assert small(num_labels=1).labels([]) == {
        "id2label": {"0": "value"}, "label2id": {"value": 0}, "problem_type": "regression",
    }  # fmt: skip


def test_a_stock_class_gets_the_scale_of_the_targets_in_its_last_layer() -> None:
    plain, mixed = small(num_labels=1), small(num_labels=1, readout={"name": "mean"})
    for model in (plain, mixed):
        standardise_targets(model, mean=100.0, sd=5.0, is_fresh=True)
    assert plain.is_stock() and not mixed.is_stock()
    folded = plain.saved_tensors()["classifier.weight"]
    torch.testing.assert_close(folded, plain.classifier.weight * 5.0)
    assert torch.equal(mixed.saved_tensors()["classifier.weight"], mixed.classifier.weight)
