"""Opens saved folders and hub ids as models in evaluation mode."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from torch import Tensor

from models import MODEL_TYPE
from models.architecture import BERT_DEFAULTS, is_our_encoder
from models.backbones.stock_head import StockReadout, is_stock_class, stock_architecture
from models.backbones.transformers_backbone import TransformersBackbone, renamed_tensors
from models.checkpoints.hub import checkpoint_label
from models.checkpoints.read import READOUT, read_config, read_state, read_tokens, rename_bert_tensors
from models.checkpoints.untrusted import check_size_claim, malformed_as_model_error
from models.compression.methods import restore_stages
from models.errors import ModelError
from models.heads.added_ngrams import ADDED, attach_ngrams
from models.heads.attach import LINEAR, head_in_config
from models.heads.base import HeadSpec
from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS, attach_target_scale, detach_target_scale, standardise_targets
from models.heads.words import PREDICTIONS, MaskedLM
from models.json_types import JsonObject
from models.rebuild import rebuild


def restore_saved(model: LinearHead, folder: Path) -> LinearHead:
    """Load the structure and weights saved in `folder` into `model`, built from the settings of the run that saved it.

    Unlike `load_model`, this keeps what is only needed for training, such as frozen parts and token dropout.
    """
    config = read_config(str(folder), "")
    own = detach_target_scale(model)
    model = restore_stages(model, config)
    if TARGETS in config:
        attach_target_scale(model, config[TARGETS])
    if ADDED in config:
        attach_ngrams(model, config[ADDED])
    model.load_state_dict(tensors_for(model, read_state(str(folder), "")), strict=True)
    if own:
        standardise_targets(model, **own, is_fresh=False)
    return model


def load_model(folder: Path) -> LinearHead:
    """Open a folder with one of our models or a stock BERT in evaluation mode; ModelError for other models."""
    if not Path(folder).is_dir():
        raise ModelError(f"{folder}: there is no such folder. Expected one that a run wrote: outputs/<identity>/model")
    return open_model(str(folder), "")


def can_open(config: JsonObject) -> bool:
    """Is this the config.json of a model that `open_model` can open?"""
    if config["model_type"] == "bert":
        return is_our_encoder(BERT_DEFAULTS | config)
    return config["model_type"] == MODEL_TYPE or is_stock_class(config)


def open_masked_lm(source: str, key: str) -> MaskedLM:
    """Open the masked language model of a folder or hub id in evaluation mode; ModelError if there is none.

    key: the setting that named `source`, for messages.
    """
    config, state = read_config(source, key), rename_bert_tensors(read_state(source, key))
    is_ours = config["model_type"] in (MODEL_TYPE, "bert") and can_open(config)
    if not is_ours or f"{PREDICTIONS}bias" not in state:
        raise ModelError(
            f"{checkpoint_label(source, key)}: has no head for masked words, so it cannot say which words fit. "
            f"Try: {key}=<the id of a run made by run task=mlm, or a hub id with such a head>"
        )
    with malformed_as_model_error(checkpoint_label(source, key)):
        check_size_claim(config, state, checkpoint_label(source, key))
        readout = "cls" if config.get("num_hidden_layers", 1) else "mean"  # neither is used
        encoder = rebuild(BERT_DEFAULTS | config | {"readout": readout}, HeadSpec(), partial(read_tokens, source))
        is_tied = config.get("tie_word_embeddings", True) and "embedding" not in config
        output = "tied" if is_tied else "own" if f"{PREDICTIONS}decoder.weight" in state else "fixed"
        model = MaskedLM(encoder.bert, encoder.architecture, HeadSpec("words", output=output))  # type: ignore[arg-type]
        own = model.state_dict()
        model.load_state_dict({name: tensor for name, tensor in state.items() if name in own}, strict=False)
    if missing := sorted(own.keys() - state.keys()):
        raise ModelError(f"{checkpoint_label(source, key)}: is an incomplete masked-word model: it lacks {missing[:3]}")
    return model.eval()


def open_model(source: str, key: str) -> LinearHead:
    """Open the text, token or span model of a folder or hub id in evaluation mode; ModelError for other models.

    key: the setting that named `source`, for messages; "" for none.
    """
    config, where = read_config(source, key), checkpoint_label(source, key)
    with malformed_as_model_error(where):
        if not can_open(config):
            what = "BERT that only transformers can open" if config["model_type"] == "bert" else config["model_type"]
            raise ModelError(f"{where}: is a {what}, not a model saved by Bertier. Train it with model=auto")
        state, head = read_state(source, key), head_in_config(config)
        if config["model_type"] == "bert":
            config = BERT_DEFAULTS | config | {"readout": LINEAR[head.name].stock_readout}
        elif config["model_type"] != MODEL_TYPE:
            config = stock_architecture(config, head.name)
        check_size_claim(config.get("backbone", config), state, where)
        model = rebuild(config, head, partial(read_tokens, source))
        state = tensors_for(model, state)
    try:
        missing, unexpected = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"{where}: weights and config.json disagree: {reason}. Get fresh copies of both") from error
    unexpected = [name for name in unexpected if not is_leftover(name, model)]
    if missing or unexpected:
        raise ModelError(
            f"{where}: is not a complete classifier: missing {missing[:3]}, unknown {unexpected[:3]}. Get a fresh copy"
        )
    return model.eval()


def is_leftover(name: str, model: LinearHead) -> bool:
    """Is this an unused tensor that older transformers versions saved: position ids, or a pooler the head ignores?"""
    if isinstance(model.bert.pooler, StockReadout):
        return name.endswith("position_ids") or ".pooler." in name
    return name.endswith("position_ids") or (model.reads == "tokens" and name.startswith(f"{READOUT}dense."))


def tensors_for(model: LinearHead, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a saved file, renamed to those of `model`."""
    if not (model.is_stock() and isinstance(model.bert, TransformersBackbone)):
        return rename_bert_tensors(state)
    state = renamed_tensors(state, model.bert)
    names = {model.saved_name(own): own for own in model.state_dict()}
    return {names.get(name, name): tensor for name, tensor in state.items()}
