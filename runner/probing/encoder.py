"""Opens the encoder that is probed, and makes one of the same shape with random weights."""

from __future__ import annotations

from functools import partial

import torch

from data.inputs.sound_features import SoundFeatures
from data.inputs.tokenizer import Tokenizer, load_tokenizer
from models import MODEL_TYPE
from models.backbones.bilstm import BiLstm
from models.backbones.cnn import Cnn
from models.build import open_encoder
from models.capabilities import Fitted
from models.checkpoints.open import open_model
from models.checkpoints.read import read_config, read_tokens
from models.heads.added_ngrams import ADDED
from models.heads.base import HeadSpec
from models.heads.target_scale import TARGETS
from models.network import Network
from models.rebuild import rebuild
from runner.errors import ConfigError
from runner.record.subject import Subject
from runner.tasks.make import task_of_record

WORDS = "words"  # the head for masked words, which is left out
COMPRESSED = "compressed"  # the entry of an architecture that compression has changed


def open_subject(subject: Subject) -> tuple[Network, Tokenizer]:
    """Return the network of a run, a folder or a hub id, ready to predict, and its tokenizer.

    Raises ConfigError for a model without layers, ModelError or DataError for one that cannot be opened.
    """
    config = read_config(subject.source, "")
    has_our_head = subject.record is not None and task_of_record(subject.record).head().name != WORDS
    if has_our_head or config["model_type"] == MODEL_TYPE:
        network: Network = open_model(subject.source, "")
    else:
        network = open_encoder(subject.source)[0]
    if isinstance(network.bert, Fitted | BiLstm | Cnn):
        raise ConfigError(
            f"run probe: {subject.label} has no stack of layers with a vector per token, as a BERT has. "
            "Name a transformer, or a model of word vectors"
        )
    return network.eval(), load_tokenizer(subject.source)


def reads_sounds(tokenizer: Tokenizer) -> bool:
    """Return whether a model with this tokenizer reads sounds."""
    return isinstance(tokenizer, SoundFeatures)


def check_reads(subject: Subject, data: str, *, has_sounds: bool) -> None:
    """Raise ConfigError for a model of texts that is given sounds, or a model of sounds that is given texts.

    data: as messages call it.
    """
    if reads_sounds(load_tokenizer(subject.source)) == has_sounds:
        return
    read, found, cure = ("texts", "sounds", "xprobe") if has_sounds else ("sounds", "texts", "spoken-digits")
    raise ConfigError(
        f"run probe: {subject.label} reads {read}, but {data} has {found}. Try: data of {read}, as data={cure}"
    )


def random_twin(network: Network, subject: Subject, seed: int) -> Network | None:
    """Return an encoder of the same shape with random weights; None if compression has changed its shape."""
    if COMPRESSED in network.architecture:
        return None
    torch.manual_seed(seed)
    plain = {key: value for key, value in network.architecture.items() if key not in (TARGETS, ADDED)}
    head = HeadSpec("token" if network.reads == "tokens" else "text")
    return rebuild(plain, head, partial(read_tokens, subject.source)).eval()
