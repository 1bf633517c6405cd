"""The base of all stages that quantize weights: replaces layers and measures the quantization error."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from models.compression.quantization.coded import CodedTable, CodedWeight, Codes
from models.compression.quantization.grid import Grid
from models.compression.settings.quantization import QuantizationSettings
from models.compression.stage import Stage, StageContext

if TYPE_CHECKING:
    from models.compression.settings.stage import StageSettings

HEAD = "classifier"
SHOWN, RANGE_BYTES = 64, 5  # advise on tables with more ranges than this; bytes of a range: step and zero
HALF_OF_MODEL = 0.5  # a smaller share of quantized parameters is named
ROWS = 64  # training rows whose logits are compared before and after quantization

Replaced = dict[str, tuple[nn.Linear | nn.Embedding, CodedWeight]]  # by name: a layer and its quantized replacement


class QuantizationStage(Stage):
    """Replace linear layers and tables with quantized ones, fill them, and record the error.

    To restore a saved model, only `replace_layers` is needed; its codes are loaded afterwards.
    """

    options: QuantizationSettings
    has_kernel = False  # on a CPU: does it multiply integers? If not, it multiplies the decoded weights

    def make_linear(self, layer: nn.Linear) -> CodedWeight | None:
        """The quantized layer that replaces a linear layer; None: leave it."""
        raise NotImplementedError

    def make_table(self, table: nn.Embedding) -> CodedWeight | None:
        """The quantized table that replaces a look-up table; None: leave it."""
        return CodedTable(table, self.table_grid()) if self.options.embeddings else None

    def table_grid(self) -> Grid:
        """The grid of look-up tables."""
        chosen = self.options
        per, group = ("group", chosen.embedding_group) if chosen.embedding_group else ("row", Grid.group)
        return Grid(chosen.embedding_bits, per=per, group=group, block=chosen.embedding_block)

    def replace_layers(self, model: nn.Module) -> Replaced:
        """Replace the model's layers with empty quantized ones."""
        replaced: Replaced = {}
        for name, layer in self.considered(model):
            made = self.made_for(name, layer)
            if made is not None and isinstance(layer, nn.Linear | nn.Embedding):
                replaced[name] = layer, made.to(layer.weight.device)
                model.set_submodule(name, made)
        return replaced

    def considered(self, model: nn.Module) -> list[tuple[str, nn.Module]]:
        """The modules that may be replaced, with their names."""
        return list(model.named_modules())

    def made_for(self, name: str, layer: nn.Module) -> CodedWeight | None:
        """The empty quantized layer that replaces the module of this name; None: the module is kept."""
        if type(layer) is nn.Linear:  # code elsewhere relies on the types of subclasses
            is_head = name == HEAD or name.startswith(f"{HEAD}.")  # the head itself, or inside it with dendrites
            return self.make_linear(layer) if self.options.head or not is_head else None
        return self.make_table(layer) if type(layer) is nn.Embedding else None

    def fill(self, name: str, layer: nn.Linear | nn.Embedding, made: CodedWeight) -> None:
        """Quantize the weight of a layer into its replacement."""
        made.fill(layer.weight.detach())

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Quantize the model, and record what is needed to restore its structure."""
        self.prepare(model, context)
        model.eval()
        before = sample_logits(model, context)
        replaced = self.replace_layers(model)
        for name, (layer, made) in replaced.items():
            self.fill(name, layer, made)
        self.round_rest(model)
        record_method(model, self.options)
        has_kernel = self.has_kernel and context.device.type == "cpu"
        facts = quantization_error(model, replaced) | {"quantize/kernel": float(has_kernel)}
        facts["quantize/logit_difference"] = float((sample_logits(model, context) - before).abs().max())
        context.add_metrics(facts)
        how = "products of integers" if has_kernel else "no kernel: computed in float32 on the decoded weights"
        context.say(f"quantized to {facts['quantize/bits_per_weight']:.2f} bits per weight, scales included; {how}")
        if (share := facts["quantize/params_share"]) < HALF_OF_MODEL:
            context.say(f"these are {share:.0%} of the model's parameters; the others are not quantized")
        if advice := self._advice(replaced):
            context.say(advice)
        return model

    def round_rest(self, model: nn.Module) -> None:
        """Round what is not quantized, if the settings say so."""

    def prepare(self, model: nn.Module, context: StageContext) -> None:
        """Prepare for quantization, for instance by quantization-aware training."""

    def _advice(self, replaced: Replaced) -> str:
        """Advice if tables are so narrow that their ranges take more bytes than their codes; else ""."""
        tables = [made.coded for _, made in replaced.values() if isinstance(made, CodedTable)]
        codes = [coded for coded in tables if isinstance(coded, Codes) and len(coded.step) > SHOWN]
        found = [coded for coded in codes if coded.codes.nbytes < RANGE_BYTES * coded.step.numel()]
        if not found:
            return ""
        name, rows = self.name, sum(coded.rows for coded in found)
        return (
            f"the ranges of {rows:,} narrow rows take more bytes than their codes. "
            f"Try: compression.{name}.embedding_block=64, one range for 64 rows"
        )


def record_method(model: nn.Module, options: StageSettings) -> None:
    """Add the method and its options to config.json, from which the structure is restored before loading weights."""
    added = {one.name: one.metadata["neutral"] for one in fields(options) if "neutral" in one.metadata}
    content = {
        key: value
        for key, value in asdict(options).items()
        if key != "description" and not (key in added and added[key] == value)
    }
    model.architecture.setdefault("compressed", []).append(content)  # type: ignore[operator, union-attr]


@torch.no_grad()
def sample_logits(model: nn.Module, context: StageContext) -> Tensor:
    """The logits (ROWS or fewer, C) of the first training rows; the model must be in eval mode."""
    return torch.cat([model(**inputs).float() for inputs, _, _ in context.batches(rows=ROWS)])


def quantization_error(model: nn.Module, replaced: Replaced) -> dict[str, float]:
    """Metrics: the error of the quantized weights, and their size in bits."""
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
