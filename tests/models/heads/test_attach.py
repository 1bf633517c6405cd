"""Heads by their names, and what a config.json says of one."""

from __future__ import annotations

from typing import Any

import pytest
import transformers

from models.checkpoints.save import describe_saved
from models.errors import ModelError
from models.heads.attach import HEADS, LINEAR, head_in_config
from models.heads.base import HeadSpec
from tests.models.helpers import small


@pytest.mark.parametrize("name", HEADS)
def test_every_head_says_which_classes_of_transformers_it_is(name: str) -> None:
    head = HEADS[name]
    assert hasattr(transformers, head.auto_class) and hasattr(transformers, head.stock_class)
    assert head.stock_class.removeprefix("Bert") == head.auto_class.removeprefix("AutoModel")
    assert head.reads in ("text", "tokens")


@pytest.mark.parametrize("readout", [None, "scalar"])
@pytest.mark.parametrize("name", LINEAR)
def test_a_config_says_which_head_wrote_it(name: str, readout: str | None) -> None:
    part = {"name": "none"} if LINEAR[name].reads == "tokens" else {"name": "mean" if readout else "cls"}
    model = small(head=name, readout=part, num_labels=3)
    found = head_in_config(describe_saved(model, ["a", "b", "c"]))
    assert (found.name, found.outputs) == (name, 3)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, HeadSpec("text", 2)),
        ({"architectures": None, "problem_type": {"odd": 1}}, HeadSpec("text", 2)),
        ({"architectures": ["XForTokenClassification"], "id2label": {"0": "O"}}, HeadSpec("token", 1)),
        ({"architectures": ["BertForMaskedLM"], "problem_type": "regression"}, HeadSpec("text", 2, "regression")),
    ],
)
def test_what_a_config_does_not_say_is_a_classifier_of_texts(config: dict[str, Any], expected: HeadSpec) -> None:
    assert head_in_config(config) == expected


def test_a_head_for_texts_refuses_a_vector_for_each_token() -> None:
    with pytest.raises(ModelError, match="gives a vector for each token, but this task needs one for the text"):
        small(readout={"name": "none"})
