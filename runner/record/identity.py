"""A run is named by what it computes, not by the clock.

The hash covers the resolved settings, the content of the data, the tokenizer, the starting weights and the version
of the numbers; it leaves out what does not change the result: paths, devices, threads, the tracker. A setting that was
added after runs had been named is left out while it has its neutral value, so those runs keep their names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from typing import Any

from data.json_types import Json, JsonObject
from models.compression.settings import METHODS
from models.compression.settings.learn import TaughtSettings
from models.compression.settings.stage import StageSettings
from runner.schema import VECTOR_SCALING, Settings
from runner.version import NUMBERS

FILES = (  # their contents count
    "data.path", "data.train_path", "data.val_path", "data.test_path", "data.queries", "data.corpus", "data.qrels",
    "data.candidates", "data.codes", "data.tree",
)  # fmt: skip
NOT_IDENTITY = (
    "paths",
    "device",
    "force",
    "resume",
    "finished",
    "tracker",
    "checkpoint",
    "baseline",
    "calibration",  # except for vector scaling, which may change an answer
    "cache.max_gb",
    "cache.path",
    "engine.gemm",
    "engine.compile",
    "train.threads",
    "train.eval_batch_size",
    "train.on_nonfinite",  # a run that it ended may be resumed with skip; the number of batches left out is a metric
    "model.weights",
    "model.recipe",
    *FILES,
)


# Phases of presets that are not in alphabetical order: runs that were named before the order counted keep their names.
UNSORTED_PHASES = (["inside", "answers"], ["vectors", "task"])


def flatten(node: Mapping[str, Json], prefix: str = "") -> JsonObject:
    """Return nested dictionaries as one with dotted keys; empty groups vanish."""
    flat: JsonObject = {}
    _flatten_into(flat, node, prefix)
    return flat


def _flatten_into(flat: JsonObject, node: Mapping[str, Json], prefix: str) -> None:
    for key, value in node.items():
        if isinstance(value, dict):
            _flatten_into(flat, value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value


def affects_identity(key: str) -> bool:
    """Does the setting with this dotted key change what a run computes?"""
    return not key.endswith("description") and not any(key == n or key.startswith(f"{n}.") for n in NOT_IDENTITY)


def recorded_settings(config: JsonObject) -> JsonObject:
    """Return the flat settings of a record; settings added after it was made have their neutral values."""
    stages = config.get("compression") or {}
    added = dict(_neutral_values()) | phase_orders(stages)
    for name, options in stages.items():
        added |= {
            f"compression.{name}.{key}": v for key, v in _neutral_values((options or {}).get("method", "")).items()
        }
    return added | flatten(config)


def phase_orders(stages: JsonObject) -> dict[str, list[str]]:
    """Return the order of each distillation's phases, by dotted key; flattened settings do not contain it."""
    phases = {name: list((options or {}).get("phases") or ()) for name, options in stages.items()}
    return {f"compression.{name}.phases": names for name, names in phases.items() if len(names) > 1}


def _usual_order(phases: list[str]) -> list[str]:
    return next((usual for usual in UNSORTED_PHASES if sorted(usual) == sorted(phases)), sorted(phases))


@cache
def _neutral_values(method: str | None = None) -> JsonObject:
    """Dotted keys and values of the settings that have a neutral value: of a run, or of a compression method."""
    return dict(_walk_neutral(METHODS.get(method, StageSettings) if method is not None else Settings))


def _walk_neutral(kind: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for one in fields(kind):
        group = one.default_factory
        if "neutral" in one.metadata:
            yield f"{prefix}{one.name}", one.metadata["neutral"]
        elif is_dataclass(group):
            yield from _walk_neutral(group, f"{prefix}{one.name}.")


def neutral_keys(node: object, prefix: str = "") -> Iterator[str]:
    """The dotted keys of the fields that have their neutral value, at any depth of dataclasses and dictionaries."""
    if is_dataclass(node):
        for one in fields(node):
            value = getattr(node, one.name)
            if "neutral" in one.metadata and value == one.metadata["neutral"]:
                yield f"{prefix}{one.name}"
            else:
                yield from neutral_keys(value, f"{prefix}{one.name}.")
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from neutral_keys(value, f"{prefix}{name}.")


def identity_settings(settings: Settings) -> JsonObject:
    """Return the settings that change what a run computes, flattened, and the order of the compression stages.

    Settings of caches and of varied texts are included only if they are used.
    """
    unused = [] if settings.model.freeze == "encoder" else ["cache."]
    neutral = set(neutral_keys(settings))
    for name, stage in settings.compression.items():
        if isinstance(stage, TaughtSettings) and not stage.augment.model:
            unused.append(f"compression.{name}.augment.")
    flat = flatten(asdict(settings))
    flat = {key: value for key, value in flat.items() if key not in neutral}
    kept = {key: value for key, value in flat.items() if affects_identity(key) and not key.startswith(tuple(unused))}
    if settings.compression:
        kept["compression"] = list(settings.compression)  # flattened settings do not contain the order
        orders = phase_orders(asdict(settings)["compression"])
        kept |= {key: names for key, names in orders.items() if names != _usual_order(names)}
    return kept | ({"calibration": VECTOR_SCALING} if settings.calibration == VECTOR_SCALING else {})


def identify(
    settings: Settings, data: str, tokenizer: str, weights: str, contents: dict[str, str] | None = None
) -> str:
    """Return the ten hexadecimal digits that name a run.

    data, tokenizer, weights: fingerprints of their contents ("" for weights drawn from the seed). Checkpoints and
    tokenizers count by their content, not by the id or the folder they come from; contents: the same for other
    settings, by their dotted keys. The positive class counts by its index, not by its name or how it was chosen, and
    not at all if it is class 1.
    """
    kept = identity_settings(settings) | {
        "model.tokenizer": tokenizer,
        "model.pretrained": None,
        "model.init_from": None,
    }
    kept.pop("data.positive", None)
    kept |= contents or {}
    if settings.finished:
        kept["finished"] = True  # `weights` stands for its content
    text = json.dumps([kept, data, weights, NUMBERS], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]
