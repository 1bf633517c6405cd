"""Drops the embedding rows of a checkpoint that a run never looks up: a smaller model with the same outputs.

These are word vectors of tokens that a trimmed tokenizer lacks, positions beyond the longest text, and the second
segment's vector if rows have one text. The rest of the checkpoint stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from models.architecture import check_vocabulary
from models.errors import ModelError
from models.json_types import JsonObject
from models.settings import ModelSettings

# transformers families with a table of positions, counted from 0, or from the padding id + 1.
FROM_ZERO = ("bert", "distilbert", "electra", "albert", "ernie", "megatron-bert")
FROM_PADDING = (
    "roberta", "xlm-roberta", "camembert", "mpnet", "roberta-prelayernorm", "xlm-roberta-xl", "xmod", "longformer",
    "luke", "data2vec-text", "ibert",
)  # fmt: skip
TOKEN_IDS = ("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id", "mask_token_id")


@dataclass(frozen=True)
class Cut:
    """The rows of a checkpoint's tables to keep."""

    kept: np.ndarray  # (n,) int64, ascending: ids of the checkpoint's tokens to keep
    positions: int  # length of the longest text, in tokens
    segments: int | None = None  # None: keep all

    def settings(self, settings: ModelSettings) -> ModelSettings:
        """The settings with at most this many positions and segments."""
        segments = settings.segments if self.segments is None else min(settings.segments, self.segments)
        return replace(settings, positions=min(settings.positions, self.positions), segments=segments)

    def config(self, config: JsonObject, source: str) -> JsonObject:
        """A checkpoint's config.json, or one of our architectures, with the sizes after the cut.

        Raises ModelError for a token that the checkpoint has no row for.
        """
        if "backbone" in config:
            inner = self.config(config["backbone"], source)
            longest = config["max_position_embeddings"]
            return config | {
                "backbone": inner,
                "max_position_embeddings": None if longest is None else min(longest, self.positions),
            }
        check_vocabulary(source, int(config["vocab_size"]), int(self.kept[-1]) + 1)
        places = {int(old): place for place, old in enumerate(self.kept)}
        ids = {key: places.get(config[key]) for key in TOKEN_IDS if isinstance(config.get(key), int)}
        model_type, found = config["model_type"], config | ids | {"vocab_size": len(self.kept)}
        if model_type in FROM_PADDING and ids.get("pad_token_id", config.get("pad_token_id")) != config.get(
            "pad_token_id"
        ):
            raise ModelError(
                f"{source}: counts its positions from the id of its padding token, which trimming would change. "
                "Try: model.vocabulary=full"
            )
        before = config["pad_token_id"] + 1 if model_type in FROM_PADDING else 0
        if model_type in (*FROM_ZERO, *FROM_PADDING, "bertier"):
            found["max_position_embeddings"] = min(config["max_position_embeddings"], self.positions + before)
            if self.segments is not None and "type_vocab_size" in config:
                found["type_vocab_size"] = min(config["type_vocab_size"], self.segments)
        return found

    def state(self, state: dict[str, Tensor], model: nn.Module, words: nn.Module) -> dict[str, Tensor]:
        """The tensors of a checkpoint, under our names, cut to the rows of `model`.

        words: the model's word table.
        """
        table = next((f"{name}.weight" for name, module in model.named_modules() if module is words), "")
        own, found = model.state_dict(), dict(state)
        for name, tensor in state.items():
            place = own.get(name)
            if place is None or tensor.ndim != 2 or tensor.shape[1:] != place.shape[1:] or len(tensor) <= len(place):
                continue
            found[name] = tensor[torch.from_numpy(self.kept)] if name == table else tensor[: len(place)]
        return found
