"""Opens a teacher: a trained text, token or span model, ours or transformers', in a folder or on the hub."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from models.checkpoints.cut import FROM_PADDING
from models.checkpoints.hub import checkpoint_label
from models.checkpoints.open import can_open, open_model
from models.checkpoints.read import read_config, weight_files
from models.errors import ModelError
from models.heads.attach import LINEAR, head_in_config
from models.heads.label_order import label_names_of
from models.heads.linear import LinearHead
from models.json_types import JsonObject

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class TransformersClassifier(nn.Module):
    """A text, token or span model from the transformers library; gives logits but no internal states."""

    def __init__(self, network: PreTrainedModel) -> None:
        super().__init__()
        self.network = network
        self.takes_segments = "token_type_ids" in inspect.signature(network.forward).parameters

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        places: Tensor | None = None,
    ) -> Tensor:
        """Ids, mask and segments (B, T) to logits: (B, C) for texts, (B, T, C) for tokens or spans.

        places: (N,) positions in the flattened (B, T); only the logits of those tokens are returned, (N, C).
        """
        segments = {"token_type_ids": token_type_ids} if self.takes_segments else {}
        found = self.network(input_ids=input_ids, attention_mask=attention_mask, **segments)
        is_span = "start_logits" in found
        logits: Tensor = torch.stack([found.start_logits, found.end_logits], -1) if is_span else found.logits
        return logits if places is None else logits.flatten(0, 1)[places]


@dataclass(frozen=True)
class ModelFacts:
    """Facts about a saved model that can be read without running it."""

    labels: tuple[str, ...]  # in the order of its logits; LABEL_0, LABEL_1, ... if they have no names
    positions: int | None  # the longest input in tokens; None: no limit
    fingerprint: str  # sha256 of its configuration and weights
    head: str = "text"  # what it classifies: text | token | span


def read_model_facts(source: str, key: str) -> ModelFacts:
    """The facts of the model in a folder or on the hub; ModelError if it cannot be read.

    key: the setting that names it, for messages.
    """
    config = read_config(source, key)
    digest = hashlib.sha256(repr(sorted(config.items())).encode())
    for path in weight_files(source, key):
        digest.update(path.read_bytes())
    positions, head = config.get("max_position_embeddings"), head_in_config(config).name
    if positions is not None and config["model_type"] in FROM_PADDING:
        positions -= config.get("pad_token_id", 1) + 1  # table rows up to the padding id are not usable positions
    return ModelFacts(label_names_of(config), positions, digest.hexdigest(), head)


def open_teacher(source: str, key: str, order: Sequence[int] = ()) -> nn.Module:
    """Open the classifier in eval mode with frozen weights; ModelError if it is not a trained classifier.

    order: the teacher's label indices in the order that the logits should have; (): its own order.
    """
    config = read_config(source, key)
    teacher: nn.Module = open_model(source, key) if can_open(config) else _open_transformers(source, config, key)
    if list(order) != sorted(order):
        # Reorder the outputs rather than the weights, which may be quantized. In our own networks every logit comes out
        # of `unstandardise`: those of exits and added n-grams too, and those of callers of `score`.
        last = teacher.unstandardise if isinstance(teacher, LinearHead) else teacher
        last.register_forward_hook(lambda _module, _inputs, logits: logits[..., list(order)])
    return teacher.eval().requires_grad_(False)


def _open_transformers(source: str, config: JsonObject, key: str) -> TransformersClassifier:
    import transformers

    kinds, auto_class = config.get("architectures") or ["nothing"], LINEAR[head_in_config(config).name].auto_class
    if not kinds[0].endswith(auto_class.removeprefix("AutoModel")):
        raise ModelError(
            f"{checkpoint_label(source, key)}: is a {kinds[0]}, not a trained classifier. "
            f"Try: {key}=<the id of a finished run>"
        )
    weight_files(source, key)  # refuses pickles
    opener = getattr(transformers, auto_class)
    # float32, as our own models: by default the weights keep the type of the file, and logits of 16 bits depend on the
    # rest of the batch.
    network = opener.from_pretrained(source, use_safetensors=True, trust_remote_code=False, dtype=torch.float32)
    return TransformersClassifier(network)
