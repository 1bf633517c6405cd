"""Checks untrusted files, which may contain anything: code to run, sizes that exhaust memory, invalid data.

with malformed_as_model_error(where):
    check_config(config, where)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from models.errors import ModelError
from models.json_types import JsonObject

# Keys that make transformers fetch and run external code: a repository's modules, kernels from the hub.
CODE = ("auto_map", "attn_implementation", "_attn_implementation", "experts_implementation", "_experts_implementation")
BUILT_IN = (None, "eager", "sdpa")
SIZE = re.compile("size|dim|layers|heads|position|embeddings|hidden|labels")  # in names of settings that cost memory
SHARES = ("_prob", "_eps", "_range")  # suffixes of settings between 0 and 1
LARGEST = 10_000_000  # limit for settings that match SIZE: no vocabulary is larger
MOST_LAYERS = 512
SQUEEZED = 64  # parameters that one stored number may represent, after packing and pruning
SPARE = 50_000_000  # parameters that any checkpoint may lack: 200 MB in fp32


def check_config(config: JsonObject, where: str) -> None:
    """Raise ModelError for a config that requires its own code, or has sizes that no model has.

    An `auto_map` is ignored for model types that transformers supports: their own code is not needed and never run.
    """
    if "auto_map" in config and is_native(config.get("model_type")):
        config = {key: value for key, value in config.items() if key != "auto_map"}
    pad, rows = config.get("pad_token_id"), config.get("vocab_size")
    if isinstance(pad, int) and isinstance(rows, int) and pad >= rows:
        raise ModelError(
            f"{where}: config.json says pad_token_id={pad}, but its table has vocab_size={rows} rows. "
            "Try: a copy with a smaller pad_token_id in its config.json, the tokenizer's"
        )
    if quantized := config.get("quantization_config"):
        how = quantized.get("quant_method", "unknown") if isinstance(quantized, dict) else quantized
        raise ModelError(
            f"{where}: its weights are quantized ({how!s:.40}), which only the library that wrote them reads. "
            "Name the checkpoint that it was made of"
        )
    for key, value, is_listed in _leaves(config):
        if key == "auto_map" or (key in CODE and value not in BUILT_IN):
            raise ModelError(f"{where}: brings its own code ({key}), which is never run here. Name another model")
        if SIZE.search(key) and isinstance(value, int | float) and not abs(value) <= LARGEST:
            raise ModelError(f"{where}: config.json says {key}={value!s:.20}, which no model has. Name another model")
        is_unset = value is None and not key.endswith("_eps")
        if key.endswith(SHARES) and not is_unset and (not isinstance(value, int | float) or not 0 <= value <= 1):
            raise ModelError(f"{where}: config.json says {key}={value!s:.20}, expected 0 to 1. Get a fresh copy")
        if "layers" in key and not is_listed and isinstance(value, int) and value > MOST_LAYERS:
            raise ModelError(f"{where}: config.json says {key}={value}, more than {MOST_LAYERS}. Name another model")


def is_native(model_type: str | None) -> bool:
    """Does transformers itself support this model type?"""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return model_type in CONFIG_MAPPING_NAMES


def _leaves(node: object, key: str = "", is_listed: bool = False) -> Iterator[tuple[str, object, bool]]:
    """Yield each key, its value, and whether it is in a list; a dict or list where a number belongs is yielded, too."""
    if key == "auto_map" or (key.endswith(SHARES) and isinstance(node, dict | list)):
        yield key, node, is_listed
    for name, part in node.items() if isinstance(node, dict) else ():
        yield from _leaves(part, str(name))
    for part in node if isinstance(node, list) else ():
        yield from _leaves(part, key, is_listed=True)
    if not isinstance(node, dict | list):
        yield key, node, is_listed


def check_size_claim(config: JsonObject, state: dict[str, Tensor], where: str) -> None:
    """Raise ModelError if config.json claims a far larger model than the weights hold, which could exhaust memory."""

    def size(*names: str) -> int:
        return int(next((config[name] for name in names if config.get(name)), 0))

    hidden, layers = size("hidden_size", "dim", "d_model"), size("num_hidden_layers", "n_layers")
    inner = size("intermediate_size", "hidden_dim") or 4 * hidden
    words = 0 if config.get("embedding", "table") != "table" else size("vocab_size")
    wanted = hidden * (layers * (4 * hidden + 2 * inner) + words + size("max_position_embeddings"))
    stored = sum(tensor.numel() for tensor in state.values())
    if wanted > SQUEEZED * stored + SPARE:
        raise ModelError(
            f"{where}: config.json describes {wanted:,} parameters, the weights hold {stored:,}. "
            "Get fresh copies of both"
        )


@contextmanager
def malformed_as_model_error(where: str) -> Iterator[None]:
    """Convert the errors that a malformed config or tensor causes into a ModelError about `where`."""
    from huggingface_hub.errors import StrictDataclassError  # raised by transformers' configs; not a ValueError

    wrong = (
        ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, RuntimeError, TypeError, ValueError,
    )  # fmt: skip
    try:
        yield
    except ModelError:
        raise
    except (*wrong, StrictDataclassError) as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise ModelError(
            f"{where}: its files do not describe a valid model ({type(error).__name__}: {reason}). Get fresh copies"
        ) from error
