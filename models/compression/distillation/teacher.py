"""A teacher: any finished text classifier, ours or one that transformers opens, in a folder or on the hub."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from models.checkpoints.hub import named
from models.checkpoints.open import is_readable, open_model
from models.checkpoints.read import read_config, weight_files
from models.errors import ModelError
from models.heads.label_order import names_of


class Foreign(nn.Module):
    """A classifier of transformers: it answers, and cannot be looked into."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.takes_segments = "token_type_ids" in inspect.signature(network.forward).parameters

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """(B, T) ids, mask and segments to logits (B, C)."""
        segments = {"token_type_ids": token_type_ids} if self.takes_segments else {}
        logits: Tensor = self.network(input_ids=input_ids, attention_mask=attention_mask, **segments).logits
        return logits


@dataclass(frozen=True)
class Facts:
    """What is known of a teacher without running it."""

    labels: tuple[str, ...]  # in the order of its logits; LABEL_0, LABEL_1 where it gives them no names
    positions: int | None  # the longest text in tokens; None: any
    fingerprint: str  # sha256 of its configuration and weights


def facts_of(source: str, key: str) -> Facts:
    """Of a folder or hub id; key: the setting that named it, for messages. Raises ModelError."""
    config = read_config(source, key)
    digest = hashlib.sha256(repr(sorted(config.items())).encode())
    for path in weight_files(source, key):
        digest.update(path.read_bytes())
    return Facts(names_of(config), config.get("max_position_embeddings"), digest.hexdigest())


def open_teacher(source: str, key: str, order: Sequence[int] = ()) -> nn.Module:
    """The classifier, ready to predict, its weights fixed; ModelError for what is none.

    order: which of its labels it answers first, second, ...; (): in its own order.
    """
    config = read_config(source, key)
    teacher: nn.Module = open_model(source, key) if is_readable(config) else _foreign(source, config, key)
    if list(order) != sorted(order):
        last = getattr(teacher, "classifier", teacher)  # its outputs and not its weights, which may be rounded
        last.register_forward_hook(lambda _module, _inputs, logits: logits[..., list(order)])
    return teacher.eval().requires_grad_(False)


def _foreign(source: str, config: dict[str, Any], key: str) -> Foreign:
    from transformers import AutoModelForSequenceClassification as Classifier

    kinds = config.get("architectures") or ["nothing"]
    if not kinds[0].endswith("ForSequenceClassification"):
        raise ModelError(
            f"{named(source, key)}: is a {kinds[0]}, not a trained classifier. Try: {key}=<the id of a finished run>"
        )
    weight_files(source, key)  # refuses pickles
    return Foreign(Classifier.from_pretrained(source, use_safetensors=True, trust_remote_code=False))
