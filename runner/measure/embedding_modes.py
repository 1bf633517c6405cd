"""Times a model in every mode of its embedding, so that the memory of a mode can be compared with its speed."""

from __future__ import annotations

import copy

from torch import nn

from models.embeddings.base import computed_vectors


def embedding_mode(model: nn.Module) -> str:
    """Return the mode in use; "" for a model without modes."""
    embedding = computed_vectors(model)
    return embedding.mode if embedding else ""


def models_in_other_modes(model: nn.Module) -> dict[str, nn.Module]:
    """Return a copy of the model for each other mode, keyed by mode; empty for a model without modes."""
    embedding, found = computed_vectors(model), dict[str, nn.Module]()
    for mode in embedding.regenerable_bytes() if embedding else ():
        if embedding and mode != embedding.mode:
            found[mode] = copy.deepcopy(model)
            if other := computed_vectors(found[mode]):
                other.mode = mode
    return found
