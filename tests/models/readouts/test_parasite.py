"""The parasite: published parameters, what goes into each block, what it leaves alone, and where it has no place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification

from models.backbones.freeze import is_frozen
from models.backbones.hooks import Recorder
from models.build import build
from models.checkpoints.open import load_model
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.parts import make_readout
from models.settings import ModelSettings
from tests.models.backbones.test_transformers_backbone import DISTILBERT, save_backbone
from tests.models.checkpoints.test_save import write
from tests.models.checkpoints.test_transfer import carried
from tests.models.helpers import batch, count, small

OPTIONS: dict[str, Any] = {"name": "parasite", "size": 4, "reach": 2, "length": 17}
# size, reach: parameters over BERT-base at 128 tokens, without the linear head (1,538)
PUBLISHED = {(16, 1): 315_072, (64, 1): 1_200_384, (64, 20): 1_208_832}


def infested(seed: int = 0, **changes: Any) -> Any:
    """A small model whose modules have been at it for a while."""
    model = small(seed, readout=OPTIONS | changes.pop("options", {}), layers=3, freeze="encoder", **changes)
    with torch.no_grad():
        for parameter in model.bert.pooler.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


@pytest.mark.parametrize(("options", "expected"), PUBLISHED.items())
def test_modules_for_bert_base_have_the_published_parameters(options: tuple[int, int], expected: int) -> None:
    part = OPTIONS | {"size": options[0], "reach": options[1], "length": 128}
    settings = ModelSettings(layers=12, hidden=768, heads=12, readout=part, freeze="encoder")
    with torch.device("meta"):
        model, _ = build(settings, head=HeadSpec(outputs=2), vocab_size=30522)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert (count(model.bert.get_submodule("pooler")), trained) == (expected, expected + 768 * 2 + 2)


def test_at_first_the_encoder_is_unchanged_and_the_head_linear() -> None:
    model, plain = small(readout=OPTIONS), small()
    plain.load_state_dict(model.state_dict(), strict=False)
    recorder = Recorder()
    plain.bert(**batch(), hooks=[recorder])
    # And no sigmoid, under which a cross-entropy never falls below 0.3133.
    logits = model.classifier(recorder.states[-1][:, 0])
    torch.testing.assert_close(model(**batch()), logits, atol=1e-6, rtol=1e-5)


def test_each_block_gets_one_vector_more_on_all_its_tokens() -> None:
    model, inputs = infested(), batch()
    recorder = Recorder()
    pooled = model.bert(**inputs, hooks=[recorder])
    kept = recorder.states
    mask, guests = inputs["attention_mask"], model.bert.pooler.inline
    assert [len(guest.weight) for guest in guests] == [1, 2, 2]
    bias = (1.0 - mask[:, None, None, :].float()) * -1e30
    for block, guest in enumerate(guests):
        read = guest.bias.clone().repeat(len(mask), 1)
        for j, state in enumerate(kept[max(0, block - 1) : block + 1]):
            for place in range(mask.shape[1]):
                read += guest.weight[j, place] * mask[:, place, None] * state[:, place]
        added = nn.Sequential(guest.down, nn.GELU(), guest.up)(read)
        entering = kept[block] + added[:, None, :]
        torch.testing.assert_close(
            model.bert.encoder.layer[block](entering, bias), kept[block + 1], atol=1e-5, rtol=1e-4
        )
    torch.testing.assert_close(pooled, kept[-1][:, 0])
    torch.testing.assert_close(model.bert(**inputs), pooled, atol=1e-5, rtol=1e-4)  # the last block for [CLS] only


def test_the_answer_does_not_depend_on_the_padding() -> None:
    model, inputs = infested(), batch()
    length = int(inputs["attention_mask"][1].sum())
    alone = model(**{name: value[1:2, :length] for name, value in inputs.items()})
    torch.testing.assert_close(model(**inputs)[1:2], alone, atol=1e-5, rtol=1e-4)
    unmasked = {name: value[1:2, :length] for name, value in inputs.items() if name != "attention_mask"}
    torch.testing.assert_close(model(**unmasked), alone)


def test_gradients_pass_the_frozen_blocks_and_only_the_modules_and_the_head_get_any() -> None:
    model = infested().train()
    model(**batch()).logsumexp(1).sum().backward()
    moved = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert moved == {name for name, _ in model.named_parameters() if "inline" in name or "classifier" in name}
    assert not is_frozen(model), "its states change at every step and cannot be kept"


def test_a_saved_model_comes_back_in_ours_and_in_transformers_and_refuses_longer_texts(tmp_path: Path) -> None:
    model = infested().requires_grad_(True)  # as what is loaded: with gradients torch takes other kernels
    folder = write(model, tmp_path / "m")
    assert torch.equal(load_model(folder)(**batch()), model(**batch()))
    theirs = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    assert torch.equal(theirs(**batch()).logits, model(**batch()))
    with pytest.raises(ModelError, match="18 tokens: this head was made for 17"):
        model(**batch(length=18))


def test_modules_are_added_to_a_checkpoint_whose_weights_stay(tmp_path: Path) -> None:
    write(small(), tmp_path / "m")
    settings = ModelSettings(family="auto", pretrained=str(tmp_path / "m"), readout=OPTIONS, freeze="encoder")
    model, weights = build(settings, head=HeadSpec(outputs=3), vocab_size=90)
    assert all(name.startswith(("bert.pooler.inline.", "classifier.")) for name in weights.new) and not weights.notes
    for name, tensor in small().bert.encoder.state_dict().items():
        assert torch.equal(model.bert.get_submodule("encoder").state_dict()[name], tensor)


def test_training_continues_from_a_saved_model(tmp_path: Path) -> None:
    source = infested()
    model, weights = carried(write(source, tmp_path / "m"), readout=OPTIONS, layers=3, carry="all")
    assert not weights.new
    torch.testing.assert_close(model.eval()(**batch()), source(**batch()))


def test_an_encoder_of_transformers_cannot_hold_the_modules(tmp_path: Path) -> None:
    save_backbone("DistilBert", DISTILBERT, tmp_path)
    settings = ModelSettings(family="auto", pretrained=str(tmp_path), readout=OPTIONS)
    with pytest.raises(ModelError, match="between the layers of our own encoder, but this is a distilbert"):
        build(settings, head=HeadSpec(outputs=3), vocab_size=90)


@pytest.mark.parametrize("option", ["size", "reach"])
def test_options_that_make_no_sense_are_refused(option: str) -> None:
    with pytest.raises(
        ModelError, match=f"model.readout.{option}=0: expected at least 1. Try: model.readout.{option}="
    ):
        make_readout(OPTIONS | {option: 0}, 8, 2)
