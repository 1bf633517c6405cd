"""BERMo's scalar mix: sizes, equality with BERT, gradients, options, and encoders other than ours."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import AutoModelForSequenceClassification

from models.backbones.hooks import Recorder
from models.build import build
from models.checkpoints.open import load_model
from models.checkpoints.read import rename_bert_tensors
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.readouts.scalar_mix import ScalarMix
from models.settings import ModelSettings
from runner.training.gradient_norms import module_metrics
from tests.conftest import REPO
from tests.models.backbones.test_transformers_backbone import DISTILBERT, save_backbone, start
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch, count, small, stock
from tests.models.test_presets import settings as preset

OPTIONS: dict[str, Any] = yaml.safe_load((REPO / "conf/model/readout/scalar_mix.yaml").read_text(encoding="utf-8"))
# layers, encoder with pooler, scalars without and with gamma
SIZES = {
    "tiny": (2, 4_385_920, 3, 4),
    "mini": (4, 11_170_560, 5, 6),
    "small": (4, 28_763_648, 5, 6),
    "medium": (8, 41_373_184, 9, 10),
    "base": (12, 109_482_240, 13, 14),
    "large": (24, 335_141_888, 25, 26),
}


def readout(**options: Any) -> dict[str, Any]:
    return OPTIONS | options


def made(**changes: Any) -> ScalarMix:
    return ScalarMix(32, 2, **{name: value for name, value in readout(**changes).items() if name != "name"})


def bermo(seed: int = 0, **options: Any) -> Any:
    return small(seed, readout=readout(**options), initializer_range=0.2)


@pytest.mark.parametrize("size", SIZES)
def test_every_size_has_the_published_encoder_and_a_scalar_a_layer(size: str) -> None:
    layers, encoder, plain, with_gamma = SIZES[size]
    for gamma, scalars in ((False, plain), (True, with_gamma)):
        settings = preset(f"bert-{size}")
        settings.readout = readout(gamma=gamma)
        with torch.device("meta"):
            model, _ = build(settings, head=HeadSpec(outputs=2), vocab_size=30522)
        assert count(model.bert.get_submodule("pooler.mix")) == scalars == layers + 1 + gamma
        assert count(model.bert) == encoder + scalars
        assert count(model) == encoder + scalars + 2 * settings.hidden + 2


@pytest.mark.parametrize("changes", [{"normalize": "none"}, {"normalize": "softmax"}, {"where": "after_pooler"}])
def test_a_one_hot_mix_of_the_last_layer_is_plain_bert(changes: dict[str, Any]) -> None:
    mixed, bert = bermo(init="last", **changes), small(initializer_range=0.2)
    mixed.load_state_dict(bert.state_dict(), strict=False)
    for inputs in (batch(), batch(2, 64)):
        torch.testing.assert_close(mixed(**inputs), bert(**inputs), atol=1e-6, rtol=0)


def test_the_weights_of_a_checkpoint_fill_everything_but_the_scalars(tmp_path: Path) -> None:
    theirs = stock()
    theirs.save_pretrained(tmp_path)
    settings = ModelSettings(family="auto", pretrained=str(tmp_path), readout=readout(init="last"))
    model, weights = build(settings, head=HeadSpec(outputs=3), vocab_size=90)
    assert [name for name in weights.new if not name.startswith("classifier.")] == [
        "bert.pooler.mix.gamma", "bert.pooler.mix.weight",
    ]  # fmt: skip
    assert not weights.notes
    model.classifier.load_state_dict(theirs.classifier.state_dict())
    torch.testing.assert_close(model.eval()(**batch()), theirs(**batch()).logits, atol=1e-5, rtol=0)
    assert {name for name, _ in model.named_parameters()} - set(rename_bert_tensors(theirs.state_dict())) == {
        "bert.pooler.mix.gamma", "bert.pooler.mix.weight",
    }  # fmt: skip


def test_a_uniform_mix_is_the_mean_of_the_first_tokens_states() -> None:
    model, inputs = bermo(where="no_pooler"), batch()
    recorder = Recorder()
    whole = model.bert(**inputs, hooks=[recorder])
    torch.testing.assert_close(whole, torch.stack([state[:, 0] for state in recorder.states]).mean(0))
    torch.testing.assert_close(model.bert(**inputs), whole, atol=1e-6, rtol=1e-5)  # the last layer for [CLS] only


def test_mixed_layers_are_chosen_by_number() -> None:
    model, inputs = bermo(where="no_pooler", mixed=[0, 2], gamma=False, pooling="mean"), batch(3, 6)
    inputs["attention_mask"] = torch.ones_like(inputs["attention_mask"])
    recorder = Recorder()
    found = model.bert(**inputs, hooks=[recorder])
    torch.testing.assert_close(found, (recorder.states[0].mean(1) + recorder.states[2].mean(1)) / 2)
    assert module_metrics(model, None).keys() == {"mix/weight_0", "mix/weight_2", "mix/center", "mix/entropy"}
    assert len(bermo(embeddings=False).bert.pooler.mix.weight) == 2


def test_weights_to_start_from_are_those_of_the_states_beside_them_in_any_order() -> None:
    found = [
        bermo(mixed=mixed, init=init).bert.pooler.mix.weight.tolist()
        for mixed, init in (([0, 2], [0.5, -1.0]), ([2, 0], [-1.0, 0.5]))
    ]
    assert found == [[0.5, -1.0]] * 2
    with pytest.raises(ModelError, match="expected uniform, last, or a list of 2 numbers"):
        bermo(mixed=[2, 0, 2], init=[1.0, 2.0, 3.0])


def test_a_norm_gives_every_layer_the_same_say_whatever_its_scale() -> None:
    layer = made(layer_norm=True)
    states, mask = [torch.randn(3, 5, 32) for _ in range(3)], torch.ones(3, 5)
    found = layer(states, mask)
    torch.testing.assert_close(layer([states[0] * 50 + 3, states[1], states[2] / 2], mask), found, atol=1e-4, rtol=0)
    first = torch.stack([state[:, 0] for state in states])
    normed = (first - first.mean(-1, keepdim=True)) / (first.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    assert layer.dense is not None
    torch.testing.assert_close(found, torch.tanh(layer.dense(normed.mean(0))))


# Free weights that start on the last layer leave it at once; under softmax they all but stay there.
LOSSES: dict[str, tuple[dict[str, Any], list[float], float]] = {
    "uniform": ({}, [1.675953, 1.493195, 1.336297, 1.195948], 0.347),
    "a norm": ({"layer_norm": True}, [1.356301, 1.121882, 0.937061, 0.788653], 0.351),
    "last, free": ({"init": "last", "normalize": "none"}, [1.096452, 0.789513, 0.600568, 0.460643], 1.039),
    "last, softmax": ({"init": "last"}, [1.096452, 0.794042, 0.604459, 0.464632], 1.0),
}


@pytest.mark.parametrize("kind", LOSSES)
def test_four_steps_of_each_start_have_these_losses(kind: str) -> None:
    options, golden, share = LOSSES[kind]
    model, inputs = bermo(**options), batch()
    mix = model.bert.pooler.mix
    with torch.no_grad():
        model.bert.embeddings.LayerNorm.weight.mul_(5)  # as in a trained encoder, the layers are not of one scale
    rest = [parameter for parameter in model.parameters() if all(parameter is not own for own in mix.parameters())]
    optimizer = torch.optim.Adam([{"params": rest, "lr": 1e-3}, {"params": list(mix.parameters()), "lr": mix.own_lr}])
    losses = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(**inputs), torch.arange(5) % 3)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == pytest.approx(golden, rel=1e-3)
    assert mix.shares()[-1].item() == pytest.approx(share, abs=1e-3)


def test_padding_has_no_say_in_the_mean() -> None:
    model, inputs = bermo(pooling="mean"), batch()
    longer = {name: torch.nn.functional.pad(value, (0, 9)) for name, value in inputs.items()}
    torch.testing.assert_close(model(**longer), model(**inputs), atol=1e-5, rtol=0)


@pytest.mark.parametrize("normalize", ["softmax", "none"])
def test_every_scalar_and_the_word_table_get_gradients(normalize: str) -> None:
    model = bermo(normalize=normalize)
    model(**batch()).logsumexp(1).sum().backward()
    mix = model.bert.pooler.mix
    assert (mix.weight.grad != 0).all() and (mix.gamma.grad != 0).all()
    assert model.bert.embeddings.word_embeddings.weight.grad.abs().sum() > 0


def test_a_dropped_layer_is_left_out_while_training_only_and_never_all_of_them() -> None:
    mix = bermo(layer_dropout=0.9).bert.pooler.mix
    assert torch.equal(mix.shares(), torch.full((3,), 1 / 3))
    mix.train()
    shares = torch.stack([mix.shares() for _ in range(200)])
    assert (shares == 0).any() and torch.allclose(shares.sum(1), torch.ones(200))


def test_the_scalars_stay_fp32_under_autocast() -> None:
    model, inputs = bermo(), batch()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(**inputs)
    assert model.bert.pooler.mix.weight.dtype == torch.float32
    torch.testing.assert_close(logits.float(), model(**inputs), atol=0.05, rtol=0.05)


def test_facts_are_those_worked_out_by_hand() -> None:
    model = bermo(init=[0.0, math.log(2.0), 0.0]).train()
    model(**batch())
    found = module_metrics(model, None)
    assert [round(found[f"mix/weight_{j}"], 6) for j in range(3)] == [0.25, 0.5, 0.25]
    assert found["mix/center"] == pytest.approx(1.0) and found["mix/gamma"] == 1.0
    assert found["mix/entropy"] == pytest.approx(1.5 * math.log(2.0))
    # A layer norm leaves vectors of norm sqrt(H), up to dropout.
    assert all(0 < found[f"mix/norm_{j}"] < 2 * math.sqrt(32) for j in range(3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"normalize": "sigmoid"}, "model.readout.normalize=sigmoid: expected one of softmax, none. Try"),
        ({"where": "beside"}, "model.readout.where=beside"),
        ({"mixed": [0, 3]}, "a list of states 0 to 2. Try: model.readout.mixed=all"),
        ({"mixed": []}, "model.readout.mixed"),
        ({"init": [1.0]}, "a list of 3 numbers"),
        ({"init": "first"}, "model.readout.init=first"),
        ({"lr": 0.0}, "model.readout.lr=0.0: expected more than 0"),
        ({"dropout": 1.0}, "model.readout.dropout=1.0"),
        ({"colour": 1}, "Its options are in conf/model/readout/scalar_mix.yaml"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_with_the_cure(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        bermo(**options)
    assert message in str(caught.value)


def test_a_saved_mix_comes_back_in_ours_and_in_transformers_with_equal_logits(tmp_path: Path) -> None:
    model = bermo(init=[0.5, -1.0, 2.0], mixed="all")
    folder = write(model, tmp_path / "m")
    assert torch.equal(load_model(folder)(**batch()), model(**batch()))
    theirs = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    assert torch.equal(theirs(**batch()).logits, model(**batch()))


def test_the_mix_reads_all_states_of_an_encoder_of_transformers(tmp_path: Path) -> None:
    save_backbone("DistilBert", DISTILBERT, tmp_path / "hub")
    model, _ = start(tmp_path / "hub", readout=readout(where="no_pooler", gamma=False))
    inputs = {name: value for name, value in batch().items() if name != "token_type_ids"}
    states = model.bert.backbone(**inputs, output_hidden_states=True).hidden_states
    expected = torch.stack([state[:, 0] for state in states]).mean(0)
    torch.testing.assert_close(model.bert(**inputs), expected)
    again = load_model(write(model, tmp_path / "m"))
    torch.testing.assert_close(again(**inputs), model(**inputs))


def test_facts_are_each_layers_weight_times_the_mean_norm_of_its_vectors() -> None:
    layer = made(init=[0.5, 0.25, 0.125], normalize="none")
    assert layer.facts() == {}, "before a training step"
    states = [torch.full((2, 3, 32), float(index + 1)) for index in range(3)]
    states[0][1] *= 3.0  # so that the mean norm over rows is twice that of the first row
    layer.train()(states, None)
    root = 32**0.5
    expected = {"mix/norm_0": 0.5 * 2 * root, "mix/norm_1": 0.25 * 2 * root, "mix/norm_2": 0.125 * 3 * root}
    assert layer.facts() == pytest.approx(expected)


def test_uniform_weights_are_a_mean_of_the_layers() -> None:
    states = [torch.full((1, 2, 32), value) for value in (1.0, 2.0, 6.0)]
    for normalize in ("none", "softmax"):
        layer = made(normalize=normalize, init="uniform", where="no_pooler", gamma=False).eval()
        torch.testing.assert_close(layer(states, None), torch.full((1, 32), 3.0))
