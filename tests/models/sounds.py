"""Small models over frames of sound, and batches of frames."""

from __future__ import annotations

from typing import Any

import torch

from tests.models.helpers import small

WIDTH = 8  # of a frame
TINY: dict[str, Any] = {
    "embedding": {"name": "frames", "project": True, "first": True}, "tokenizer": "log_mel", "segments": 0,
    "readout": {"name": "mean"}, "hidden": 16, "heads": 2, "intermediate": 32, "initializer_range": 0.3,
}  # fmt: skip
CNN: dict[str, Any] = {
    "family": "cnn",
    "embedding": {"name": "frames"},
    "tokenizer": "mfcc",
    "readout": {"name": "mean"},
    "hidden": 16,
}
BAG: dict[str, Any] = {
    "family": "dsn", "embedding": {"name": "frames", "project": False, "first": False}, "tokenizer": "log_mel",
    "segments": 0, "positional": False, "norm": "none", "dims": WIDTH, "readout": {"name": "mean"},
}  # fmt: skip
CONVOLUTION = {  # of 2 stacked frames of 4 bands
    "name": "band_convolution", "stacked": 2, "maps": 3, "kernel": 3, "stride": 1, "pool": 2, "first": True,
}  # fmt: skip
KINDS = {
    "convolution": TINY | {"embedding": CONVOLUTION},
    "tiny": TINY,
    "tiny mean_std": TINY | {"readout": {"name": "mean_std"}},
    "cnn": CNN,
    "cnn mean_std": CNN | {"readout": {"name": "mean_std"}},
    "bag": BAG,
    "bag mean_std": BAG | {"readout": {"name": "mean_std"}},
    "bag of vectors": TINY | {"family": "dsn"},
}


def of_sounds(kind: str, **changes: Any) -> Any:
    """A small model over frames in prediction mode, whose norms are not at their first values."""
    model = small(vocab_size=WIDTH, **KINDS[kind] | changes)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def frames(*lengths: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Frames (B, T, WIDTH) and their mask, padded on the right with numbers that must not matter."""
    inputs = torch.randn(len(lengths), max(lengths), WIDTH, generator=torch.Generator().manual_seed(seed))
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return {"input_ids": inputs, "attention_mask": mask.long()}
