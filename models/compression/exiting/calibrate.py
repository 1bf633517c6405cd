"""Calibrates exits on rows that the model was not trained on: a temperature for each exit, then one threshold for all.

The temperatures make confidences comparable across exits, so that one threshold fits all. Candidate thresholds are
tested from the strictest to the loosest, an order that does not depend on the labels. The last one before the first
that loses more than allowed is chosen. With guarantee=net_loss, temperatures come from one half of the rows and the
threshold from the other, and the upper bound of the loss must be within the allowed loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from models.compression.exiting.states import Seen
from models.compression.settings.exits import Exits as Options
from models.compression.stage import StageContext
from models.errors import ModelError
from models.half import to_half
from models.heads.exit_rules import threshold_of, value_of
from models.heads.exits import Exits

STEPS = 60  # candidates, from a confidence of 0.9999 down to chance
SUREST = 9.2  # log-odds of 0.9999


@dataclass(frozen=True)
class Found:
    """A threshold, and its effect on the rows that it was calibrated on."""

    value: float  # in the unit of the rule
    rows: int
    layers: float  # mean number of layers that ran
    loss: float  # accuracy lost against the full model; in regression, added squared error / variance of the labels
    low: float = math.nan  # confidence interval of that loss; NaN for regression
    high: float = math.nan


def fewest_rows(at_most_loss: float, delta: float) -> int:
    """The fewest rows, none of them harmed, that certify this loss: 1 - (delta / 2) ** (1 / rows) <= at_most_loss."""
    return math.ceil(math.log(delta / 2) / math.log1p(-at_most_loss)) if 0 < at_most_loss < 1 else 2**62


def calibrate(
    exits: Exits, seen: Seen, layers: int, options: Options, context: StageContext, *, in_half: bool = False,
    key: str = "compression.exits",
) -> Found:  # fmt: skip
    """Set the exits' temperatures and thresholds.

    seen: rows not trained on; layers: number of the encoder's layers; in_half: round the exits, but not the thresholds,
    to fp16, as the file stores them. key: of the stage's settings, for messages.
    """
    is_guaranteed = options.guarantee != "none"
    first, second = (seen.take(slice(0, None, 2)), seen.take(slice(1, None, 2))) if is_guaranteed else (seen, seen)
    if seen.last.shape[-1] > 1:
        fold_temperatures(exits, first, context)
    if in_half:
        for tensor in exits.state_dict().values():
            tensor.copy_(to_half(tensor))
    found = candidates(exits, second, options)
    depths, harms, helps = losses(exits, second, layers, found)
    count = len(second.labels)
    if options.threshold is not None:
        chosen = 0
    elif is_guaranteed:
        chosen = context.statistics.last_certified(harms, helps, count, options.at_most_loss, options.delta)
    else:
        over = np.flatnonzero(harms - helps > options.at_most_loss * count)
        chosen = int(over[0]) - 1 if len(over) else len(found) - 1
    if chosen < 0:
        return _none(options, count, layers, harms, helps, key)
    exits.thresholds.fill_(found[chosen])
    low = high = math.nan
    if seen.last.shape[-1] > 1:
        low, high = context.statistics.net_loss_interval(int(harms[chosen]), int(helps[chosen]), count, options.delta)
    loss = float(harms[chosen] - helps[chosen]) / count
    return Found(value_of(options.rule, float(found[chosen])), count, float(depths[chosen]), loss, low, high)


def _none(options: Options, count: int, layers: int, harms: np.ndarray, helps: np.ndarray, key: str) -> Found:
    """No threshold loses little enough: all rows go through all layers. With a guarantee, ModelError instead."""
    if options.guarantee == "none":
        return Found(value_of(options.rule, math.inf), count, float(layers), 0.0, 0.0, 0.0)
    seen = f"only the last layer is right on {int(harms[0])}, only an exit on {int(helps[0])}"
    raise ModelError(
        f"no threshold certifies a loss of at most {options.at_most_loss:g} on {count:,} rows: of the most confident, "
        f"{seen}. Try: {key}.guarantee=none, or a larger {key}.at_most_loss"
    )


@torch.no_grad()
def fold_temperatures(exits: Exits, seen: Seen, context: StageContext) -> None:
    """Scale every exit's logits to the temperature of the last layer's logits, which is stored in the exits."""
    labels = seen.labels.cpu().numpy()
    own = context.statistics.temperature(seen.last.cpu().numpy(), labels)
    for layer, logits in zip(exits.classifiers, seen.answers(exits)):
        factor = own / context.statistics.temperature(logits.cpu().numpy(), labels)
        assert isinstance(layer, nn.Linear), "as Exits makes them"
        layer.weight.mul_(factor)
        layer.bias.mul_(factor)
    exits.temperature.fill_(own)


@torch.no_grad()
def candidates(exits: Exits, seen: Seen, options: Options) -> np.ndarray:
    """The thresholds to test, from the strictest to the loosest, or the single one from the settings."""
    if options.threshold is not None:
        return np.array([threshold_of(options.rule, options.threshold)])
    if options.rule == "patience":
        return np.arange(len(exits.layers) - 1, 0, -1, dtype=np.float64)
    if options.rule == "confidence":
        least = 1 / seen.last.shape[-1]
        odds = np.linspace(SUREST, math.log(least / (1 - least)), STEPS)
        return (1 / (1 + np.exp(-odds))).astype(np.float32).astype(np.float64)  # rounded as in the stored model
    certainties = seen.certainties(exits).flatten().cpu().numpy()
    steps = np.quantile(certainties, np.linspace(0, 1, STEPS), method="inverted_cdf")
    return np.unique(steps)[::-1].astype(np.float64)


@torch.no_grad()
def losses(exits: Exits, seen: Seen, layers: int, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean layers run, harms and helps for each threshold, (thresholds,) each; layers: number of the encoder's layers.

    In classification, harms are right answers that become wrong, helps the reverse. In regression, they sum the rise
    and the fall of the squared error, divided by the variance of the labels.
    """
    certainties = seen.certainties(exits).cpu()
    answers = torch.cat([seen.answers(exits), seen.last[None]]).cpu()
    errors = _errors(answers, seen.labels.cpu())
    depth_of = torch.tensor([*exits.layers, layers], dtype=torch.float64)
    everything = torch.ones_like(certainties[:1], dtype=torch.bool)
    found = []
    for threshold in thresholds:
        is_sure = torch.cat([certainties >= threshold, everything])
        place = is_sure.int().argmax(0)  # the first exit that is sure
        gained = errors.gather(0, place[None])[0] - errors[-1]
        found.append(
            (float(depth_of[place].mean()), float(gained.clamp(min=0).sum()), float(-gained.clamp(max=0).sum()))
        )
    depths, harms, helps = np.array(found).T
    return depths, harms, helps


def _errors(answers: Tensor, labels: Tensor) -> Tensor:
    """The error of each answer, (exits + 1, N) float64: 0 or 1 for classes, else squared error / label variance."""
    if answers.shape[-1] > 1:
        return (answers.argmax(-1) != labels).double()
    spread = labels.double().var().clamp(min=1e-12)
    return (answers.squeeze(-1).double() - labels.double()).square() / spread
