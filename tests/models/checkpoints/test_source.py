"""A checkpoint is refused by its config.json alone, before data or weights are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.checkpoints.source import check_readout, check_source
from models.errors import ModelError
from models.settings import ModelSettings

BERT: dict[str, Any] = {
    "model_type": "bert", "vocab_size": 90, "num_hidden_layers": 3, "hidden_size": 24, "num_attention_heads": 2,
    "intermediate_size": 32,
}  # fmt: skip


def folder(tmp_path: Path, **changes: Any) -> str:
    (tmp_path / "config.json").write_text(json.dumps(BERT | changes), encoding="utf-8")
    return str(tmp_path)


def test_what_a_config_leaves_out_means_the_default_of_its_own_family(tmp_path: Path) -> None:
    settings = ModelSettings(family="auto", pretrained=folder(tmp_path))
    assert check_source(settings)["type_vocab_size"] == 2 and check_source(settings)["pad_token_id"] == 0
    folder(tmp_path, model_type="deberta-v2")
    assert check_source(settings)["type_vocab_size"] == 0 and check_source(settings)["layer_norm_eps"] == 1e-7
    folder(tmp_path, model_type="roberta")
    assert check_source(settings)["pad_token_id"] == 1
    folder(tmp_path, model_type="roberta", pad_token_id=5)
    assert check_source(settings)["pad_token_id"] == 5


def test_without_a_checkpoint_there_is_nothing_to_check() -> None:
    assert check_source(ModelSettings()) == {}
    with pytest.raises(ModelError, match="model/backbone=auto needs an encoder"):
        check_source(ModelSettings(family="auto"))


def test_defaults_of_transformers_fill_what_a_config_leaves_out(tmp_path: Path) -> None:
    config = check_source(ModelSettings(pretrained=folder(tmp_path)))
    assert config["hidden_size"] == 24 and config["type_vocab_size"] == 2


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        ({"tokenizer": "train"}, {}, "model.tokenizer=train makes a new vocabulary"),
        ({}, {"hidden_act": "relu"}, "is a bert with relu and absolute positions, not a BERT like model=bert-tiny"),
        ({"family": "auto"}, {"model_type": "gpt2"}, "a gpt2 is not a text encoder"),
        (
            {"family": "auto", "embedding": {"name": "hash"}},
            {"model_type": "roberta"},
            "takes the place of the word",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    settings: dict[str, Any], changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=message):
        check_source(ModelSettings(pretrained=folder(tmp_path, **changes), **settings))


def test_a_readout_is_made_for_the_checkpoint_without_memory(tmp_path: Path) -> None:
    settings = ModelSettings(family="auto", pretrained=folder(tmp_path), readout={"name": "cls"})
    readout, hidden, layers = check_readout(settings)
    assert (hidden, layers) == (24, 3) and next(readout.parameters()).is_meta
