"""The loop: exact repetition, exact resume, accumulation, early stopping, classes that are rare."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from data.inputs.maxmatch_dropout import MaxMatchDropout
from data.labels import Labels
from data.splits import Splits
from models.backbones.dropout import dropout_generator
from models.build import build
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.experiment.recipe import recipe_of
from runner.schema import Settings
from runner.tasks.finite import NotFiniteOutputs
from runner.tasks.make import task_of
from runner.training.checkpoint import Checkpoints, clear_checkpoints
from runner.training.loop import Paused, fit
from runner.training.nonfinite import NotFinite
from runner.training.state import TrainingResult, TrainingState

CPU = torch.device("cpu")


def configured(**train: object) -> Settings:
    settings = Settings(model=ModelSettings(layers=1, hidden=16, heads=2))
    settings.optimizer.lr = 5e-3
    settings.train.epochs, settings.train.batch_size = 2, 8
    for name, value in train.items():
        setattr(settings.train, name, value)
    return settings


def model_of(settings: Settings, splits: Splits) -> torch.nn.Module:
    torch.manual_seed(settings.seed)
    dropout_generator.seed(settings.seed)
    return build(settings.model, head=HeadSpec(outputs=splits.task.num_labels), vocab_size=splits.tokenizer.vocab_size)[
        0
    ]


class Stop(Exception):
    pass


def train(
    settings: Settings,
    splits: Splits,
    folder: Path,
    stop_at: int | None = None,
    device: torch.device = CPU,
    losses: list[float] | None = None,
) -> tuple[dict[str, torch.Tensor], list[float], TrainingResult | None]:
    """Parameters, logged losses and what was trained; with stop_at the training dies at that step."""
    model, losses = model_of(settings, splits).to(device), [] if losses is None else losses
    checkpoints = Checkpoints(folder, "test", every_s=1e-9 if stop_at else 1e9)

    def on_point(position: TrainingState, values: dict[str, float]) -> None:
        losses.append(values["train/loss"])
        if position.step == stop_at:
            raise Stop

    try:
        done = fit(
            model,
            splits,
            task_of(splits, settings),
            recipe_of(settings),
            device=device,
            checkpoints=checkpoints,
            on_point=on_point,
            on_epoch=lambda *_: None,
        )
        clear_checkpoints(folder)  # as a finished run does
    except Stop:
        done = None
    return model.state_dict(), losses, done


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_same_seed_repeats_bit_for_bit_and_another_does_not(splits: Splits, tmp_path: Path) -> None:
    settings = configured()
    first, losses, _ = train(settings, splits, tmp_path)
    second, again, _ = train(settings, splits, tmp_path)
    assert equal(first, second) and losses == again
    settings.seed = 1
    assert not equal(first, train(settings, splits, tmp_path)[0])


@pytest.mark.parametrize(("share", "after"), [(0.333, 1), (0.34, 2), (0.5, 2)])
def test_a_training_pauses_at_the_end_of_an_epoch_and_goes_on_as_if_it_had_not(
    splits: Splits, tmp_path: Path, share: float, after: int
) -> None:
    straight, losses, _ = train(configured(epochs=3), splits, tmp_path / "a")
    paused, before = configured(epochs=3), list[float]()
    paused.checkpoint.pause_at = share
    for _ in range(2):  # the same command again pauses again, and trains nothing
        with pytest.raises(Paused, match=f"paused after epoch {after} of 3"):
            train(paused, splits, tmp_path / "b", losses=before)
    assert before == losses[: after * len(losses) // 3]
    resumed, rest, done = train(configured(epochs=3), splits, tmp_path / "b")
    assert done is not None and done.resumed_from == len(before)
    assert equal(straight, resumed) and before + rest == losses


def test_a_training_of_one_epoch_has_no_place_to_pause(splits: Splits, tmp_path: Path) -> None:
    settings = configured(epochs=1)
    settings.checkpoint.pause_at = 0.333
    assert train(settings, splits, tmp_path)[2] is not None


# What an uninterrupted training gives for a schedule, an optimizer and a decay, whatever step the other stops at.
STRAIGHT: dict[tuple[str, str, float], tuple[dict[str, torch.Tensor], list[float]]] = {}


@pytest.mark.parametrize("stop_at", [3, 12, 13, 20])  # 12 steps an epoch: within, at its end, just after
@pytest.mark.parametrize(
    ("schedule", "optimizer", "decay"), [("linear", "adamw", 0.1), ("plateau", "sgd", 0.1), ("linear", "sgd", 0.0)]
)
def test_resume_is_exact(
    splits: Splits, tmp_path: Path, stop_at: int, schedule: str, optimizer: str, decay: float
) -> None:
    settings = configured()
    settings.schedule.name, settings.optimizer.name, settings.optimizer.weight_decay = schedule, optimizer, decay
    if (schedule, optimizer, decay) not in STRAIGHT:
        STRAIGHT[schedule, optimizer, decay] = train(settings, splits, tmp_path / "a")[:2]
    straight, losses = STRAIGHT[schedule, optimizer, decay]
    (tmp_path / "b").mkdir()
    _, before, done = train(settings, splits, tmp_path / "b", stop_at)
    assert done is None and before == losses[:stop_at]
    resumed, after, done = train(settings, splits, tmp_path / "b")
    assert done is not None and 0 < done.resumed_from < stop_at
    assert equal(straight, resumed)
    assert after == losses[done.resumed_from :]


def test_resume_is_exact_while_words_are_split_in_another_way_in_every_epoch(splits: Splits, tmp_path: Path) -> None:
    def varied() -> Splits:  # as a new process has it
        own = MaxMatchDropout(splits.tokenizer, share=0.3, seed=0, max_length=128)
        return replace(splits, train=replace(splits.train, augment=own))

    settings = configured()
    straight, losses, _ = train(settings, varied(), tmp_path / "a")
    (tmp_path / "b").mkdir()
    train(settings, varied(), tmp_path / "b", 13)
    resumed, after, done = train(settings, varied(), tmp_path / "b")
    assert done is not None and done.resumed_from > 0 and equal(straight, resumed)
    assert after == losses[done.resumed_from :]
    assert losses != pytest.approx(train(settings, splits, tmp_path / "c")[1], abs=1e-3), "the pieces are others"


@pytest.mark.parametrize("part", ["tensors", "state"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before_it(splits: Splits, tmp_path: Path, part: str) -> None:
    settings = configured()
    straight, losses, _ = train(settings, splits, tmp_path / "a")
    (tmp_path / "b").mkdir()
    train(settings, splits, tmp_path / "b", stop_at=7)
    folder = tmp_path / "b" / "checkpoints"
    assert sorted(path.stem for path in folder.glob("*.json")) == ["step-00000005", "step-00000006"]
    if part == "tensors":
        file = folder / "step-00000006.safetensors"
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    else:
        file = folder / "step-00000006.json"
        file.write_text(file.read_text().replace('"examples": 48', '"examples": 49'))
    resumed, after, done = train(settings, splits, tmp_path / "b")
    assert done is not None and done.resumed_from == 5
    assert equal(straight, resumed) and after == losses[5:]


def test_a_checkpoint_of_another_run_is_never_taken(splits: Splits, tmp_path: Path) -> None:
    train(configured(), splits, tmp_path, stop_at=5)
    assert Checkpoints(tmp_path, "test", 1e9).newest() is not None
    assert Checkpoints(tmp_path, "another", 1e9).newest() is None


@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_accumulation_changes_nothing_but_memory(splits: Splits, tmp_path: Path, weights: str) -> None:
    settings = configured()
    settings.model.dropout = settings.model.attention_dropout = 0.0  # masks are drawn a part at a time
    settings.data.class_weights = weights
    labels = np.array(splits.train.labels.values)
    labels[: len(labels) // 3] = 0  # so that the two classes weigh differently
    splits.train.labels = Labels(labels)
    whole, losses, _ = train(settings, splits, tmp_path)
    settings.train.accumulate = 4
    parts, again, _ = train(settings, splits, tmp_path)
    np.testing.assert_allclose(losses, again, atol=2e-5)
    for name, tensor in whole.items():
        torch.testing.assert_close(parts[name], tensor, atol=2e-4, rtol=0, msg=name)


def test_balanced_weights_change_what_is_learnt(splits: Splits, tmp_path: Path) -> None:
    settings = configured()
    labels = np.array(splits.train.labels.values)
    labels[: len(labels) // 3] = 0
    splits.train.labels = Labels(labels)
    plain = train(settings, splits, tmp_path)[0]
    settings.data.class_weights = "balanced"
    assert not equal(plain, train(settings, splits, tmp_path)[0])


def test_the_loss_starts_at_chance_and_falls(splits: Splits, tmp_path: Path) -> None:
    _, losses, _ = train(configured(epochs=8), splits, tmp_path)
    assert losses[0] == pytest.approx(math.log(2), abs=0.02)  # two classes, nothing learnt
    assert losses[-1] < 0.3 and len(losses) == 8 * 13  # 98 training rows in batches of 8


def test_training_learns_and_keeps_the_best_epoch(splits: Splits, tmp_path: Path) -> None:
    settings = configured(epochs=6)
    scores: list[float] = []
    model = model_of(settings, splits)
    done = fit(
        model, splits, task_of(splits, settings), recipe_of(settings),
        device=CPU, checkpoints=Checkpoints(tmp_path, "t", 1e9),
        on_point=lambda *_: None, on_epoch=lambda _, values: scores.append(values["val/accuracy"]),
    )  # fmt: skip
    assert max(scores) == 1.0 and done.best_epoch == scores.index(max(scores)) + 1


def test_fewer_evaluations_do_not_change_the_training_but_which_epochs_are_compared(
    splits: Splits, tmp_path: Path
) -> None:
    found = {}
    for every in (1, 2):
        settings, seen = configured(epochs=5, eval_every=every), dict[int, float]()
        model = model_of(settings, splits)
        done = fit(
            model, splits, task_of(splits, settings), recipe_of(settings),
            device=CPU, checkpoints=Checkpoints(tmp_path / str(every), "t", 1e9), on_point=lambda *_: None,
            on_epoch=lambda state, values, seen=seen: seen.update({state.epoch: values["val/loss"]}),
        )  # fmt: skip
        found[every] = done, seen
    (_, each), (done, second) = found[1], found[2]
    assert list(each) == [1, 2, 3, 4, 5] and second == {epoch: each[epoch] for epoch in (2, 4, 5)}
    assert done.best_epoch in second and done.epochs == 5


def test_patience_stops_early(splits: Splits, tmp_path: Path) -> None:
    _, _, done = train(configured(epochs=50, patience=2), splits, tmp_path)
    assert done is not None and done.epochs == done.best_epoch + 2 < 50


def test_a_plateau_lowers_the_rate_after_epochs_that_were_no_better(splits: Splits, tmp_path: Path) -> None:
    settings, rates = configured(epochs=5), list[float]()
    settings.optimizer.lr, settings.schedule.name = 1e-9, "plateau"  # nothing is learnt, so no epoch beats the first
    settings.schedule.warmup, settings.schedule.patience, settings.schedule.factor = 0.0, 1, 0.5
    fit(
        model_of(settings, splits), splits, task_of(splits, settings), recipe_of(settings), device=CPU,
        checkpoints=Checkpoints(tmp_path, "t", 1e9), on_epoch=lambda *_: None,
        on_point=lambda _, values: rates.append(values["train/lr"]),
    )  # fmt: skip
    assert rates == pytest.approx([1e-9] * 3 * 13 + [0.5e-9] * 2 * 13)


def test_an_exploding_loss_stops_with_a_cure(splits: Splits, tmp_path: Path) -> None:
    settings = configured(clip_norm=0.0, epochs=5)
    settings.optimizer.name, settings.optimizer.lr = "sgd", 1e30
    with pytest.raises(NotFinite, match=r"optimizer\.lr="):
        train(settings, splits, tmp_path)


def test_a_model_whose_evaluation_fails_gets_its_own_tensors_back(splits: Splits, tmp_path: Path) -> None:
    settings = configured(clip_norm=0.0, steps=1)
    settings.optimizer.name, settings.optimizer.lr, settings.schedule.warmup = "sgd", 1e30, 0.0
    model = model_of(settings, splits)
    with pytest.raises(NotFiniteOutputs):
        fit(
            model, splits, task_of(splits, settings), recipe_of(settings), device=CPU,
            checkpoints=Checkpoints(tmp_path, "test", every_s=1e9), on_point=lambda *_: None, on_epoch=lambda *_: None,
        )  # fmt: skip
    table = model.get_submodule("bert.embeddings.word_embeddings")
    assert isinstance(table, torch.nn.Embedding) and not table.sparse and table.weight.grad is None


def test_bf16_trains(splits: Splits, tmp_path: Path) -> None:
    _, losses, _ = train(configured(precision="bf16", epochs=8), splits, tmp_path)
    assert losses[-1] < 0.4


@pytest.mark.gpu
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_resumed_training_is_the_same_on_cuda(splits: Splits, tmp_path: Path, optimizer: str) -> None:
    settings, cuda = configured(epochs=3, average=2), torch.device("cuda")
    settings.optimizer.name, settings.optimizer.momentum = optimizer, 0.9 if optimizer == "sgd" else 0.0
    settings.optimizer.weight_decay = 0.0 if optimizer == "sgd" else 0.01
    whole, losses, _ = train(settings, splits, tmp_path / "whole", device=cuda)
    train(settings, splits, tmp_path / "parts", stop_at=len(losses) // 2, device=cuda)
    resumed, rest, done = train(settings, splits, tmp_path / "parts", device=cuda)
    assert done is not None and done.resumed_from > 0 and rest == losses[-len(rest) :] and equal(whole, resumed)
