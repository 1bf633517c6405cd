"""Files of different runs in one folder are noticed; questions come back as answers with the declared fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from torch import nn

from models.compression.dendrite.module import Dendritic
from models.compression.splitquant import SplitLinear
from models.network import Network
from runner.deploy.exported import find_model
from runner.deploy.predictor import Predictor, check_files_match
from runner.errors import ConfigError


def test_answers_have_the_declared_fields(output: Path) -> None:
    predictor = Predictor(find_model("aaaa", output, "auto"))
    answers = predictor(["a film", "so " * 99])
    assert [list(answer) for answer in answers] == [[field.name for field in predictor.answer_fields]] * 2
    shares = answers[0]["probabilities"]
    assert answers[0]["prediction"] == max(shares, key=shares.get) and sum(shares.values()) == pytest.approx(1.0)
    assert predictor([]) == []


def test_files_that_do_not_belong_together_are_named(output: Path) -> None:
    predictor = Predictor(find_model("aaaa", output, "auto"))
    with pytest.raises(
        ConfigError, match=r"2 outputs for 3 labels, 9,999 tokens for .* word vectors, 64 positions for 65"
    ):
        check_files_match(predictor.model, replace(predictor.exported, max_length=65), 3, 9999)


def test_a_text_that_is_not_unicode_is_refused(output: Path) -> None:
    with pytest.raises(ConfigError, match="a text is not Unicode"):
        Predictor(find_model("bbbb", output, "auto"))(["\ud800"], ["b"])


def test_one_long_text_changes_no_answer_and_no_order(output: Path) -> None:
    predictor = Predictor(find_model("aaaa", output, "auto"))
    texts = ["a film", "so " * 60, "a dull film", "good " * 25, "bad"]
    together, alone = predictor(texts), [predictor([text])[0] for text in texts]
    for one, other in zip(together, alone, strict=True):
        assert one["prediction"] == other["prediction"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)


@pytest.mark.parametrize("replace_layer", [Dendritic, SplitLinear.exact])
def test_a_head_with_dendrites_or_in_three_parts_has_as_many_outputs_as_before(
    output: Path, replace_layer: Callable[[nn.Linear], nn.Module]
) -> None:
    predictor = Predictor(find_model("aaaa", output, "auto"))
    model = cast(Network, predictor.model)
    model.classifier = replace_layer(cast(nn.Linear, model.classifier))  # type: ignore[assignment]
    check_files_match(model, predictor.exported, 2, predictor.tokenizer.vocab_size)
    with pytest.raises(ConfigError, match="2 outputs for 3 labels"):
        check_files_match(model, predictor.exported, 3, predictor.tokenizer.vocab_size)
