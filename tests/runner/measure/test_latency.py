from __future__ import annotations

import gc
import os
import time

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.benchmark import Timer

from runner.measure.inputs import Cell, Inputs
from runner.measure.latency import CellTimes, LatencyReport, measure_latency

CELL = Cell(1, 4)


class Sleeper(nn.Module):
    """Takes `seconds` of wall time and next to no CPU time; notes who was called."""

    def __init__(self, seconds: float, calls: list[str] | None = None, name: str = "") -> None:
        super().__init__()
        self.seconds, self.calls, self.name = seconds, calls, name

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor | None = None) -> Tensor:
        if self.calls is not None:
            self.calls.append(self.name)
        assert not self.training and torch.is_inference_mode_enabled() and not gc.isenabled()
        time.sleep(self.seconds * input_ids.shape[1])
        return torch.zeros(len(input_ids), 2)


class Product(nn.Module):
    """Products of 150 x 150 matrices: some 0.2 ms of work, short enough to be seldom interrupted."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(150, 150))

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor | None = None) -> Tensor:
        return self.weight @ self.weight @ self.weight @ self.weight


def batch_of(length: int, rows: int = 1) -> Inputs:
    ids = torch.ones(rows, length, dtype=torch.int64)
    return {"input_ids": ids, "attention_mask": ids, "token_type_ids": None}


def run(models: dict[str, nn.Module], batches: list[Inputs], **changes: float) -> LatencyReport:
    settings = {"min_time_s": 0.03, "rounds": 3, "threads": 1} | changes
    return measure_latency(models, [CELL], make_batch=lambda cell: batches, **settings)  # type: ignore[arg-type]


def test_sleeping_models_take_their_sleep_and_their_ratio_is_the_speed_up() -> None:
    report = run({"slow": Sleeper(0.004), "quick": Sleeper(0.001)}, [batch_of(4)])
    quick = report.times["quick"][CELL]
    assert 4 <= quick.percentile_ms(0.5) < 8
    assert quick.cpu_ms_p50 < 0.5 * quick.percentile_ms(0.5), "sleeping is no CPU time"
    assert 2 < report.speedup("quick", "slow", CELL) < 6
    assert report.speedup("slow", "slow", CELL) == 1.0


def test_models_take_turns_in_every_round() -> None:
    calls: list[str] = []
    run({"a": Sleeper(0.001, calls, "a"), "b": Sleeper(0.001, calls, "b")}, [batch_of(1)], rounds=4)
    turns = "".join(name for i, name in enumerate(calls) if i == 0 or calls[i - 1] != name)
    assert turns == "abababab"


@pytest.mark.parametrize(("batches", "expected"), [(1, 3 + 2), (3, 3 + 2), (6, 2 * 2 + 2 * 2), (9, 3 + 2 * 3)])
def test_the_first_calls_of_a_round_are_a_warm_up_that_is_not_counted(batches: int, expected: int) -> None:
    calls: list[str] = []
    report = run({"m": Sleeper(0.0001, calls, "m")}, [batch_of(1) for _ in range(batches)], min_time_s=0.003)
    assert len(calls) - len(report.times["m"][CELL].wall_ms) == expected, "three in all, then one of each batch"


def test_a_round_is_its_median_and_the_speed_up_the_median_of_their_ratios() -> None:
    turn = np.repeat([0, 1, 2], 3)

    def of(*wall: float) -> dict[Cell, CellTimes]:
        return {CELL: CellTimes(CELL, np.array(wall), np.array(wall) * 2, turn * 0, turn, np.array([1]))}

    times = {"m": of(1, 2, 30, 2, 2, 8, 4, 4, 4), "base": of(2, 4, 6, 9, 10, 90, 4, 12, 20)}
    assert times["m"][CELL].round_medians_ms().tolist() == [2, 2, 4]
    assert times["m"][CELL].round_medians_ms(cpu=True).tolist() == [4, 4, 8]
    assert LatencyReport(times, 1, None, None).speedup("m", "base", CELL) == 3.0  # of 2, 5 and 3


def test_each_cell_gets_its_time_and_a_slow_model_one_call_a_round() -> None:
    report = run({"slow": Sleeper(0.03), "quick": Sleeper(0.001)}, [batch_of(1)], min_time_s=0.06)
    assert len(report.times["slow"][CELL].wall_ms) == 3
    assert report.times["quick"][CELL].wall_ms.sum() >= 0.8 * 60


def test_each_round_has_its_own_batches() -> None:
    report = run({"m": Sleeper(0.0001)}, [batch_of(n) for n in (1, 2, 3, 4)], min_time_s=0.003)
    times = report.times["m"][CELL]
    seen = {(int(turn), int(batch)) for turn, batch in zip(times.round, times.batch)}
    assert seen == {(0, 0), (0, 3), (1, 1), (2, 2)}
    reused = run({"m": Sleeper(0.0001)}, [batch_of(1)], min_time_s=0.003).times["m"][CELL]
    assert set(reused.round) == {0, 1, 2}, "fewer batches than rounds: each is used again"


def test_a_short_batch_that_was_called_often_weighs_no_more_than_a_long_one() -> None:
    batch = np.array([0] * 12 + [1] + [2])
    wall = np.array([1.0] * 12 + [10.0] + [12.0])
    times = CellTimes(CELL, wall, wall, batch, batch, np.array([1, 1, 1]))
    assert times.percentile_ms(0.5) == 10
    assert times.noise == 1, "different lengths are not noise"
    assert times.examples_per_s == pytest.approx(3 / 0.023)


def test_percentiles_are_those_of_all_samples() -> None:
    same = np.zeros(99, dtype=int)
    times = CellTimes(CELL, np.arange(1.0, 100.0), np.ones(99), same, same, np.array([2]))
    assert [times.percentile_ms(share) for share in (0.5, 0.9, 0.99)] == [50, 90, 99]
    assert times.examples_per_s == pytest.approx(2 / 0.050)


def test_scattered_times_are_warned_of_with_the_load() -> None:
    same = np.zeros(10, dtype=int)
    wall = np.array([1.0] * 8 + [4.0, 4.0])
    times = CellTimes(CELL, wall, wall, same, same, np.array([1]))
    (line,) = LatencyReport({"dsn": {CELL: times}}, 1, 3.25, None).warnings()
    assert line.startswith("the machine was busy: dsn b1_s4: p90 is 4.0 x p50 over 10 calls")
    assert "load average 3.2 before, unknown after" in line
    calm = CellTimes(CELL, np.ones(10), wall, same, same, np.array([1]))
    assert not LatencyReport({"dsn": {CELL: calm}}, 1, 3.25, None).warnings()
    wilder = CellTimes(CELL, np.where(wall > 1, 9.0, wall), wall, same, same, np.array([1]))
    (line,) = LatencyReport({"dsn": {CELL: times}, "baseline": {CELL: wilder}}, 1, 3.25, None).warnings()
    assert "busy: in 2 of 2 timings, at worst baseline b1_s4: p90 is 9.0 x p50" in line
    several = {"dsn": {CELL: calm, Cell(8, 4): times}, "baseline": {CELL: times, Cell(8, 4): calm}}
    (line,) = LatencyReport(several, 1, 3.25, None).warnings()
    assert "busy: in 2 of 4 timings, at worst dsn b8_s4: p90 is 4.0 x p50" in line


def test_threads_training_flags_and_garbage_collection_are_put_back() -> None:
    before = torch.get_num_threads()
    seen: list[int] = []

    class Spy(Sleeper):
        def forward(
            self, input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor | None = None
        ) -> Tensor:
            seen.append(torch.get_num_threads())
            raise RuntimeError("stopped half-way")

    model = Spy(0.0).train()
    with pytest.raises(RuntimeError, match="half-way"):
        run({"m": model}, [batch_of(1)], threads=2)
    assert seen == [2]
    assert torch.get_num_threads() == before
    assert model.training and gc.isenabled()


def test_fewer_than_three_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="rounds=2"):
        run({"m": Sleeper(0.0)}, [batch_of(1)], rounds=2)


def test_times_agree_with_torch_benchmark() -> None:
    model, inputs = Product(), batch_of(4)
    for _ in range(5):  # four more tries: another process may take the core in between
        timer = Timer("model(**inputs)", globals={"model": model, "inputs": inputs}, num_threads=1)
        with torch.inference_mode():
            theirs = timer.blocked_autorange(min_run_time=0.1).median * 1000
        ours = run({"m": model}, [inputs], min_time_s=0.1).times["m"][CELL].percentile_ms(0.5)
        if abs(ours / theirs - 1) < 0.25:
            return
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        pytest.skip("more processes than cores: no two timings agree on such a machine")
    pytest.fail(f"ours {ours:.3f} ms, torch.utils.benchmark {theirs:.3f} ms")
