"""Encoders and heads that go from one trained model into another, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from models.backbones.transformers_backbone import wrap_encoder
from models.build import build
from models.compression.dendrite.module import add_dendrites, attach_dendrites
from models.errors import ModelError
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.checkpoints.test_save import write
from tests.models.helpers import SMALL, batch, small

LEARNED = {"name": "layer_pool", "weights": "learned", "pool": "cls"}
TENNEY = {"name": "cls_layers", "weights": "learned", "size": None}


def carried(
    folder: Path, *, num_labels: int = 3, vocab_size: int = 90, seed: int = 7, label_names: Any = (), **changes: Any
) -> Any:
    """The model that starts from a saved one, and the report of its weights."""
    torch.manual_seed(seed)
    settings = ModelSettings(**(SMALL | changes))
    return build(
        settings, head=HeadSpec(outputs=num_labels), vocab_size=vocab_size, start=folder, label_names=label_names
    )


def same(one: Any, other: Any, prefix: str) -> bool:
    return all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in one.state_dict().items()
               if name.startswith(prefix))  # fmt: skip


def test_an_encoder_goes_on_under_another_readout_and_head(tmp_path: Path) -> None:
    source = small(seed=1)
    model, weights = carried(write(source, tmp_path / "m"), num_labels=5, readout=LEARNED)
    assert same(model.bert.embeddings, source.bert.embeddings, "") and same(model.bert.encoder, source.bert.encoder, "")
    assert set(weights.new) == {
        "bert.pooler.mix.weight",
        "bert.pooler.mix.gamma",
        "classifier.weight",
        "classifier.bias",
    }
    assert weights.fingerprint and weights.source == str(tmp_path / "m")


def test_berts_pooler_is_part_of_the_encoder(tmp_path: Path) -> None:
    source = small(seed=1)
    model, _ = carried(write(source, tmp_path / "m"), readout=TENNEY)
    assert torch.equal(model.bert.pooler.dense.weight, source.bert.pooler.dense.weight)
    assert not model.bert.pooler.dense.weight.requires_grad
    _, weights = carried(write(small(readout=LEARNED), tmp_path / "n"), readout=TENNEY)
    assert "no pooler: its weights start at random" in weights.notes[0]


@pytest.mark.parametrize(
    ("what", "readout", "head"), [("encoder", False, False), ("readout", True, False), ("all", True, True)]
)
def test_as_much_of_the_head_goes_along_as_is_asked_for(tmp_path: Path, what: str, readout: bool, head: bool) -> None:
    source = small(seed=1, readout=LEARNED)
    model, _ = carried(write(source, tmp_path / "m"), carry=what, readout=LEARNED)
    assert same(model, source, "bert.encoder")
    assert same(model, source, "bert.pooler") == readout and same(model, source, "classifier") == head


def test_the_word_table_goes_along_alone(tmp_path: Path) -> None:
    source = small(seed=1)
    model, weights = carried(write(source, tmp_path / "m"), carry="word_vectors")
    assert weights.loaded == ["bert.embeddings.word_embeddings.weight"]
    assert same(model, source, "bert.embeddings.word_embeddings")
    assert not torch.equal(
        model.bert.encoder.layer[0].attention.self.query.weight,
        source.bert.encoder.layer[0].attention.self.query.weight,
    )


def test_a_word_table_fits_any_encoder_of_its_width(tmp_path: Path) -> None:
    bag = {"family": "dsn", "backbone": "none", "readout": {"name": "mean"}, "norm": "none", "positional": False}
    for source in (small(seed=1, **bag), small(seed=1, layers=1, heads=2)):
        folder = write(source, tmp_path / str(len(source.state_dict())))
        model, weights = carried(folder, carry="word_vectors", layers=3)
        assert weights.loaded == ["bert.embeddings.word_embeddings.weight"]
        assert same(model, source, "bert.embeddings.word_embeddings")
        assert len(model.bert.encoder.layer) == 3 and model.bert.embeddings.is_positional
        with pytest.raises(ModelError, match=r"hidden 32 and not 64\. Try: .*<a run with word vectors like those of"):
            carried(folder, carry="word_vectors", hidden=64)


def test_new_weights_beside_a_word_table_are_spread_like_those_of_its_model(tmp_path: Path) -> None:
    folder = write(small(seed=1, initializer_range=0.5), tmp_path / "m")
    model, _ = carried(folder, carry="word_vectors")
    assert 0.4 < float(model.bert.encoder.layer[0].attention.self.query.weight.detach().std()) < 0.6


@pytest.mark.parametrize(("times", "share"), [(1, 33), (3, 82)])  # 1 / 3, and 9 / 11
def test_it_is_said_how_much_of_an_input_the_words_of_a_table_are(tmp_path: Path, times: int, share: int) -> None:
    source = small(seed=1, hidden=64, heads=2, initializer_range=0.5)
    with torch.no_grad():
        embeddings = source.bert.embeddings
        rows = embeddings.word_embeddings.weight
        rows.copy_(torch.nn.functional.normalize(rows, dim=1) * times * 0.5 * 64**0.5)
    _, weights = carried(write(source, tmp_path / "m"), carry="word_vectors", hidden=64, heads=2)
    (note,) = weights.notes
    found = re.match(r"word vectors make up (\d+)% of the variance of an input; positions and segments are new", note)
    assert found and int(found[1]) == pytest.approx(share, abs=2)


def test_another_start_has_another_fingerprint(tmp_path: Path) -> None:
    prints = [carried(write(small(seed=seed), tmp_path / str(seed)))[1].fingerprint for seed in (1, 2)]
    assert prints[0] != prints[1]


def test_another_librarys_encoder_goes_on_too(tmp_path: Path) -> None:
    shape = {"vocab_size": 90, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48}
    source = attach_head(
        *wrap_encoder({"model_type": "distilbert", **shape}, {"name": "cls"}, 0.1), HeadSpec(outputs=3)
    )
    model, _ = carried(write(source, tmp_path / "m"), family="auto", readout=LEARNED)
    assert same(model, source, "bert.backbone")
    with pytest.raises(ModelError, match="a different architecture: a distilbert"):
        carried(tmp_path / "m")


REFUSED = [
    ({"hidden": 64}, "a different architecture: hidden 32 and not 64"),
    ({"heads": 2, "layers": 1}, "layers 2 and not 1, heads 4 and not 2"),
    ({"carry": "readout", "readout": LEARNED}, "readout .*cls.* and not .*layer_pool.*model.carry=encoder"),
    ({"carry": "all", "num_labels": 2}, "predicts 3 labels, the task has 2"),
    ({"vocab_size": 91}, "word vectors for 90 tokens, but the tokenizer has 91"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_a_model_of_another_make_or_vocabulary_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    folder = write(small(), tmp_path / "m")
    with pytest.raises(ModelError, match=message):
        carried(folder, **changes)


@pytest.mark.parametrize("has_dendrites", [False, True])
def test_a_last_layer_follows_the_names_of_the_labels(tmp_path: Path, has_dendrites: bool) -> None:
    source = small(seed=1)
    if has_dendrites:
        add_dendrites(attach_dendrites(source, ["classifier"]), 3, "tanh")
        source.architecture["compressed"] = [
            {"method": "dendrites", "modules": ["classifier"], "count": 3, "act": "tanh"}
        ]
        for parameter in source.classifier.parameters():
            torch.nn.init.normal_(parameter)
    folder = write(source, tmp_path / "m", label_names=["neg", "pos", "so-so"])
    model, weights = carried(folder, carry="all", label_names=["so-so", "Neg", "pos"])
    torch.testing.assert_close(model.eval()(**batch()), source(**batch())[:, [2, 0, 1]])
    assert not weights.notes
    same_names = carried(folder, carry="all", label_names=["neg", "pos", "so-so"])[1]
    assert same_names.fingerprint != weights.fingerprint


def test_labels_without_names_are_compared_by_number_and_that_is_said(tmp_path: Path) -> None:
    source = small(seed=1)
    folder = write(source, tmp_path / "m", label_names=["LABEL_0", "LABEL_1", "LABEL_2"])
    model, weights = carried(folder, carry="all", label_names=["neg", "pos", "so-so"])
    assert same(model, source, "classifier") and "compared by number only" in weights.notes[0]


def test_a_last_layer_for_other_labels_is_refused(tmp_path: Path) -> None:
    folder = write(small(), tmp_path / "m", label_names=["neg", "pos", "so-so"])
    with pytest.raises(ModelError, match=r"are neg, pos, so-so, the task's are a, b, c.*model\.carry=encoder"):
        carried(folder, carry="all", label_names=["a", "b", "c"])
    carried(folder, label_names=["a", "b", "c"])


def test_rounded_weights_are_no_start(tmp_path: Path) -> None:
    source = small()
    source.architecture["compressed"] = [{"method": "weight_only"}]
    with pytest.raises(ModelError, match="are quantized"):
        carried(write(source, tmp_path / "m"))


def test_a_bag_of_words_is_no_encoder_to_start_from(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no encoder\. Try: model\.carry=word_vectors"):
        carried(write(small(family="dsn", readout={"name": "sum"}), tmp_path / "m"))
    with pytest.raises(ModelError, match=r"has no encoder"):
        carried(tmp_path / "m", family="auto", carry="word_vectors")
