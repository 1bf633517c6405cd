"""The stage: fits, calibrates, records, comes back from its folder, and refuses what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from models.compression.exiting.calibrate import losses
from models.compression.exiting.states import see
from models.compression.exits import Exits
from models.compression.settings.exits import Exits as Options
from models.compression.settings.quantization import WeightOnly as FewBits
from models.compression.weight_only import WeightOnly
from models.errors import ModelError
from models.heads.exits import exits_of
from tests.models.compression.exiting.exit_context import LAYERS, ExitContext, encoder
from tests.models.compression.row_context import applied, reopened
from tests.models.helpers import batch, small


def made(model: Any, count: int = 240, **options: Any) -> tuple[Any, ExitContext]:
    """The model after the stage, and its context."""
    context = ExitContext(count)
    return Exits(Options(**options)).run(model, cast(Any, context)), context


@pytest.mark.parametrize("form", ["frozen", "alternate", "weighted"])
def test_a_model_with_exits_comes_back_from_its_folder(tmp_path: Path, form: str) -> None:
    before = encoder()
    weight = before.bert.encoder.layer[0].output.dense.weight.clone()
    model, context = made(before, 96, form=form, at_most_loss=0.2)
    assert torch.equal(model.bert.encoder.layer[0].output.dense.weight, weight) == (form == "frozen")
    assert bool(context.trained) == (form != "frozen")
    again = reopened(model, tmp_path / "model")
    assert torch.equal(again(**batch()), model(**batch()))
    assert set(context.facts) == {"exits/threshold", "exits/rows", "exits/lost", "exits/lost_low", "exits/lost_high"}
    assert "layers" in context.said[0] and context.asked == {"train", "calibration"}


def test_exits_stand_on_weights_of_few_bits(tmp_path: Path) -> None:
    quantized, _ = applied(WeightOnly(FewBits(bits=4)), encoder())
    model, _ = made(quantized, 96, at_most_loss=0.2)
    assert [entry["method"] for entry in model.architecture["compressed"]] == ["weight_only", "exits"]
    assert torch.equal(reopened(model, tmp_path / "model")(**batch()), model(**batch()))
    with pytest.raises(ModelError, match="form=frozen"):
        Exits(Options(form="alternate")).check(quantized)


def test_a_file_in_16_bits_keeps_the_exits_as_they_are(tmp_path: Path) -> None:
    quantized, _ = applied(WeightOnly(FewBits(bits=4, rest="fp16")), encoder())
    model, _ = made(quantized, 96, at_most_loss=0.2)
    assert torch.equal(reopened(model, tmp_path / "model")(**batch()), model(**batch()))


def test_a_file_in_16_bits_keeps_the_threshold_that_was_calibrated_for_its_rounded_exits(tmp_path: Path) -> None:
    quantized, _ = applied(WeightOnly(FewBits(bits=4, rest="fp16")), encoder())
    model, context = made(quantized, 96, threshold=0.9999)  # 1 in 16 bits
    exits, again = exits_of(model), exits_of(reopened(model, tmp_path / "model"))
    assert exits is not None and again is not None
    assert context.facts["exits/threshold"] == pytest.approx(0.9999) and float(again.thresholds[0]) < 1
    found = losses(exits, see(model, exits, context, rows=None, split="calibration"), LAYERS, np.array([0.9999]))
    assert found[1] - found[2] == pytest.approx(96 * context.facts["exits/lost"])


def test_exits_again_replace_those_that_there_are() -> None:
    model, _ = made(encoder(), 96, threshold=0.5)
    model, _ = made(model, 96, threshold=0.9, after=[2])
    exits = exits_of(model)
    assert exits is not None and exits.layers == (2,) and float(exits.thresholds[0]) == pytest.approx(0.9)
    assert [entry["method"] for entry in model.architecture["compressed"]] == ["exits"]


@pytest.mark.parametrize(("outputs", "other"), [(3, "confidence"), (1, "learned")])
def test_patience_needs_two_exits_to_compare(outputs: int, other: str) -> None:
    stage = Exits(Options(rule="patience"), "exits")
    with pytest.raises(
        ModelError, match=rf"compares two exits, but there is one\. Try: compression\.exits\.rule={other}"
    ):
        stage.check(small(num_labels=outputs))
    stage.check(small(num_labels=outputs, layers=3))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"after": [2, 4]}, r"Try: 'compression.exits.after=\[1, 2, 3\]'"),
        ({"rule": "patience", "threshold": 4.0}, "a patience below the number of exits, 3"),
    ],
)
def test_options_that_do_not_fit_the_layers_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        Exits(Options(**options)).check(small(layers=LAYERS))


def test_numbers_have_neither_confidence_nor_a_guarantee() -> None:
    model = small(layers=LAYERS, num_labels=1)
    with pytest.raises(ModelError, match="rule=learned"):
        Exits(Options()).check(model)
    with pytest.raises(ModelError, match="guarantee=none"):
        Exits(Options(rule="learned", guarantee="net_loss")).check(model)
    Exits(Options(rule="patience")).check(model)


def test_what_numbers_lose_is_told_as_a_share_of_their_variance() -> None:
    _, context = made(small(layers=LAYERS, num_labels=1, readout={"name": "mean"}), rule="learned", threshold=0.9)
    assert "% of the labels' variance there" in context.said[0]
    _, context = made(encoder(), threshold=0.4)
    assert "points there" in context.said[0]


def test_rows_that_cannot_calibrate_are_refused() -> None:
    guaranteed = Exits(Options(guarantee="net_loss", at_most_loss=0.005))
    with pytest.raises(ModelError, match="needs at least 1,472 rows"):
        guaranteed.check_rows(1471, "")
    guaranteed.check_rows(1472, "")
    with pytest.raises(ModelError, match="the rows of val train too"):
        Exits(Options()).check_rows(1000, "the rows of val train too")
    Exits(Options(threshold=0.9)).check_rows(1000, "the rows of val train too")


@pytest.mark.parametrize("rule", ["confidence", "entropy", "patience", "learned"])
@pytest.mark.parametrize("reads", ["auto", "first", "mean"])
def test_the_model_that_a_search_times_comes_back_from_its_folder(tmp_path: Path, rule: str, reads: str) -> None:
    model = encoder()
    Exits(Options(rule=rule, reads=reads)).sketch(model)
    again = reopened(model, tmp_path / "model")
    assert torch.equal(again(**batch()), model(**batch()))
    counts = [cast(Any, exits_of(one)).take_counts(LAYERS) for one in (model, again)]
    assert counts[0] == counts[1] and counts[0][LAYERS] == 0, "every text leaves half-way"
