"""The lengths that a deployed model computes with: the best found by a search at no more than a share of the full cost.

The lengths that a search found are in the config.json of the model (models/compression/lengths/choice.py). Nothing here
imports torch.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

from data.json_types import JsonObject
from models.compression.lengths.choice import Choice, choices_of, entry_of, within_share
from models.errors import ModelError
from runner.deploy.exported import DESCRIPTION_FILE, ExportedModel, find_model
from runner.errors import ConfigError

CONFIG = "config.json"
ALL_TOKENS = Choice(lengths=(), share=1.0, score=math.nan)


def share_of(verb: str, text: str) -> float | None:
    """Return the value of length=, None for ""; raise ConfigError unless it is above 0 and at most 1."""
    if not text:
        return None
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise ConfigError(
            f"run {verb}: length={text}: expected a share of the multiply-adds at full length, above 0 and at most 1. "
            "Try: length=0.5"
        )
    return share


def lengths_entry(exported: ExportedModel) -> tuple[list[Choice], str]:
    """Return the lengths that a search found for a model, cheapest first, and their mode.

    Raises ConfigError if there are none.
    """
    identity, architecture = exported.identity, read_config(exported.folder)
    try:
        choices = choices_of(architecture) if exported.engine == "torch" else []
    except ModelError as error:
        raise ConfigError(f"{exported.folder}: {error}") from error
    if not choices:
        is_export = (exported.folder / DESCRIPTION_FILE).is_file() and exported.engine != "torch"
        cure = f"run export {identity} length=0.5" if is_export else f"run 'compression=[length]' from={identity}"
        what = "computes with the lengths it was exported with" if is_export else "has no lengths to choose from"
        raise ConfigError(f"{exported.folder} {what}. Try: {cure}")
    return choices, str((entry_of(architecture) or {}).get("mode", "ratio"))


def at_share(exported: ExportedModel, share: float | None) -> ExportedModel:
    """Return the model at the best lengths of at most that share of the full cost; itself for None.

    Raises ConfigError if no lengths were searched, and for a share below the shortest, with the reachable one.
    """
    if share is None:
        return exported
    if share == 1.0 and exported.engine == "torch":
        entry = entry_of(read_config(exported.folder))
        if entry is not None and not entry.get("choices"):  # its lengths were given, not searched
            return at_choice(exported, ALL_TOKENS, str(entry.get("mode", "ratio")))
    choices, mode = lengths_entry(exported)
    try:
        chosen = within_share(choices, share)
    except ModelError as error:
        raise ConfigError(str(error)) from error
    return at_choice(exported, chosen, mode)


def find_model_at(source: str, output: Path, engine: str, length: float | None) -> ExportedModel:
    """Return the model that `find_model` finds, at the lengths of that share of the full cost; None: at its own.

    Raises ConfigError as `find_model` and `at_share` do.
    """
    found = find_model(source, output, engine, length)
    is_graph_of_run = engine.startswith("onnx") and not (Path(source) / DESCRIPTION_FILE).is_file()
    return found if is_graph_of_run else at_share(found, length)


def at_choice(exported: ExportedModel, chosen: Choice, mode: str) -> ExportedModel:
    """Return the model at these lengths; itself if it has them already."""
    own = (entry_of(read_config(exported.folder)) or {}).get("lengths") or []
    if list(chosen.lengths) == [float(value) for value in own]:
        return exported
    return replace(exported, lengths={"mode": mode, "lengths": list(chosen.lengths), "share": chosen.share})


def read_config(folder: Path) -> JsonObject:
    """Return the config.json of a model; {} if there is none."""
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_lengths(folder: Path, lengths: JsonObject) -> None:
    """Write the lengths of `ExportedModel.lengths` into the config.json of a copied model."""
    config = read_config(folder)
    entry = entry_of(config)
    assert entry is not None, "only a model with an entry about lengths has others to choose"
    entry["lengths"] = lengths["lengths"] or None
    (folder / CONFIG).write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
