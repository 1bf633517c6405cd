"""The settings of one model; standard library only, because configs are checked before torch is imported.

A model is embedding x backbone x readout x head. Embedding and readout are parts with options of their own: a
dictionary of a `name` and the options that its YAML in conf/model/ lists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

Value = TypeVar("Value")


def limited(default: Value, **limits: object) -> Value:
    """A dataclass field with its range in the metadata: low=, high=, above= or choices=.

    neutral=: for a field added later, the value at which it is left out of a run's identity.
    """
    return field(default=default, metadata=limits)


@dataclass
class Recipe:
    """Training defaults for a model's size; other config groups read them by interpolation."""

    lr: float = limited(3e-4, above=0.0)
    epochs: float = limited(3.0, above=0.0, high=100000.0)
    batch_size: int = limited(32, low=1)
    clip_norm: float = limited(1.0, low=0.0, neutral=1.0)
    label_smoothing: float = limited(0.0, low=0.0, high=0.9, neutral=0.0)
    average: int = limited(1, low=1, high=100, neutral=1)
    keep_best: bool = limited(True, neutral=True)


@dataclass
class Finetuning:
    """The training of the encoder before it is frozen."""

    epochs: float = limited(0.0, low=0.0, high=100000.0)
    lr: float | None = limited(None, above=0.0)
    batch_size: int | None = limited(None, low=1)


FITTED_HEAD = "fitted"  # a last layer that is not trained with gradient steps
STOCK_HEAD = "stock"  # the classification head of the encoder's own transformers class
HASHED_WORDS = "words"  # the tokenizer without a vocabulary
PRETRAINED = "model.pretrained"  # the settings that name a checkpoint, as messages write them
INIT_FROM = "model.init_from"
COSINE_SCALE = 20.0  # multiplies cosines in losses: 1 / 0.05, as in sentence-transformers' CoSENTLoss
BI_ENCODER, COSINE = "bi_encoder", "cosine"  # the readout that encodes two texts separately, and its cosine comparison

FRAMES, CNN = ("frames", "band_convolution"), "cnn"  # the embeddings and the family that read frames of sound
SOUND_FEATURES = ("log_mel", "mfcc")  # values of model.tokenizer that turn sounds into frames

# Our encoder, no encoder, a recurrent one, the checkpoint's, n-grams (two families), convolutions over sounds.
FAMILIES = ("bert", "dsn", "bilstm", "auto", "ngram", "ngram_vectors", CNN)
FITTED_NGRAMS = "ngram"
OVER_NGRAMS = (FITTED_NGRAMS, "ngram_vectors")
FITTED = (FITTED_NGRAMS,)  # families without training steps: optimizer, schedule and epochs do not apply

Part = dict[str, Any]  # {"name": "scalar_mix", "normalize": "softmax", ...}

WORD_TABLE = "word_vectors"  # the value of model.carry that takes the word table only

# Initial word vectors taken from an encoder: rows of its input table, or its output for each token on its own.
ENCODER_INITS = ("input", "output", "inner")
# Readouts that work on bare word vectors; all others need an encoder.
WORD_READOUTS = ("mean", "sum", "sqrt", "sum_all", "mean_std", "pair", "none")
OF_FAMILY = {
    "dsn": WORD_READOUTS,
    "bilstm": ("mean", "max", "sum", "sqrt", "mean_std", "none", BI_ENCODER),
    CNN: ("mean", "max", "sum", "sqrt", "mean_std"),
}
# Readouts that can keep one vector per token, and the option that makes them do so.
TOKEN_OPTIONS = {"scalar_mix": "pooling", "adapter_pool": "pool", "mix_adapter": "pool", "layer_pool": "pool"}


@dataclass
class ModelSettings:
    """The settings of a model. A preset's YAML chooses the parts; a backbone's YAML lists its family's sizes."""

    name: str = "bert-tiny"
    description: str = ""
    family: str = limited("bert", choices=FAMILIES)
    backbone: str = "bert-tiny"
    embedding: Part = field(default_factory=lambda: {"name": "table"})
    readout: Part = field(default_factory=lambda: {"name": "cls"})
    layers: int = limited(2, low=1, high=48)
    hidden: int = limited(128, low=1, high=8192)  # dimensions of the token vectors; for dsn before `width`
    heads: int = limited(2, low=1, high=128)
    intermediate: int | None = limited(None, low=1)  # null: 4 x hidden
    positions: int = limited(512, low=8, high=65536)
    segments: int = limited(2, low=0, high=16)  # 0: no segment table, for frames of sound
    dropout: float = limited(0.1, low=0.0, high=0.99)
    attention_dropout: float = limited(0.1, low=0.0, high=0.99)
    initializer_range: float = limited(0.02, above=0.0, high=1.0)
    layer_norm_eps: float = limited(1e-12, above=0.0, high=1.0)  # BERT's; a checkpoint's own replaces it
    width: float = limited(1.0, above=0.0, high=16.0)
    norm: str = limited("layer", choices=("layer", "none"))  # of the sum of word, position and segment vectors
    positional: bool = limited(True, neutral=True)  # DSN: add position and segment vectors to word vectors
    token_dropout: float = limited(0.0, low=0.0, high=0.99)
    init: str = limited("random", choices=("random", "slice", "pca", *ENCODER_INITS))
    dims: int | None = limited(None, low=1, high=8192, neutral=None)  # DSN: width of its vectors; null: hidden x width
    word_weights: str = limited("none", choices=("none", "sif"), neutral="none")  # by token frequency
    special_tokens: bool = limited(True, neutral=True)  # DSN: put the tokenizer's special tokens around texts
    unknown_tokens: str = limited("auto", choices=("auto", "keep", "drop"), neutral="auto")  # without special tokens
    init_from: str | None = None  # DSN: a checkpoint for the word vectors; others: a run or its model folder
    carry: str = limited("encoder", choices=("encoder", "readout", "all", WORD_TABLE))
    freeze: str = limited("none", choices=("none", "embeddings", "encoder"))
    tune: Finetuning = field(default_factory=Finetuning)
    weights: str | None = None  # the published weights of this size
    pretrained: str | None = None
    tokenizer: str = "auto"
    vocab_size: int = limited(4096, low=64, high=1000000)  # of the vocabulary that tokenizer=train trains
    vocabulary: str = limited("full", neutral="full")  # for any other: full, task, or a number of tokens
    recipe: Recipe = field(default_factory=Recipe)
    recipes: list[str] = field(default_factory=list, metadata={"neutral": []})  # train.recipe=auto picks one
    recipe_by_rows: list[str] = field(default_factory=list, metadata={"neutral": []})  # for train.recipe=sized
    n: int = limited(2, low=1, high=5, neutral=2)  # ngram: words in the longest n-gram
    weighting: str = limited("auto", choices=("auto", "nb", "presence", "tfidf"), neutral="auto")
    min_df: int = limited(2, low=1, neutral=2)
    max_kb: float | None = limited(200, above=0.0, high=1e9, neutral=200)
    cross: str = limited("auto", choices=("auto", "on", "off"), neutral="auto")
    whole: bool = limited(True, neutral=True)
    characters: list[int] | None = field(
        default=None, metadata={"neutral": None}
    )  # lengths of the shortest and longest character n-gram
    add: str = limited("none", choices=("none", "ngram"), neutral="none")  # DSN: added to its logits
    head: str = limited("trained", choices=("trained", FITTED_HEAD, STOCK_HEAD), neutral="trained")
    head_c: float | None = limited(None, above=0.0, neutral=None)  # of the fitted head; null: by the selection split
    pairs: str = limited("none", neutral="none")  # per row and kind, for contrastive tuning: none, auto, number

    def __post_init__(self) -> None:
        """Store whole kilobytes as int: up to version 0.2 they always were, and runs are named by a hash of them."""
        if self.max_kb is not None and float(self.max_kb).is_integer():
            self.max_kb = int(self.max_kb)


def is_command(source: str | None) -> bool:
    """Is this the command of a run to execute first, rather than a run id, folder or hub id?"""
    return "=" in (source or "")


def pretrains_first(model: ModelSettings) -> bool:
    """Do the initial weights come from a run to execute first, whose command is in model.pretrained or init_from?"""
    return is_command(model.pretrained) or is_command(model.init_from)


def full_part(part: str | Part) -> Part:
    """A part as a dictionary; config.json stores a part without options as just its name."""
    return {"name": part} if isinstance(part, str) else dict(part)


def short_part(part: Part) -> str | Part:
    """A part as config.json stores it: just its name if it has no options."""
    return str(part["name"]) if len(part) == 1 else part


def keeps_tokens(readout: Part) -> bool:
    """Does a readout with these options return one vector per token instead of one per text?"""
    name = readout["name"]
    return name == "none" or (name in TOKEN_OPTIONS and readout.get(TOKEN_OPTIONS[name]) == "tokens")


def compares_by_cosine(model: ModelSettings) -> bool:
    """Is the last layer's only input the cosine of two texts that are encoded separately?"""
    return model.readout["name"] == BI_ENCODER and model.readout.get("compare") == COSINE


def chosen_readout(model: ModelSettings, *, is_pair: bool) -> Part:
    """Resolve model/readout=auto for data with one text per row or with pairs; any other readout is returned as it is.

    Before model/readout=pair existed, models without attention averaged both texts of a pair: model/readout=mean.
    """
    if model.readout["name"] != "auto":
        return model.readout
    if model.family != "dsn":
        if model.family == "auto" and not model.init_from and model.head != STOCK_HEAD:
            return {"name": "auto"}  # the checkpoint's files decide: models/checkpoints/pooling.py
        return {"name": "max" if model.family == "bilstm" else "cls"}
    return {**model.readout, "name": "pair"} if is_pair else {"name": "mean"}


def for_tokens(readout: Part) -> Part | None:
    """The variant of a readout that keeps one vector per token, or None if it has none.

    `auto`, `cls`, `max` and WORD_READOUTS become `none`.
    """
    name = readout["name"]
    if name in TOKEN_OPTIONS:
        return {**readout, TOKEN_OPTIONS[name]: "tokens"}
    return {"name": "none"} if name in ("auto", "cls", "max", *WORD_READOUTS) else None


def reads_frames(model: ModelSettings) -> bool:
    """Does the model read frames of sound instead of token ids?"""
    return model.family == CNN or model.embedding["name"] in FRAMES


def reads_hashes(model: ModelSettings) -> bool:
    """Does the model read hashes of words instead of ids in a vocabulary?"""
    return model.family in OVER_NGRAMS


def takes_table(model: ModelSettings) -> bool:
    """Can the model start from a published table of static vectors? It must have no attention, positions or norm."""
    return model.family == "dsn" and not model.positional and model.norm == "none"
