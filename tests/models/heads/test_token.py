"""One answer for each token: against transformers' class, and saved, opened, carried on and written as a graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForTokenClassification, BertConfig, BertForTokenClassification

from models.backbones.transformers_backbone import wrap_encoder
from models.build import build
from models.checkpoints.open import load_model, open_model
from models.errors import ModelError
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from models.heads.token import TokenClassifier
from models.onnx.graph import write_onnx
from models.settings import ModelSettings
from tests.models.checkpoints.test_save import write
from tests.models.helpers import SMALL, STOCK, batch, count, small, stock

NAMES = ["O", "B-PER", "I-PER"]
NONE = {"name": "none"}
MIX = {
    "name": "scalar_mix", "mixed": "all", "embeddings": True, "normalize": "softmax", "gamma": True, "init": "uniform",
    "layer_norm": False, "dropout": 0.0, "layer_dropout": 0.0, "lr": 0.01, "where": "before_pooler",
    "pooling": "tokens",
}  # fmt: skip
ADAPTER = {"name": "adapter_pool", "size": 4, "pool": "tokens", "shared": True, "skip": True, "length": 64}


def tagger(seed: int = 0, **changes: Any) -> Any:
    return small(seed, head="token", **({"readout": NONE} | changes))


def of_another_library() -> Any:
    torch.manual_seed(0)
    shape = {"dim": 32, "n_layers": 1, "n_heads": 4, "hidden_dim": 48, "vocab_size": 90, "max_position_embeddings": 64}
    theirs = wrap_encoder({"model_type": "distilbert", **shape}, NONE, 0.1)
    return attach_head(*theirs, HeadSpec("token", 3)).eval()


FAMILIES = {
    "a plain BERT": tagger,
    "a mix of all layers": lambda: tagger(readout=MIX),
    "an adapter": lambda: tagger(readout=ADAPTER),
    "a bag of words": lambda: tagger(family="dsn"),
    "another library": of_another_library,
}


@pytest.mark.parametrize("make", FAMILIES.values(), ids=FAMILIES)
def test_places_pick_the_same_numbers_in_their_order(make: Any) -> None:
    model, inputs = make(), batch()
    whole = model(**inputs)
    assert whole.shape == (5, 17, 3)
    places = torch.tensor([0, 3, 18, 2])
    torch.testing.assert_close(model(**inputs, places=places), whole.flatten(0, 1)[places], atol=1e-6, rtol=0)


@pytest.mark.parametrize("make", FAMILIES.values(), ids=FAMILIES)
def test_a_row_is_answered_the_same_alone_and_beside_longer_ones(make: Any) -> None:
    model, inputs = make(), batch()
    together = model(**inputs)
    for row, length in enumerate(inputs["attention_mask"].sum(1)):
        alone = model(**{name: value[row : row + 1, : int(length)] for name, value in inputs.items()})
        torch.testing.assert_close(together[row : row + 1, : int(length)], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("make", FAMILIES.values(), ids=FAMILIES)
def test_a_saved_model_comes_back_here_and_behind_the_auto_class(make: Any, tmp_path: Path) -> None:
    model, inputs = make(), batch()
    folder = write(model, tmp_path / "m", label_names=NAMES)
    again = load_model(folder)
    assert type(again) is TokenClassifier and torch.equal(again(**inputs), model(**inputs))
    theirs = AutoModelForTokenClassification.from_pretrained(folder).eval()
    assert type(theirs).__name__ == json.loads((folder / "config.json").read_text())["architectures"][0]
    assert theirs.config.id2label == dict(enumerate(NAMES))
    labels = torch.full((5, 17), -100)
    labels[0, 1], labels[2, 2] = 1, 2
    found = theirs(**inputs, labels=labels)
    torch.testing.assert_close(found.logits, model(**inputs), atol=1e-5, rtol=0)
    expected = torch.nn.functional.cross_entropy(found.logits[[0, 2], [1, 2]], torch.tensor([1, 2]))
    torch.testing.assert_close(found.loss, expected)


def test_a_plain_bert_is_saved_as_the_stock_class(tmp_path: Path) -> None:
    folder = write(tagger(), tmp_path / "m", label_names=NAMES)
    config = json.loads((folder / "config.json").read_text())
    assert (config["model_type"], config["architectures"]) == ("bert", ["BertForTokenClassification"])
    assert config["id2label"] == {"0": "O", "1": "B-PER", "2": "I-PER"} and "readout" not in config
    assert type(AutoModelForTokenClassification.from_pretrained(folder)) is BertForTokenClassification


def test_a_stock_checkpoint_opens_and_its_unused_pooler_is_left_out(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = BertForTokenClassification(BertConfig(num_labels=3, **STOCK)).eval()
    theirs.save_pretrained(tmp_path)
    torch.testing.assert_close(open_model(str(tmp_path), "")(**batch()), theirs(**batch()).logits, atol=1e-5, rtol=0)
    theirs.bert.pooler = stock().bert.pooler  # as many a checkpoint of that class has it
    theirs.save_pretrained(tmp_path)
    torch.testing.assert_close(open_model(str(tmp_path), "")(**batch()), theirs(**batch()).logits, atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", ["bert", "auto"])
@pytest.mark.parametrize("of_tokens", [False, True])
def test_a_checkpoint_gives_its_encoder_and_never_its_head(tmp_path: Path, family: str, of_tokens: bool) -> None:
    theirs = BertForTokenClassification(BertConfig(num_labels=3, **STOCK)) if of_tokens else stock()
    theirs.save_pretrained(tmp_path)
    settings = ModelSettings(**SMALL, family=family, readout=NONE, pretrained=str(tmp_path))
    model, weights = build(settings, HeadSpec("token", 3), vocab_size=90)
    assert weights.new == ["classifier.bias", "classifier.weight"] and not weights.notes
    for name, tensor in model.bert.state_dict().items():
        assert torch.equal(tensor, theirs.bert.state_dict()[name])


def carried(folder: Path, **changes: Any) -> Any:
    settings = ModelSettings(**(SMALL | {"readout": NONE} | changes))
    return build(settings, HeadSpec("token", 3), vocab_size=90, start=folder, label_names=["O", "I-PER", "B-PER"])


def test_another_runs_encoder_goes_on_under_a_fresh_head(tmp_path: Path) -> None:
    source = small(1)
    model, weights = carried(write(source, tmp_path / "m"))
    assert torch.equal(
        model.bert.encoder.layer[1].output.dense.weight, source.bert.encoder.layer[1].output.dense.weight
    )
    assert weights.new == ["classifier.weight", "classifier.bias"]


def test_a_head_goes_along_in_the_order_of_the_tasks_tags(tmp_path: Path) -> None:
    source = tagger(1)
    model, _ = carried(write(source, tmp_path / "m", label_names=NAMES), carry="all")
    torch.testing.assert_close(model.eval()(**batch()), source(**batch())[..., [0, 2, 1]], atol=1e-6, rtol=0)
    with pytest.raises(ModelError, match="has a different architecture: readout"):
        carried(write(small(1), tmp_path / "texts"), carry="all")


@pytest.mark.parametrize("readout", [{"name": "cls"}, {"name": "mean"}, MIX | {"pooling": "cls"}])
def test_a_readout_that_loses_the_tokens_is_refused_with_those_that_keep_them(readout: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"one vector for the text.*Try: model/readout=none, or model/readout=scalar"):
        tagger(readout=readout)


def test_the_head_has_a_weight_for_each_state_and_tag() -> None:
    assert count(tagger().classifier) == 32 * 3 + 3
    assert not any(name.startswith("bert.pooler") for name in tagger().state_dict())


def test_a_bag_of_words_answers_for_a_word_without_its_neighbours() -> None:
    model = tagger(family="dsn")
    ids = torch.tensor([[5, 6, 7], [8, 6, 9]])
    found = model(ids)
    torch.testing.assert_close(found[0, 1], found[1, 1])


def test_only_the_places_that_are_asked_for_learn() -> None:
    model = tagger(dropout=0.0, attention_dropout=0.0, family="dsn").train()
    ids = torch.tensor([[5, 6, 7]])
    model(ids, places=torch.tensor([1])).sum().backward()
    changed = model.bert.embeddings.word_embeddings.weight.grad.abs().sum(1).nonzero().flatten()
    assert changed.tolist() == [6]


def test_the_graph_gives_the_logits_of_every_token(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = tagger(layers=1)
    write_onnx(model, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    for inputs in (batch(), batch(1, 40)):
        (logits,) = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        torch.testing.assert_close(torch.from_numpy(logits), model(**inputs), atol=1e-5, rtol=0)
