"""config.json, tensors and tokens of a checkpoint, and the names of tensors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.checkpoints.read import (
    load_pretrained,
    read_config,
    read_state,
    read_tokens,
    rename_bert_tensors,
    require_weights,
    weight_files,
)
from models.errors import ModelError
from tests.models.helpers import small


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no config.json, so it is not a model"),
        ("{", "is not JSON"),
        ("[]", "names no model_type"),
        ('{"model_type": 3}', "names no model_type"),
    ],
)
def test_a_config_that_is_none_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    name = "README.md" if content is None else "config.json"
    (tmp_path / name).write_text(content or "")
    with pytest.raises(ModelError, match=message):
        read_config(str(tmp_path))


def test_tensors_of_several_files_are_read_as_fp32(tmp_path: Path) -> None:
    parts = {"a.safetensors": {"one": torch.ones(2).half()}, "b.safetensors": {"two": torch.arange(3)}}
    for name, tensors in parts.items():
        save_file(tensors, tmp_path / name)
    index = {"weight_map": {"one": "a.safetensors", "two": "b.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    require_weights(str(tmp_path))
    assert [path.name for path in weight_files(str(tmp_path))] == ["a.safetensors", "b.safetensors"]
    state = read_state(str(tmp_path))
    assert state["one"].dtype == torch.float32 and state["two"].dtype == torch.int64


def test_a_folder_without_weights_and_a_damaged_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no model\.safetensors, so its weights are unavailable"):
        require_weights(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match=r"model\.safetensors is damaged .*Remove it and try again"):
        read_state(str(tmp_path))


def test_tokens_come_in_the_order_of_their_ids_with_gaps_empty(tmp_path: Path) -> None:
    content = {"model": {"vocab": {"b": 3, "a": 0}}, "added_tokens": [{"id": 1, "content": "[MASK]"}]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    assert read_tokens(str(tmp_path)) == ["a", "[MASK]", "", "b"]


def test_names_of_any_age_become_ours() -> None:
    one = torch.ones(1)
    old = {"embeddings.LayerNorm.gamma": one, "pooler.dense.bias": one, "other": one}
    assert set(rename_bert_tensors(old)) == {"bert.embeddings.LayerNorm.weight", "bert.pooler.dense.bias", "other"}
    assert set(rename_bert_tensors({"bert.x.LayerNorm.beta": one, "cls.y": one})) == {"bert.x.LayerNorm.bias", "cls.y"}


def test_a_head_is_never_loaded_and_the_report_says_what_was() -> None:
    model, other = small(0), small(1)
    head = model.classifier.weight.clone()
    report = load_pretrained(model, "some/model", other.state_dict() | {"extra": torch.ones(1)})
    assert torch.equal(model.classifier.weight, head) and torch.equal(
        model.bert.pooler.dense.weight, other.bert.pooler.dense.weight
    )
    assert report.ignored == ["classifier.bias", "classifier.weight", "extra"]
    assert report.new == ["classifier.bias", "classifier.weight"] and len(report.fingerprint) == 64


def test_values_that_are_not_finite_or_of_a_quantized_checkpoint_are_not_loaded() -> None:
    name, model = "bert.encoder.layer.0.output.dense.weight", small(0)
    state = small(1).state_dict()
    for value in (torch.inf, torch.nan):
        with pytest.raises(ModelError, match=f"{name} has values that are infinite or not a number"):
            load_pretrained(model, "some/model", state | {name: torch.full_like(state[name], value)})
    with pytest.raises(ModelError, match=f"{name} holds whole numbers, as in a quantized checkpoint"):
        load_pretrained(model, "some/model", state | {name: state[name].to(torch.int8)})


@pytest.mark.hub
def test_a_hub_repository_is_read_and_an_unknown_one_refused() -> None:
    name = "sentence-transformers/all-MiniLM-L6-v2"
    assert read_config(name)["num_hidden_layers"] == 6
    assert len(read_state(name)) >= 103
    with pytest.raises(ModelError, match="is neither a folder nor a model on"):
        read_config("nobody/never-was-here")
