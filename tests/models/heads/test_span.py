"""Where an answer begins and ends: against transformers' class, and saved, opened and written as a graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForQuestionAnswering, BertConfig, BertForQuestionAnswering

from models.backbones.transformers_backbone import wrap_encoder
from models.build import build
from models.checkpoints.open import load_model, open_model
from models.checkpoints.read import read_state
from models.compression.distillation.teacher import open_teacher, read_model_facts
from models.heads.attach import attach_head, head_in_config
from models.heads.base import HeadSpec
from models.heads.span import SpanClassifier
from models.onnx.graph import OnnxModel, write_onnx
from models.settings import ModelSettings
from tests.models.checkpoints.test_save import write
from tests.models.heads.test_token import ADAPTER, MIX, NONE
from tests.models.helpers import SMALL, STOCK, batch, small

NAMES = ["start", "end"]


def finder(seed: int = 0, **changes: Any) -> Any:
    return small(seed, num_labels=2, head="span", **({"readout": NONE} | changes))


def of_another_library() -> Any:
    torch.manual_seed(0)
    shape = {"dim": 32, "n_layers": 1, "n_heads": 4, "hidden_dim": 48, "vocab_size": 90, "max_position_embeddings": 64}
    theirs = wrap_encoder({"model_type": "distilbert", **shape}, NONE, 0.1)
    return attach_head(*theirs, HeadSpec("span", 2)).eval()


FAMILIES = {
    "a plain BERT": finder,
    "a mix of all layers": lambda: finder(readout=MIX),
    "an adapter": lambda: finder(readout=ADAPTER),
    "another library": of_another_library,
}


@pytest.mark.parametrize("make", FAMILIES.values(), ids=FAMILIES)
def test_a_saved_model_comes_back_here_and_behind_the_auto_class(make: Any, tmp_path: Path) -> None:
    model, inputs = make(), batch()
    folder = write(model, tmp_path / "m", label_names=NAMES)
    again = load_model(folder)
    assert type(again) is SpanClassifier and torch.equal(again(**inputs), model(**inputs))
    theirs = AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    assert type(theirs).__name__ == json.loads((folder / "config.json").read_text())["architectures"][0]
    right = torch.tensor([0, 1, 2, 0, 1])
    found = theirs(**inputs, start_positions=right, end_positions=right)
    real = inputs["attention_mask"].bool()
    for side, logits in enumerate((found.start_logits, found.end_logits)):
        torch.testing.assert_close(logits[real], model(**inputs)[..., side][real], atol=1e-5, rtol=0)
    assert found.loss > 0


def test_our_class_for_transformers_leaves_padding_out_of_its_loss(tmp_path: Path) -> None:
    model = finder(readout=MIX)
    theirs = AutoModelForQuestionAnswering.from_pretrained(write(model, tmp_path / "m", label_names=NAMES)).eval()
    inputs, right = batch(), torch.zeros(5, dtype=torch.int64)
    losses = []
    for row, length in enumerate(inputs["attention_mask"].sum(1).tolist()):
        logits = model(**{name: value[row : row + 1, :length] for name, value in inputs.items()})
        losses += [torch.nn.functional.cross_entropy(logits[..., side], right[:1]) for side in (0, 1)]
    found = theirs(**inputs, start_positions=right, end_positions=right)
    torch.testing.assert_close(found.loss, torch.stack(losses).mean(), atol=1e-5, rtol=0)


def test_a_plain_bert_is_saved_as_the_stock_class_under_its_names(tmp_path: Path) -> None:
    folder = write(finder(), tmp_path / "m", label_names=NAMES)
    config = json.loads((folder / "config.json").read_text())
    assert (config["model_type"], config["architectures"]) == ("bert", ["BertForQuestionAnswering"])
    assert "readout" not in config and "classifier_dropout" not in config
    own = [name for name in read_state(str(folder)) if not name.startswith("bert.")]
    assert sorted(own) == ["qa_outputs.bias", "qa_outputs.weight"]
    theirs, info = BertForQuestionAnswering.from_pretrained(folder, output_loading_info=True)
    assert type(theirs) is BertForQuestionAnswering and not info["missing_keys"] and not info["unexpected_keys"]


def test_a_stock_checkpoint_opens_also_one_whose_config_names_other_labels(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = BertForQuestionAnswering(BertConfig(**STOCK)).eval()
    theirs.save_pretrained(tmp_path)
    found, wanted = open_model(str(tmp_path), "")(**batch()), theirs(**batch())
    torch.testing.assert_close(found[..., 0], wanted.start_logits, atol=1e-5, rtol=0)
    torch.testing.assert_close(found[..., 1], wanted.end_logits, atol=1e-5, rtol=0)
    assert head_in_config({"architectures": ["BertForQuestionAnswering"]}) == HeadSpec("span", 2)


def test_a_checkpoint_gives_its_encoder_and_never_its_head(tmp_path: Path) -> None:
    BertForQuestionAnswering(BertConfig(**STOCK)).save_pretrained(tmp_path)
    settings = ModelSettings(**SMALL, readout=NONE, pretrained=str(tmp_path))
    _, weights = build(settings, HeadSpec("span", 2), vocab_size=90)
    assert weights.new == ["classifier.bias", "classifier.weight"]
    assert weights.ignored == ["classifier.bias", "classifier.weight"]


def test_there_is_no_dropout_before_the_last_layer() -> None:
    model, vectors = finder(dropout=0.5).train(), torch.randn(4, 32)
    assert torch.equal(model.score(vectors), model.classifier(vectors))


def test_a_model_of_another_library_teaches_starts_and_ends(tmp_path: Path) -> None:
    from transformers import DistilBertConfig, DistilBertForQuestionAnswering

    torch.manual_seed(0)
    shape = {"dim": 32, "n_layers": 1, "n_heads": 4, "hidden_dim": 48, "vocab_size": 90, "max_position_embeddings": 64}
    theirs = DistilBertForQuestionAnswering(DistilBertConfig(**shape)).eval()
    theirs.save_pretrained(tmp_path)
    assert read_model_facts(str(tmp_path), "teacher").head == "span"
    inputs = batch()
    places = inputs["attention_mask"].flatten().nonzero().flatten()
    found = open_teacher(str(tmp_path), "teacher")(**inputs, places=places)
    wanted = theirs(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
    torch.testing.assert_close(found[:, 1], wanted.end_logits.flatten()[places], atol=1e-5, rtol=0)
    assert found.shape == (len(places), 2)


def test_the_graph_gives_both_logits_of_every_token(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = finder(layers=1)
    write_onnx(model, tmp_path / "model.onnx")
    graph = OnnxModel(tmp_path / "model.onnx", threads=1)
    for inputs in (batch(), batch(1, 40)):
        torch.testing.assert_close(graph(**inputs), model(**inputs), atol=1e-5, rtol=0)
