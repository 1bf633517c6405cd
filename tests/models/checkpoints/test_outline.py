"""A checkpoint whose files are of two models is told by their heads, without its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from models.checkpoints.outline import read_outline
from models.checkpoints.source import check_source
from models.errors import ModelError
from models.settings import ModelSettings
from tests.models.families import FAMILIES, SIZES


def saved(family: str, folder: Path, **changes: Any) -> ModelSettings:
    """Settings of model=auto that start from a folder of that family."""
    config = getattr(transformers, f"{family}Config")(**((SIZES if family == "Bert" else FAMILIES[family]) | changes))
    getattr(transformers, f"{family}Model")(config).save_pretrained(folder)
    return ModelSettings(family="auto", pretrained=str(folder))


@pytest.mark.parametrize(
    ("family", "longest"), [("Bert", 42), ("Roberta", 40), ("DistilBert", 42), ("NomicBert", 42), ("ModernBert", 42)]
)
def test_a_sound_checkpoint_has_an_outline(family: str, longest: int, tmp_path: Path) -> None:
    settings = saved(family, tmp_path)
    found = read_outline(settings, check_source(settings))
    assert (found.longest, found.rows) == (longest, 90)


@pytest.mark.parametrize(
    ("family", "other"), [("Bert", "DistilBert"), ("Roberta", "MPNet"), ("DistilBert", "ModernBert")]
)
def test_the_weights_of_another_family_are_refused(family: str, other: str, tmp_path: Path) -> None:
    settings = saved(family, tmp_path / "one")
    saved(other, tmp_path / "other")
    (tmp_path / "other" / "config.json").replace(tmp_path / "one" / "config.json")
    with pytest.raises(
        ModelError, match=r"its weights lack \d+ tensors of the encoder, .*Is its config.json of another"
    ):
        read_outline(settings, check_source(settings))


def test_a_table_of_another_size_and_a_file_cut_short_are_refused(tmp_path: Path) -> None:
    settings = saved("Bert", tmp_path)
    content = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(content | {"vocab_size": 91}), encoding="utf-8")
    with pytest.raises(
        ModelError, match=r"word_embeddings.weight has shape \(90, 32\), the model expects \(91, 32\). Is its"
    ):
        read_outline(settings, check_source(settings))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(ModelError, match=r"is damaged .*Get a fresh copy of it"):
        read_outline(settings, check_source(settings))


def test_values_are_not_read_and_another_embedding_has_no_table(tmp_path: Path) -> None:
    settings = saved("Bert", tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    save_file({name: tensor * float("nan") for name, tensor in state.items()}, tmp_path / "model.safetensors")
    before = torch.random.get_rng_state()
    assert read_outline(settings, check_source(settings)).rows == 90
    assert torch.equal(before, torch.random.get_rng_state())
    settings.embedding = {"name": "hash"}
    assert read_outline(settings, check_source(settings)).rows is None


def test_another_embedding_or_size_than_the_settings_have_is_told_where_the_weights_are_loaded(tmp_path: Path) -> None:
    settings = saved("Bert", tmp_path)
    config = check_source(settings)
    assert read_outline(settings, config | {"embedding": "hash"}).rows is None
    preset = ModelSettings(family="bert", hidden=64, positions=512, pretrained=str(tmp_path))
    assert read_outline(preset, config).longest == 512
