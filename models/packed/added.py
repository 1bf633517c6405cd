"""The n-grams that are added to a network, as arrays and header entries of its model.bin."""

from __future__ import annotations

import numpy as np

from models.heads.added_ngrams import AddedNgrams
from models.heads.linear import LinearHead
from models.heads.target_scale import unit_of
from models.json_types import JsonObject
from models.packed.ngram import Table, stored_table


def added_ngrams(network: LinearHead) -> tuple[dict[str, np.ndarray], JsonObject]:
    """Return the arrays and header entries of the added n-gram model, in the targets' unit; both empty without one."""
    added = network.added
    if not isinstance(added, AddedNgrams):
        return {}, {}
    scale, bias = (part.cpu().double().numpy() * unit_of(network) for part in (added.scale, added.bias))
    bag = added.bag
    prints, rows = bag.prints.cpu().numpy(), bag.rows.detach().cpu().numpy()
    arrays, fields = stored_table(Table(prints, rows, scale, bias, bag.n, bag.bits, bag.pairs))
    return {f"ngram_{name}": found for name, found in arrays.items()}, {"ngrams": fields}
