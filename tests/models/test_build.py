"""Sizes of the built models, against the published tables, and what build refuses."""

from __future__ import annotations

import pytest
import torch

from models.build import build
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.helpers import count, small

VOCABULARY = 30522
# layers, hidden, heads: parameters with 2 and with 3 labels
BERTS = {
    (2, 128, 2): (4_386_178, 4_386_307),
    (4, 256, 4): (11_171_074, 11_171_331),
    (4, 512, 8): (28_764_674, 28_765_187),
    (8, 512, 8): (41_374_210, 41_374_723),
    (12, 768, 12): (109_483_778, 109_484_547),
    (24, 1024, 16): (335_143_938, 335_144_963),
}
# hidden size of the source: widths 1, 0.5, 0.25, 0.125 with 2 and with 3 labels
DSNS = {
    128: ((3_973_122, 3_973_251), (1_986_562, 1_986_627), (993_282, 993_315), (496_642, 496_659)),
    256: ((7_946_242, 7_946_499), (3_973_122, 3_973_251), (1_986_562, 1_986_627), (993_282, 993_315)),
    512: ((15_892_482, 15_892_995), (7_946_242, 7_946_499), (3_973_122, 3_973_251), (1_986_562, 1_986_627)),
    768: ((23_838_722, 23_839_491), (11_919_362, 11_919_747), (5_959_682, 5_959_875), (2_979_842, 2_979_939)),
    1024: (
        (31_784_962, 31_785_987),
        (15_892_482, 15_892_995),
        (7_946_242, 7_946_499),
        (3_973_122, 3_973_251),
    ),
}


def parameters(settings: ModelSettings, num_labels: int) -> int:
    with torch.device("meta"):  # shapes without memory
        model, _ = build(settings, head=HeadSpec(outputs=num_labels), vocab_size=VOCABULARY)
    return count(model)


@pytest.mark.parametrize(("size", "expected"), BERTS.items())
def test_every_bert_size_has_the_published_number_of_parameters(
    size: tuple[int, int, int], expected: tuple[int, int]
) -> None:
    layers, hidden, heads = size
    settings = ModelSettings(layers=layers, hidden=hidden, heads=heads)
    assert (parameters(settings, 2), parameters(settings, 3)) == expected


@pytest.mark.parametrize(("hidden", "row"), DSNS.items())
def test_every_dsn_width_has_the_published_number_of_parameters(hidden: int, row: tuple[tuple[int, int], ...]) -> None:
    for width, expected in zip((1.0, 0.5, 0.25, 0.125), row):
        settings = ModelSettings(family="dsn", readout={"name": "sum"}, hidden=hidden, width=width)
        assert (parameters(settings, 2), parameters(settings, 3)) == expected


def test_the_same_seed_builds_the_same_model_and_another_seed_another() -> None:
    first, again, other = (small(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["classifier.weight"], other["classifier.weight"])


def test_fresh_weights_are_drawn_as_bert_draws_them() -> None:
    model = small(hidden=64, initializer_range=0.05, vocab_size=2000)
    words = model.bert.embeddings.word_embeddings.weight
    assert abs(words[1:].std().item() - 0.05) < 0.001
    assert not words[0].any()  # padding
    assert not model.classifier.bias.any()
    assert (model.bert.embeddings.LayerNorm.weight == 1).all()


def test_heads_that_do_not_divide_the_width_are_refused_with_a_number_that_does() -> None:
    with pytest.raises(ModelError, match=r"model.hidden=100 .* model.heads=3. Try: model.heads=1$"):
        build(ModelSettings(hidden=100, heads=3), head=HeadSpec(outputs=2), vocab_size=90)


def test_model_auto_without_a_checkpoint_is_refused() -> None:
    with pytest.raises(ModelError, match="needs an encoder"):
        build(ModelSettings(family="auto"), head=HeadSpec(outputs=2), vocab_size=90)


def test_a_bag_of_words_with_a_readout_that_needs_an_encoder_is_refused() -> None:
    with pytest.raises(ModelError, match=r"model/backbone=none has no encoder. Try: model/readout=mean"):
        build(ModelSettings(family="dsn"), head=HeadSpec(outputs=2), vocab_size=90)


def test_parts_are_found_by_dotted_names() -> None:
    model = small()
    assert model.get_submodule("bert.encoder.layer.1.attention.self.query") is not None
    assert model.get_submodule("bert.encoder.layer.0.intermediate.dense").out_features == 48
