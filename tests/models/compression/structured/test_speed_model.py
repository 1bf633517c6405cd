"""Targets of speed: reached, refused, and the same on the same machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.compression.settings.pruning import Recovery, Target
from models.errors import ModelError
from tests.models.compression.counting_context import CountingContext, NoisyContext, model, options, run
from tests.models.helpers import batch


@pytest.fixture
def context(tmp_path: Path) -> CountingContext:
    return CountingContext(tmp_path)


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


def test_what_a_clock_said_once_decides_ever_after(tmp_path: Path) -> None:
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
