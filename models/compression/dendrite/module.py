"""A linear layer with dendrites: small units whose weighted outputs are added to the outputs of its neurons.

    a_k = D_k(x) + sum over j < k of lateral_kj * d_j        d_k = act(a_k)        z' = soma(x) + sum of to_soma_k * d_k

Products with `lateral` and `to_soma` are per neuron. Both start at zero, so a new dendrite changes no output.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import cast

import torch
from torch import Tensor, nn

from models.errors import ModelError

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
}


class Dendrite(nn.Module):
    """One unit for each neuron of `soma`; outputs of the neuron's earlier dendrites are inputs too."""

    def __init__(self, soma: nn.Linear, earlier: int, act: str) -> None:
        super().__init__()
        inputs, outputs, weight = soma.in_features, soma.out_features, soma.weight
        self.linear = nn.Linear(inputs, outputs, device=weight.device, dtype=weight.dtype)
        self.to_soma = nn.Parameter(weight.new_zeros(outputs))
        self.lateral = nn.Parameter(weight.new_zeros(earlier, outputs)) if earlier else None
        self.act = act

    def forward(self, inputs: Tensor, earlier: list[Tensor]) -> Tensor:
        """Inputs (..., m) and outputs (..., n) of each earlier dendrite to (..., n)."""
        pre = self.linear(inputs)
        if self.lateral is not None:
            for weight, output in zip(self.lateral, earlier):
                pre = pre + weight * output
        return ACTIVATIONS[self.act](pre)

    def freeze(self) -> None:
        """From now on, train only the weight to the soma."""
        self.requires_grad_(False)
        self.to_soma.requires_grad_(True)


class Dendritic(nn.Module):
    """The linear layer `soma` and its dendrites."""

    def __init__(self, soma: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = soma.in_features, soma.out_features
        self.soma = soma
        self.dendrites = nn.ModuleList()  # each a Dendrite

    def dendrite_outputs(self, inputs: Tensor) -> list[Tensor]:
        """The output d_k of each dendrite, (..., n)."""
        found: list[Tensor] = []
        for dendrite in self.dendrites:
            found.append(dendrite(inputs, found))
        return found

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., m) to (..., n)."""
        out: Tensor = self.soma(inputs)
        for dendrite, output in zip(self.dendrites, self.dendrite_outputs(inputs)):
            out = out + cast(Dendrite, dendrite).to_soma * output
        return out


def linear_names(model: nn.Module, patterns: list[str]) -> list[str]:
    """The linear layers that match a pattern or are inside a module that does; ModelError if a pattern matches none.

    A pattern is a dotted name in which * stands for one part: classifier, bert.encoder.layer.*.output.dense.
    """
    grown = [name for name, module in model.named_modules() if isinstance(module, Dendritic)]
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    linear = [name for name in linear if not any(name.startswith(f"{other}.") for other in grown)]
    for pattern in patterns:
        if not any(_is_within(name, pattern) for name in linear):
            others = [type(module).__name__ for name, module in model.named_modules() if _is_within(name, pattern)]
            what = f"names {others[0]}, but only a Linear can have dendrites" if others else "names no module"
            raise ModelError(
                f"compression.dendrites.targets: {pattern} {what}. Linear layers here: {', '.join(linear[-8:])}. "
                "Try: 'compression.dendrites.targets=[classifier]'"
            )
    return [name for name in linear if any(_is_within(name, pattern) for pattern in patterns)]


def _is_within(name: str, pattern: str) -> bool:
    """Does the pattern match the module, or one that contains it?"""
    parts, wanted = name.split("."), pattern.split(".")
    return len(parts) >= len(wanted) and all(map(fnmatchcase, parts, wanted))


def attach_dendrites(model: nn.Module, names: list[str]) -> list[Dendritic]:
    """Replace each of these linear layers with a Dendritic that has no dendrites yet."""
    wrapped = [Dendritic(model.get_submodule(name)) for name in names]  # type: ignore[arg-type]
    for name, module in zip(names, wrapped):
        model.set_submodule(name, module)
    return wrapped


def detach_dendrites(model: nn.Module, names: list[str]) -> None:
    """Put the plain linear layers back, with their current weights."""
    for name in names:
        model.set_submodule(name, cast(Dendritic, model.get_submodule(name)).soma)


def add_dendrites(modules: list[Dendritic], count: int, act: str) -> None:
    """Give each module `count` dendrites; their weights are loaded afterwards."""
    for module in modules:
        module.dendrites.extend(Dendrite(module.soma, earlier, act) for earlier in range(count))
