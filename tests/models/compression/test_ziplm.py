"""ZipLM in a context whose clock counts weights: targets met, layers mended, steps with recovery, what is refused."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.compression.settings.pruning import Recovery, Search, Target
from models.compression.settings.pruning import Ziplm as Options
from models.compression.structured.input_moments import collect_moments
from models.compression.structured.layer_widths import ATTENTION, Sublayer, widths
from models.compression.structured.recovery import RecoveryHook, answer_loss, relative_state_loss
from models.compression.structured.surgery import Surgery
from models.compression.ziplm import Ziplm, task_loss
from models.errors import ModelError
from tests.models.helpers import batch, small

ROWS = 64


class CountingContext:
    """A StageContext whose models take a millisecond for each 1,000 weights of their layers and one for all else."""

    seed, device, kind, num_labels, steps_per_epoch, scale = 0, torch.device("cpu"), "classification", 3, 4, 1.0

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.machine = {"cpu": "of a test"}
        self.timed: list[str] = []
        self.facts: dict[str, float] = {}
        self.told: dict[str, str] = {}
        self.phases: list[tuple[str, list[list[int]], dict[str, Any]]] = []
        self.boundary: tuple[dict[str, Tensor], dict[str, Any]] | None = None
        self.stop_after = 99

    def times(self, models: Mapping[str, nn.Module], **shape: Any) -> dict[str, list[float]]:
        self.timed += models
        return {name: [self.cost(model)] * 3 for name, model in models.items()}

    @staticmethod
    def cost(model: nn.Module) -> float:
        weights = [p.numel() for name, p in model.named_parameters() if "layer." in name and p.ndim == 2]
        return 1.0 + sum(weights) / 1000

    def batches(self, *, rows: int | None = None, **choice: Any) -> Iterator[tuple[dict[str, Tensor], Tensor, Any]]:
        for start in range(0, rows or ROWS, 16):
            numbers = np.arange(start, start + 16)
            yield self.training_inputs(numbers), torch.from_numpy(numbers % 3), numbers

    def training_inputs(self, rows: np.ndarray) -> dict[str, Tensor]:
        return batch(len(rows), 20, seed=int(rows[0]))

    def train(self, model: Any, hook: RecoveryHook, *, phase: str, **changes: Any) -> None:
        self.phases.append((phase, widths(model), changes))
        if len(self.phases) > self.stop_after:
            raise KeyboardInterrupt
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        hook.begin(model, 10)
        self.losses = []
        for _ in range(10):
            rows = np.arange(16)
            logits = hook.forward(model, self.training_inputs(rows), rows)
            loss = hook.loss(logits.sum() * 0, logits, torch.zeros(16), rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            self.losses.append(float(loss.detach()))
        hook.end(model)

    def add_metrics(self, values: dict[str, float]) -> None:
        self.facts |= values

    def say(self, text: str) -> None:
        pass

    def record_fact(self, name: str, value: str) -> None:
        self.told[name] = value

    def locked(self, path: Path) -> Any:
        path.parent.mkdir(parents=True, exist_ok=True)
        return nullcontext()

    def save_progress(self, model: nn.Module, state: dict[str, Any]) -> None:
        self.boundary = ({name: tensor.clone() for name, tensor in model.state_dict().items()}, state)

    def load_progress(self) -> Any:
        return self.boundary


class NoisyBench(CountingContext):
    """Times that other work on the machine makes up to three times as long, never twice the same."""

    noise = np.random.default_rng()

    def times(self, models: Mapping[str, nn.Module], **shape: Any) -> dict[str, list[float]]:
        found = super().times(models, **shape)
        return {name: [time * self.noise.uniform(1, 3) for time in times] for name, times in found.items()}


@pytest.fixture
def context(tmp_path: Path) -> CountingContext:
    return CountingContext(tmp_path)


def model() -> Any:
    return small(layers=3, initializer_range=0.2)


def options(speedup: float = 1.8, **changes: Any) -> Options:
    given: dict[str, Any] = {"calibration_rows": ROWS, "round_to": 1, "search": Search(steps=3, rows=32)}
    return Options(**(given | {"target": Target(speedup)} | changes))


def run(chosen: Options, context: Any, start: Any = None) -> Any:
    return Ziplm(chosen).run(start or model(), context)


@pytest.mark.parametrize("speedup", [1.3, 1.8, 4.0])
def test_the_model_gets_as_fast_as_asked_and_its_layers_are_mended(speedup: float, context: CountingContext) -> None:
    dense = model()
    found = run(options(speedup), context, copy.deepcopy(dense))
    assert CountingContext.cost(dense) / CountingContext.cost(found) == pytest.approx(speedup, rel=0.03)
    facts = context.facts
    assert facts["structure/speedup_target"] == speedup and facts["structure/speedup"] == pytest.approx(
        speedup, rel=0.03
    )
    assert facts["structure/heads"] == sum(heads for heads, _ in widths(found))
    assert facts["structure/neurons"] == sum(neurons for _, neurons in widths(found)) < 3 * 48
    assert 0 < facts["structure/layer_error_mean"] < 0.8 * facts["structure/layer_error_deleted_mean"]
    assert found.architecture["compressed"] == [{"method": "ziplm", "layers": widths(found)}]
    assert found(**batch()).isfinite().all()


def test_every_half_loses_less_than_by_deletion_and_a_bias_takes_up_the_mean(context: CountingContext) -> None:
    dense = model()
    surgery = Surgery(dense, (inputs for inputs, _, _ in context.batches()))
    sizes = [3, 20, 1, 5, 0, 0]
    for mended, deleted in surgery.errors(sizes):
        assert mended < deleted
    cut = surgery.cut(sizes)
    assert widths(cut) == [[3, 20], [1, 5], [0, 0]] and widths(dense) == [[4, 48]] * 3
    plan, moments = surgery.plans[Sublayer(0, ATTENTION)], collect_moments(dense, (i for i, _, _ in context.batches()))
    _, weight, bias = plan.after(0)
    mean = moments[Sublayer(0, ATTENTION)].mean()
    torch.testing.assert_close(bias.double(), plan.bias + plan.weight.double() @ mean, atol=1e-6, rtol=0)
    assert weight.shape == (32, 0)


def test_moments_are_those_of_the_real_tokens_that_are_read() -> None:
    dense, inputs, seen = model(), [batch(4, 12, seed=1), batch(3, 7, seed=2)], list[Tensor]()
    found = collect_moments(dense, inputs)
    dense.bert.encoder.layer[0].output.dense.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    for part in inputs:
        dense(**part)
    rows = torch.cat([states[part["attention_mask"].bool()] for states, part in zip(seen, inputs)]).double()
    moments = found[Sublayer(0, "ffn")]
    assert moments.tokens == len(rows)
    torch.testing.assert_close(moments.mean(), rows.mean(0), atol=1e-6, rtol=0)
    torch.testing.assert_close(moments.covariance(), rows.T.cov(correction=0), atol=1e-6, rtol=0)
    assert found[Sublayer(2, "ffn")].tokens == 7, "of the last layer only [CLS] is computed"


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


def test_a_target_out_of_reach_is_refused_with_the_fastest_that_can_be_had(context: CountingContext) -> None:
    whole = CountingContext.cost(model())
    with pytest.raises(
        ModelError, match=rf"100.00x is out of reach.*{whole:.2f}x. Try: .*speedup={int(whole * 9) / 10}"
    ):
        run(options(100.0), context)
    with pytest.raises(ModelError, match=r"latency_ms=0.5: .* Try: target.latency_ms=1.1"):
        run(options(target=Target(latency_ms=0.5)), context)
    assert context.boundary is None


def test_a_latency_takes_the_place_of_the_speedup(context: CountingContext) -> None:
    found = run(options(target=Target(speedup=1.0, latency_ms=9.0)), context)
    assert CountingContext.cost(found) == pytest.approx(9.0, rel=0.03)


def test_gradual_steps_get_faster_and_each_is_trained_towards_the_dense_model(context: CountingContext) -> None:
    dense = model()
    found = run(options(4.0, steps=2, recovery=Recovery(epochs=3, lr=1e-4)), context, copy.deepcopy(dense))
    phases, shapes, changes = zip(*context.phases)
    assert phases == ("recovery-1", "recovery-2") and changes[0] == {"epochs": 3, "lr": 1e-4}
    assert all(after <= before for now, then in zip(*shapes) for after, before in zip(then, now))
    assert CountingContext.cost(dense) / CountingContext.cost(found) == pytest.approx(4.0, rel=0.03)
    assert context.losses[-1] < context.losses[0]
    assert not any(layer._forward_hooks for layer in found.bert.encoder.layer)


def test_an_interrupted_run_goes_on_from_the_last_cut(context: CountingContext) -> None:
    chosen = options(4.0, steps=2, recovery=Recovery(epochs=1.0))
    whole = run(chosen, context)
    context.boundary, context.phases, context.stop_after = None, [], 1
    with pytest.raises(KeyboardInterrupt):
        run(chosen, context)
    context.stop_after = 99
    found = run(chosen, context)
    assert [phase for phase, _, _ in context.phases] == ["recovery-1", "recovery-2", "recovery-2"]
    assert widths(found) == widths(whole)
    assert torch.equal(found(**batch()), whole(**batch()))


def test_what_a_clock_said_once_decides_ever_after(tmp_path: Path) -> None:
    chosen = options(1.5, steps=2, recovery=Recovery(epochs=1.0))
    first, again, stopped = (NoisyBench(tmp_path) for _ in range(3))
    whole = run(chosen, first)
    assert torch.equal(run(chosen, again)(**batch()), whole(**batch()))
    stopped.stop_after = 1
    with pytest.raises(KeyboardInterrupt):
        run(chosen, stopped)
    stopped.stop_after = 99
    assert torch.equal(run(chosen, stopped)(**batch()), whole(**batch()))
    assert first.told == again.told == stopped.told and first.told["speed_table"]


def test_an_interrupted_run_goes_on_by_its_own_table_where_the_cache_is_gone(tmp_path: Path) -> None:
    chosen = options(1.5, steps=2, recovery=Recovery(epochs=1.0))
    context = NoisyBench(tmp_path / "one")
    context.stop_after = 1
    with pytest.raises(KeyboardInterrupt):
        run(chosen, context)
    context.cache, context.stop_after, context.timed, told = tmp_path / "another", 99, [], dict(context.told)
    run(chosen, context)
    assert "whole" not in context.timed and context.told == told


def test_the_losses_count_real_tokens_and_are_zero_for_the_dense_model_itself() -> None:
    states = torch.randn(2, 5, 8)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    other = states.clone()
    other[0, 3:] += 9.0
    assert relative_state_loss(other, states, mask) == 0.0 and relative_state_loss(other, states, None) > 0
    assert float(relative_state_loss(torch.zeros_like(states), states, mask)) == pytest.approx(1.0)
    logits = torch.randn(4, 3)
    assert float(answer_loss(logits, logits, 2.0, "classification")) == pytest.approx(0.0, abs=1e-6)
    expected = (
        4 * (logits / 2).softmax(-1).mul((logits / 2).log_softmax(-1) - (-logits / 2).log_softmax(-1)).sum(-1).mean()
    )
    torch.testing.assert_close(answer_loss(-logits, logits, 2.0, "classification"), expected)
    assert float(answer_loss(logits + 2, logits, 2.0, "regression")) == pytest.approx(4.0)
    assert float(answer_loss(logits + 2, logits, 2.0, "regression", scale=4.0)) == pytest.approx(0.25)


def test_the_search_compares_numbers_in_the_scale_of_the_loss() -> None:
    model, inputs = small(num_labels=1), batch()
    tested = [(inputs, 5000.0 + model(**inputs).detach().squeeze(-1))]
    assert task_loss(model, tested, "regression", scale=2500.0) == pytest.approx(4.0, rel=1e-4)
