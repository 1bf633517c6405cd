"""Thresholds: what they lose on the rows that they are calibrated on, and when there is none."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch

from models.compression.exiting.calibrate import calibrate, candidates, fewest_rows, losses
from models.compression.exiting.fit import fit_exits
from models.compression.exiting.states import Seen, see
from models.compression.settings.exits import Exits as Options
from models.errors import ModelError
from models.heads.exit_rules import NEVER
from models.heads.exits import Exits
from runner.statistics.temperature import solve_inverse
from tests.models.compression.exiting.exit_context import LAYERS, ExitContext, with_exits


def prepared(options: Options, count: int = 240) -> tuple[Exits, Seen, Any]:
    """Fitted exits, the selection rows as they see them, and the context."""
    model, exits = with_exits(options)
    context = cast(Any, ExitContext(count))
    fit_exits(exits, see(model, exits, context, rows=None, split="train"), soft=0.0)
    return exits, see(model, exits, context, rows=None, split="select"), context


def by_hand(exits: Exits, seen: Seen) -> tuple[float, float]:
    """The mean layers and the accuracy lost, row by row."""
    certainties, answers = seen.certainties(exits), seen.answers(exits)
    depths, lost = [], 0
    for row in range(len(seen.labels)):
        sure = [place for place in range(LAYERS - 1) if certainties[place, row] >= exits.thresholds[place]]
        depths.append(exits.layers[sure[0]] if sure else LAYERS)
        chosen = answers[sure[0], row] if sure else seen.last[row]
        lost += int(seen.last[row].argmax() == seen.labels[row]) - int(chosen.argmax() == seen.labels[row])
    return float(np.mean(depths)), lost / len(seen.labels)


@pytest.mark.parametrize("rule", ["confidence", "entropy", "patience"])
def test_the_loss_and_the_layers_are_those_of_the_rows_one_by_one(rule: str) -> None:
    options = Options(rule=rule, at_most_loss=1.0)
    exits, seen, context = prepared(options)
    found = calibrate(exits, seen, LAYERS, options, context)
    assert (found.layers, found.loss) == pytest.approx(by_hand(exits, seen))
    assert found.low <= found.loss <= found.high and 1 <= found.layers <= LAYERS


def test_a_smaller_allowed_loss_means_more_layers_and_a_loss_within_it() -> None:
    exits, seen, context = prepared(Options())
    seen = Seen(seen.vectors, 5 * torch.nn.functional.one_hot(seen.labels, 3).float(), seen.labels)  # all right
    layers = []
    for allowed in (0.0, 0.02, 0.2):
        found = calibrate(exits, seen, LAYERS, Options(at_most_loss=allowed), context)
        assert found.loss <= allowed
        layers.append(found.layers)
    assert layers == sorted(layers, reverse=True) and layers[0] > layers[-1]


def test_every_exit_gets_the_temperature_of_the_last_layer() -> None:
    exits, seen, context = prepared(Options())
    with torch.no_grad():
        for factor, layer in zip((6.0, 0.1, 1.0), exits.classifiers):
            layer.weight.mul_(factor)  # type: ignore[operator, union-attr]
            layer.bias.mul_(factor)  # type: ignore[operator, union-attr]
    before = [answers.argmax(-1) for answers in seen.answers(exits)]
    calibrate(exits, seen, LAYERS, Options(), context)
    labels = seen.labels.numpy()
    assert float(exits.temperature) == pytest.approx(context.statistics.temperature(seen.last.numpy(), labels))
    for answers, argmax in zip(seen.answers(exits), before):
        assert torch.equal(answers.argmax(-1), argmax)
        found = solve_inverse(answers.detach().double().numpy(), labels)
        assert found == pytest.approx(1 / float(exits.temperature), rel=1e-3)


def test_candidates_go_from_strict_to_loose_without_the_labels() -> None:
    for rule in ("confidence", "entropy", "patience", "learned"):
        exits, seen, _ = prepared(Options(rule=rule), 60)
        found = candidates(exits, seen, Options(rule=rule))
        depths, _, _ = losses(exits, seen, LAYERS, found)
        assert (np.diff(found) < 0).all() and (np.diff(depths) <= 0).all()
        other = Seen(seen.vectors, seen.last, seen.labels.flip(0))
        assert np.array_equal(found, candidates(exits, other, Options(rule=rule)))


def test_candidates_reach_from_nearly_certain_to_chance_and_from_all_exits_to_one() -> None:
    exits, seen, _ = prepared(Options(), 60)
    found = candidates(exits, seen, Options())
    assert (len(found), found[0], found[-1]) == (60, pytest.approx(0.9999, abs=2e-6), pytest.approx(1 / 3))
    assert candidates(exits, seen, Options(rule="patience")).tolist() == [2, 1], "of three exits"
    assert candidates(exits, seen, Options(threshold=0.7)).tolist() == [0.7]
    assert candidates(exits, seen, Options(rule="entropy", threshold=0.7)).tolist() == [-0.7]


def test_a_guarantee_takes_temperatures_and_threshold_from_different_rows() -> None:
    options = Options(guarantee="net_loss", at_most_loss=0.3)
    exits, seen, context = prepared(options)
    found = calibrate(exits, seen, LAYERS, options, context)
    assert found.rows == len(seen.labels) // 2 and found.layers < LAYERS
    impossible = Options(guarantee="net_loss", at_most_loss=0.001)
    with pytest.raises(ModelError, match=r"Try: compression\.early\.guarantee=none"):
        calibrate(exits, seen, LAYERS, impossible, context, key="compression.early")


def too_sure(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Logits of a last layer with log-odds of 6 that is wrong on a fifth of the rows."""
    answers = torch.where(torch.arange(len(labels)) % 5 == 0, (labels + 1) % classes, labels)
    return 6.0 * torch.nn.functional.one_hot(answers, classes).float()


def test_temperatures_know_the_even_rows_alone_and_the_threshold_the_odd_ones() -> None:
    options, others = Options(guarantee="net_loss", at_most_loss=0.9), []
    for changed in (None, slice(0, None, 2), slice(1, None, 2)):
        exits, seen, context = prepared(options)
        labels, last = seen.labels.clone(), too_sure(seen.labels, 3)
        if changed is not None:
            labels[changed] = labels[changed].flip(0)
        found = calibrate(exits, Seen(seen.vectors, last, labels), LAYERS, options, context)
        others.append((float(exits.temperature), found.loss))
    plain, even, odd = others
    assert odd[0] == plain[0] != even[0] and odd[1] != plain[1]


def test_two_classes_get_temperatures_and_an_interval_too() -> None:
    exits, seen, context = prepared(Options())
    exits.classifiers = torch.nn.ModuleList(torch.nn.Linear(32, 2) for _ in range(LAYERS - 1))
    labels = seen.labels % 2
    found = calibrate(exits, Seen(seen.vectors, too_sure(labels, 2), labels), LAYERS, Options(), context)
    assert float(exits.temperature) == pytest.approx(6.0 / np.log(4), rel=0.05)  # the log-odds of four out of five
    assert found.low <= found.loss <= found.high


def test_exits_are_rounded_as_the_file_holds_them_before_the_threshold_is_chosen() -> None:
    exits, seen, context = prepared(Options())
    calibrate(exits, seen, LAYERS, Options(at_most_loss=0.2), context, in_half=True)
    for layer in exits.classifiers:
        weight = layer.get_parameter("weight")
        assert torch.equal(weight, weight.half().float()) and weight.abs().sum() > 0
    threshold = float(exits.thresholds[0])
    assert threshold == NEVER or threshold != float(np.float16(threshold)), "thresholds stay in float32"


def test_no_allowed_threshold_means_all_layers() -> None:
    options = Options(rule="patience", at_most_loss=0.0)
    exits, seen, context = prepared(options)
    last = 5 * torch.nn.functional.one_hot(seen.labels, 3).float()  # always right
    with torch.no_grad():
        for layer in exits.classifiers:
            layer.bias += torch.tensor([0.0, 0.0, 99.0])  # type: ignore[operator]
    found = calibrate(exits, Seen(seen.vectors, last, seen.labels), LAYERS, options, context)
    assert found.layers == LAYERS and found.value == NEVER and float(exits.thresholds[0]) == NEVER


def test_the_rows_that_a_guarantee_takes_at_least() -> None:
    assert fewest_rows(0.005, 0.1) == 598  # the bound of 598 rows without a harm is below 0.005
    assert fewest_rows(0.0, 0.05) > 10**9


def test_numbers_lose_squared_error_as_a_share_of_the_variance() -> None:
    exits, seen, context = prepared(Options(rule="patience"))
    numbers = Seen(seen.vectors, torch.zeros(len(seen.labels), 1), seen.labels.float())
    exits.classifiers = torch.nn.ModuleList(torch.nn.Linear(32, 1) for _ in range(LAYERS - 1))
    for layer in exits.classifiers:
        layer.weight.data.zero_()  # type: ignore[union-attr, operator]
        layer.bias.data.fill_(1.0)  # type: ignore[union-attr, operator]
    exits.thresholds.fill_(NEVER)
    found = calibrate(exits, numbers, LAYERS, Options(rule="patience", threshold=1.0), context)
    labels = seen.labels.double()
    gained = ((labels - 1).square() - labels.square()).mean() / labels.var()
    assert found.loss == pytest.approx(float(gained)) and found.layers == 2 and np.isnan(found.low)
