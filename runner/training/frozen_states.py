"""A frozen encoder's states, kept: what a head reads of them is computed once and trained on in every epoch.

`attach` hands the splits back with the states on them; batches then carry states instead of ids, and the loop is the
same. Reported scores are still the whole model's: the encoder runs on the reported rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from data.stores.build_once import SharedCache
from data.stores.frozen_states import open_frozen_states, refuse_other_states, states_bytes, states_key
from runner.errors import ConfigError
from runner.machine.exclusive import waiting

if TYPE_CHECKING:
    import torch
    from torch import nn

    from data.splits import Splits, TokenSplit
    from models.network import SequenceClassifier
    from models.readouts.base import Readout
    from runner.schema import CacheSettings, Settings

BATCH = 64  # rows, sorted by length
READOUT = "bert.pooler."


def is_wanted(model: nn.Module, cache: CacheSettings) -> TypeGuard[SequenceClassifier]:
    """Are there states that stay the same, and are they to be kept?"""
    from models.backbones.freeze import is_frozen
    from models.network import SequenceClassifier

    return cache.mode == "disk" and isinstance(model, SequenceClassifier) and is_frozen(model)


def check_size(splits: Splits, cache: CacheSettings, readout: Readout, hidden: int, layers: int) -> str:
    """One line on what will be kept; ConfigError when it is more than cache.max_gb."""
    kept = layers + 1 if readout.reads_all_layers else 1
    first = readout.first
    parts = (splits.train, splits.select)
    size = sum(states_bytes(part.lengths, first, kept, hidden, cache.dtype) for part in parts)
    rows = sum(len(part) for part in parts)
    what = (
        f"activations of {rows:,} rows ({kept} x {hidden} numbers in {cache.dtype} for "
        f"{'every token' if first is None else 'the first token'}): {size / 1e9:.3f} GB"
    )
    if size > cache.max_gb * 1e9:
        raise ConfigError(
            f"{what}, more than cache.max_gb={cache.max_gb:g}. Try: cache.max_gb={size / 1e9 * 1.05:.2g}, "
            "data.max_rows=<fewer>, model/readout=cls_layers (the first token only), or cache.mode=none"
        )
    return what


def check(model: nn.Module, splits: Splits, settings: Settings) -> str | None:
    """What `attach` will keep, in one line; raises for a cache that is too large or another encoder's."""
    if not is_wanted(model, settings.cache):
        is_inside = settings.model.freeze == "encoder" and settings.cache.mode == "disk"
        return "activations are not kept: the readout works inside the encoder and changes them" if is_inside else None
    hidden, layers = model.bert.state_shape()
    line = check_size(splits, settings.cache, model.bert.pooler, hidden, layers)
    for split in (splits.train, splits.select):
        parts = _parts(model, split, settings.cache.dtype)
        refuse_other_states(_path(settings, split, parts), parts)
    return line


def attach(
    model: SequenceClassifier, splits: Splits, settings: Settings, device: torch.device, notify: Callable[[str], None]
) -> Splits:
    """The splits with the states of train and selection on them, from the store or computed now."""

    cache = SharedCache(Path(settings.paths.cache).expanduser(), notify, waiting)

    def with_states(split: TokenSplit) -> TokenSplit:
        parts = _parts(model, split, settings.cache.dtype)
        hidden, layers = model.bert.state_shape()
        shape = (layers + 1 if parts["layers"] == "all" else 1, hidden)

        def fill(values: np.ndarray, offsets: np.ndarray) -> None:
            notify(f"computing the activations of {split.name}, {len(split):,} rows")
            _extract(model, split, splits.tokenizer.pad_id, device, values, offsets)

        path = _path(settings, split, parts)
        return replace(split, frozen_states=open_frozen_states(path, parts, split.lengths, shape, fill, cache))

    return replace(splits, train=with_states(splits.train), select=with_states(splits.select))


def _extract(
    model: SequenceClassifier, split: TokenSplit, pad_id: int, device: torch.device, values: np.ndarray,
    offsets: np.ndarray,
) -> None:  # fmt: skip
    """Run the encoder over all rows, long ones first, and write each row's states to its place."""
    import torch

    from data.batch import collate, padded_index
    from data.sampler import eval_batches
    from runner.training.inference import to_tensors

    was_training, count = model.training, values.shape[1]
    model.eval()
    with torch.inference_mode():
        for rows in eval_batches(split.lengths, batch_size=BATCH):
            states: list[torch.Tensor] = []
            model.bert(**to_tensors(collate(split, rows, pad_id), device), keep=states)
            index, real = padded_index(offsets, rows)
            made = torch.stack([state[:, : index.shape[1]] for state in states[-count:]], 2).cpu()
            if values.dtype == np.int16:
                made = made.to(torch.bfloat16).view(torch.int16)
            values[index[real]] = made.numpy()[real]
    model.train(was_training)


def _parts(model: SequenceClassifier, split: TokenSplit, dtype: str) -> dict[str, Any]:
    """What the states depend on."""
    readout = model.bert.pooler
    return {
        "encoder": _encoder(model),
        "texts": split.fingerprint,
        "layers": "all" if readout.reads_all_layers else "last",
        "tokens": readout.first or "all",
        "dtype": dtype,
    }


def _encoder(model: SequenceClassifier) -> str:
    """sha256 of the encoder's weights, and of what shows in no weight, such as the number of heads."""
    shape = {key: value for key, value in model.architecture.items() if key != "readout" and "dropout" not in key}
    digest = hashlib.sha256(repr(sorted(shape.items())).encode())
    for name, tensor in sorted(model.state_dict().items()):
        if name.startswith("bert.") and not name.startswith(READOUT):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _path(settings: Settings, split: TokenSplit, parts: dict[str, Any]) -> Path:
    """The split's folder below cache.path, else one named by what is in it, which all runs share."""
    if settings.cache.path:
        return Path(settings.cache.path).expanduser().absolute() / split.name
    return Path(settings.paths.cache).expanduser().absolute() / "activations" / states_key(parts)
