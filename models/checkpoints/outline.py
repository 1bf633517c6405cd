"""Checks that a checkpoint's files fit together, from config.json and tensor shapes, before data are read.

For a hub id, only config.json is available at that point; the rest is checked when its weights are loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from models.architecture import is_our_encoder, with_sizes
from models.backbones.bert import build_bert
from models.backbones.transformers_backbone import is_converted, longest_input, renamed_tensors, wrap_encoder
from models.checkpoints.hub import checkpoint_label
from models.checkpoints.read import check_tensors, rename_bert_tensors, weight_files
from models.checkpoints.untrusted import malformed_as_model_error
from models.errors import ModelError
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from models.json_types import JsonObject
from models.settings import PRETRAINED, ModelSettings, full_part

MEAN = {"name": "mean"}  # a readout without weights, so that the checkpoint need not have any


@dataclass(frozen=True)
class Outline:
    """The sizes of a checkpoint, as its files state them."""

    longest: int | None  # maximum length of a text in tokens; None for no limit
    rows: int | None  # of its word table; None if it has another embedding


def read_outline(settings: ModelSettings, config: JsonObject) -> Outline:
    """Return the outline of the encoder settings.pretrained; ModelError if config.json and weights do not fit."""
    source = settings.pretrained or ""
    is_folder = Path(source).expanduser().is_dir()
    with malformed_as_model_error(checkpoint_label(source, PRETRAINED)), torch.device("meta"):
        if not is_our_encoder(config):
            bert, architecture = wrap_encoder(config, MEAN, 0.0)
            if is_folder and not is_converted(config["model_type"]):
                state = renamed_tensors(_shapes(source), bert)
                check_tensors(attach_head(bert, architecture, HeadSpec()), source, state)
            return Outline(longest_input(bert.backbone), len(bert.backbone.get_input_embeddings().weight))
        sizes = with_sizes(settings, config)
        longest = sizes.positions if settings.family == "auto" else settings.positions
        embeddings = {settings.embedding["name"], full_part(config.get("embedding", "table"))["name"]}
        if embeddings != {"table"}:
            return Outline(longest, None)
        rows = int(config["vocab_size"])
        if is_folder:
            made = attach_head(*build_bert(replace(sizes, readout=MEAN), vocab_size=rows, pad_id=0), HeadSpec())
            check_tensors(made, source, rename_bert_tensors(_shapes(source)))
        return Outline(longest, rows)


def _shapes(source: str) -> dict[str, Tensor]:
    """The tensors in a folder by name: their shapes and whether they are floats or integers, but not their values.

    Raises ModelError for a damaged file.
    """
    from safetensors import SafetensorError, safe_open

    found: dict[str, Tensor] = {}
    for path in weight_files(source):
        try:
            with safe_open(path, "pt") as opened:
                for name in [*opened.keys()]:
                    stored = opened.get_slice(name)
                    kind = torch.float32 if "F" in stored.get_dtype() else torch.int64
                    found[name] = torch.empty(stored.get_shape(), dtype=kind)
        except (SafetensorError, OSError) as error:
            raise ModelError(
                f"{checkpoint_label(source, PRETRAINED)}: {path} is damaged ({error}). Get a fresh copy of it"
            ) from error
    return found
