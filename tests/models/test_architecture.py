"""The shape of a network in config.json, both ways."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from models.architecture import (
    BERT_DEFAULTS,
    check_vocabulary,
    describe_architecture,
    describe_kind,
    is_our_encoder,
    with_sizes,
)
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.rebuild import rebuild
from models.settings import ModelSettings
from tests.models.helpers import SMALL, batch, small

BERT: dict[str, Any] = BERT_DEFAULTS | {"model_type": "bert"}


def test_sizes_survive_the_way_to_config_json_and_back() -> None:
    settings = ModelSettings(**SMALL, segments=3, layer_norm_eps=1e-7, initializer_range=0.1)
    described = describe_architecture(settings, settings.hidden, 90, 0)
    assert with_sizes(ModelSettings(), described) == settings


def test_only_parts_that_differ_from_a_plain_bert_are_described() -> None:
    plain = describe_architecture(ModelSettings(), 128, 90, 0)
    assert plain["readout"] == "cls" and not {"embedding", "norm"} & set(plain)
    other = ModelSettings(
        embedding={"name": "hash", "ngrams": 3}, norm="none", readout={"name": "layer_pool", "pool": "cls"}
    )
    described = describe_architecture(other, 128, 90, 0)
    assert described["embedding"] == {"name": "hash", "ngrams": 3} and described["norm"] == "none"
    assert described["readout"] == {"name": "layer_pool", "pool": "cls"}


@pytest.mark.parametrize(
    ("change", "ours"),
    [
        ({}, True),
        ({"hidden_act": "gelu_new"}, False),
        ({"position_embedding_type": "relative_key"}, False),
        ({"is_decoder": True}, False),
        ({"model_type": "roberta"}, False),
        ({"model_type": "bertier", "num_hidden_layers": 2}, True),
        ({"model_type": "bertier", "num_hidden_layers": 0}, False),
        ({"model_type": "bertier", "num_hidden_layers": 2, "backbone": {}}, False),
    ],
)
def test_which_configs_our_encoder_computes(change: dict[str, Any], ours: bool) -> None:
    assert is_our_encoder(BERT | change) == ours


def test_a_bert_from_elsewhere_has_layers_and_a_model_without_attention_none() -> None:
    layers = {
        family: describe_architecture(ModelSettings(family=family), 24, 90, 0)["num_hidden_layers"]
        for family in ("bert", "auto", "dsn", "bilstm")
    }
    assert layers == {"bert": 2, "auto": 2, "dsn": 0, "bilstm": 0}


def test_a_message_names_what_makes_a_bert_another_model() -> None:
    assert describe_kind({"model_type": "roberta"}) == "roberta"
    assert describe_kind(BERT | {"hidden_act": "relu"}) == "bert with relu and absolute positions"


def test_a_tokenizer_with_more_tokens_than_word_vectors_is_refused() -> None:
    check_vocabulary("some/model", 90, 90)
    wanted = r"91 tokens, but some/model has word vectors for 90\. Try: .* a fresh copy of it"
    with pytest.raises(ModelError, match=wanted):
        check_vocabulary("some/model", 90, 91)


@pytest.mark.parametrize("changes", [{}, {"family": "dsn", "readout": {"name": "mean"}, "norm": "none"}])
def test_a_network_is_rebuilt_from_its_architecture(changes: dict[str, Any]) -> None:
    model = small(**changes)
    again = rebuild(model.architecture, HeadSpec(outputs=3)).eval()
    again.load_state_dict(model.state_dict(), strict=True)
    assert torch.equal(again(**batch()), model(**batch())) and again.architecture == model.architecture
