"""The mean over the last epochs' weights: what is evaluated and kept, while the training goes on from its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from data.splits import Splits
from runner.experiment.recipe import recipe_of
from runner.tasks.make import task_of
from runner.training.checkpoint import Checkpoints
from runner.training.loop import fit
from runner.training.state import TrainingState
from runner.training.weight_average import WeightAverage
from tests.runner.training.test_loop import CPU, configured, equal, model_of, train


@pytest.mark.parametrize("keep_best", [False, True])
def test_the_mean_of_the_last_ends_is_kept_and_the_training_is_the_same(
    splits: Splits, tmp_path: Path, keep_best: bool
) -> None:
    settings = configured(epochs=3, average=2, keep_best=keep_best)
    settings.engine.compact_vocabulary = "never"  # else its rows lie in another order meanwhile
    model, ends = model_of(settings, splits), list[dict[str, torch.Tensor]]()
    scores = list[float]()

    def on_epoch(position: TrainingState, values: dict[str, float]) -> None:
        ends.append({name: value.detach().clone() for name, value in model.state_dict().items()})
        scores.append(values["val/accuracy"])

    done = fit(
        model, splits, task_of(splits, settings), recipe_of(settings),
        device=CPU, checkpoints=Checkpoints(tmp_path, "test", 1e9),
        on_point=lambda *_: None, on_epoch=on_epoch,
    )  # fmt: skip
    last = done.best_epoch if keep_best else 3
    means = {name: torch.stack([end[name] for end in ends[max(0, last - 2) : last]]).mean(0) for name in ends[0]}
    assert equal(means, model.state_dict())
    assert last == 1 or not equal(ends[last - 1], dict(model.state_dict()))
    assert done.best_metric == max(scores)
    settings.train.average = 1
    plain = train(configured(epochs=3, keep_best=False), splits, tmp_path / "plain")[0]
    torch.testing.assert_close(ends[-1], dict(plain))


def test_the_mean_has_the_weight_decay_of_words_that_no_training_row_has(splits: Splits, tmp_path: Path) -> None:
    found = []
    for vocabulary in ("always", "never"):
        settings = configured(epochs=3, average=2, keep_best=False)
        settings.optimizer.weight_decay, settings.engine.compact_vocabulary = 0.5, vocabulary
        found.append(train(settings, splits, tmp_path / vocabulary)[0])
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("stop_at", [20, 30])  # 12 steps an epoch: with one end behind it, and with two
def test_an_interrupted_average_resumes_exactly(splits: Splits, tmp_path: Path, stop_at: int) -> None:
    settings = configured(epochs=3, average=3)
    straight = train(settings, splits, tmp_path / "a")[0]
    (tmp_path / "b").mkdir()
    train(settings, splits, tmp_path / "b", stop_at)
    resumed, _, done = train(settings, splits, tmp_path / "b")
    assert done is not None and done.resumed_from > 0 and equal(straight, resumed)


def test_a_checkpoint_is_loaded_to_the_device_of_the_model() -> None:
    average = WeightAverage(torch.nn.Linear(2, 3, device="meta"), size=2)  # stands for CUDA
    average.load({"0/weight": torch.ones(3, 2), "1/weight": torch.ones(3, 2)})
    assert [end["weight"].device.type for end in average.ends] == ["meta", "meta"]
