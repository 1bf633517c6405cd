"""Our BERT against transformers' on the same weights, and the places methods reach into."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import BertForSequenceClassification

from models.architecture import BERT_DEFAULTS
from models.backbones import attention
from models.backbones.hooks import Recorder
from models.heads.base import HeadSpec
from models.rebuild import rebuild
from tests.models.helpers import batch, small, stock

SHAPES: list[dict[str, Any]] = [
    {},
    {"num_attention_heads": 1, "num_hidden_layers": 1},
    {"num_attention_heads": 8, "hidden_size": 64, "num_hidden_layers": 3},
    {"layer_norm_eps": 1e-3, "type_vocab_size": 3},
]


@pytest.fixture(params=["fused", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to compute attention, whatever the length."""
    shortest = 0 if request.param == "fused" else 10**6
    monkeypatch.setattr(attention, "FUSED_FROM", dict.fromkeys(attention.FUSED_FROM, shortest))
    return str(request.param)


def ours(theirs: BertForSequenceClassification) -> Any:
    model = rebuild(
        BERT_DEFAULTS | theirs.config.to_dict() | {"readout": "cls"}, HeadSpec(outputs=theirs.config.num_labels)
    )
    model.load_state_dict(theirs.state_dict(), strict=True)
    return model.eval()


@pytest.mark.parametrize("shape", SHAPES)
def test_logits_and_gradients_equal_those_of_transformers(way: str, shape: dict[str, Any]) -> None:
    theirs = stock(**shape)
    model = ours(theirs)
    for inputs in (batch(), batch(2, 1), batch(3, 64)):
        expected, found = theirs(**inputs).logits, model(**inputs)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
        expected.logsumexp(1).sum().backward()
        found.logsumexp(1).sum().backward()
    wanted = dict(theirs.named_parameters())
    for name, parameter in model.named_parameters():
        # The last key's bias cancels in the softmax: without a gradient here, with one of rounding errors there.
        grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(grad, wanted[name].grad, atol=1e-4, rtol=1e-4, msg=name)
        assert parameter.grad is not None or name.endswith("attention.self.key.bias")


def test_missing_segments_mean_the_first_and_a_missing_mask_no_padding(way: str) -> None:
    model, inputs = small(), batch()
    zeros, ones = torch.zeros_like(inputs["input_ids"]), torch.ones_like(inputs["input_ids"])
    torch.testing.assert_close(model(inputs["input_ids"]), model(inputs["input_ids"], ones, zeros))


def test_more_padding_does_not_change_the_logits(way: str) -> None:
    model, inputs = small(), batch()
    longer = {name: torch.nn.functional.pad(value, (0, 9)) for name, value in inputs.items()}
    torch.testing.assert_close(model(**longer), model(**inputs), atol=1e-6, rtol=0)


def test_a_row_of_padding_alone_gives_a_number_also_in_bf16(way: str) -> None:
    model, inputs = small(), batch()
    inputs["attention_mask"][1] = 0
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert model(**inputs).isfinite().all()
    assert model(**inputs).isfinite().all()


def test_bf16_autocast_stays_close_to_fp32(way: str) -> None:
    model, inputs = small(initializer_range=0.2), batch()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = model(**inputs).float()
    torch.testing.assert_close(half, model(**inputs), atol=0.05, rtol=0.05)


def test_dropout_is_on_while_training_and_off_otherwise() -> None:
    model, inputs = small(), batch()
    assert torch.equal(model(**inputs), model(**inputs))
    model.train()
    assert not torch.equal(model(**inputs), model(**inputs))


def test_attention_dropout_goes_through_our_dropout_at_every_length(way: str) -> None:
    model = small(dropout=0.0, attention_dropout=0.5).train()
    seen = []
    for layer in model.bert.encoder.layer:
        layer.attention.self.dropout.register_forward_hook(lambda module, args, out: seen.append(out.shape))
    model(**batch(2, 40))
    assert seen == [(2, 4, 40, 40), (2, 4, 1, 40)]  # of the last layer only [CLS] is wanted


def test_the_last_layer_computes_cls_alone_with_the_same_logits_and_gradients(way: str) -> None:
    model, inputs = small(), batch()
    found, shapes = [], []
    model.bert.encoder.layer[-1].intermediate.register_forward_hook(lambda _, args, out: shapes.append(out.shape[1]))
    for hooks in ([], [Recorder()]):  # recording the states takes the long way
        logits = model.classifier(model.bert(**inputs, hooks=hooks))
        logits.square().sum().backward()
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in model.parameters()]
        found.append([logits.detach(), *(grad.clone() for grad in grads)])
        model.zero_grad()
    assert shapes == [1, 17]
    for short, long in zip(*found):
        torch.testing.assert_close(short, long, atol=1e-6, rtol=1e-4)


def test_all_hidden_states_can_be_recorded_and_the_last_one_is_the_output() -> None:
    model, inputs = small(), batch()
    recorder = Recorder()
    pooled = model.bert(**inputs, hooks=[recorder])
    kept = recorder.states
    assert [tuple(state.shape) for state in kept] == [(5, 17, 32)] * 3
    assert torch.equal(kept[0], model.bert.embeddings(inputs["input_ids"], inputs["token_type_ids"]))
    assert torch.equal(model.bert.pooler(kept[-1], inputs["attention_mask"]), pooled)


def test_masking_a_head_equals_cutting_it_out() -> None:
    model, inputs = small(), batch()
    attention, keep = (
        model.bert.encoder.layer[0].attention,
        torch.arange(8, 32),
    )  # all but the first of four heads
    gate = torch.ones(32)
    gate[:8] = 0
    handle = attention.output.register_forward_pre_hook(lambda module, args: (args[0] * gate, *args[1:]))
    masked = model(**inputs)
    handle.remove()
    for name in ("query", "key", "value"):
        layer = getattr(attention.self, name)
        layer.weight = torch.nn.Parameter(layer.weight[keep])
        layer.bias = torch.nn.Parameter(layer.bias[keep])
    attention.output.dense.weight = torch.nn.Parameter(attention.output.dense.weight[:, keep])
    torch.testing.assert_close(model(**inputs), masked, atol=1e-6, rtol=0)
