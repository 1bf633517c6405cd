"""Bias absorption: a layer's bias takes over the mean contribution of its pruned weights.

When entries P of a row i of W are set to zero, b_i += sum over j in P of W_ij mu_j, with mu = E[x], the mean input
over real tokens. That removes the mean of the error exactly, but not its variance. It matters where inputs are not
centred, such as after a GELU: the removed weights may then shift all outputs in one direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from models.compression.pruning.masks import PRUNED, BinaryMask, Matrix, set_masks, unmasked_weight
from models.compression.pruning.stage import MaskingStage, PruningHook
from models.compression.settings.pruning import CutPruning
from models.compression.stage import Inputs, StageContext
from models.errors import ModelError
from models.network import Network, reads_apart

MOMENTUM = 0.99  # of the running means; the first 1 / (1 - MOMENTUM) batches count equally
ROWS = 256  # training rows that initialise the means


class BiasAbsorption:
    """The running mean of one linear layer's inputs, and what its bias has absorbed for each pruned weight."""

    def __init__(self, linear: nn.Linear) -> None:
        self.linear = linear
        weight = unmasked_weight(linear)
        self.seen = 0
        self.mean = torch.zeros_like(weight[0])  # (d_in,)
        self.held = torch.zeros_like(weight)  # (d_out, d_in), 0 if the weight is kept

    @torch.no_grad()
    def observe(self, inputs: Tensor, mask: Tensor | None) -> None:
        """Update the mean with a batch's inputs: (B, T, d_in) without padding, or any tokens (N, d_in).

        mask: (B, T), 1 for real tokens; it may be longer than the inputs if the layer computes only the first tokens.
        """
        rows = inputs.detach().flatten(0, -2).to(self.mean.dtype)
        if mask is None or inputs.ndim != 3 or len(inputs) != len(mask):
            found = rows.mean(0)
        else:
            real = mask[:, : inputs.shape[1]].flatten().to(rows.dtype)
            found = real @ rows / real.sum()
        found = torch.where(found.isfinite().all(), found, self.mean)  # training skips batches that are not finite
        self.seen += 1
        self.mean.lerp_(found, max(1.0 - MOMENTUM, 1.0 / self.seen))

    @torch.no_grad()
    def move(self, before: Tensor, after: Tensor) -> None:
        """Let the bias absorb weights that a mask change (d_out, d_in; 0 or 1) cuts, and release restored ones."""
        fell, rose = before > after, before < after
        change = unmasked_weight(self.linear) * self.mean * fell - self.held * rose
        self.held += change
        self.linear.bias.add_(change.sum(1))


class Absorber:
    """The bias absorption of all pruned layers; `watch` lets them observe a batch."""

    def __init__(self, matrices: Mapping[str, Matrix]) -> None:
        self.parts = {name: BiasAbsorption(one) for name, one in matrices.items() if isinstance(one, nn.Linear)}
        self.mask: Tensor | None = None
        self.is_watching = False
        self.hooks = [part.linear.register_forward_pre_hook(self._observer(part)) for part in self.parts.values()]

    def _observer(self, part: BiasAbsorption) -> Callable[..., None]:
        def observe(module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            if self.is_watching:
                part.observe(arguments[0], self.mask)

        return observe

    @contextmanager
    def watch(self, mask: Tensor | None) -> Iterator[None]:
        """Within the block, update the means with the layers' inputs; mask: (B, T) of the batch."""
        self.mask, self.is_watching = mask, True
        try:
            yield
        finally:
            self.mask, self.is_watching = None, False

    def state(self) -> dict[str, Tensor]:
        """The means and what the biases have absorbed, for a checkpoint."""
        found: dict[str, Tensor] = {}
        for name, part in self.parts.items():
            seen = torch.tensor(part.seen)
            found |= {f"{name}/seen": seen, f"{name}/mean": part.mean.clone(), f"{name}/held": part.held.clone()}
        return found

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""
        for name, part in self.parts.items():
            part.seen = int(state[f"{name}/seen"])
            part.mean.copy_(state[f"{name}/mean"])
            part.held.copy_(state[f"{name}/held"])


class CutHook(PruningHook):
    """Pruning with masks of 0 and 1; with absorb=true, the biases absorb what is cut."""

    options: CutPruning

    def __init__(self, options: CutPruning, matrices: dict[str, Matrix], context: StageContext) -> None:
        super().__init__(options, matrices, context)
        self.last = options.density
        self.absorber: Absorber | None = None

    def make_mask(self, weight: Tensor) -> BinaryMask:
        """A mask of 0 and 1 without parameters of its own."""
        return BinaryMask(weight)

    def importance(self, name: str) -> Tensor:
        """The importance of each weight of a matrix, in its shape; the highest values are kept."""
        raise NotImplementedError

    def update_masks(self) -> None:
        """Keep the most important weights, as many as the schedule keeps now, whether or not they are masked."""
        values = [self.importance(name) for name in self.masks]
        set_masks(self.value, list(self.masks.values()), values, self.options.scope)

    def make_ready(self, model: nn.Module) -> None:
        """Initialise the means of the inputs on some training rows."""
        if not self.options.absorb:
            return
        self.absorber = Absorber(self.matrices)
        model.eval()
        with torch.no_grad():
            for inputs, _, _ in self.context.batches(rows=ROWS, seed=self.context.seed):
                with self.absorber.watch(inputs.get("attention_mask")):
                    model(**inputs)

    def cut(self) -> None:
        """Update the masks, and let the biases absorb the change."""
        if self.absorber is None:
            super().cut()
            return
        before = {name: self.binary_mask(name).kept.clone() for name in self.absorber.parts}
        super().cut()
        for name, part in self.absorber.parts.items():
            part.move(before[name], self.binary_mask(name).kept)

    def binary_mask(self, name: str) -> BinaryMask:
        """The mask of a matrix."""
        mask: BinaryMask = self.masks[name]
        return mask

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The outputs; the means are updated with the batch."""
        with self.absorber.watch(inputs.get("attention_mask")) if self.absorber else nullcontext():
            return super().forward(model, inputs, rows)

    def state(self) -> dict[str, Tensor]:
        """The state of the pruning and of the absorption."""
        return super().state() | (self.absorber.state() if self.absorber else {})

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned."""
        super().load(state)
        if self.absorber:
            self.absorber.load(state)

    def end(self, model: nn.Module) -> None:
        """Fold the masks; the biases keep what they have absorbed."""
        for hook in self.absorber.hooks if self.absorber else ():
            hook.remove()
        super().end(model)


class CutStage(MaskingStage):
    """Pruning with masks of 0 and 1."""

    options: CutPruning

    def check(self, model: nn.Module) -> None:
        """ModelError unless there are weights to prune and, with absorb=true, inputs to average and biases."""
        super().check(model)
        self._check_density(model)
        if not self.options.absorb:
            return
        if reads_apart(model):
            raise ModelError(
                f"compression.{self.name}.absorb=true averages inputs over the tokens of pairs, but a bi-encoder "
                f"encodes their two texts separately. Try: compression.{self.name}.absorb=false"
            )
        found = self.matrices(model).items()
        without = [name for name, one in found if not isinstance(one, nn.Linear) or one.bias is None]
        if without:
            raise ModelError(
                f"compression.{self.name}.absorb=true adds what is cut to biases, but {without[0]} has none. "
                f"Try: compression.{self.name}.absorb=false"
            )

    def _check_density(self, model: nn.Module) -> None:
        """ModelError for a model that was pruned to fewer of these weights than the stage would keep."""
        pruned = model.architecture.get(PRUNED, ()) if isinstance(model, Network) else ()
        weights = [unmasked_weight(one) for name, one in self.matrices(model).items() if name in pruned]
        is_asked = self.options.keeps_share and self.options.density < 1.0  # 1: nothing, as a control
        if not is_asked or len(weights) < len(self.matrices(model)):
            return
        total = sum(weight.numel() for weight in weights)
        left = sum(int(weight.count_nonzero()) for weight in weights) / total
        if self.options.density > left + len(weights) / total:  # the number kept is rounded in every matrix
            raise ModelError(
                f"compression.{self.name}.density={self.options.density:g} would remove nothing: the model was pruned, "
                f"and {left:.3g} of these weights are left. Try: compression.{self.name}.density={left / 2:.2g}"
            )
