"""Product quantization of word embedding tables: 2 to 8 bits per value, plus a codebook of centres.

    run 'compression=[pq]' from=<run id>

It pays off for tables with many rows. If the codebook costs more than it saves, the table is stored in few bits, as in
int8, and so are linear layers. A model without any suitable table is refused.
"""

from __future__ import annotations

from typing import cast

from torch import nn

from models.compression import settings
from models.compression.pruning.masks import PRUNED
from models.compression.quantization.coded import CodedLinear, CodedTable, CodedWeight, Codes
from models.compression.quantization.grid import Grid
from models.compression.quantization.product import CENTRES, ProductCodes, product_bytes
from models.compression.quantization.stage import RANGE_BYTES, QuantizationStage
from models.compression.stage import StageContext
from models.errors import ModelError
from models.json_types import JsonObject
from models.network import Network


class Pq(QuantizationStage):
    """Product-quantize large tables; quantize other tables and linear layers to few bits per value."""

    options: settings.Pq

    def check(self, model: nn.Module) -> None:
        """ModelError if product quantization makes no table smaller than int8 does, or would replace zeros."""
        tables = [module for module in model.modules() if type(module) is nn.Embedding]
        if not any(not self._reason(table) for table in tables):
            largest = max(tables, key=lambda table: table.weight.numel(), default=None)
            why = "this model has no table of vectors" if largest is None else self._reason(largest)
            raise ModelError(f"compression=[{self.name}]: {why}. Try: 'compression=[int8]'")
        self._refuse_pruned(model)

    def _refuse_pruned(self, model: nn.Module) -> None:
        """Raise ModelError if the zeros of a pruned table would be replaced."""
        pruned = model.architecture.get(PRUNED, ()) if isinstance(model, Network) else ()
        for name in pruned:
            table = model.get_submodule(name)
            if isinstance(self.made_for(name, table), CodedTable) and not self._reason(cast(nn.Embedding, table)):
                raise ModelError(
                    f"compression=[{self.name}]: the centres of product codes need not be zero, but the table {name} "
                    "is pruned. Try: 'compression=[int8]'"
                )

    def prepare(self, model: nn.Module, context: StageContext) -> None:
        """Refuse zeros again: an earlier stage may have pruned a table."""
        self._refuse_pruned(model)

    def _reason(self, table: nn.Embedding) -> str:
        """Why product quantization does not suit a table; "" if it does."""
        rows, columns, dsub = table.num_embeddings, table.embedding_dim, self.options.dsub
        if rows < CENTRES:
            return f"a table of {rows} rows has fewer rows than the {CENTRES} centres of a part"
        if columns % dsub or columns < 2 * dsub:
            return f"rows of {columns} numbers cannot be split into two or more parts of dsub={dsub}"
        mine, theirs = product_bytes(rows, columns, dsub), rows * (columns + RANGE_BYTES)
        if mine >= theirs:
            return f"{rows:,} rows of {columns} take {mine:,} bytes in product codes and {theirs:,} in int8"
        return ""

    def make_table(self, table: nn.Embedding) -> CodedWeight | None:
        """The product-quantized table, or one with few bits per value where product quantization does not suit it."""
        if not self.options.embeddings or self._reason(table):
            return super().make_table(table)
        return CodedTable(table, ProductCodes(table.num_embeddings, table.embedding_dim, self.options.dsub))

    def make_linear(self, layer: nn.Linear) -> CodedLinear:
        """The layer with a quantized weight that replaces a linear layer."""
        grid = Grid(self.options.bits, "symmetric")
        return CodedLinear(layer, Codes(layer.out_features, layer.in_features, grid))


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Give a newly built model the saved model's layers; their codes are loaded afterwards."""
    Pq(settings.Pq(**description)).replace_layers(model)
    return model
