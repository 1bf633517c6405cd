"""The vectors of an encoder and its readout for the rows of a split: the inputs of a fitted head."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from data.batch import collate
from data.sampler import eval_batches
from data.splits import TokenSplit
from data.stores.build_once import SharedCache
from data.stores.text_vectors import open_text_vectors, text_keys
from models.checkpoints.digest import tensor_bytes
from models.compression.stage import Inputs
from models.heads.text import SequenceClassifier
from runner.training.inference import to_tensors

BATCH = 64  # rows, of similar length


def encode(model: SequenceClassifier, inputs: Inputs) -> Tensor:
    """Return the vectors of a batch, (B, H) float32."""
    return model.encode(inputs["input_ids"], inputs.get("attention_mask"), inputs.get("token_type_ids")).float()


def text_vectors(
    model: SequenceClassifier, split: TokenSplit, device: torch.device, pause: Callable[[], None] = lambda: None
) -> np.ndarray:
    """Return the vectors of all rows, (rows, H) float32, without dropout; pause: called between batches."""
    was_training, found = model.training, dict[int, np.ndarray]()
    model.eval()
    with torch.inference_mode():
        for rows in eval_batches(split.lengths, batch_size=BATCH):
            pause()
            vectors = encode(model, to_tensors(collate(split, rows), device)).cpu().numpy()
            found |= dict(zip(rows.tolist(), vectors))
    model.train(was_training)
    return np.stack([found[row] for row in range(len(split))])


def stored_vectors(
    model: SequenceClassifier,
    splits: tuple[TokenSplit, ...],
    device: torch.device,
    cache: SharedCache,
    pause: Callable[[], None] = lambda: None,
) -> list[np.ndarray]:
    """Return the vectors of the rows of each split, (rows, H), from the cache or computed now, once per text."""
    keys = [text_keys(split) for split in splits]
    known, first = np.unique(np.concatenate(keys), return_index=True)
    parts = {"encoder": encoder_fingerprint(model), "texts": hashlib.sha256(known.tobytes()).hexdigest()}

    def compute() -> np.ndarray:
        cache.tell(f"computing the vectors of {len(known):,} texts")
        begins = np.cumsum([0, *map(len, splits)])
        made = []
        for split, begin, end in zip(splits, begins[:-1], begins[1:]):
            chosen = np.flatnonzero((first >= begin) & (first < end))
            if len(chosen):
                made.append((chosen, text_vectors(model, split.take(first[chosen] - begin), device, pause)))
        found = np.empty((len(known), made[0][1].shape[1]), np.float32)
        for chosen, vectors in made:
            found[chosen] = vectors
        return found

    vectors = open_text_vectors(cache, parts, compute)
    return [np.asarray(vectors[np.searchsorted(known, one)]) for one in keys]


def encoder_fingerprint(model: SequenceClassifier) -> str:
    """Return the sha256 of the weights of encoder and readout and of the architecture, such as the number of heads."""
    shape = {key: value for key, value in model.architecture.items() if "dropout" not in key}
    digest = hashlib.sha256(repr(sorted(shape.items())).encode())
    for name, tensor in sorted(model.state_dict().items()):
        if name.startswith("bert."):
            digest.update(name.encode())
            digest.update(tensor_bytes(tensor))
    return digest.hexdigest()
