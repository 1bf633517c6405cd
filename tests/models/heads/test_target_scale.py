"""The unit of a regression's answers: the same in every way that a model is saved, opened and gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification

import models.checkpoints.transformers_model  # noqa: F401  registers our class
from models.build import build
from models.checkpoints.open import load_model, restore_saved
from models.compression.dendrite.module import attach_dendrites
from models.compression.distillation.internals import run_with_internals
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.heads.target_scale import TARGETS, Unstandardise, standardise_targets
from models.settings import ModelSettings
from tests.models.checkpoints.test_save import write
from tests.models.helpers import SMALL, batch, small

MEAN, SD = 250_000.0, 50_000.0
NEAR: dict[str, Any] = {"rtol": 0, "atol": 1e-5 * SD}
KINDS: list[dict[str, Any]] = [{}, {"readout": {"name": "mean"}}, {"family": "dsn", "readout": {"name": "sum"}}]


def unit_model(seed: int = 0, **changes: Any) -> Any:
    model = small(seed, num_labels=1, **changes)
    standardise_targets(model, MEAN, SD, is_fresh=True)
    return model


def saved(model: Any, folder: Path) -> Path:
    return write(model, folder, label_names=[])


def test_a_fresh_head_answers_around_the_mean_in_standard_deviations() -> None:
    plain, model = small(num_labels=1)(**batch()), unit_model()(**batch())
    torch.testing.assert_close(model, plain * SD + MEAN)
    torch.testing.assert_close(run_with_internals(unit_model(), batch()).logits, model)


@pytest.mark.parametrize("changes", KINDS)
def test_every_way_to_open_a_saved_model_gives_its_answers(tmp_path: Path, changes: dict[str, Any]) -> None:
    model = unit_model(**changes)
    folder, wanted = saved(model, tmp_path / "m"), model(**batch())
    torch.testing.assert_close(load_model(folder)(**batch()), wanted, **NEAR)
    theirs = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    assert (type(theirs) is BertForSequenceClassification) == (changes == {})
    torch.testing.assert_close(theirs(**batch()).logits, wanted, **NEAR)
    assert (TARGETS in json.loads((folder / "config.json").read_text())) == (changes != {})
    theirs.save_pretrained(tmp_path / "again")
    torch.testing.assert_close(load_model(tmp_path / "again")(**batch()), wanted, **NEAR)


@pytest.mark.parametrize("changes", KINDS)
def test_a_trained_head_goes_on_in_standard_deviations_with_the_same_answers(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    model = unit_model(**changes)
    folder, wanted = saved(model, tmp_path / "m"), model(**batch())
    again = load_model(folder)
    standardise_targets(again, MEAN, SD, is_fresh=False)
    adopted = restore_saved(unit_model(3, **changes), folder)
    for found in (again, adopted):
        torch.testing.assert_close(found(**batch()), wanted, **NEAR)
        torch.testing.assert_close(found.classifier.weight, model.classifier.weight)
        torch.testing.assert_close(found.classifier.bias, model.classifier.bias, rtol=0, atol=1e-6)


def test_a_model_with_a_unit_keeps_it_and_a_head_that_is_not_linear_goes_on_as_it_is(tmp_path: Path) -> None:
    model = load_model(saved(unit_model(readout={"name": "mean"}), tmp_path / "m"))
    wanted = model(**batch())
    standardise_targets(model, 0.0, 3.0, is_fresh=False)
    assert torch.equal(model(**batch()), wanted)
    grown = small(num_labels=1)
    attach_dendrites(grown, ["classifier"])
    wanted = grown(**batch())
    standardise_targets(grown, MEAN, SD, is_fresh=False)
    assert torch.equal(grown(**batch()), wanted) and TARGETS not in grown.architecture


@pytest.mark.parametrize("changes", KINDS[:2])
def test_a_new_head_does_not_inherit_the_unit_and_a_carried_one_keeps_its_answers(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    model = unit_model(**changes)
    folder = saved(model, tmp_path / "m")
    for what in ("encoder", "all"):
        settings = ModelSettings(**(SMALL | changes), carry=what)
        found, weights = build(settings, head=HeadSpec(outputs=1), vocab_size=90, start=folder)
        assert ("classifier.weight" in weights.loaded) == (what == "all")
        if what == "encoder":
            assert TARGETS not in found.architecture and not isinstance(found.unstandardise, Unstandardise)
        else:
            torch.testing.assert_close(found.eval()(**batch()), model(**batch()), **NEAR)


def test_in_bf16_the_answers_keep_their_digits() -> None:
    model = unit_model()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = model(**batch())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, model(**batch()), rtol=0, atol=0.01 * SD)  # steps of 1024 would be 0.02


@pytest.mark.parametrize("targets", [{"mean": 0.0, "sd": 0.0}, {"mean": "a", "sd": 1.0}, {"sd": 1.0}, 7, None])
def test_a_config_with_another_unit_is_refused(tmp_path: Path, targets: Any) -> None:
    folder = saved(unit_model(readout={"name": "mean"}), tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {TARGETS: targets}))
    with pytest.raises(ModelError, match="do not describe a valid model"):
        load_model(folder)
