"""Folders opened as models that predict, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from models.architecture import BERT_DEFAULTS
from models.backbones.freeze import freeze
from models.checkpoints.open import can_open, load_model, open_masked_lm, restore_saved
from models.errors import ModelError
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch, small, stock


def test_a_stock_classifier_opens_in_ours_with_equal_logits(tmp_path: Path) -> None:
    theirs = stock()
    theirs.save_pretrained(tmp_path)
    torch.testing.assert_close(load_model(tmp_path)(**batch()), theirs(**batch()).logits, atol=1e-5, rtol=0)


def test_a_restored_model_has_the_saved_weights_and_keeps_what_is_frozen(tmp_path: Path) -> None:
    saved, model = small(0), small(1)
    freeze(model, "encoder")
    found = restore_saved(model, write(saved, tmp_path / "m"))
    assert torch.equal(found(**batch()), saved(**batch()))
    assert found.frozen and not any(parameter.requires_grad for parameter in found.bert.encoder.parameters())


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"model_type": "bertier"}, True),
        (BERT_DEFAULTS | {"model_type": "bert"}, True),
        ({"model_type": "bert", "hidden_act": "relu"}, False),
        ({"model_type": "roberta"}, False),
    ],
)
def test_which_folders_can_be_opened(config: dict[str, Any], expected: bool) -> None:
    assert can_open(config) == expected


def test_a_classifier_is_no_masked_word_model(tmp_path: Path) -> None:
    folder = write(small(), tmp_path / "m")
    with pytest.raises(ModelError, match=r"model.x=.*has no head for masked words.*Try: model.x="):
        open_masked_lm(str(folder), "model.x")


@pytest.mark.parametrize("case", ["no folder", "no config", "another kind", "half the weights", "another shape"])
def test_what_is_not_a_whole_model_is_refused(tmp_path: Path, case: str) -> None:
    if case == "no config":
        tmp_path.joinpath("m").mkdir()
        (tmp_path / "m" / "README.md").touch()
    elif case != "no folder":
        config = write(small(), tmp_path / "m") / "config.json"
        edits = {"another kind": '"model_type": "bert"', "half the weights": '"num_hidden_layers": 2'}
        new = {"another kind": '"model_type": "gpt2"', "half the weights": '"num_hidden_layers": 3'}
        old = edits.get(case, '"intermediate_size": 48')
        config.write_text(config.read_text().replace(old, new.get(case, '"intermediate_size": 52')))
    expected = {
        "no folder": "there is no such folder",
        "no config": "has no config.json",
        "another kind": "is a gpt2, not a model saved by Bertier",
        "half the weights": "is not a complete classifier",
        "another shape": "weights and config.json disagree",
    }
    with pytest.raises(ModelError, match=expected[case]):
        load_model(tmp_path / "m")
