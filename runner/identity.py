"""A run is named by what it computes, not by the clock.

The hash covers the resolved settings, the content of the data, the tokenizer, the starting weights and the version
of the code; it leaves out what does not change the result: paths, devices, threads, the tracker.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from runner.schema import Settings
from runner.version import VERSION

NOT_IDENTITY = (
    "paths",
    "device",
    "force",
    "resume",
    "finished",
    "tracker",
    "checkpoint",
    "cache.max_gb",
    "cache.path",
    "engine.gemm",
    "engine.compile",
    "train.threads",
    "train.eval_batch_size",
    "train.on_nonfinite",  # a run that it ended goes on with skip; what was left out is a metric
    "model.weights",
    "model.recipe",
    "data.path",
    "data.train_path",
    "data.val_path",
    "data.test_path",
)


def flatten(node: Any, prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, with dotted keys; empty groups vanish."""
    flat: dict[str, Any] = {}
    for key, value in node.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def counts(key: str) -> bool:
    """Does the setting with this dotted key change what a run computes?"""
    return not key.endswith("description") and not any(key == n or key.startswith(f"{n}.") for n in NOT_IDENTITY)


def counting(settings: Settings) -> dict[str, Any]:
    """The settings that change what a run computes, flat; those of caches and varied texts only where there are any."""
    unused = [] if settings.model.freeze == "encoder" else ["cache."]
    for name, stage in settings.compression.items():
        if not getattr(getattr(stage, "augment", None), "model", None):
            unused.append(f"compression.{name}.augment.")
    flat = flatten(asdict(settings))
    return {key: value for key, value in flat.items() if counts(key) and not key.startswith(tuple(unused))}


def identify(
    settings: Settings, data: str, tokenizer: str, weights: str, contents: dict[str, str] | None = None
) -> str:
    """The ten hexadecimal digits that name a run.

    data, tokenizer, weights: fingerprints of their contents ("" for weights drawn from the seed). Checkpoints and
    tokenizers count by what lies in them, not by the id or the folder they come from; contents: the same for other
    settings, by their dotted keys.
    """
    kept = counting(settings) | {"model.tokenizer": tokenizer, "model.pretrained": None, "model.init_from": None}
    kept |= contents or {}
    if settings.finished:
        kept["finished"] = True  # `weights` says of what
    if settings.compression:
        kept["compression"] = list(settings.compression)  # flat settings do not say the order
    text = json.dumps([kept, data, weights, VERSION], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]
