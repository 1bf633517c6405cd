"""Ternary weights: three values a group, 1.6 bits each, the file as good as the model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from models.compression.quantization.coded import CodedLinear
from models.compression.settings.quantization import Ternary as Options
from models.compression.ternary import Ternary
from runner.measure.size import bytes_packed
from tests.models.compression.row_context import answers, applied, reopened
from tests.models.helpers import small


@pytest.mark.parametrize("form", ["affine", "ternary"])
def test_weights_have_three_values_and_the_saved_folder_answers_alike(form: str, tmp_path: Path) -> None:
    model, _ = applied(Ternary(Options(group=16, embedding_form=form)), small())
    layers = [module for module in model.modules() if isinstance(module, CodedLinear)]
    assert len(layers) == 13 and isinstance(model.classifier, nn.Linear)
    for layer in layers:
        groups = layer.decoded_weight().unflatten(1, (-1, 16))
        sizes = groups.abs().amax(-1, keepdim=True)
        assert ((groups == 0) | (groups.abs() == sizes)).all() and (groups == 0).any()
    table = model.bert.embeddings.word_embeddings.decoded_weight()
    assert (len(table[5].abs().unique()) <= 4) == (form == "ternary")  # two groups, each with 0 and one size
    assert torch.equal(answers(reopened(model, tmp_path / "model")), answers(model))


def test_a_layer_takes_a_fifth_of_a_byte_a_weight_and_a_step_a_group() -> None:
    model, _ = applied(Ternary(Options(group=16, embeddings=False)), small())
    plain = small()
    linear = [m.weight for name, m in plain.named_modules() if type(m) is nn.Linear and name != "classifier"]
    rest = bytes_packed(plain) - 4 * sum(weight.numel() for weight in linear)
    coded = sum(len(w) * (-(-w.shape[1] // 5) + 4 * w.shape[1] // 16) for w in linear)
    assert bytes_packed(model) == rest + coded
