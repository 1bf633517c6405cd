"""Models that start from checkpoints of all ages and makes, and what is refused with a cure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.build import build
from models.checkpoints.read import WeightsReport
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.backbones.test_transformers_backbone import DISTILBERT, save_backbone
from tests.models.helpers import SMALL, batch, stock

State = dict[str, Tensor]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    stock().save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


def change(folder: Path, edit: Callable[[State], State]) -> None:
    """Rewrite the checkpoint's tensors."""
    path = folder / "model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in edit(load_file(path)).items()}, path)


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def start(folder: Path | str, *, num_labels: int = 3, **changes: Any) -> tuple[Any, WeightsReport]:
    settings = ModelSettings(**(SMALL | {"pretrained": str(folder)} | changes))
    model, weights = build(settings, head=HeadSpec(outputs=num_labels), vocab_size=90)
    return model.eval(), weights


def assert_same_encoder(model: Any) -> None:
    for name, tensor in stock().bert.state_dict().items():
        assert torch.equal(model.bert.state_dict()[name], tensor), name


@pytest.mark.parametrize("family", ["bert", "auto"])
def test_a_stock_checkpoint_gives_its_encoder_and_a_new_head(folder: Path, family: str) -> None:
    torch.manual_seed(5)
    model, weights = start(folder, family=family)
    assert_same_encoder(model)
    assert weights.new == weights.ignored == ["classifier.bias", "classifier.weight"]
    assert weights.source == str(folder) and not weights.notes


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.removeprefix("bert."),
        lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
    ],
    ids=["a bare encoder", "norms of TensorFlow's time"],
)
def test_older_and_shorter_names_are_understood(folder: Path, rename: Callable[[str], str]) -> None:
    change(folder, lambda state: {rename(name): tensor for name, tensor in state.items()})
    assert_same_encoder(start(folder)[0])


def test_heads_for_masked_words_are_ignored_and_listed(folder: Path) -> None:
    change(folder, lambda state: state | {"cls.predictions.bias": torch.zeros(90)})
    assert "cls.predictions.bias" in start(folder)[1].ignored


def test_half_precision_is_read_as_fp32(folder: Path) -> None:
    change(folder, lambda state: {name: tensor.half() for name, tensor in state.items()})
    assert {tensor.dtype for tensor in start(folder)[0].state_dict().values()} == {torch.float32}


def test_weights_in_several_files_are_joined(folder: Path) -> None:
    stock().save_pretrained(folder, max_shard_size="10KB")
    (folder / "model.safetensors").unlink()
    assert len(list(folder.glob("*.safetensors"))) > 1
    assert_same_encoder(start(folder)[0])


def test_a_missing_pooler_starts_at_random_and_is_said(folder: Path) -> None:
    change(folder, lambda state: {name: tensor for name, tensor in state.items() if "pooler" not in name})
    weights = start(folder)[1]
    assert "bert.pooler.dense.weight" in weights.new
    assert weights.notes == [f"{folder} has no pooler: its weights start at random"]
    assert not start(folder, readout={"name": "mean"})[1].notes  # needs none


@pytest.mark.parametrize(("positions", "note"), [(40, "40 of the 64 positions"), (100, "the other 36 start at random")])
def test_a_position_table_of_another_length_is_used_as_far_as_it_goes(folder: Path, positions: int, note: str) -> None:
    model, weights = start(folder, positions=positions)
    rows = min(positions, 64)
    found = model.bert.embeddings.position_embeddings.weight
    assert len(found) == positions
    assert torch.equal(found[:rows], stock().bert.embeddings.position_embeddings.weight[:rows])
    assert note in weights.notes[0]


def test_a_preset_with_fewer_layers_takes_the_first_ones_and_says_so(folder: Path) -> None:
    model, weights = start(folder, layers=1)
    expected = stock().bert.encoder.layer[0].output.dense.weight
    assert torch.equal(model.bert.encoder.layer[0].output.dense.weight, expected)
    assert weights.notes == [f"the first 1 of the 2 layers of {folder} are used"]
    assert any(name.startswith("bert.encoder.layer.1.") for name in weights.ignored)


def test_model_auto_takes_all_sizes_from_the_checkpoint(folder: Path) -> None:
    stock(hidden_size=48, num_attention_heads=6, layer_norm_eps=1e-5, type_vocab_size=1).save_pretrained(folder)
    model, _ = start(folder, family="auto")
    assert model.architecture["num_attention_heads"] == 6
    assert model.bert.encoder.layer[0].attention.self.head_size == 8
    assert {m.eps for m in model.modules() if isinstance(m, torch.nn.LayerNorm)} == {1e-5}


def test_the_fingerprint_follows_the_weights_and_not_the_folder(folder: Path, tmp_path: Path) -> None:
    stock().save_pretrained(tmp_path / "copy")
    stock(seed=1).save_pretrained(tmp_path / "other")
    prints = [start(path)[1].fingerprint for path in (folder, tmp_path / "copy", tmp_path / "other")]
    assert prints[0] == prints[1] != prints[2]


def drop(part: str) -> Callable[[Path], None]:
    return lambda folder: change(folder, lambda state: {n: t for n, t in state.items() if part not in n})


REFUSALS: dict[str, tuple[Callable[[Path], Any], dict[str, Any], str]] = {
    "heads": (
        lambda folder: change_config(folder, num_attention_heads=2),
        {},
        r"heads 2 \(the model has 4\)",
    ),
    "width": (lambda folder: None, {"hidden": 64}, r"hidden 32 .* Try: run model=auto model.pretrained="),
    "too few layers": (lambda folder: None, {"layers": 3}, r"layers 2 \(the model has 3\)"),
    "lost layer": (
        drop("layer.1.output"),
        {},
        r"lack 4 tensors of the encoder, such as bert.encoder.layer.1",
    ),
    "not a BERT": (
        lambda folder: change_config(folder, model_type="roberta"),
        {},
        "is a roberta, not a BERT",
    ),
    "another gelu": (lambda folder: change_config(folder, hidden_act="relu"), {}, "is a bert with relu"),
    "own code": (
        lambda folder: change_config(folder, model_type="theirs", auto_map={"AutoModel": "m.M"}),
        {},
        "brings its own code",
    ),
    "no config": (lambda folder: (folder / "config.json").unlink(), {}, "has no config.json"),
    "not JSON": (lambda folder: (folder / "config.json").write_text("{"), {}, "is not JSON"),
    "no type": (lambda folder: (folder / "config.json").write_text("{}"), {}, "names no model_type"),
    "new words": (lambda folder: None, {"tokenizer": "train"}, "makes a new vocabulary"),
    "damaged": (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 99), {}, "is damaged"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_used_is_refused_by_name(folder: Path, case: str) -> None:
    spoil, changes, message = REFUSALS[case]
    spoil(folder)
    with pytest.raises(ModelError, match=message):
        start(folder, **changes)


def test_a_tokenizer_with_more_tokens_than_word_vectors_is_refused(folder: Path) -> None:
    settings = ModelSettings(**(SMALL | {"pretrained": str(folder)}))
    with pytest.raises(ModelError, match=r"the tokenizer has 200 tokens, .* for 90. Try: model.tokenizer="):
        build(settings, head=HeadSpec(outputs=2), vocab_size=200)


def test_pickles_alone_are_refused_with_the_way_to_convert_them(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"as a pickle .*save_pretrained\('folder'\)"):
        start(folder)


def test_missing_weights_are_refused_with_three_ways_to_go_on(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"has no model\.safetensors") as raised:
        start(folder)
    for cure in ("model.pretrained=null", "model.pretrained=<another id or folder>", "HF_ENDPOINT="):
        assert cure in str(raised.value)


@pytest.mark.hub
def test_minilm_computes_what_transformers_computes() -> None:
    from transformers import AutoModel

    name = "sentence-transformers/all-MiniLM-L6-v2"
    theirs = AutoModel.from_pretrained(name, dtype=torch.float32).eval()
    model, _ = build(ModelSettings(family="auto", pretrained=name), head=HeadSpec(outputs=2), vocab_size=30522)
    model.eval()
    for inputs in (batch(4, 12, vocab_size=30522), batch(3, 150, vocab_size=30522)):
        expected = model.classifier(theirs(**inputs).pooler_output)
        torch.testing.assert_close(model(**inputs), expected, atol=1e-5, rtol=0)


def test_a_dropout_that_an_encoder_of_transformers_does_not_read_is_told(tmp_path: Path) -> None:
    save_backbone("DistilBert", DISTILBERT, tmp_path)

    def told(**changes: Any) -> list[str]:
        own = {"family": "auto", "pretrained": str(tmp_path), "readout": {"name": "cls"}} | changes
        notes = build(ModelSettings(**own), head=HeadSpec(outputs=3), vocab_size=90)[1].notes
        return [note for note in notes if "has no effect" in note]

    said = "has no effect: a distilbert has the dropout of its config.json"
    assert told(attention_dropout=0.3) == [f"model.attention_dropout=0.3 {said}"]
    assert told(dropout=0.0, head="stock") == [f"model.dropout=0 {said}"]
    assert not told(dropout=0.3), "it is that of the head"
