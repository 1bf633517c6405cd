"""Candidate dendrites, trained to follow their neuron's error while the network is frozen.

Source: Fahlman & Lebiere 1990, The Cascade-Correlation Learning Architecture, with two differences: a candidate sees
only its own neuron's error, and statistics are running averages, because a pass over the data has many batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.backbones.dropout import switch_dropout_off
from models.compression.dendrite.module import ACTIVATIONS, Dendrite, Dendritic
from models.compression.settings.learn import Dendrites
from models.compression.stage import Inputs, Targets, TaskView

TINY = 1e-12  # outputs with a smaller variance count as constant: their correlation is 0
PROGRESS = 1.01  # factor by which a score must rise to count as progress


@dataclass
class Sample:
    """Inputs and errors of one module at P positions that are not padding, for its candidates."""

    inputs: Tensor  # (P, m)
    error: Tensor  # (P, n): minus the gradient of the summed loss with respect to the module's output
    earlier: Tensor  # (P, k, n): outputs of the k existing dendrites


@dataclass
class TrainedDendrite:
    """The best candidate of each neuron of a module, and its statistics over all rows."""

    dendrite: Dendrite
    score: Tensor  # (n,): absolute covariance or correlation, depending on the objective
    correlation: Tensor  # (n,): with the error
    untrained: float  # mean absolute correlation of the candidates before training
    epochs: int


Rows = dict[str, Tensor]
Samples = Callable[[], Iterable[list[Sample]]]  # one pass over the data; each batch has one Sample for each module


def observe_samples(
    model: nn.Module, modules: list[Dendritic], task: TaskView, batches: Iterable[tuple[Inputs, Targets]]
) -> Iterator[list[Sample]]:
    """The samples of each batch. The model is not changed; dropout is switched off meanwhile."""
    seen: dict[nn.Module, tuple[Tensor, Tensor, Tensor]] = {}  # input, a zero added to the output, outputs of dendrites

    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        zero = torch.zeros_like(output, requires_grad=True)
        with torch.no_grad():
            outputs = module.dendrite_outputs(inputs[0])  # type: ignore[operator]
        earlier = torch.stack(outputs, -2) if outputs else output.new_zeros(*output.shape[:-1], 0, output.shape[-1])
        seen[module] = inputs[0].detach(), zero, earlier
        return output + zero

    hooks = [module.register_forward_hook(record) for module in modules]
    was_training = model.training
    switch_dropout_off(model)
    try:
        for inputs, targets in batches:
            seen.clear()
            with torch.enable_grad():
                output = model(**inputs)
                # A sum, so that an item's error does not depend on the other items in its batch.
                loss_sum = task.loss(output, targets) * len(output)
            found = [seen[module] for module in modules]  # ordered by module, not by call
            gradients = torch.autograd.grad(loss_sum, [zero for _, zero, _ in found])
            mask = inputs.get("attention_mask")
            yield [_sample(x, -g, earlier, mask) for (x, _, earlier), g in zip(found, gradients)]
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()


def _sample(inputs: Tensor, error: Tensor, earlier: Tensor, mask: Tensor | None) -> Sample:
    """Flatten positions to rows (P, ...), without padding if there is one position per token."""
    if mask is not None and inputs.ndim == 3 and inputs.shape[:2] == mask.shape:
        real = mask.bool()
        return Sample(inputs[real], error[real], earlier[real])
    return Sample(inputs.flatten(0, -2), error.flatten(0, -2), earlier.flatten(0, -3))


def shuffled_cache(samples: Samples, batch_size: int, draw: torch.Generator) -> Samples:
    """Keep all positions in memory and return them in batches of `batch_size`, reshuffled in each pass."""
    whole = [
        Sample(
            torch.cat([part.inputs for part in parts]),
            torch.cat([part.error for part in parts]),
            torch.cat([part.earlier for part in parts]),
        )
        for parts in zip(*samples())
    ]

    def shuffled() -> Iterator[list[Sample]]:
        order = torch.randperm(len(whole[0].inputs), generator=draw).to(whole[0].inputs.device)
        for places in order.split(batch_size):
            yield [Sample(s.inputs[places], s.error[places], s.earlier[places]) for s in whole]

    return shuffled


class Candidates(nn.Module):
    """`pool` candidates for each of a module's n neurons."""

    def __init__(self, module: Dendritic, sample: Sample, options: Dendrites, pool: int, draw: torch.Generator) -> None:
        """Draw weights so that pre-activations on `sample` have mean 0 and, unless `spread` is set, deviation 1."""
        super().__init__()
        outputs, (_, earlier, _) = module.soma.out_features, sample.earlier.shape
        centre = sample.inputs.mean(0)
        size = (sample.inputs - centre).square().sum(1).mean().sqrt().clamp_min(TINY)
        weight = torch.randn(pool, outputs, len(centre), generator=draw).to(sample.inputs)
        self.weight = nn.Parameter(weight * (options.spread or 1.0 / size))
        self.bias = nn.Parameter(-(self.weight.detach() @ centre))
        self.lateral = nn.Parameter(sample.inputs.new_zeros(pool, earlier, outputs))
        self.act = ACTIVATIONS[options.act]

    def forward(self, inputs: Tensor, earlier: Tensor) -> Tensor:
        """(P, m) and (P, k, n) to (P, pool, n)."""
        pre = (inputs @ self.weight.flatten(0, 1).T).unflatten(1, self.bias.shape) + self.bias
        return self.act(pre + torch.einsum("pkn,qkn->pqn", earlier, self.lateral))

    def rows(self, which: Tensor) -> Rows:
        """The weights of one candidate for each neuron; which: (n,), the candidates' indices."""
        neurons = torch.arange(len(which), device=which.device)
        return {
            "weight": self.weight[which, neurons],  # (n, m)
            "bias": self.bias[which, neurons],  # (n,)
            "lateral": self.lateral[which, :, neurons].T,  # (k, n)
        }


class RunningStatistics:
    """Running means, variances and covariance of outputs and errors: unbiased exponential averages over batches."""

    def __init__(self, ema: float) -> None:
        self.ema, self.weight, self.values = ema, 0.0, dict[str, Tensor]()

    @torch.no_grad()
    def update(self, outputs: Tensor, error: Tensor) -> None:
        """Add a batch: outputs (P, pool, n) and errors (P, n)."""
        self.weight = self.ema * self.weight + 1.0 - self.ema
        self._fade(output=outputs.mean(0), error=error.mean(0))
        a, e = outputs - self["output"], (error - self["error"]).unsqueeze(1)
        self._fade(covariance=(a * e).mean(0), output_var=a.square().mean(0), error_var=e.square().mean(0))

    def _fade(self, **batch: Tensor) -> None:
        for name, value in batch.items():
            self.values[name] = self.ema * self.values.get(name, torch.zeros_like(value)) + (1.0 - self.ema) * value

    def __getitem__(self, name: str) -> Tensor:
        return self.values[name] / self.weight


def candidate_loss(outputs: Tensor, error: Tensor, running: RunningStatistics, objective: str) -> Tensor:
    """Minus the summed absolute covariances, or correlations, of outputs (P, pool, n) with the errors (P, n).

    The running statistics are treated as constants. For correlations, a second term adds the gradient of the
    denominator; it is exact if the running statistics equal the batch's.
    """
    a, e = outputs - running["output"], (error - running["error"]).unsqueeze(1)
    covariance = (a * e).mean(0)
    sign = torch.where(running["covariance"] < 0, -1.0, 1.0)
    if objective == "cov":
        return -(sign * covariance).sum()
    output_var, error_var = running["output_var"] + TINY, running["error_var"] + TINY
    scale = (output_var * error_var).rsqrt()
    held = (running["covariance"].abs() * scale / (2 * output_var)) * a.square().mean(0)
    return -(sign * covariance * scale - held).sum()


@torch.no_grad()
def measure_candidates(candidates: list[Candidates], samples: Samples) -> list[tuple[Tensor, Tensor]]:
    """Covariance and correlation of each candidate, (pool, n) each, over one pass through the data."""
    sums = [dict[str, Tensor]() for _ in candidates]
    for parts in samples():
        for sample, candidate, total in zip(parts, candidates, sums):
            a, e = candidate(sample.inputs, sample.earlier).double(), sample.error.double().unsqueeze(1)
            found = {"a": a, "e": e, "ae": a * e, "aa": a * a, "ee": e * e, "one": torch.ones_like(e)}
            for name, value in found.items():
                total[name] = total.get(name, 0.0) + value.sum(0)
    return [_statistics(total) for total in sums]


def _statistics(total: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    mean = {name: value / total["one"] for name, value in total.items()}
    covariance = mean["ae"] - mean["a"] * mean["e"]
    variances = (mean["aa"] - mean["a"] ** 2) * (mean["ee"] - mean["e"] ** 2)
    return covariance, torch.where(variances > TINY**2, covariance / variances.clamp_min(TINY**2).sqrt(), 0.0)


class BestCandidates:
    """The best candidate of each neuron of a module over all epochs."""

    def __init__(self) -> None:
        self.score = self.correlation = torch.zeros(0)
        self.rows: Rows = {}

    @torch.no_grad()
    def take(self, candidate: Candidates, covariance: Tensor, correlation: Tensor, objective: str) -> None:
        """Keep candidates that are better than the best so far; the statistics are (pool, n)."""
        score, which = (covariance if objective == "cov" else correlation).abs().max(0)
        found, rows = correlation.gather(0, which.unsqueeze(0)).squeeze(0), candidate.rows(which)
        if not self.rows:
            self.score, self.correlation, self.rows = score, found, rows
            return
        better = score > self.score
        self.score, self.correlation = torch.maximum(score, self.score), torch.where(better, found, self.correlation)
        for name, row in rows.items():
            self.rows[name] = torch.where(better.unsqueeze(1) if name == "weight" else better, row, self.rows[name])


def train_candidates(
    modules: list[Dendritic], samples: Samples, options: Dendrites, draw: torch.Generator
) -> list[TrainedDendrite]:
    """Train a pool of candidates for every neuron; the best ones form one new dendrite for each module.

    Training ends after p_epochs, or when no module's mean score has improved enough for p_patience epochs.
    """
    first = next(iter(samples()))
    candidates = [Candidates(*both, options, options.pool, draw) for both in zip(modules, first)]
    optimizer = torch.optim.Adam([p for c in candidates for p in c.parameters()], lr=options.p_lr)
    running, best = [RunningStatistics(options.ema) for _ in modules], [BestCandidates() for _ in modules]
    untrained, mark = _look(candidates, samples, best, options.objective), torch.zeros(len(modules)).double()
    epoch = stale = 0
    while epoch < options.p_epochs and stale < options.p_patience:
        for parts in samples():
            losses = [_batch_loss(*three, options.objective) for three in zip(candidates, parts, running)]
            optimizer.zero_grad()
            torch.stack(losses).sum().backward()
            optimizer.step()
        _look(candidates, samples, best, options.objective)
        scores = torch.stack([kept.score.mean().cpu() for kept in best])
        has_grown, epoch = bool((scores > mark * PROGRESS).any()), epoch + 1
        mark, stale = (torch.maximum(mark, scores), 0) if has_grown else (mark, stale + 1)
    return [
        TrainedDendrite(_dendrite(module, kept.rows, options.act), kept.score, kept.correlation, before, epoch)
        for module, kept, before in zip(modules, best, untrained)
    ]


def _batch_loss(candidate: Candidates, sample: Sample, running: RunningStatistics, objective: str) -> Tensor:
    outputs = candidate(sample.inputs, sample.earlier)
    running.update(outputs.detach(), sample.error)
    return candidate_loss(outputs, sample.error, running, objective)


def _look(candidates: list[Candidates], samples: Samples, best: list[BestCandidates], objective: str) -> list[float]:
    """Update the best candidates of every module; returns the mean absolute correlation of all, by module."""
    found = measure_candidates(candidates, samples)
    for kept, candidate, statistics in zip(best, candidates, found):
        kept.take(candidate, *statistics, objective)
    return [float(correlation.abs().mean()) for _, correlation in found]


def random_dendrites(
    modules: list[Dendritic], samples: Samples, options: Dendrites, draw: torch.Generator
) -> list[Dendrite]:
    """Dendrites with the random weights of untrained candidates."""
    candidates = [Candidates(*both, options, 1, draw) for both in zip(modules, next(iter(samples())))]
    zeros = [torch.zeros_like(candidate.bias[0], dtype=torch.long) for candidate in candidates]
    return [_dendrite(m, candidate.rows(first), options.act) for m, candidate, first in zip(modules, candidates, zeros)]


@torch.no_grad()
def _dendrite(module: Dendritic, rows: Rows, act: str) -> Dendrite:
    dendrite = Dendrite(module.soma, len(module.dendrites), act)
    dendrite.linear.weight.copy_(rows["weight"])
    dendrite.linear.bias.copy_(rows["bias"])
    if dendrite.lateral is not None:
        dendrite.lateral.copy_(rows["lateral"])
    return dendrite
