"""Encoders from transformers that our own code does not implement, with our readout or the head of their own class.

Not accepted: models that generate text, models for data other than text, and repositories with their own code.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from models.backbones.base import Backbone
from models.backbones.hooks import LayerHook, Wanted, show_states
from models.backbones.initialise import init_weights
from models.backbones.stock_head import STOCK, StockReadout, take_apart
from models.checkpoints.read import READOUT, rename_norm_tensors
from models.errors import ModelError
from models.json_types import JsonObject
from models.parts import make_readout
from models.readouts.base import Readout
from models.settings import PRETRAINED, Part, short_part

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

BACKBONE = "bert.backbone."
ACCEPTED = (  # the most common families, for messages
    "bert", "modernbert", "roberta", "xlm-roberta", "deberta-v2", "distilbert", "albert", "electra", "mpnet",
    "mobilebert", "nomic_bert",
)  # fmt: skip
POOLED = ("funnel",)  # families whose layers shorten texts by pooling
LEAKING = {  # families whose states of words depend on the padding behind them
    "convbert": "convolves over",
    "fnet": "mixes the words with",
    "nystromformer": "averages over",
    "yoso": "attends to",
}


class TransformersBackbone(Backbone):
    """A transformers encoder with one of our readouts, or with the head of its own class."""

    def __init__(self, backbone: PreTrainedModel, pooler: Readout) -> None:
        super().__init__()
        self.backbone, self.pooler = backbone, pooler
        takes = "token_type_ids" in inspect.signature(backbone.forward).parameters
        self.takes_segments = takes and getattr(backbone.config, "type_vocab_size", 0) > 1

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        hooks: Sequence[LayerHook] = (),
        only: Wanted | None = None,
    ) -> Tensor:
        """(B, T) ids, mask and segments to one vector per text, (B, H).

        hooks: only read-only ones (only_observes); ModelError for others. only: as in Backbone.
        """
        segments = {"token_type_ids": token_type_ids} if self.takes_segments else {}
        all_states = bool(hooks) or self.pooler.reads_all_layers
        made = self.backbone(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=all_states, **segments
        )
        states = made.hidden_states if all_states else [made.last_hidden_state]
        show_states(hooks, states, attention_mask)
        if only is None or only.places is None:
            return self.pooler.read_out(states, attention_mask)
        return self.pooler.read_out([only.select(state) for state in states], None)

    def embedding_parts(self) -> list[nn.Module]:
        """The class's `embeddings` module, or its word table if it has none."""
        found = _child(self.backbone, "embeddings")
        return [self.word_vectors() if found is None else found]

    def encoder_parts(self) -> list[nn.Module]:
        """The whole transformers model."""
        return [self.backbone]

    def word_vectors(self) -> nn.Module:
        """The word table."""
        found: nn.Module = self.backbone.get_input_embeddings()
        return found

    def draw_weights(self, network: nn.Module, architecture: JsonObject) -> None:
        """Initialise the head and the readout; transformers has already initialised the encoder."""
        spread = getattr(self.backbone.config, "initializer_range", 0.02)
        for part in (*(child for child in network.children() if child is not self), self.pooler):
            init_weights(part, spread)

    def saved_name(self, name: str) -> str:
        """The name of a network's tensor in the saved file; with a stock head, that of the encoder's own class."""
        return self.pooler.saved_name(name) if isinstance(self.pooler, StockReadout) else name

    def state_shape(self) -> tuple[int, int]:
        """The width of the states and the number of layers."""
        return int(self.backbone.config.hidden_size), int(self.backbone.config.num_hidden_layers)


def check_no_hooks(made: Readout, readout: Part, kind: str) -> None:
    """Raise ModelError for a readout with modules inside the encoder, which only our own encoder supports."""
    if made.hooks():
        raise ModelError(
            f"model/readout={readout['name']} puts modules between the layers of our own encoder, but this is a "
            f"{kind} of transformers'. Try: model/readout=adapter_pool, or {PRETRAINED}=<a BERT>"
        )


def check_encoder(config: JsonObject) -> None:
    """Raise ModelError unless this is a bidirectional text encoder that transformers supports."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_MASKED_LM_MAPPING_NAMES as ENCODERS,
    )

    model_type = config["model_type"]
    if config.get("is_encoder_decoder") or config.get("is_decoder") or model_type not in ENCODERS:
        raise ModelError(
            f"a {model_type} is not a text encoder: it generates text, is for other data or is unknown. Use a "
            f"{', '.join(ACCEPTED)} or another family that fills masks in transformers. "
            f"Try: run model=auto {PRETRAINED}=sentence-transformers/all-MiniLM-L6-v2"
        )
    if model_type in POOLED:
        raise ModelError(
            f"a {model_type} has fewer states than the text has tokens, so no readout can tell words from padding. "
            f"Try: run model=auto {PRETRAINED}=sentence-transformers/all-MiniLM-L6-v2"
        )
    if model_type == "bert" and config.get("position_embedding_type", "absolute") != "absolute":
        raise ModelError(
            f"a bert with {config['position_embedding_type']} positions cannot be built: transformers "
            "dropped them and would silently build another model. "
            f"Try: run model=auto {PRETRAINED}=sentence-transformers/all-MiniLM-L6-v2"
        )


def check_padding(config: JsonObject) -> None:
    """Raise ModelError for an encoder that would give a text another vector in another batch.

    Checked where a training starts; models that were trained before still open.
    """
    model_type = config["model_type"]
    if model_type in LEAKING:
        raise ModelError(
            f"a {model_type} {LEAKING[model_type]} padding, so the answer for a text would depend on the length of "
            f"the others in its batch. Try: run model=auto {PRETRAINED}=sentence-transformers/all-MiniLM-L6-v2"
        )


def parse_config(config: JsonObject) -> PreTrainedConfig:
    """Convert a config.json to transformers' config class, ignoring any code that it refers to."""
    from transformers import AutoConfig

    return AutoConfig.for_model(**{key: value for key, value in config.items() if key != "auto_map"})


def wrap_encoder(config: JsonObject, readout: Part, dropout: float) -> tuple[TransformersBackbone, JsonObject]:
    """The encoder for a transformers config, and its architecture; ModelError unless it is an encoder.

    `draw_weights` must be called later. dropout: before the head.
    """
    from transformers import AutoModel

    check_encoder(config)
    pooler: Readout
    if readout["name"] == STOCK:
        backbone, pooler = take_apart(parse_config(config), readout["head"])
    else:
        backbone = AutoModel.from_config(parse_config(config))
        pooler = make_readout(readout, backbone.config.hidden_size, backbone.config.num_hidden_layers)
        check_no_hooks(pooler, readout, backbone.config.model_type)
    if _child(backbone, "pooler") is not None:
        # Our readout replaces it; unused, it would add to the parameter count. Not None: some families call it.
        backbone.pooler = nn.Identity()
    architecture = {
        "backbone": backbone.config.to_dict(),
        "hidden_size": backbone.config.hidden_size,
        "max_position_embeddings": longest_input(backbone),
        "hidden_dropout_prob": dropout,
        "readout": short_part(readout),
    }
    return TransformersBackbone(backbone, pooler), architecture


def longest_input(backbone: PreTrainedModel) -> int | None:
    """The maximum length in tokens; None: no limit. RoBERTa reserves its first positions for padding."""
    rows: int | None = getattr(backbone.config, "max_position_embeddings", None)
    embeddings = _child(backbone, "embeddings")
    table = None if embeddings is None else _child(embeddings, "position_embeddings")
    padding = getattr(table, "padding_idx", None)
    return rows if rows is None or padding is None else rows - padding - 1


def _child(module: nn.Module, name: str) -> nn.Module | None:
    """The child module with this name; None if there is none."""
    return dict(module.named_children()).get(name)


@torch.no_grad()
def clear_padding(backbone: PreTrainedModel) -> bool:
    """Set the padding token's vector to 0 if tokens also read their neighbours' vectors; returns whether it changed.

    In MobileBERT, a text's last token would otherwise see whether padding follows; without padding, it reads zeros.
    """
    table = backbone.get_input_embeddings()
    if not backbone.config.to_dict().get("trigram_input") or not table.weight[table.padding_idx].any():
        return False
    table.weight[table.padding_idx] = 0.0
    return True


def renamed_tensors(state: dict[str, Tensor], bert: TransformersBackbone) -> dict[str, Tensor]:
    """A checkpoint's tensors, renamed for our network with this backbone."""
    return _our_names(_converted(state, bert.backbone), bert)


def _converted(state: dict[str, Tensor], backbone: PreTrainedModel) -> dict[str, Tensor]:
    """Rename and split tensors as transformers does on loading; most families need no change."""
    if not is_converted(backbone.config.model_type):
        return state
    with without_reports():
        loaded, report = type(backbone).from_pretrained(
            None, config=backbone.config, state_dict=dict(state), output_loading_info=True
        )
    found = {name: tensor for name, tensor in loaded.state_dict().items() if name not in report["missing_keys"]}
    return found | {name: state[name] for name in report["unexpected_keys"] if name in state}


def is_converted(model_type: str) -> bool:
    """Does transformers rename or split tensors of such a checkpoint on loading?"""
    from transformers.conversion_mapping import get_checkpoint_conversion_mapping

    return bool(get_checkpoint_conversion_mapping(model_type))


@contextmanager
def without_reports() -> Iterator[None]:
    """Silence transformers' reports of missing or unexpected tensors, which our own code reports."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    loudness = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(loudness)


def _our_names(state: dict[str, Tensor], bert: TransformersBackbone) -> dict[str, Tensor]:
    """Rename tensors to our names: removes a task class's prefix, and maps its pooler to our readout."""
    prefix, own = f"{bert.backbone.base_model_prefix}.", bert.backbone.state_dict()
    is_stock, pooler = isinstance(bert.pooler, StockReadout), bert.pooler.state_dict()
    renamed = {}
    for name, tensor in rename_norm_tensors(state).items():
        short = name.removeprefix(prefix)
        if short in own:
            renamed[BACKBONE + short] = tensor
        elif f"stock.{prefix}{short}" in pooler:
            renamed[f"{READOUT}stock.{prefix}{short}"] = tensor
        elif short.startswith("pooler.") and not is_stock:  # a single layer; in ALBERT it has no separate name
            renamed[f"{READOUT}dense.{short.rpartition('.')[2]}"] = tensor
        else:
            renamed[name] = tensor
    return renamed
