"""Opens a masked language model that predicts in float32 how likely pieces are; optionally with rounded weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from data.errors import DataError
from data.inputs.tokenizer import PieceTokenizer, load_tokenizer, require_pieces
from models.checkpoints.foreign_masked_lm import ForeignMaskedLM, open_foreign_masked_lm
from models.checkpoints.hub import checkpoint_label
from models.checkpoints.open import can_open, open_masked_lm
from models.checkpoints.read import read_config, read_state
from models.compression.methods import make_stage
from models.compression.quantization.stage import QuantizationStage
from models.heads.words import MaskedLM
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.machine.device import choose_device
from runner.machine.threads import choose_threads, set_threads
from runner.minimal_pairs.wanted import Wanted
from runner.record.subject import KEY, Subject

ROUNDED = "weight_only"  # methods whose arithmetic stays in float32, so that only the weights are rounded


@dataclass(frozen=True)
class Opened:
    """A masked language model, loaded and ready to predict."""

    network: MaskedLM | ForeignMaskedLM
    tokenizer: PieceTokenizer
    device: torch.device

    @property
    def positions(self) -> int:
        """The longest input in tokens."""
        return int(self.network.architecture["max_position_embeddings"])

    @torch.inference_mode()
    def __call__(self, ids: np.ndarray, places: np.ndarray, pieces: np.ndarray) -> np.ndarray:
        """Return log p, (N,) float64, of `pieces` at `places` of the flattened `ids` (B, T), in nats."""
        on = self.device
        scores = self.network(torch.from_numpy(ids).to(on), places=torch.from_numpy(places).to(on))
        found: np.ndarray = scores.log_likelihoods(torch.from_numpy(pieces).to(on)).double().cpu().numpy()
        return found


def open_subject(subject: Subject, wanted: Wanted) -> Opened:
    """Open the model that the pairs are for; ModelError or DataError without a head for words or a vocabulary."""
    device = choose_device(wanted.device)
    network = _open(subject.source)
    set_threads(wanted.threads or choose_threads("bert", int(network.architecture["hidden_size"])))
    tokenizer = require_pieces(load_tokenizer(subject.source), f"{KEY}={subject.source}")
    if tokenizer.vocab_size > len(network.table()):
        raise DataError(
            f"{KEY}={subject.source}: its tokenizer has {tokenizer.vocab_size:,} tokens, but its table only "
            f"{len(network.table()):,} rows. Get fresh copies of both"
        )
    if wanted.compression != "none":
        round_weights(network, wanted.compression)
    return Opened(network.to(device).eval(), tokenizer, device)


def _open(source: str) -> MaskedLM | ForeignMaskedLM:
    """Return our own network if it supports the model, else that of transformers."""
    config = read_config(source, KEY)
    if can_open(config):
        return open_masked_lm(source, KEY)
    return open_foreign_masked_lm(config, read_state(source, KEY), checkpoint_label(source, KEY))


@torch.no_grad()
def round_weights(network: nn.Module, name: str) -> None:
    """Round the weights as compression=[name] does, in place; the arithmetic remains float32, as there.

    Raises ConfigError for a compression that does more than round weights.
    """
    words = [f"compression=[{name}]", "model=bert-tiny"]
    if compose(words).compression[name].method != ROUNDED:
        raise ConfigError(
            f"compression={name}: for minimal pairs only the weights can be rounded. Try: compression=int8, or int4"
        )
    stage = make_stage(resolve(compose(words)).compression[name], name)
    assert isinstance(stage, QuantizationStage), "it replaces layers by rounded ones"
    for place, layer in list(network.named_modules()):
        made = stage.made_for(place, layer)
        if made is not None and isinstance(layer, nn.Linear | nn.Embedding):
            stage.fill(place, layer, made)
            layer.weight.copy_(made.decoded_weight())
