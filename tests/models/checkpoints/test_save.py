"""Saved folders: whole, replaced safely, and open again in our code and in stock transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification

from models.checkpoints.open import load_model
from models.checkpoints.save import save_model
from models.errors import ModelError
from tests.models.helpers import batch, fake_tokenizer, small


def write(model: Any, folder: Path, **changes: Any) -> Path:
    options: dict[str, Any] = {
        "tokenizer_save": fake_tokenizer,
        "label_names": ["no", "yes", "maybe"],
        "card": "# a card",
    }
    save_model(model, folder, **(options | changes))
    return folder


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"readout": {"name": "mean"}},
        {"layer_norm_eps": 1e-5},
        {"family": "dsn", "readout": {"name": "sum"}},
        {"family": "dsn", "readout": {"name": "sum_all"}},
    ],
)
def test_a_saved_model_comes_back_with_equal_logits(tmp_path: Path, changes: dict[str, Any]) -> None:
    model = small(**changes)
    again = load_model(write(model, tmp_path / "m"))
    assert not again.training
    assert torch.equal(again(**batch()), model(**batch()))


def test_the_folder_holds_config_weights_tokenizer_and_card(tmp_path: Path) -> None:
    folder = write(small(), tmp_path / "deep/down/m")
    assert {p.name for p in folder.iterdir()} == {
        "config.json", "model.safetensors", "tokenizer.json", "README.md",
    }  # fmt: skip
    assert (folder / "README.md").read_text() == "# a card"
    config = json.loads((folder / "config.json").read_text())
    assert config["id2label"] == {"0": "no", "1": "yes", "2": "maybe"}
    assert config["problem_type"] == "single_label_classification"


def test_a_plain_bert_opens_as_the_stock_class_with_equal_logits(tmp_path: Path) -> None:
    model = small(layer_norm_eps=1e-6)
    theirs = AutoModelForSequenceClassification.from_pretrained(write(model, tmp_path / "m")).eval()
    assert type(theirs) is BertForSequenceClassification
    assert theirs.config.id2label == {0: "no", 1: "yes", 2: "maybe"}
    for inputs in (batch(), batch(2, 64)):
        torch.testing.assert_close(theirs(**inputs).logits, model(**inputs), atol=1e-5, rtol=0)


def test_regression_is_marked_as_such(tmp_path: Path) -> None:
    folder = write(small(num_labels=1), tmp_path / "m", label_names=[])
    theirs = AutoModelForSequenceClassification.from_pretrained(folder)
    assert (theirs.config.num_labels, theirs.config.problem_type) == (1, "regression")
    assert load_model(folder)(**batch()).shape == (5, 1)


def test_saving_again_replaces_the_old_model_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write(small(1), tmp_path / "m")
    (tmp_path / "m" / "stale").touch()
    write(small(2), tmp_path / "m")
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
    assert not (tmp_path / "m/stale").exists()
    assert torch.equal(load_model(tmp_path / "m")(**batch()), small(2)(**batch()))


def test_a_save_that_fails_half_way_leaves_the_old_model_alone(tmp_path: Path) -> None:
    def fails(folder: Path) -> None:
        raise OSError("disk full")

    write(small(1), tmp_path / "m")
    with pytest.raises(OSError, match="disk full"):
        write(small(2), tmp_path / "m", tokenizer_save=fails)
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
    assert torch.equal(load_model(tmp_path / "m")(**batch()), small(1)(**batch()))


def test_a_new_model_that_cannot_be_put_in_place_brings_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def refuse_new(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            raise OSError("no")
        return replace(self, target)

    write(small(1), tmp_path / "m")
    monkeypatch.setattr(Path, "replace", refuse_new)
    with pytest.raises(OSError, match="no"):
        write(small(2), tmp_path / "m")
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
    assert torch.equal(load_model(tmp_path / "m")(**batch()), small(1)(**batch()))


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ModelError, match="other than a model, so it is not replaced"):
        write(small(), tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"tokenizer_class": "PreTrainedTokenizerFast"}, ["input_ids", "token_type_ids", "attention_mask"]),
        ({"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": ["input_ids"]}, ["input_ids"]),
        ({"tokenizer_class": "BertTokenizer"}, None),
    ],
    ids=["told", "known", "of the class"],
)
def test_stock_tokenizers_are_told_that_the_model_takes_segments(
    tmp_path: Path, config: dict[str, Any], wanted: list[str] | None
) -> None:
    def save(folder: Path) -> None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))

    folder = write(small(), tmp_path / "m", tokenizer_save=save)
    assert json.loads((folder / "tokenizer_config.json").read_text()).get("model_input_names") == wanted
