"""Bytes of a model: its stored numbers alone, in sparse formats, the saved file, and all that a prediction needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from models.compression.quantization.coded import coded_weights
from models.embeddings.base import computed_vectors
from models.half import is_half, stored_in_half
from models.network import Network
from runner.record.calibration import FILE as CALIBRATION_FILE

PACKED_FILE = "model.bin"  # weights, vocabulary and labels in one file, for models that can be packed


def bytes_packed(model: nn.Module) -> int:
    """Return the bytes of all stored numbers in their own dtype, without any container.

    These are the parameters and the buffers saved in a checkpoint (such as quantization codes and scales); shared
    tensors count once. A pruned weight that is stored as a zero still counts.
    """
    return sum(tensor.numel() * tensor.element_size() for tensor in _stored_tensors(model))


def bytes_sparse(model: nn.Module, form: Callable[[Tensor, int], int]) -> int:
    """Return the bytes of all stored numbers if each matrix used the format `form` where that is smaller than dense.

    form: computes the bytes of a matrix, given its number of non-zero values: `bitmask_bytes` or `csr_bytes`.
    """
    total = 0
    for tensor in _stored_tensors(model):
        dense = tensor.numel() * tensor.element_size()
        is_matrix = tensor.ndim == 2 and not tensor.is_quantized
        total += min(dense, form(tensor, int(torch.count_nonzero(tensor)))) if is_matrix else dense
    return total


def bitmask_bytes(matrix: Tensor, nonzero: int) -> int:
    """Bytes of a matrix stored as its non-zero values and one bit per position."""
    return nonzero * matrix.element_size() + math.ceil(matrix.numel() / 8)


def csr_bytes(matrix: Tensor, nonzero: int) -> int:
    """Bytes of a matrix in compressed sparse rows: non-zero values, their columns, row starts; int32 indices."""
    return nonzero * (matrix.element_size() + 4) + 4 * (len(matrix) + 1)


def bytes_file(path: Path) -> int:
    """Return the bytes of the weights at `path`: a weights file, or a folder with *.safetensors files.

    Raises FileNotFoundError when there are none.
    """
    files = [path] if path.is_file() else sorted(path.glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(f"no weights in {path}: expected model.safetensors")
    return sum(file.stat().st_size for file in files)


def bytes_deployed(folder: Path) -> int:
    """Return the bytes of all files of a saved model that are needed to predict from a string.

    `model.bin` contains everything, vocabulary and labels too, except the calibration file, which is added. Without it,
    the whole folder counts: weights, tokenizer and config, not the card. Raises FileNotFoundError without weights.
    """
    packed, calibration = folder / PACKED_FILE, folder / CALIBRATION_FILE
    if packed.is_file():
        return packed.stat().st_size + (calibration.stat().st_size if calibration.is_file() else 0)
    others = [file for file in folder.iterdir() if file.is_file() and file.suffix not in (".safetensors", ".md")]
    return bytes_file(folder) + sum(file.stat().st_size for file in others)


def bytes_regenerable(model: nn.Module) -> dict[str, int] | None:
    """Bytes of vectors in memory that are recomputed, not stored, by embedding mode; None without such an embedding."""
    embedding = computed_vectors(model)
    return embedding.regenerable_bytes() if embedding else None


def bytes_unpacked(model: nn.Module) -> int:
    """Bytes in memory of quantized weights that are decoded to float32 once, before the first product."""
    return sum(module.unpacked_bytes() for module in coded_weights(model))


def _stored_tensors(model: nn.Module) -> list[Tensor]:
    # keep_vars: the parameters themselves, so that shared ones are the same object.
    state = model.state_dict(keep_vars=True).values()
    found = list({id(value): value for value in state if isinstance(value, Tensor)}.values())
    in_half = isinstance(model, Network) and is_half(model.architecture)
    return [stored_in_half(value) for value in found] if in_half else found
