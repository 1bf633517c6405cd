"""The DSN: what it computes, that padding has no say, and where its first word vectors come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import models.backbones.bag_of_words
from models.backbones.bag_of_words import principal_directions
from models.backbones.dropout import dropout_generator
from models.build import build
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.helpers import batch, small, stock


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    stock().save_pretrained(tmp_path / "bert")
    return str(tmp_path / "bert")


def dsn(**changes: Any) -> Any:
    options: dict[str, Any] = {"family": "dsn", "readout": {"name": "sum"}, "initializer_range": 0.5}
    return small(**(options | changes))


def padded(inputs: dict[str, torch.Tensor], more: int) -> dict[str, torch.Tensor]:
    return {name: torch.nn.functional.pad(value, (0, more)) for name, value in inputs.items()}


def test_the_logits_are_the_head_of_the_sum_of_normalised_vectors() -> None:
    model, inputs = dsn(), batch(1, 6)
    parts = model.bert.embeddings
    tables = parts.word_embeddings.weight, parts.token_type_embeddings.weight
    rows = tables[0][inputs["input_ids"][0]] + tables[1][inputs["token_type_ids"][0]]
    rows = rows + parts.position_embeddings.weight[:6]
    normal = (rows - rows.mean(1, keepdim=True)) / rows.std(1, keepdim=True, unbiased=False)
    expected = normal.sum(0) @ model.classifier.weight.T + model.classifier.bias
    torch.testing.assert_close(model(**inputs)[0], expected, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("pooling", ["sum", "mean", "sqrt"])
def test_padding_does_not_change_the_logits(pooling: str) -> None:
    model, inputs = dsn(readout={"name": pooling}), batch()
    torch.testing.assert_close(model(**padded(inputs, 30)), model(**inputs), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("pooling", ["sum", "mean", "sqrt"])
@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("token_dropout", [0.0, 0.4])
def test_the_unpadded_way_gives_the_same_logits_and_gradients(pooling: str, paired: bool, token_dropout: float) -> None:
    def trained(real: float) -> tuple[torch.Tensor, list[torch.Tensor]]:
        models.backbones.bag_of_words.MOST_REAL = real
        model, inputs = dsn(readout={"name": pooling}, dropout=0.0, token_dropout=token_dropout).train(), batch(5, 9)
        inputs["attention_mask"] = (torch.arange(9) < torch.tensor([1, 0, 9, 3, 4])[:, None]).long()  # one is empty
        if not paired:
            inputs["token_type_ids"] = None
        dropout_generator.seed(0)
        logits = model(**inputs)
        logits.square().sum().backward()
        return logits, [p.grad for p in model.parameters()]

    before = models.backbones.bag_of_words.MOST_REAL
    try:
        (logits, gradients), (expected, wanted) = trained(1.1), trained(0.0)
    finally:
        models.backbones.bag_of_words.MOST_REAL = before
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)
    for found, other in zip(gradients, wanted):
        torch.testing.assert_close(found, other, atol=1e-5, rtol=1e-5)


def test_only_batches_with_much_padding_are_unpadded(monkeypatch: pytest.MonkeyPatch) -> None:
    model, inputs, taken = dsn(readout={"name": "mean"}), batch(4, 10), []
    monkeypatch.setattr(type(model.bert), "unpadded", lambda *_: taken.append(1) or torch.zeros(4, 32))
    for real in (10, 8, 4):
        inputs["attention_mask"] = (torch.arange(10) < real).long().expand(4, 10)
        model(**inputs)
    assert len(taken) == 1


def test_sum_all_depends_on_padding_as_the_published_model_does() -> None:
    model, inputs = dsn(readout={"name": "sum_all"}), batch()
    assert (model(**padded(inputs, 30)) - model(**inputs)).abs().max() > 0.1


def test_slice_takes_the_first_dimensions_of_all_tables_and_the_norm(checkpoint: str) -> None:
    source, model = stock().bert.embeddings, dsn(width=0.5, init="slice", init_from=checkpoint)
    for name in ("word_embeddings", "position_embeddings", "token_type_embeddings", "LayerNorm"):
        found = model.bert.embeddings.get_submodule(name).weight
        assert torch.equal(found, source.get_submodule(name).weight[..., :16]), name


def test_pca_at_full_width_keeps_the_distances_between_words(checkpoint: str) -> None:
    source, model = stock().bert.embeddings, dsn(init="pca", init_from=checkpoint)
    expected = torch.cdist(source.word_embeddings.weight, source.word_embeddings.weight)
    found = model.bert.embeddings.word_embeddings.weight
    torch.testing.assert_close(torch.cdist(found, found), expected, atol=1e-3, rtol=1e-3)


def test_pca_keeps_the_directions_of_largest_variance_in_order(checkpoint: str) -> None:
    model = dsn(width=0.25, init="pca", init_from=checkpoint)
    spread = model.bert.embeddings.word_embeddings.weight.var(0)
    assert torch.equal(spread, spread.sort(descending=True).values)
    words = stock().bert.embeddings.word_embeddings.weight
    wanted = torch.linalg.svdvals(words - words.mean(0))[:8] ** 2 / (len(words) - 1)
    torch.testing.assert_close(spread, wanted, atol=1e-3, rtol=1e-3)


def test_directions_have_a_sign_that_does_not_depend_on_the_library() -> None:
    for seed in range(10):
        torch.manual_seed(seed)
        directions = principal_directions(torch.randn(50, 6), 3)
        largest = directions.gather(0, directions.abs().argmax(0, keepdim=True))
        assert (largest > 0).all()
        torch.testing.assert_close(directions.T @ directions, torch.eye(3), atol=1e-5, rtol=0)


def test_the_report_says_what_was_taken_and_fingerprints_it(checkpoint: str, tmp_path: Path) -> None:
    def start(folder: str, init: str) -> Any:
        settings = ModelSettings(
            family="dsn", readout={"name": "sum"}, hidden=32, positions=64, width=0.5, init=init, init_from=folder
        )
        return build(settings, head=HeadSpec(outputs=2), vocab_size=90)[1]

    cut = start(checkpoint, "slice")
    assert cut.source == checkpoint and "bert.embeddings.word_embeddings.weight" in cut.loaded
    assert cut.new == ["classifier.weight", "classifier.bias"]
    assert "bert.pooler.dense.weight" in cut.ignored
    stock(seed=1).save_pretrained(tmp_path / "other")
    others = [start(checkpoint, "pca"), start(str(tmp_path / "other"), "slice")]
    assert len({cut.fingerprint, *(weights.fingerprint for weights in others)}) == 3
    assert start(checkpoint, "slice").fingerprint == cut.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 0.01}, r"width=0.01 of 32 dimensions leaves none. Try: model.width=0.03125"),
        ({"width": 2.0, "init": "slice"}, r"is 32 wide, but the DSN 64. Try: model.width=1$"),
        ({"width": 2.0, "init": "pca"}, r"is 32 wide, but the DSN 64"),
        (
            {"init": "slice", "vocab_size": 91},
            r"90 word vectors, but the tokenizer has 91 tokens. Try: model.tokenizer=",
        ),
        ({"init": "slice", "tokenizer": "train"}, r"makes a new vocabulary"),
        ({"init": "slice", "init_from": None}, r"needs a checkpoint"),
        (
            {"init": "slice", "init_from": "./nowhere"},
            r"there is no such folder. Try one of: model.init=random",
        ),
    ],
)
def test_impossible_starts_are_refused(checkpoint: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        dsn(**({"init_from": checkpoint} | changes))
