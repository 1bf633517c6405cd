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

    neutral=: the value with which a field that was added later is no part of a run's identity.
    """
    return field(default=default, metadata=limits)


@dataclass
class Recipe:
    """Training defaults that go with a model's size; other config groups read them by interpolation."""

    lr: float = limited(3e-4, above=0.0)
    epochs: float = limited(3.0, above=0.0)
    batch_size: int = limited(32, low=1)
    clip_norm: float = limited(1.0, low=0.0, neutral=1.0)


@dataclass
class Finetuning:
    """The training of the encoder before it is frozen."""

    epochs: float = limited(0.0, low=0.0, high=100000.0)
    lr: float | None = limited(None, above=0.0)
    batch_size: int | None = limited(None, low=1)


FITTED_HEAD = "fitted"  # a last layer that is not trained step by step
HASHED_WORDS = "words"  # the tokenizer without a vocabulary
PRETRAINED = "model.pretrained"  # the settings that name a checkpoint, as messages write them
INIT_FROM = "model.init_from"
COSINE_SCALE = 20.0  # of cosines in losses, 1 / 0.05, as sentence-transformers' CoSENTLoss has it
BI_ENCODER, COSINE = "bi_encoder", "cosine"  # the readout of texts read apart, and how it compares their vectors

FAMILIES = ("bert", "dsn", "auto", "ngram", "ngram_vectors")  # our encoder, none, the checkpoint's, n-grams
FITTED_NGRAMS = "ngram"
OVER_NGRAMS = (FITTED_NGRAMS, "ngram_vectors")
FITTED = (FITTED_NGRAMS,)  # families without training steps: optimizer, schedule and epochs mean nothing to them

Part = dict[str, Any]  # {"name": "scalar_mix", "normalize": "softmax", ...}

# First word vectors that an encoder gives: its input table, or its output for each token alone.
ENCODER_INITS = ("input", "output", "inner")
# Readouts that work on bare word vectors; all others need an encoder.
WORD_READOUTS = ("mean", "sum", "sqrt", "sum_all", "pair", "none")
# Readouts with a form that keeps a vector for each token, and the option that asks for it.
TOKEN_OPTIONS = {"scalar_mix": "pooling", "adapter_pool": "pool", "mix_adapter": "pool", "layer_pool": "pool"}


@dataclass
class ModelSettings:
    """A preset's YAML chooses the parts; a backbone's lists the sizes its family knows."""

    name: str = "bert-tiny"
    description: str = ""
    family: str = limited("bert", choices=FAMILIES)
    backbone: str = "bert-tiny"
    embedding: Part = field(default_factory=lambda: {"name": "table"})
    readout: Part = field(default_factory=lambda: {"name": "cls"})
    layers: int = limited(2, low=1, high=48)
    hidden: int = limited(128, low=1, high=8192)  # width of the token vectors; for dsn before `width`
    heads: int = limited(2, low=1, high=128)
    intermediate: int | None = limited(None, low=1)  # null: 4 x hidden
    positions: int = limited(512, low=8, high=65536)
    segments: int = limited(2, low=1, high=16)
    dropout: float = limited(0.1, low=0.0, high=0.99)
    attention_dropout: float = limited(0.1, low=0.0, high=0.99)
    initializer_range: float = limited(0.02, above=0.0, high=1.0)
    layer_norm_eps: float = limited(1e-12, above=0.0, high=1.0)  # BERT's; a checkpoint's own replaces it
    width: float = limited(1.0, above=0.0, high=16.0)
    norm: str = limited("layer", choices=("layer", "none"))  # of the sum of word, position and segment vectors
    positional: bool = limited(True, neutral=True)  # DSN: add vectors of positions and segments to those of the words
    token_dropout: float = limited(0.0, low=0.0, high=0.99)
    init: str = limited("random", choices=("random", "slice", "pca", *ENCODER_INITS))
    dims: int | None = limited(None, low=1, high=8192, neutral=None)  # DSN: width of its vectors; null: hidden x width
    word_weights: str = limited("none", choices=("none", "sif"), neutral="none")  # of first vectors, by frequency
    special_tokens: bool = limited(True, neutral=True)  # DSN: encode texts with those of the tokenizer around them
    init_from: str | None = None  # DSN: a checkpoint to take word vectors from; else a run or its model folder
    carry: str = limited("encoder", choices=("encoder", "readout", "all"))
    freeze: str = limited("none", choices=("none", "embeddings", "encoder"))
    tune: Finetuning = field(default_factory=Finetuning)
    weights: str | None = None  # the published weights of this size
    pretrained: str | None = None
    tokenizer: str = "auto"
    vocab_size: int = limited(4096, low=64, high=1000000)  # of a vocabulary trained by tokenizer=train
    vocabulary: str = limited("full", neutral="full")  # of any other: full, task, or how many of its tokens stay
    recipe: Recipe = field(default_factory=Recipe)
    recipes: list[str] = field(default_factory=list, metadata={"neutral": []})  # of which train.recipe=auto takes one
    n: int = limited(2, low=1, high=5, neutral=2)  # ngram: words in the longest n-gram
    weighting: str = limited("auto", choices=("auto", "nb", "presence", "tfidf"), neutral="auto")
    min_df: int = limited(2, low=1, neutral=2)
    max_kb: int | None = limited(200, low=1, neutral=200)
    cross: str = limited("auto", choices=("auto", "on", "off"), neutral="auto")
    whole: bool = limited(True, neutral=True)
    characters: list[int] | None = field(
        default=None, metadata={"neutral": None}
    )  # shortest and longest character n-gram
    add: str = limited("none", choices=("none", "ngram"), neutral="none")  # DSN: to the logits of pairs
    head: str = limited("trained", choices=("trained", FITTED_HEAD), neutral="trained")
    head_c: float | None = limited(None, above=0.0, neutral=None)  # of the fitted head; null: by the selection split
    pairs: str = limited("none", neutral="none")  # of contrastive tuning, of each kind a row: none, auto or a number


def full_part(part: str | Part) -> Part:
    """A part as a dictionary; config.json holds a part without options as its name alone."""
    return {"name": part} if isinstance(part, str) else dict(part)


def short_part(part: Part) -> str | Part:
    """A part as config.json holds it: without options its name alone."""
    return str(part["name"]) if len(part) == 1 else part


def keeps_tokens(readout: Part) -> bool:
    """Does a readout with these options return a vector for each token, and not one for the text?"""
    name = readout["name"]
    return name == "none" or (name in TOKEN_OPTIONS and readout.get(TOKEN_OPTIONS[name]) == "tokens")


def compares_by_cosine(model: ModelSettings) -> bool:
    """Is the cosine of two texts, each read alone, all that the last layer gets?"""
    return model.readout["name"] == BI_ENCODER and model.readout.get("compare") == COSINE


def chosen_readout(model: ModelSettings, *, is_pair: bool) -> Part:
    """The readout that model/readout=auto stands for, for data with one text a row or two; another one as it is.

    Models without attention averaged both texts of a pair until model/readout=pair came: that is model/readout=mean.
    """
    if model.readout["name"] != "auto":
        return model.readout
    if model.family != "dsn":
        return {"name": "cls"}
    return {**model.readout, "name": "pair"} if is_pair else {"name": "mean"}


def for_tokens(readout: Part) -> Part | None:
    """The form of a readout that keeps a vector for each token, None where there is none.

    The readouts that presets have, and all that pool the last layer alone, become `none`.
    """
    name = readout["name"]
    if name in TOKEN_OPTIONS:
        return {**readout, TOKEN_OPTIONS[name]: "tokens"}
    return {"name": "none"} if name in ("cls", *WORD_READOUTS) else None


def readout_conflict(readout: str, is_kept: bool, reads: str) -> str:
    """One line on a readout that the head cannot read. is_kept: does it keep tokens? reads: text | tokens."""
    if reads == "text" and is_kept:
        return (
            f"model/readout={readout} gives a vector for each token, and this task needs one for the text. "
            "Try: model/readout=mean, or a task that answers for each token"
        )
    if reads == "tokens" and not is_kept:
        kept = ", ".join(f"model/readout={name} model.readout.{key}=tokens" for name, key in TOKEN_OPTIONS.items())
        return (
            f"model/readout={readout} gives one vector for the text, and this task answers for each token. "
            f"Try: model/readout=none, or {kept}"
        )
    return ""


def reads_hashes(model: ModelSettings) -> bool:
    """Does the model read hashes of words, not numbers in a vocabulary?"""
    return model.family in OVER_NGRAMS


def vocabulary_conflicts(model: ModelSettings) -> list[str]:
    """One line for each setting that contradicts model.vocabulary, with the cure."""
    wanted, found = model.vocabulary, list[str]()
    if wanted == "full":
        return found
    if wanted != "task" and not (wanted.isascii() and wanted.isdigit() and int(wanted)):
        found.append(
            f"model.vocabulary={wanted}: expected full, task (the tokens of the training texts) or a number of tokens. "
            "Try: model.vocabulary=8000"
        )
    if model.tokenizer in ("train", "words"):
        cure = (
            f"model.vocab_size={wanted}" if model.tokenizer == "train" and wanted != "task" else "model.vocabulary=full"
        )
        found.append(
            f"model.vocabulary={wanted} trims the vocabulary of a checkpoint, and model.tokenizer={model.tokenizer} "
            f"has none. Try: {cure}"
        )
    elif model.embedding["name"] != "table":
        found.append(
            f"model.vocabulary={wanted} leaves rows out of a table of word vectors, and model/embedding="
            f"{model.embedding['name']} is not a plain one. Try: model/embedding=table, or model.vocabulary=full"
        )
    return found


def takes_table(model: ModelSettings) -> bool:
    """Can a model without attention start from a published table of static vectors? It adds nothing to them."""
    return model.family == "dsn" and not model.positional and model.norm == "none"


def static_conflicts(model: ModelSettings) -> list[str]:
    """One line for each pair of settings about first word vectors that contradict each other, with the cure."""
    found = []
    if model.family == "dsn" and model.pretrained and model.init != "random":
        found.append(
            f"model.init={model.init} and model.pretrained={model.pretrained} both give the first word vectors. "
            "Try: model.pretrained=null, or model.init=random"
        )
    if model.family != "dsn" and model.init in ENCODER_INITS:
        found.append(
            f"model.init={model.init} gives the word vectors of a model without attention, and model={model.name} has "
            "an encoder. Try: model=static, or model.init=random"
        )
    if model.word_weights != "none" and not model.pretrained and model.init not in ENCODER_INITS:
        found.append(
            f"model.word_weights={model.word_weights} weighs vectors that come from elsewhere, and these are random. "
            "Try: model.word_weights=none, or model.init=input model.init_from=<an encoder>"
        )
    if not model.special_tokens and model.family != "dsn":
        found.append(
            f"model.special_tokens=false is for models without attention, and model={model.name} has an encoder, which "
            "reads them. Try: model.special_tokens=true"
        )
    return found


def contradictions(model: ModelSettings, reads: str = "text") -> list[str]:
    """One line for each pair of settings that contradict each other, with the cure.

    reads: the head's vectors, text (one each) or tokens (one for each token).
    """
    found = vocabulary_conflicts(model)
    embedding, readout = model.embedding["name"], model.readout["name"]
    if conflict := readout_conflict(readout, keeps_tokens(model.readout), reads):
        found.append(conflict)
    if reads == "tokens" and model.token_dropout:
        found.append(
            f"model.token_dropout={model.token_dropout:g} leaves words out of a pooling, and this task answers for "
            "each token. Try: model.token_dropout=0, model.dropout=0.2"
        )
    if model.tokenizer == HASHED_WORDS and not reads_hashes(model):
        found.append(
            f"model.tokenizer={HASHED_WORDS} makes hashes of words, for which model={model.name} has no rows. "
            "Try: model.tokenizer=auto"
        )
    if model.family == "dsn" and readout not in WORD_READOUTS:
        found.append(
            f"model/readout={readout} reads the states of an encoder, and model/backbone=none "
            "has no encoder. Try: model/readout=mean, or model/backbone=bert-tiny"
        )
    found += static_conflicts(model)
    if model.family == "dsn" and model.pretrained and not takes_table(model):
        found.append(
            f"model.pretrained={model.pretrained} is for an encoder, and model/backbone=none has none. "
            f"Try: model.pretrained=null, and for its word vectors model.init=pca model.init_from={model.pretrained}"
        )
    if model.family != "dsn" and readout == "pair":
        found.append(
            "model/readout=pair is for models without attention, and an encoder compares two texts by itself. "
            "Try: model/readout=cls, or model=dsn"
        )
    if embedding != "table" and model.init != "random":
        found.append(
            f"model.init={model.init} fills a table of word vectors, and model/embedding={embedding} has none. "
            "Try: model.init=random, or model/embedding=table"
        )
    if model.tune.epochs and model.freeze != "encoder":
        found.append(
            f"model.tune.epochs={model.tune.epochs:g} tunes an encoder that is frozen afterwards, and model.freeze="
            f"{model.freeze}. Try: model.freeze=encoder, or model.tune.epochs=0"
        )
    if model.embedding.get("align") and not model.pretrained:
        found.append(
            f"model.embedding.align={model.embedding['align']} fits the hash to a pretrained word table, and "
            "model.pretrained names none. Try: model.embedding.align=null, or model.pretrained=<hub id or folder>"
        )
    if model.embedding.get("align") and model.pretrained and model.tokenizer == "train":
        found.append(
            f"model.tokenizer=train makes a new vocabulary, which the table of {model.pretrained} has no rows for, and "
            f"model.embedding.align={model.embedding['align']} reads them. Try: model.tokenizer=auto"
        )
    return found
