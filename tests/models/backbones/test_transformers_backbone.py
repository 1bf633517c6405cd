"""Encoders that are not ours, wrapped; and the models that are no encoders, refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from transformers import AutoModelForSequenceClassification

from models.backbones.transformers_backbone import wrap_encoder
from models.build import build
from models.checkpoints.open import load_model
from models.checkpoints.read import WeightsReport
from models.checkpoints.source import check_readout
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.checkpoints.test_save import write
from tests.models.families import FAMILIES, SIZES, save_family
from tests.models.helpers import batch, count

ROBERTA = SIZES | {"type_vocab_size": 1}
DISTILBERT = FAMILIES["DistilBert"] | {"max_position_embeddings": 40}


def save_backbone(name: str, shape: dict[str, Any], folder: Path, task: str = "Model") -> Any:
    """A model of transformers with random weights, saved as its own library does."""
    torch.manual_seed(0)
    model = getattr(transformers, f"{name}{task}")(getattr(transformers, f"{name}Config")(**shape)).eval()
    model.save_pretrained(folder)
    return model


def start(folder: Path, **changes: Any) -> tuple[Any, WeightsReport]:
    settings = ModelSettings(**({"family": "auto", "pretrained": str(folder)} | changes))
    model, weights = build(settings, head=HeadSpec(outputs=3), vocab_size=90)
    return model.eval(), weights


@pytest.mark.parametrize("task", ["Model", "ForMaskedLM"])
def test_a_distilbert_gives_its_encoder_under_our_readout_and_head(tmp_path: Path, task: str) -> None:
    theirs = save_backbone("DistilBert", DISTILBERT, tmp_path, task)
    backbone = theirs if task == "Model" else theirs.distilbert
    model, weights = start(tmp_path, readout={"name": "mean"})
    inputs = batch()
    mask = inputs["attention_mask"].unsqueeze(-1)
    hidden = backbone(inputs["input_ids"], inputs["attention_mask"]).last_hidden_state
    expected = model.classifier((hidden * mask).sum(1) / mask.sum(1))
    torch.testing.assert_close(model(**inputs), expected, atol=1e-5, rtol=0)
    assert weights.new == ["classifier.bias", "classifier.weight"] and not weights.notes
    assert any("vocab" in name for name in weights.ignored) == (task == "ForMaskedLM")


def test_a_roberta_takes_no_segments_and_keeps_its_pooler(tmp_path: Path) -> None:
    theirs = save_backbone("Roberta", ROBERTA, tmp_path)
    model, weights = start(tmp_path)
    inputs = batch()
    expected = theirs(inputs["input_ids"], inputs["attention_mask"]).pooler_output
    torch.testing.assert_close(model(**inputs), model.classifier(expected), atol=1e-5, rtol=0)
    assert not weights.notes
    assert count(model) == count(theirs) + 32 * 3 + 3  # no pooler twice
    assert model.architecture["max_position_embeddings"] == 40  # two places belong to padding


def test_a_pooler_the_checkpoint_lacks_is_new_and_said(tmp_path: Path) -> None:
    save_backbone("DistilBert", DISTILBERT, tmp_path)
    model, weights = start(tmp_path)
    assert "bert.pooler.dense.weight" in weights.new
    assert "has no pooler" in weights.notes[0]
    assert not model.bert.pooler.dense.bias.any()


def test_a_bert_our_encoder_does_not_compute_is_wrapped(tmp_path: Path) -> None:
    shape = {key: value for key, value in ROBERTA.items() if key != "type_vocab_size"} | {"hidden_act": "relu"}
    theirs = save_backbone("Bert", shape, tmp_path)
    model, _ = start(tmp_path)
    torch.testing.assert_close(model(**batch()), model.classifier(theirs(**batch()).pooler_output), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("name", "shape"), [("DistilBert", DISTILBERT), ("Roberta", ROBERTA)])
def test_a_wrapped_encoder_is_saved_and_opens_in_ours_and_in_transformers(
    tmp_path: Path, name: str, shape: dict[str, Any]
) -> None:
    save_backbone(name, shape, tmp_path / "hub")
    model, _ = start(tmp_path / "hub")
    folder = write(model, tmp_path / "m")
    torch.testing.assert_close(load_model(folder)(**batch()), model(**batch()))
    theirs = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    torch.testing.assert_close(theirs(**batch()).logits, model(**batch()))


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "gpt2"},
        {"model_type": "llama"},
        {"model_type": "t5", "is_encoder_decoder": True},
        {"model_type": "bart", "is_encoder_decoder": True},
        {"model_type": "bert", "is_decoder": True, "vocab_size": 90},
        {"model_type": "vit"},
        {"model_type": "made_up_last_week"},
    ],
    ids=lambda config: config["model_type"],
)
def test_what_is_not_a_text_encoder_is_refused_before_it_is_built(tmp_path: Path, config: dict[str, Any]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=f"a {config['model_type']} is not a text encoder"):
        start(tmp_path)


def test_an_encoder_that_pools_the_length_of_a_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "funnel"}')
    with pytest.raises(ModelError, match=r"a funnel has fewer states than the text has tokens.*Try: run model=auto"):
        start(tmp_path)


@pytest.mark.parametrize("model_type", ["convbert", "fnet", "nystromformer", "yoso"])
def test_an_encoder_that_reads_padding_is_refused(tmp_path: Path, model_type: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    with pytest.raises(ModelError, match=rf"a {model_type} .* padding, so the answer for a text would.*Try: run model"):
        start(tmp_path)


@pytest.mark.parametrize("model_type", ["squeezebert", "layoutlm"])
def test_a_family_that_calls_its_pooler_runs_without_it(model_type: str) -> None:
    shape = SIZES | {"model_type": model_type, "embedding_size": 32}
    backbone, _ = wrap_encoder(shape, {"name": "mean"}, 0.1)
    assert backbone.eval()(**batch(vocab_size=90)).shape == (5, 32)
    assert not [name for name in backbone.state_dict() if name.startswith("backbone.pooler")]


def test_a_text_is_read_alike_alone_and_padded_where_tokens_read_their_neighbours(tmp_path: Path) -> None:
    model, weights = start(save_family("MobileBert", tmp_path))
    inputs = batch(vocab_size=27)
    for row, length in enumerate(inputs["attention_mask"].sum(1).tolist()):
        alone = {key: value[row : row + 1, :length] for key, value in inputs.items()}
        torch.testing.assert_close(model(**alone)[0], model(**inputs)[row], atol=1e-5, rtol=0)
    assert any("padding token" in note for note in weights.notes)


def with_code(folder: Path, **changes: Any) -> Path:
    """A saved folder whose config.json names code of its own, as many on the hub do."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | {"auto_map": {"AutoModel": "they/code--theirs.Model"}}
    path.write_text(json.dumps(config | changes), encoding="utf-8")
    return folder


@pytest.mark.parametrize("task", ["Model", "ForMaskedLM"])
def test_tensors_that_transformers_renames_while_loading_are_found(tmp_path: Path, task: str) -> None:
    save_backbone("NomicBert", FAMILIES["NomicBert"], tmp_path, task)
    theirs = transformers.AutoModel.from_pretrained(tmp_path).eval()
    model, weights = start(with_code(tmp_path), readout={"name": "mean"})
    inputs = batch()
    mask = inputs["attention_mask"].unsqueeze(-1)
    expected = model.classifier((theirs(**inputs).last_hidden_state * mask).sum(1) / mask.sum(1))
    torch.testing.assert_close(model(**inputs), expected, atol=1e-5, rtol=0)
    assert weights.new == ["classifier.bias", "classifier.weight"]
    assert weights.notes == [f"{tmp_path} brings its own code; transformers' own nomic_bert is used instead"]
    assert "auto_map" not in model.architecture["backbone"]
    _, again = start(tmp_path, readout={"name": "mean"})
    assert again.fingerprint == weights.fingerprint


def test_code_of_a_family_that_transformers_does_not_have_is_refused_by_the_config_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"brings its own code \(auto_map\), which is never run"):
        start(with_code(tmp_path, model_type="their_own_kind"))


def test_an_early_look_reads_the_sizes_of_any_family(tmp_path: Path) -> None:
    save_backbone("DistilBert", DISTILBERT, tmp_path)
    settings = ModelSettings(family="auto", pretrained=str(tmp_path), readout={"name": "mean"})
    assert check_readout(settings)[1:] == (32, 2)


def test_relative_positions_are_refused_because_transformers_would_ignore_them(tmp_path: Path) -> None:
    config = {"model_type": "bert", "position_embedding_type": "relative_key", "vocab_size": 90}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="relative_key positions cannot be built"):
        start(tmp_path)


def test_a_tokenizer_with_more_tokens_than_word_vectors_is_refused(tmp_path: Path) -> None:
    save_backbone("DistilBert", DISTILBERT, tmp_path)
    with pytest.raises(ModelError, match="has word vectors for 90"):
        build(ModelSettings(family="auto", pretrained=str(tmp_path)), head=HeadSpec(outputs=2), vocab_size=91)
