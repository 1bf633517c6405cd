"""The inputs of an ONNX graph: token ids or frames of sound, the attention mask, and segments."""

from __future__ import annotations

import torch
from torch import Tensor

from models.backbones.base import Backbone

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
FEATURES = "features"  # the input name for frames of sound, instead of input_ids


def example_inputs(backbone: Backbone, rows: int, length: int) -> dict[str, Tensor]:
    """Example inputs for tracing a model, by their names in the graph, in order; the second row is padded."""
    mask = torch.ones(rows, length, dtype=torch.int64)
    mask[1, length // 2 :] = 0
    first = INPUTS[0] if backbone.frame_width is None else FEATURES
    last = {INPUTS[2]: torch.zeros_like(mask)} if backbone.takes_segments else {}
    return {first: backbone.blank(rows, length), INPUTS[1]: mask, **last}


def given_inputs(input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor | None) -> dict[str, Tensor]:
    """The inputs of a call, under every name that a graph may use for them.

    input_ids: (B, T) int64, or frames (B, T, F). None: no padding, or no second text.
    """
    blank = input_ids.new_zeros(input_ids.shape[:2], dtype=torch.int64)
    mask = blank + 1 if attention_mask is None else attention_mask
    segments = blank if token_type_ids is None else token_type_ids
    return {INPUTS[0]: input_ids, FEATURES: input_ids, INPUTS[1]: mask, INPUTS[2]: segments}
