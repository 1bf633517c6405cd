"""Rows are seen by the exits as they are when the model answers, with dropped tokens too."""

from __future__ import annotations

from typing import Any, cast

import torch

from models.backbones.lengths import Lengths
from models.compression.exiting.states import see
from models.compression.lengths.chosen import set_lengths
from models.compression.settings.exits import Exits as Options
from tests.models.compression.exiting.exit_context import LAYERS, ExitContext, with_exits


def test_the_answers_to_what_was_seen_are_those_of_the_model() -> None:
    context = ExitContext(32)
    model, exits = with_exits(Options())
    for lengths in (None, Lengths((0.9, 0.7, 0.5, 0.5))):
        set_lengths(model, lengths)
        seen = see(model, exits, cast(Any, context), rows=None, split="train")
        (inputs, _, _) = next(context.batches())
        with torch.no_grad():
            for place, layer in enumerate(exits.layers):
                exits.thresholds.fill_(torch.inf)
                exits.thresholds[place] = 0.0
                found = model(**inputs)
                assert torch.allclose(found, seen.answers(exits)[place], atol=2e-3), (layer, lengths)
        exits.take_counts(LAYERS)


def test_numbers_are_seen_in_the_unit_of_the_head() -> None:
    model, exits = with_exits(Options(rule="patience"))
    model.architecture["targets"] = {"mean": 1.0, "sd": 2.0}
    context = ExitContext(32)
    seen = see(model, exits, cast(Any, context), rows=None, split="train")
    (_, targets, _) = next(context.batches())
    assert torch.allclose(seen.labels, (targets["labels"] - 1.0) / 2.0)
