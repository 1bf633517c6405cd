"""Targets of speed: reached, refused, and the same on the same machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from models.compression.settings.pruning import Recovery, Target
from models.compression.structured.blocks import ATTENTION, FFN, linear_of
from models.compression.structured.layer_widths import Sublayer, cut_sublayer, layer_of, sublayers
from models.compression.structured.speed_model import SpeedModel
from models.errors import ModelError
from tests.models.compression.counting_context import CountingContext, NoisyContext, model, options, run
from tests.models.helpers import batch


@pytest.fixture
def context(tmp_path: Path) -> CountingContext:
    return CountingContext(tmp_path)


# Three layers of 4 heads and 48 neurons. Timed alone, all sublayers together take 2 x 2 + 1 + 2 x 1 + 1 = 8 ms.
CELLS = {
    "attention": (1.0, 3.0), "attention/first": (0.5, 1.5), "ffn": (1.0, 2.0), "ffn/first": (0.5, 1.5),
}  # fmt: skip
TIMES = {"whole": 18.0, "empty": 2.0} | {
    f"{key}/{width}": time
    for key, times in CELLS.items()
    for width, time in zip((0, 4 if key.startswith("attention") else 48), times)
}


def timed(context: CountingContext, target: Target | None = None, dense: Any = None) -> SpeedModel:
    """The speed of a model whose times are known."""
    chosen, kept = options(target=target or Target(2.0)), {"rounds": {name: [time] for name, time in TIMES.items()}}
    return SpeedModel(dense or model(), context, chosen, kept)  # type: ignore[arg-type]


def test_sublayers_together_take_what_the_whole_model_takes_beyond_the_empty_one(context: CountingContext) -> None:
    speed = timed(context)  # 16 ms, twice the time of the cells
    found = [speed.choices(speed.dense, sublayer, None) for sublayer in sublayers(speed.dense)]
    assert [choices.times[0] for choices in found] == pytest.approx([4.0, 2.0, 4.0, 2.0, 2.0, 2.0])
    assert [choices.times[choices.widths.index(0)] for choices in found] == [0.0] * 6
    assert found[0].widths == [4, 3, 2, 1, 0] and found[0].times.tolist() == pytest.approx([4.0, 3.0, 2.0, 1.0, 0.0])


def test_a_sublayer_may_be_cut_to_all_widths_below_its_own(context: CountingContext) -> None:
    narrow = model()
    layer = layer_of(narrow, Sublayer(0, ATTENTION))
    output = linear_of(layer, ATTENTION)
    cut_sublayer(layer, ATTENTION, [0, 1], output.weight[:, :16], output.bias)
    cut_sublayer(layer, FFN, [], torch.zeros(32, 0), torch.zeros(32))
    speed = timed(context, dense=narrow)
    heads = [speed.choices(narrow, Sublayer(layer, ATTENTION), None).widths for layer in (0, 1)]
    assert heads == [[2, 1, 0], [4, 3, 2, 1, 0]]
    gone = speed.choices(narrow, Sublayer(0, FFN), None)
    assert (gone.widths, gone.errors.tolist(), gone.times.tolist()) == ([0], [0.0], [0.0])


def test_a_speedup_is_the_median_ratio_of_rounds_in_which_both_models_take_turns(context: CountingContext) -> None:
    speed, rounds = timed(context), {"dense": [4.0, 9.0, 8.0], "model": [2.0, 3.0, 1.0]}
    context.times = lambda models, **shape: rounds  # type: ignore[method-assign]
    assert speed.speedup(speed.dense) == 3.0


def test_a_model_that_uses_up_its_time_budget_has_the_speedup_of_the_budget(context: CountingContext) -> None:
    speed = timed(context)
    assert speed.time_budget(3.0) == 4.0 and speed.predicted_speedup(4.0) == 3.0 and speed.predicted_speedup(0.0) == 9.0


@pytest.mark.parametrize(
    ("target", "speedup"),
    [(Target(8.9), 8.9), (Target(1.0), 1.0), (Target(latency_ms=6.0), 3.0), (Target(latency_ms=36.0), 1.0)],
)
def test_a_target_is_a_speedup_over_the_whole_model(context: CountingContext, target: Target, speedup: float) -> None:
    assert timed(context, target).target_speedup() == pytest.approx(speedup)


@pytest.mark.parametrize(("target", "cure"), [(Target(9.0), "speedup=8.1"), (Target(latency_ms=2.0), "latency_ms=2.2")])
def test_the_speed_of_a_model_without_heads_and_neurons_is_out_of_reach(
    context: CountingContext, target: Target, cure: str
) -> None:
    with pytest.raises(ModelError, match=f"9.00x is out of reach.* Try: compression.ziplm.target.{cure}$"):
        timed(context, target).target_speedup()


def test_the_table_is_timed_once_and_then_comes_from_the_cache(context: CountingContext) -> None:
    run(options(), context)
    assert {"whole", "empty", "attention/4", "attention/0", "ffn/48", "attention/first/2", "ffn/first/0"} <= set(
        context.timed
    )
    again = CountingContext(context.cache)
    run(options(1.4), again)
    assert not {"whole", "empty", "ffn/48"} & set(again.timed)
    other = CountingContext(context.cache)
    other.machine = {"cpu": "another"}
    run(options(1.4), other)
    assert "whole" in other.timed


def test_a_target_out_of_reach_is_refused_with_the_fastest_that_is_possible(context: CountingContext) -> None:
    whole = CountingContext.cost(model())
    cure = f"Try: compression.ziplm.target.speedup={int(whole * 9) / 10}"
    with pytest.raises(ModelError, match=rf"100.00x is out of reach.*{whole:.2f}x. {cure}"):
        run(options(100.0), context)
    with pytest.raises(ModelError, match=r"latency_ms=0.5: .* Try: compression.ziplm.target.latency_ms=1.1"):
        run(options(target=Target(latency_ms=0.5)), context)
    assert context.boundary is None


def test_a_latency_takes_the_place_of_the_speedup(context: CountingContext) -> None:
    found = run(options(target=Target(speedup=1.0, latency_ms=9.0)), context)
    assert CountingContext.cost(found) == pytest.approx(9.0, rel=0.03)


def test_a_speedup_that_was_measured_once_is_used_from_then_on(tmp_path: Path) -> None:
    chosen = options(1.5, steps=2, recovery=Recovery(epochs=1.0))
    first, again, stopped = (NoisyContext(tmp_path) for _ in range(3))
    whole = run(chosen, first)
    assert torch.equal(run(chosen, again)(**batch()), whole(**batch()))
    stopped.stop_after = 1
    with pytest.raises(KeyboardInterrupt):
        run(chosen, stopped)
    stopped.stop_after = 99
    assert torch.equal(run(chosen, stopped)(**batch()), whole(**batch()))
    assert first.told == again.told == stopped.told and first.told["speed_table"]
