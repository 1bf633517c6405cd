"""The vectors of sentences at every layer of a frozen encoder, computed once and kept in the cache.

<cache>/probing/<key>/ holds vectors.npy, (rows, cells, H) float16, and its checksum.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data.batch import collate
from data.json_types import JsonObject
from data.sampler import eval_batches
from data.splits import TokenSplit
from data.stores.build_once import SharedCache, checksum
from models.backbones.hooks import Recorder
from models.checkpoints.digest import tensor_bytes
from models.network import Network
from models.readouts.base import count_tokens, masked_sum
from runner.errors import ConfigError
from runner.probing.wanted import CLS, READOUT
from runner.training.frozen_states import encoder_digest
from runner.training.inference import to_tensors

FORMAT = 1  # raise when the vectors, or the way they are stored, change
VECTORS, CHECKSUM = "vectors.npy", "sha256"
BATCH = 64  # rows


@dataclass(frozen=True)
class Cell:
    """A vector of a sentence: which layer, and how the vectors of its tokens were pooled."""

    # mean: over real tokens; cls: the first token; readout: what the model's own head reads; word: over a word's pieces
    pool: str
    layer: int  # 0: the embeddings; of readout the last

    @property
    def name(self) -> str:
        """The name of the cell in tables and files, such as mean_2."""
        return f"{self.pool}_{self.layer}"


def cells_of(network: Network, pools: tuple[str, ...]) -> list[Cell]:
    """Return the cells of a network: every pooling of every layer, embeddings first, and the readout once.

    Raises ConfigError for a readout that does not give one vector as wide as the layers for each text.
    """
    hidden, layers = network.bert.state_shape()
    pooler = network.bert.pooler
    if READOUT in pools and (pooler.keeps_tokens or pooler.width not in (None, hidden)):
        raise ConfigError(
            f"pool={READOUT}: this model's readout gives no vector of {hidden} numbers for a text. Try: pool=mean,cls"
        )
    numbers = {READOUT: [layers]}
    return [Cell(pool, layer) for pool in pools for layer in numbers.get(pool, range(layers + 1))]


def sentence_vectors(
    network: Network, split: TokenSplit, pools: tuple[str, ...], cache: SharedCache, device: torch.device
) -> np.ndarray:
    """Return the vectors of a split's rows, (rows, cells, H) float16, memory-mapped from the cache."""
    parts: JsonObject = {
        "encoder": encoder_digest(network), "readout": readout_digest(network), "texts": split.fingerprint,
        "pools": pools, "format": FORMAT,
    }  # fmt: skip

    def fill(path: Path) -> None:
        cache.tell(f"computing the vectors of {len(split):,} rows of {split.name}")
        np.save(path, _compute(network, split, pools, device))

    return stored_vectors(parts, fill, cache)


def stored_vectors(parts: JsonObject, fill: Callable[[Path], None], cache: SharedCache) -> np.ndarray:
    """Return the vectors of these parts, memory-mapped from the cache.

    parts: everything that they depend on; fill: computes them and writes them to a path ending in .npy.
    """
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]

    def build(folder: Path) -> None:
        fill(folder / VECTORS)
        (folder / CHECKSUM).write_text(checksum(folder / VECTORS), encoding="ascii")

    return cache.open_or_build(
        cache.folder / "probing" / key, _open, build, damaged=f"the vectors in {key} are damaged; computing them again"
    )


def readout_digest(network: Network) -> str:
    """Return the sha256 of the readout, whose modules may also be between the layers."""
    digest = hashlib.sha256(repr(network.architecture["readout"]).encode())
    for name, tensor in sorted(network.bert.pooler.state_dict().items()):
        digest.update(name.encode() + tensor_bytes(tensor))
    return digest.hexdigest()


def _open(folder: Path) -> np.ndarray | None:
    """Return the stored vectors; None if a file is missing or its checksum is wrong."""
    try:
        if (folder / CHECKSUM).read_text(encoding="ascii") != checksum(folder / VECTORS):
            return None
        found: np.ndarray = np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return None
    return found


@torch.inference_mode()
def _compute(network: Network, split: TokenSplit, pools: tuple[str, ...], device: torch.device) -> np.ndarray:
    network.eval().to(device)
    hidden, layers = network.bert.state_shape()
    found = np.empty((len(split), len(cells_of(network, pools)), hidden), np.float16)
    for rows in eval_batches(split.lengths, batch_size=BATCH):
        inputs = to_tensors(collate(split, rows), device)
        recorder = Recorder()
        read = network.bert(**inputs, hooks=[recorder])
        states, mask = recorder.states[-layers - 1 :], inputs.get("attention_mask")
        pooled = [one for pool in pools for one in ([read] if pool == READOUT else _pool(states, mask, pool))]
        found[rows] = torch.stack(pooled, 1).half().cpu().numpy()
    return found


def _pool(states: Sequence[Tensor], mask: Tensor | None, pool: str) -> list[Tensor]:
    """States (B, T, H) of each layer to (B, H)."""
    if pool == CLS:
        return [state[:, 0] for state in states]
    return [masked_sum(state, mask) / count_tokens(state, mask) for state in states]
