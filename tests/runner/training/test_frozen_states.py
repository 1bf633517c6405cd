"""Heads trained on kept states: the same training as on the fly, exact resume, nothing of the encoder moves."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.inputs.maxmatch_dropout import MaxMatchDropout
from data.load import load_splits
from data.settings import DataSettings
from data.splits import Splits
from data.stores.build_once import SharedCache
from models.backbones.dropout import dropout_generator
from models.build import build
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.errors import ConfigError
from runner.experiment.recipe import recipe_of
from runner.schema import Settings
from runner.tasks.make import task_of
from runner.training.checkpoint import Checkpoints, clear_checkpoints
from runner.training.frozen_states import attach_frozen_states, check_frozen_states, uses_frozen_states
from runner.training.inference import predict, unpack_states
from runner.training.loop import fit
from runner.training.state import TrainingState
from tests.runner.training.test_loop import CPU, Stop

READOUTS: dict[str, dict[str, Any]] = {
    "flatten": {"name": "adapter_pool", "size": 4, "pool": "flatten", "shared": True, "skip": False, "length": 128},
    "mean": {"name": "adapter_pool", "size": 4, "pool": "masked_mean", "shared": False, "skip": True, "length": 128},
    "first token": {"name": "cls_layers", "weights": "learned", "size": 8},
    "xception": {"name": "xception", "kind": "short"},
    "last layer": {"name": "mean"},
    "BERT's own": {"name": "cls"},
}


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    settings = DataSettings(demo_task="entailment", text_pair="text_pair", demo_rows=120)
    return load_splits(settings, tokenizer="train", vocab_size=300, cache=tmp_path_factory.mktemp("tokens"))


def configured(folder: Path, readout: dict[str, Any], **cache: Any) -> Settings:
    model = ModelSettings(layers=4, hidden=48, heads=4, readout=readout, freeze="encoder")
    settings = Settings(model=model)
    settings.optimizer.lr, settings.train.epochs, settings.train.batch_size = 1e-3, 2, 16
    # States computed in another batch differ in their last bits, gradients by about 1e-9. AdamW divides a gradient by
    # its own size: where that is near eps, 1e-8 by default, its first step already differs by 7 % of the rate in some
    # weights of the Xception head, whose ReLUs then tell the runs apart. A larger eps keeps rounding what it is.
    settings.optimizer.eps = 1e-4
    settings.paths.cache = str(folder / "cache")
    for name, value in ({"dtype": "fp32"} | cache).items():
        setattr(settings.cache, name, value)
    return settings


def model_of(settings: Settings, splits: Splits) -> Any:
    torch.manual_seed(settings.seed)
    dropout_generator.seed(settings.seed)
    return build(settings.model, head=HeadSpec(outputs=splits.task.num_labels), vocab_size=splits.tokenizer.vocab_size)[
        0
    ]


def attached(model: Any, splits: Splits, settings: Settings) -> Splits:
    return attach_frozen_states(model, splits, settings.cache, SharedCache(Path(settings.paths.cache)), CPU)


def checked(settings: Settings, splits: Splits) -> str | None:
    model = model_of(settings, splits)
    return check_frozen_states(model, splits, settings.cache, Path(settings.paths.cache), settings.model.freeze)


def train(settings: Settings, splits: Splits, folder: Path, stop_at: int | None = None) -> tuple[Any, list[float]]:
    """The model and its training and selection losses; with stop_at the training dies at that step."""
    model, losses = model_of(settings, splits), list[float]()
    if uses_frozen_states(model, settings.cache):
        splits = attached(model, splits, settings)

    def on_point(position: TrainingState, values: dict[str, float]) -> None:
        losses.append(values["train/loss"])
        if position.step == stop_at:
            raise Stop

    with suppress(Stop):
        fit(
            model, splits, task_of(splits, settings), recipe_of(settings), device=CPU,
            checkpoints=Checkpoints(folder, "t", 1e-9 if stop_at else 1e9),
            on_point=on_point, on_epoch=lambda _, values: losses.append(values["val/loss"]),
        )  # fmt: skip
        clear_checkpoints(folder)  # as a finished run does
    return model, losses


@pytest.mark.parametrize("readout", READOUTS)
def test_training_on_kept_states_is_training_on_the_fly(splits: Splits, tmp_path: Path, readout: str) -> None:
    _, kept = train(configured(tmp_path, READOUTS[readout]), splits, tmp_path)
    assert list((tmp_path / "cache" / "activations").glob("*/values"))
    _, fresh = train(configured(tmp_path, READOUTS[readout], mode="none"), splits, tmp_path)
    assert len(kept) == 18  # 8 steps an epoch and a selection, twice
    np.testing.assert_allclose(kept, fresh, atol=2e-6, rtol=0)
    assert abs(kept[0] - kept[-2]) > 1e-4, "the head learns something"


def test_bf16_states_are_close(splits: Splits, tmp_path: Path) -> None:
    model, _ = train(configured(tmp_path, READOUTS["flatten"]), splits, tmp_path)
    settings = configured(tmp_path, READOUTS["flatten"], dtype="bf16")
    kept = attached(model, splits, settings).select
    options: dict[str, Any] = {"batch_size": 32, "device": CPU, "precision": "fp32"}
    np.testing.assert_allclose(predict(model, kept, **options), predict(model, splits.select, **options), atol=2e-2)


def test_bits_of_bf16_become_their_numbers_layers_first() -> None:
    states = torch.randn(2, 3, 4, 5)
    raw = states.to(torch.bfloat16).view(torch.int16)
    assert torch.equal(unpack_states(raw), states.to(torch.bfloat16).float().permute(2, 0, 1, 3))


@pytest.mark.parametrize("stop_at", [3, 11])
def test_resume_on_kept_states_is_exact(splits: Splits, tmp_path: Path, stop_at: int) -> None:
    settings = configured(tmp_path, READOUTS["xception"])  # whose norms have statistics besides weights
    straight, losses = train(settings, splits, tmp_path / "a")
    (tmp_path / "b").mkdir()
    train(settings, splits, tmp_path / "b", stop_at)
    resumed, after = train(settings, splits, tmp_path / "b")
    assert 0 < len(after) < len(losses) and after == losses[-len(after) :]
    assert all(torch.equal(tensor, resumed.state_dict()[name]) for name, tensor in straight.state_dict().items())


def test_only_the_head_is_trained(splits: Splits, tmp_path: Path) -> None:
    settings = configured(tmp_path, READOUTS["first token"])
    before = {name: tensor.clone() for name, tensor in model_of(settings, splits).state_dict().items()}
    after = train(settings, splits, tmp_path)[0].state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    trained = {name for name in before if name.startswith(("bert.pooler.mix", "bert.pooler.adapter", "classifier"))}
    assert moved == trained


def test_heads_that_read_the_same_share_a_store_and_another_encoder_has_its_own(splits: Splits, tmp_path: Path) -> None:
    def stores() -> int:
        return len(list((tmp_path / "cache" / "activations").glob("*/values")))

    encoder: dict[str, torch.Tensor] = {}
    for readout, expected in (("flatten", 2), ("mean", 2), ("first token", 4), ("xception", 4)):
        settings = configured(tmp_path, READOUTS[readout])
        model = model_of(settings, splits)
        encoder = encoder or {n: t for n, t in model.state_dict().items() if n.startswith(("bert.enc", "bert.emb"))}
        model.load_state_dict(encoder, strict=False)
        attached(model, splits, settings)
        assert stores() == expected, readout
    next(model.bert.encoder.parameters()).data[0, 0] += 1e-3
    attached(model, splits, settings)
    assert stores() == 6


def test_a_cache_that_is_too_large_is_refused_with_its_size(splits: Splits, tmp_path: Path) -> None:
    settings = configured(tmp_path, READOUTS["flatten"], max_gb=1e-4)
    with pytest.raises(
        ConfigError, match=r"for every token\): 0.00\d GB, more than cache.max_gb=0.0001. Try: cache.max_gb="
    ):
        checked(settings, splits)
    settings.cache.max_gb = 1.0
    line = checked(settings, splits)
    assert line is not None and "5 x 48 numbers in fp32" in line


def test_nothing_is_kept_of_an_encoder_that_is_trained(splits: Splits, tmp_path: Path) -> None:
    settings = configured(tmp_path, READOUTS["flatten"])
    settings.model.freeze = "none"
    assert checked(settings, splits) is None


def test_a_readout_of_two_texts_is_trained_on_the_fly_because_stored_states_have_no_segments(
    splits: Splits, tmp_path: Path
) -> None:
    encoder = configured(tmp_path, {"name": "bi_encoder", "pooling": "mean", "compare": "parts"})
    words = configured(tmp_path, {"name": "pair", "norm": "layer", "size": 8, "dropout": 0.0})
    words.model.family = "dsn"
    for settings in (encoder, words):
        assert "tells the two texts of a pair apart" in str(checked(settings, splits))
        assert not uses_frozen_states(model_of(settings, splits), settings.cache)


def test_states_that_are_kept_and_texts_in_other_pieces_exclude_each_other(splits: Splits, tmp_path: Path) -> None:
    varied = MaxMatchDropout(splits.tokenizer, share=0.1, seed=0, max_length=128)
    with pytest.raises(ConfigError, match="tokenised differently in every epoch"):
        checked(configured(tmp_path, READOUTS["mean"]), replace(splits, train=replace(splits.train, augment=varied)))
