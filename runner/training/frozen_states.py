"""Training on the stored states of a frozen encoder, which are computed once and reread in every epoch.

`attach_frozen_states` returns splits with their states; batches then contain states instead of ids, and the loop is
unchanged. Reported scores are still those of the whole model: the encoder runs on the reported rows.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

import numpy as np
import torch
from torch import nn

from data.batch import collate
from data.inputs.padding import padded_index
from data.json_types import JsonObject
from data.sampler import eval_batches
from data.splits import Splits, TokenSplit
from data.stores.build_once import SharedCache
from data.stores.frozen_states import open_frozen_states, refuse_other_states, states_bytes, states_key
from models.backbones.freeze import is_frozen
from models.backbones.hooks import Recorder
from models.checkpoints.digest import tensor_bytes
from models.heads.text import SequenceClassifier
from models.network import Network
from models.readouts.base import Readout
from runner.errors import ConfigError
from runner.schema import CacheSettings
from runner.training.inference import to_tensors

BATCH = 64  # rows, sorted by length
READOUT = "bert.pooler."


def uses_frozen_states(model: nn.Module, cache: CacheSettings) -> TypeGuard[SequenceClassifier]:
    """Does the encoder give the same states in every epoch, and is cache.mode set to store them?"""
    if not isinstance(model, SequenceClassifier) or not is_frozen(model) or cache.mode != "disk":
        return False
    # The store has no segments, and sounds vary from epoch to epoch.
    return model.bert.pooler.texts == 1 and model.bert.frame_width is None


def check_size(splits: Splits, cache: CacheSettings, readout: Readout, hidden: int, layers: int) -> str:
    """Return one line on what will be stored; raise ConfigError if it exceeds cache.max_gb."""
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


def check_frozen_states(
    model: nn.Module, splits: Splits, cache: CacheSettings, shared: Path, freeze: str
) -> str | None:
    """Return one line on what `attach_frozen_states` will store, or on why not; None if it does not apply.

    shared: paths.cache, the folder shared by all runs; freeze: model.freeze. Raises ConfigError for a store that is too
    large and for train.maxmatch_dropout, DataError for an existing store of another encoder.
    """
    if not uses_frozen_states(model, cache):
        if freeze != "encoder" or cache.mode != "disk":
            return None
        return f"activations are not kept: {_why_not(model)}"
    if splits.train.augment is not None:
        raise ConfigError(
            "train.maxmatch_dropout: texts are tokenised differently in every epoch, but cache.mode=disk keeps"
            " the states of only one. Try: cache.mode=none, or train.maxmatch_dropout=0"
        )
    hidden, layers = model.bert.state_shape()
    line = check_size(splits, cache, model.bert.pooler, hidden, layers)
    for split in (splits.train, splits.select):
        content = _content(model, split, cache.dtype)
        refuse_other_states(_path(cache, shared, split, content), content)
    return line


def _why_not(model: nn.Module) -> str:
    """Return why a frozen model's states cannot be stored."""
    if isinstance(model, Network) and model.reads == "tokens":
        return "the head reads every token"
    if isinstance(model, Network) and model.bert.pooler.texts == 2:
        return "the readout tells the two texts of a pair apart, but they would be stored as one"
    return "the readout works inside the encoder and changes them"


def attach_frozen_states(
    model: SequenceClassifier, splits: Splits, cache: CacheSettings, shared: SharedCache, device: torch.device
) -> Splits:
    """Return the splits, with states for the training and selection rows, read from the store or computed now.

    shared: the store below paths.cache; cache.path overrides it.
    """
    hidden, layers = model.bert.state_shape()

    def with_states(split: TokenSplit) -> TokenSplit:
        content = _content(model, split, cache.dtype)
        shape = (layers + 1 if content["layers"] == "all" else 1, hidden)

        def fill(values: np.ndarray, offsets: np.ndarray) -> None:
            shared.tell(f"computing the activations of {split.name}, {len(split):,} rows")
            _extract(model, split, device, values, offsets)

        path = _path(cache, shared.folder, split, content)
        return replace(split, frozen_states=open_frozen_states(path, content, split.lengths, shape, fill, shared))

    return replace(splits, train=with_states(splits.train), select=with_states(splits.select))


def _extract(
    model: SequenceClassifier, split: TokenSplit, device: torch.device, values: np.ndarray,
    offsets: np.ndarray,
) -> None:  # fmt: skip
    """Run the encoder over all rows, long ones first, and write each row's states to its position."""
    was_training, count = model.training, values.shape[1]
    model.eval()
    with torch.inference_mode():
        for rows in eval_batches(split.lengths, batch_size=BATCH):
            recorder = Recorder()
            model.bert(**to_tensors(collate(split, rows), device), hooks=[recorder])
            index, real = padded_index(offsets, rows)
            made = torch.stack([state[:, : index.shape[1]] for state in recorder.states[-count:]], 2).cpu()
            if values.dtype == np.int16:
                made = made.to(torch.bfloat16).view(torch.int16)
            values[index[real]] = made.numpy()[real]
    model.train(was_training)


def _content(model: SequenceClassifier, split: TokenSplit, dtype: str) -> JsonObject:
    """Return everything that the states of a split depend on."""
    readout = model.bert.pooler
    return {
        "encoder": encoder_digest(model),
        "texts": split.fingerprint,
        "layers": "all" if readout.reads_all_layers else "last",
        "tokens": readout.first or "all",
        "dtype": dtype,
    }


def encoder_digest(model: Network) -> str:
    """Return the sha256 of the encoder's weights and its architecture, such as the number of heads."""
    shape = {key: value for key, value in model.architecture.items() if key != "readout" and "dropout" not in key}
    digest = hashlib.sha256(repr(sorted(shape.items())).encode())
    for name, tensor in sorted(model.state_dict().items()):
        if name.startswith("bert.") and not name.startswith(READOUT):
            digest.update(name.encode())
            digest.update(tensor_bytes(tensor))
    return digest.hexdigest()


def _path(cache: CacheSettings, shared: Path, split: TokenSplit, content: JsonObject) -> Path:
    """Return the split's folder below cache.path if that is set, else one in the shared cache, named by its content."""
    if cache.path:
        return Path(cache.path).expanduser().absolute() / split.name
    return shared.expanduser().absolute() / "activations" / states_key(content)
