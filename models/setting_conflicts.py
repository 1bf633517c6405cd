"""Finds settings of one model that contradict each other: one message each, with a fix; standard library only."""

from __future__ import annotations

from models.settings import (
    CNN,
    ENCODER_INITS,
    HASHED_WORDS,
    OF_FAMILY,
    SOUND_FEATURES,
    TOKEN_OPTIONS,
    WORD_TABLE,
    ModelSettings,
    keeps_tokens,
    reads_frames,
    reads_hashes,
    takes_table,
)


def readout_conflict(readout: str, is_kept: bool, reads: str) -> str:
    """A message if the head cannot read this readout, else "".

    is_kept: does the readout keep one vector per token? reads: what the head reads, text | tokens.
    """
    if reads == "text" and is_kept:
        return (
            f"model/readout={readout} gives a vector for each token, but this task needs one for the text. "
            "Try: model/readout=mean, or a task that answers for each token"
        )
    if reads == "tokens" and not is_kept:
        kept = ", ".join(f"model/readout={name} model.readout.{key}=tokens" for name, key in TOKEN_OPTIONS.items())
        return (
            f"model/readout={readout} gives one vector for the text, but this task answers for each token. "
            f"Try: model/readout=none, or {kept}"
        )
    return ""


def vocabulary_conflicts(model: ModelSettings) -> list[str]:
    """One message, with a fix, for each setting that contradicts model.vocabulary."""
    wanted, found = model.vocabulary, list[str]()
    if wanted == "full":
        return found
    if wanted != "task" and not (wanted.isascii() and wanted.isdigit() and int(wanted)):
        found.append(
            f"model.vocabulary={wanted}: expected full, task (the tokens of the training texts) or a number of tokens. "
            "Try: model.vocabulary=8000"
        )
    if model.tokenizer in ("train", HASHED_WORDS, *SOUND_FEATURES):
        cure = (
            f"model.vocab_size={wanted}" if model.tokenizer == "train" and wanted != "task" else "model.vocabulary=full"
        )
        found.append(
            f"model.vocabulary={wanted} trims the vocabulary of a checkpoint, but model.tokenizer={model.tokenizer} "
            f"has none. Try: {cure}"
        )
    elif model.embedding["name"] != "table":
        found.append(
            f"model.vocabulary={wanted} leaves rows out of a table of word vectors, but model/embedding="
            f"{model.embedding['name']} is not a plain one. Try: model/embedding=table, or model.vocabulary=full"
        )
    return found


def static_conflicts(model: ModelSettings) -> list[str]:
    """One message, with a fix, for each contradiction between settings about the initial word vectors."""
    found = []
    if model.family == "dsn" and model.pretrained and model.init != "random":
        found.append(
            f"model.init={model.init} and model.pretrained={model.pretrained} both give the first word vectors. "
            "Try: model.pretrained=null, or model.init=random"
        )
    if model.family == "bilstm" and model.pretrained:
        found.append(f"model.pretrained={model.pretrained}: there are no weights for model={model.name}. Leave it out")
    if model.family != "dsn" and model.init in ENCODER_INITS:
        found.append(
            f"model.init={model.init} gives the word vectors of a model without attention, but model={model.name} has "
            "an encoder. Try: model=static, or model.init=random"
        )
    if model.word_weights != "none" and not model.pretrained and model.init not in ENCODER_INITS:
        found.append(
            f"model.word_weights={model.word_weights} weighs vectors that come from elsewhere, but these are random. "
            "Try: model.word_weights=none, or model.init=input model.init_from=<an encoder>"
        )
    if model.unknown_tokens != "auto" and model.special_tokens:
        found.append(
            f"model.unknown_tokens={model.unknown_tokens} is for texts without special tokens, but model={model.name} "
            "reads those. Try: model.unknown_tokens=auto, or model=static"
        )
    if not model.special_tokens and model.family != "dsn" and not reads_frames(model):
        found.append(
            f"model.special_tokens=false is for models without attention, but model={model.name} has an encoder, which "
            "reads them. Try: model.special_tokens=true"
        )
    return found


def frame_conflicts(model: ModelSettings) -> list[str]:
    """One message, with a fix, for each setting that contradicts whether the model reads frames of sound."""
    is_sound, reads = model.tokenizer in SOUND_FEATURES, reads_frames(model)
    part = f"model/backbone={model.backbone}" if model.family == CNN else f"model/embedding={model.embedding['name']}"
    found = []
    if reads and not is_sound:
        found.append(
            f"{part} reads frames of sound, but model.tokenizer={model.tokenizer} makes numbers of tokens. "
            "Try: model.tokenizer=log_mel, or model=bert-tiny for texts"
        )
    if is_sound and not reads:
        found.append(
            f"model.tokenizer={model.tokenizer} makes frames of sounds, which model={model.name} cannot read. "
            "Try: model=tiny-sound"
        )
    if reads and model.pretrained:
        found.append(
            f"model.pretrained={model.pretrained} has weights for texts, but model={model.name} reads frames of sound. "
            "Try: model.pretrained=null"
        )
    if not reads and not model.segments:
        found.append("model.segments=0: models of texts have one or two. Try: model.segments=2")
    return found


def embedding_conflicts(model: ModelSettings) -> list[str]:
    """One message, with a fix, for each setting that needs another embedding, or that the embedding needs."""
    embedding, found = model.embedding["name"], list[str]()
    if embedding != "table" and model.init != "random":
        found.append(
            f"model.init={model.init} fills a table of word vectors, but model/embedding={embedding} has none. "
            "Try: model.init=random, or model/embedding=table"
        )
    if embedding != "table" and model.init_from and model.carry == WORD_TABLE:
        found.append(
            f"model.carry={WORD_TABLE} takes a table of word vectors, but model/embedding={embedding} has none. "
            "Try: model.carry=encoder, or model/embedding=table"
        )
    if model.embedding.get("align") and not model.pretrained:
        found.append(
            f"model.embedding.align={model.embedding['align']} fits the hash to a pretrained word table, but "
            "model.pretrained names none. Try: model.embedding.align=null, or model.pretrained=<hub id or folder>"
        )
    if model.embedding.get("align") and model.pretrained and model.tokenizer == "train":
        found.append(
            f"model.tokenizer=train makes a new vocabulary, which the table of {model.pretrained} has no rows for, and "
            f"model.embedding.align={model.embedding['align']} reads them. Try: model.tokenizer=auto"
        )
    return found


def contradictions(model: ModelSettings, reads: str = "text") -> list[str]:
    """One message, with a fix, for each pair of settings that contradict each other.

    reads: what the head reads, text (one vector per text) or tokens (one vector per token).
    """
    found = [*vocabulary_conflicts(model), *frame_conflicts(model)]
    readout = model.readout["name"]
    if conflict := readout_conflict(readout, keeps_tokens(model.readout), reads):
        found.append(conflict)
    if reads == "tokens" and model.token_dropout:
        found.append(
            f"model.token_dropout={model.token_dropout:g} leaves words out of a pooling, but this task answers for "
            "each token. Try: model.token_dropout=0, model.dropout=0.2"
        )
    if model.tokenizer == HASHED_WORDS and not reads_hashes(model):
        found.append(
            f"model.tokenizer={HASHED_WORDS} makes hashes of words, for which model={model.name} has no rows. "
            "Try: model.tokenizer=auto"
        )
    if readout not in OF_FAMILY.get(model.family, (readout,)):
        has = "none has no encoder" if model.family == "dsn" else f"{model.family} has none with attention"
        found.append(
            f"model/readout={readout} reads the states of an encoder, but model/backbone={has}. "
            "Try: model/readout=mean, or model/backbone=bert-tiny"
        )
    found += static_conflicts(model)
    if model.family == "dsn" and model.pretrained and not takes_table(model):
        found.append(
            f"model.pretrained={model.pretrained} is for an encoder, but model/backbone=none has none. "
            f"Try: model.pretrained=null, and for its word vectors model.init=pca model.init_from={model.pretrained}"
        )
    if model.family != "dsn" and readout == "pair":
        found.append(
            "model/readout=pair is for models without attention, and an encoder compares two texts by itself. "
            "Try: model/readout=cls, or model=dsn"
        )
    found += embedding_conflicts(model)
    if model.tune.epochs and model.freeze != "encoder":
        found.append(
            f"model.tune.epochs={model.tune.epochs:g} tunes an encoder that is frozen afterwards, but model.freeze="
            f"{model.freeze}. Try: model.freeze=encoder, or model.tune.epochs=0"
        )
    return found
