"""What all stages that round weights share: which layers they replace, and what the rounding did to the model."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from models.compression.quantization.coded import CodedTable, CodedWeight
from models.compression.quantization.grid import Grid
from models.compression.settings.quantization import QuantizationSettings
from models.compression.stage import Stage, StageContext

HEAD = "classifier"
ROWS = 64  # training rows whose logits are compared before and after

Replaced = dict[str, tuple[nn.Linear | nn.Embedding, CodedWeight]]  # a layer and what has taken its place, by its name


class Rounding(Stage):
    """Replace linear layers by `linear` and tables by `table`, fill them, and say what that cost.

    A saved model is built again by `outline`, which leaves the codes to be loaded.
    """

    options: QuantizationSettings
    has_kernel = False  # on a CPU: are products made of integers, or of the decoded weights?

    def linear(self, layer: nn.Linear) -> CodedWeight | None:
        """What takes the place of a linear layer, None to leave it."""
        raise NotImplementedError

    def table(self, table: nn.Embedding) -> CodedWeight | None:
        """The same for a look-up table; each row has a range of its own, as rows are looked up one by one."""
        return CodedTable(table, Grid(self.options.embedding_bits)) if self.options.embeddings else None

    def outline(self, model: nn.Module) -> Replaced:
        """Put the layers in their places, not yet filled."""
        replaced: Replaced = {}
        for name, layer in list(model.named_modules()):
            if type(layer) is nn.Linear:  # subclasses are read by code that knows them
                made = self.linear(layer) if self.options.head or name != HEAD else None
            else:
                made = self.table(layer) if type(layer) is nn.Embedding else None
            if made is not None:
                replaced[name] = layer, made.to(layer.weight.device)
                model.set_submodule(name, made)
        return replaced

    def fill(self, name: str, layer: nn.Linear | nn.Embedding, made: CodedWeight) -> None:
        """Round the weight of a layer into what takes its place."""
        made.fill(layer.weight.detach())

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Round, and record the description that builds the structure again."""
        model.eval()
        before = logits(model, context)
        replaced = self.outline(model)
        for name, (layer, made) in replaced.items():
            self.fill(name, layer, made)
        describe(model, self.options)
        has_kernel = self.has_kernel and context.device.type == "cpu"
        facts = fidelity(model, replaced) | {"quantize/kernel": float(has_kernel)}
        facts["quantize/logit_difference"] = float((logits(model, context) - before).abs().max())
        context.add_metrics(facts)
        how = "products of integers" if has_kernel else "no kernel: evaluated in float32 on the decoded weights"
        context.say(f"rounded to {facts['quantize/bits_per_weight']:.2f} bits a weight, scales included; {how}")
        return model


def describe(model: nn.Module, options: Any) -> None:
    """Note in the model's description what must be done to it before its saved weights are loaded."""
    content = {key: value for key, value in asdict(options).items() if key != "description"}
    model.architecture.setdefault("compressed", []).append(content)  # type: ignore[operator, union-attr]


@torch.no_grad()
def logits(model: nn.Module, context: StageContext) -> Tensor:
    """The answers (ROWS or fewer, C) of a model in prediction mode to the first training rows."""
    return torch.cat([model(**inputs).float() for inputs, _, _ in context.batches(rows=ROWS)])


def fidelity(model: nn.Module, replaced: Replaced) -> dict[str, float]:
    """How near the rounded weights are to the old ones, and what they take."""
    error = power = 0.0
    weights = bits = 0
    for layer, made in replaced.values():
        old = layer.weight.detach()
        error += float((made.decoded_weight() - old).double().square().sum())
        power += float(old.double().square().sum())
        weights += old.numel()
        bias = made.bias
        stored = sum(tensor.numel() * tensor.element_size() for tensor in made.state_dict().values())
        bits += 8 * (stored - (0 if bias is None else bias.numel() * bias.element_size()))
    whole = weights + sum(parameter.numel() for parameter in model.parameters())
    snr = {"quantize/snr_db": 10 * math.log10(power / error)} if error and power else {}
    return snr | {
        "quantize/layers": float(len(replaced)),
        "quantize/params_share": weights / max(whole, 1),
        "quantize/bits_per_weight": bits / max(weights, 1),
        "quantize/weight_mse": error / max(weights, 1),
    }
