"""Models that a run cannot start from are refused with a cure."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from models.compression.settings.exits import Exits
from models.compression.settings.quantization import WeightOnly
from models.heads.exits import attach_exits
from runner.errors import ConfigError
from runner.experiment import initial_model
from runner.experiment.initial_model import (
    check_checkpoint,
    check_finished,
    check_pairs,
    check_readout_length,
    check_tokenizer,
)
from runner.schema import Settings
from tests.models.helpers import small


def test_texts_longer_than_the_readout_are_refused() -> None:
    settings = Settings()
    settings.data.max_length, settings.model.readout = 64, {"name": "parasite"}
    with pytest.raises(ConfigError, match=r"more than the 32 tokens .*Try: model\.readout\.length=64"):
        check_readout_length(cast(Any, SimpleNamespace(longest=32)), settings)
    check_readout_length(cast(Any, SimpleNamespace(longest=64)), settings)
    check_readout_length(cast(Any, SimpleNamespace(longest=None)), settings)


def test_a_model_of_another_vocabulary_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initial_model, "load_tokenizer", lambda folder: SimpleNamespace(fingerprint="b"))
    splits = cast(Any, SimpleNamespace(tokenizer=SimpleNamespace(fingerprint="a", source="train", language=None)))
    with pytest.raises(ConfigError, match=r"another vocabulary than train\. Try: model\.tokenizer=auto"):
        check_tokenizer(Path("model"), splits)
    splits.tokenizer.fingerprint = "b"
    check_tokenizer(Path("model"), splits)
    check_tokenizer(None, splits)


def test_the_checkpoint_of_a_finished_model_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(initial_model, "require_weights", lambda source, *_: asked.append(source))
    monkeypatch.setattr(initial_model, "check_source", lambda model: None)
    settings = Settings()
    settings.model.family, settings.model.pretrained, settings.model.init_from = "bert", "some/model", ""
    check_checkpoint(settings)
    assert asked == ["some/model"]
    settings.finished = "outputs/x/model"
    check_checkpoint(settings)
    assert asked == ["some/model"]


def test_after_exits_only_other_exits_may_come() -> None:
    model, settings = small(layers=3), Settings(finished="outputs/x/model")
    check_finished(model, settings)
    attach_exits(model, [1, 2], rule="confidence")
    settings.compression = {"int8": WeightOnly()}
    with pytest.raises(ConfigError, match="has exits, whose thresholds another stage would undo"):
        check_finished(model, settings)
    settings.compression = {"exits": Exits()}
    check_finished(model, settings)


@pytest.mark.parametrize(
    ("labels", "message"), [([0.5, 1.5], "the labels are numbers. Try: model=frozen"), ([1, 1], "rows of two classes")]
)
def test_pairs_need_rows_of_two_classes(labels: list[float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_pairs(np.array(labels), "auto")
    check_pairs(np.array([0, 2]), "auto")
