"""Reads static vectors, one per token, from Model2Vec, sentence-transformers' StaticEmbedding or WordLlama.

All three store one tensor in model.safetensors, `embeddings` or `embedding.weight` (V, H), next to tokenizer.json or
in 0_StaticEmbedding/. Model2Vec may add `weights`, a factor per token, and `mapping`, the row of each token if tokens
share rows. int8 values are divided by 127. A folder's `normalize` (vectors of length 1) is meant for similarity
without training and is ignored here.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from torch import Tensor

from models.checkpoints.digest import tensor_bytes
from models.checkpoints.hub import checkpoint_label, cures_for, fetch_file
from models.checkpoints.read import WEIGHTS
from models.checkpoints.untrusted import malformed_as_model_error
from models.errors import ModelError
from models.settings import PRETRAINED

FOLDER = "0_StaticEmbedding"
TABLES = ("embeddings", "embedding.weight")
CODES = 127  # the int8 value that stands for 1


def table_shape(source: str, key: str = PRETRAINED) -> tuple[int, int]:
    """The number of tokens and columns of a static table, from its file's header; ModelError if it is not one."""
    from safetensors import SafetensorError, safe_open

    path = _find(source, key)
    try:
        with safe_open(path, "pt") as opened:
            shapes = {name: opened.get_slice(name).get_shape() for name in [*opened.keys()]}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{checkpoint_label(source, key)}: {path} is damaged ({error}). Get a fresh copy") from error
    name = next((name for name in TABLES if len(shapes.get(name, ())) == 2), None)
    if name is None:
        raise ModelError(_no_table(source, key))
    rows, columns = shapes[name]
    return int(shapes.get("mapping", [rows])[0]), int(columns)


def check_static(source: str, dims: int | None) -> int:
    """How many columns of a static table are used; ModelError if it is not one, or has fewer than `dims`."""
    width = table_shape(source)[1]
    if dims is not None and dims > width:
        raise ModelError(
            f"model.dims={dims}: the table of {source} has {width} columns, of which the first ones are used. "
            f"Try: model.dims={width}"
        )
    return width if dims is None else dims


def read_static(source: str, key: str = PRETRAINED) -> tuple[Tensor, str]:
    """The tokens' vectors, (V, H) float32, and the sha256 of the file's tensors; ModelError if there is no table."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = _find(source, key)
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{checkpoint_label(source, key)}: {path} is damaged ({error}). Get a fresh copy") from error
    table = next((state[name] for name in TABLES if name in state and state[name].ndim == 2), None)
    if table is None:
        raise ModelError(_no_table(source, key))
    with malformed_as_model_error(checkpoint_label(source, key)):
        vectors = table.float() if table.is_floating_point() else table.float() / CODES
        if "mapping" in state:
            vectors = vectors[state["mapping"].long()]
        if "weights" in state:
            vectors = vectors * state["weights"].float().reshape(len(vectors), 1)
    if not torch.isfinite(vectors).all():
        raise ModelError(f"{checkpoint_label(source, key)}: its table has values that are not finite. Get a fresh copy")
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode() + tensor_bytes(state[name]))
    return vectors, digest.hexdigest()


def is_static(source: str, key: str = PRETRAINED) -> bool:
    """Do the JSON files next to the weights say that this is a static table?"""
    config = _content(fetch_file(source, "config.json", key))
    # Some versions of Model2Vec write no model_type; other programs always write theirs.
    if isinstance(config, dict):
        return config.get("model_type") == "model2vec" or ("model_type" not in config and "normalize" in config)
    modules = _content(fetch_file(source, "modules.json", key))
    parts = [part.get("type", "") for part in modules if isinstance(part, dict)] if isinstance(modules, list) else []
    return any(str(part).endswith("StaticEmbedding") for part in parts)


def _content(path: Path | None) -> object:
    """The content of a JSON file; None if it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path else None
    except ValueError:
        return None


def _find(source: str, key: str) -> Path:
    """The file with the table; ModelError if there is none."""
    path = fetch_file(source, WEIGHTS, key) or fetch_file(source, f"{FOLDER}/{WEIGHTS}", key)
    if path is None:
        raise ModelError(f"{checkpoint_label(source, key)}: has no {WEIGHTS}, so no table of vectors. {cures_for(key)}")
    return path


def _no_table(source: str, key: str) -> str:
    return (
        f"{checkpoint_label(source, key)}: is not a table of static vectors: its weights have neither of the tensors "
        f"{' and '.join(TABLES)}. Try: run model=auto {PRETRAINED}={source}, or the vectors of an encoder's words: "
        f"model.init=input model.init_from={source}"
    )
