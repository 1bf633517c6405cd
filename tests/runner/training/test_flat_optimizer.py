"""The flat optimizer, with and without a compact vocabulary: the plain path's parameters, exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from data.batch import collate
from data.splits import Splits
from models.backbones.dropout import dropout_generator
from models.build import build
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.experiment.recipe import recipe_of
from runner.schema import Settings
from runner.tasks.make import task_of
from runner.training import flat_optimizer as flat
from runner.training.trainer import Trainer
from tests.runner.training.test_loop import CPU

BERT = ModelSettings(layers=2, hidden=16, heads=2)
DSN = ModelSettings(family="dsn", hidden=16, width=0.5, readout={"name": "mean"}, token_dropout=0.3)


def settings_of(model: ModelSettings, *, decay: float, clip: float, compact_vocabulary: str = "auto") -> Settings:
    found = Settings(model=model)
    found.optimizer.lr, found.optimizer.weight_decay = 5e-3, decay
    found.train.batch_size, found.train.clip_norm, found.train.epochs = 8, clip, 5
    found.engine.compact_vocabulary = compact_vocabulary
    return found


def built(settings: Settings, splits: Splits, vocab_size: int = 300) -> nn.Module:
    torch.manual_seed(0)
    dropout_generator.seed(0)
    # Double precision: a difference is then one of the method, not of rounding.
    return build(settings.model, head=HeadSpec(outputs=2), vocab_size=vocab_size)[0].train().double()


# What the textbook loop gives for a model, a decay and a clipping, which many tests compare with.
PLAIN: dict[str, tuple[dict[str, torch.Tensor], list[float]]] = {}


def plain(settings: Settings, splits: Splits, steps: int) -> tuple[dict[str, torch.Tensor], list[float]]:
    """The textbook loop: AdamW over the parameters themselves, the whole table, torch's clipping."""
    own = f"{settings.model} {settings.optimizer} {settings.train} {steps}"
    if own not in PLAIN:
        PLAIN[own] = trained_plainly(settings, splits, steps)
    return PLAIN[own]


def trained_plainly(settings: Settings, splits: Splits, steps: int) -> tuple[dict[str, torch.Tensor], list[float]]:
    model = built(settings, splits)
    loop = Trainer(
        built(settings, splits), splits, task_of(splits, settings), recipe_of(settings), CPU
    )  # for its plan and schedule only
    optimizer = torch.optim.AdamW(
        grouped(model, settings.optimizer.weight_decay), lr=settings.optimizer.lr, fused=False, foreach=False
    )
    dropout_generator.seed(0)
    norms = []
    for step in range(steps):
        rows = (loop.plan.batches(step // 13))[step % 13]
        batch = collate(splits.train, rows)
        inputs = {name: torch.from_numpy(array) for name, array in batch.inputs.items()}
        logits = model(**inputs)
        F.cross_entropy(logits.float(), torch.from_numpy(batch.targets["labels"])).backward()
        norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), settings.train.clip_norm or math.inf)))
        for group in optimizer.param_groups:
            group["lr"] = loop.schedule.rate(step)
        optimizer.step()
        optimizer.zero_grad()
    return model.state_dict(), norms


@pytest.mark.parametrize("long", [100, 1 << 17], ids=["long matrices", "all in one buffer"])
@pytest.mark.parametrize("model", [BERT, DSN], ids=["bert", "dsn"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("clip", [0.0, 0.05])
@pytest.mark.parametrize("compact_vocabulary", ["auto", "never"])
def test_fifty_steps_equal_the_plain_path(
    splits: Splits,
    monkeypatch: pytest.MonkeyPatch,
    long: int,
    model: ModelSettings,
    decay: float,
    clip: float,
    compact_vocabulary: str,
) -> None:
    monkeypatch.setattr(flat, "LONG", long)
    settings = settings_of(model, decay=decay, clip=clip, compact_vocabulary=compact_vocabulary)
    expected, norms = plain(settings, splits, 50)
    found_model = built(settings, splits)
    loop = Trainer(found_model, splits, task_of(splits, settings), recipe_of(settings), CPU)
    found_norms = []
    for step in range(50):
        norm = loop.step(loop.plan.batches(step // 13)[step % 13])
        assert norm is not None
        found_norms.append(float(norm))
    loop.optimizer.release()
    np.testing.assert_allclose(found_norms, norms, rtol=1e-6)
    for name, tensor in found_model.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], atol=1e-6, rtol=1e-6, msg=lambda m, n=name: f"{n}: {m}")
    untouched = np.setdiff1d(np.arange(300), np.asarray(splits.train.tokens))
    assert len(untouched) > 100, "the test needs rows that no text uses"
    if decay:
        start = built(settings, splits).state_dict()["bert.embeddings.word_embeddings.weight"][untouched]
        moved = found_model.state_dict()["bert.embeddings.word_embeddings.weight"][untouched]
        assert moved.abs().sum() < 0.99 * start.abs().sum(), "decay must reach the rows that no text uses"


def test_biases_and_norms_do_not_decay(splits: Splits) -> None:
    settings = settings_of(BERT, decay=0.5, clip=0.0)
    model = built(settings, splits)
    loop = Trainer(model, splits, task_of(splits, settings), recipe_of(settings), CPU)
    groups = {
        group["weight_decay"]: sum(p.numel() for p in group["params"]) for group in loop.optimizer.inner.param_groups
    }
    short = [p for p in model.parameters() if p.ndim == 1]
    assert groups[0.0] == sum(-(-p.numel() // 16) * 16 for p in short)
    assert len(groups) == 2 and groups[0.5] > groups[0.0]


def test_frozen_parts_stay_and_only_the_rest_is_trained(splits: Splits) -> None:
    settings = settings_of(BERT, decay=0.1, clip=1.0)
    model = built(settings, splits)
    model.bert.embeddings.requires_grad_(False)  # type: ignore[union-attr,operator]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loop = Trainer(model, splits, task_of(splits, settings), recipe_of(settings), CPU)
    assert loop.engine_facts["compact_vocabulary"] == "the word table is frozen"
    loop.step(np.arange(8))
    loop.optimizer.release()
    for name, value in model.state_dict().items():
        # The last key's bias cancels in the softmax, so it has nothing to learn.
        stays = name.startswith("bert.embeddings.") or name == "bert.encoder.layer.1.attention.self.key.bias"
        assert torch.equal(value, before[name]) == stays, name


def test_the_released_model_has_tensors_of_its_own(splits: Splits) -> None:
    settings = settings_of(BERT, decay=0.0, clip=1.0)
    model = built(settings, splits)
    loop = Trainer(model, splits, task_of(splits, settings), recipe_of(settings), CPU)
    loop.step(np.arange(8))
    loop.optimizer.release()
    assert all(p.grad is None and p.untyped_storage().nbytes() == p.numel() * 8 for p in model.parameters())
    assert model.bert.embeddings.word_embeddings.padding_idx == 0  # type: ignore[union-attr]
    assert not model.bert.embeddings.word_embeddings.sparse  # type: ignore[union-attr]


@pytest.mark.parametrize("long", [100, 1 << 17], ids=["long matrices", "all in one buffer"])
@pytest.mark.parametrize("model", [BERT, DSN], ids=["bert", "dsn"])
@pytest.mark.parametrize("is_grown", [False, True])
def test_moments_handed_on_continue_the_training_and_what_is_new_begins_its_own(
    splits: Splits, monkeypatch: pytest.MonkeyPatch, long: int, model: ModelSettings, is_grown: bool
) -> None:
    """Three loops of three steps against the textbook optimizer over nine, which meets a new parameter in the second.

    In the third, the new parameter has moments too, of fewer steps than the others.
    """
    monkeypatch.setattr(flat, "LONG", long)
    settings = settings_of(model, decay=0.1, clip=0.0)
    settings.schedule.name, settings.schedule.warmup = "constant", 0.0
    found, expected, moments = built(settings, splits), built(settings, splits), dict[str, torch.Tensor]()
    optimizer = torch.optim.AdamW(grouped(expected, 0.1), lr=5e-3, foreach=False)
    for part in range(3):
        if part == 1 and is_grown:
            for each in (found, expected):
                each.classifier = Scaled(each.classifier)  # type: ignore[arg-type]
            optimizer.add_param_group({"params": [expected.classifier.scale], "weight_decay": 0.0})  # type: ignore[union-attr]
            moments = {name.replace("classifier.", "classifier.inner."): tensor for name, tensor in moments.items()}
        loop = Trainer(found, splits, task_of(splits, settings), recipe_of(settings), CPU, moments=moments)
        for rows in loop.plan.batches(part)[:3]:
            dropout_generator.seed(int(rows[0]))
            loop.step(rows)
            dropout_generator.seed(int(rows[0]))
            batch = collate(splits.train, rows)
            inputs = {name: torch.from_numpy(array) for name, array in batch.inputs.items()}
            logits = expected(**inputs)
            F.cross_entropy(logits.float(), torch.from_numpy(batch.targets["labels"])).backward()
            optimizer.step()
            optimizer.zero_grad()
        moments = loop.optimizer.moments()
        loop.optimizer.release()
    for name, tensor in found.state_dict().items():
        torch.testing.assert_close(
            tensor, expected.state_dict()[name], atol=1e-6, rtol=1e-6, msg=lambda m, n=name: f"{n}: {m}"
        )


class Scaled(nn.Module):
    """A layer and a new factor on what it answers."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.scale = inner, nn.Parameter(torch.ones(1).double())

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.inner(inputs) * self.scale
        return out


def grouped(model: nn.Module, decay: float) -> list[dict[str, object]]:
    """Parameter groups: matrices decay, vectors do not."""
    named = list(model.parameters())
    return [
        {"params": [p for p in named if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in named if p.ndim == 1], "weight_decay": 0.0},
    ]


def test_a_checkpoint_is_loaded_to_the_device_of_the_parameters() -> None:
    weight = torch.ones(3, 2)
    saved = {"step": torch.tensor(4.0), "exp_avg": weight, "exp_avg_sq": weight}
    elsewhere = nn.Linear(2, 3, bias=False, device="meta")  # stands for CUDA: a device that a checkpoint is not read to
    settings = Settings().optimizer
    resumed = flat.FlatOptimizer(elsewhere, settings, None)
    resumed.load({f"0/{name}": tensor for name, tensor in saved.items()})
    moments = {f"weight/{name}": part.flatten() if part.ndim else part for name, part in saved.items()}
    continued = flat.FlatOptimizer(elsewhere, settings, None, moments)
    for optimizer in (resumed, continued):
        (state,) = optimizer.inner.state.values()
        assert [tensor.device.type for tensor in state.values()] == ["meta"] * 3


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_no_gradient_is_left_after_a_step_with_momentum(splits: Splits, device: str) -> None:
    settings = settings_of(BERT, decay=0.0, clip=1.0)
    settings.optimizer.name, settings.optimizer.momentum = "sgd", 0.9
    model = built(settings, splits).to(device)
    trainer = Trainer(model, splits, task_of(splits, settings), recipe_of(settings), torch.device(device))
    for rows in (np.arange(2), np.arange(2, 4), np.arange(4, 6)):  # of other words each
        trainer.step(rows)
    assert trainer.table is not None and not trainer.table.embedding.weight.grad.count_nonzero()
