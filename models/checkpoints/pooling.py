"""Finds the pooling that a checkpoint's authors used, for model/readout=auto of model=auto.

It is in 1_Pooling/config.json of sentence-transformers, or else in `classifier_pooling` of ModernBERT's config.json. If
neither exists, it is the first token, as in BERT.
"""

from __future__ import annotations

import json
from dataclasses import replace

from models.checkpoints.hub import checkpoint_label, fetch_file
from models.errors import ModelError
from models.json_types import JsonObject
from models.settings import PRETRAINED, ModelSettings

FILE = "1_Pooling/config.json"
MODE = "pooling_mode"  # the key in newer versions; in older ones the prefix of several keys, each true or false
READOUTS = {"cls": "cls", "mean": "mean", "max": "max", "mean_sqrt_len": "sqrt"}
WORDS = {
    "cls": "the first token", "mean": "the mean of the tokens", "max": "the largest values of the tokens",
    "sqrt": "the sum of the tokens divided by the square root of their number",
}  # fmt: skip


def with_own_readout(settings: ModelSettings, config: JsonObject) -> tuple[ModelSettings, list[str]]:
    """Resolve model/readout=auto; return the settings and a note that says which readout it is and why.

    config: the checkpoint's. Raises ModelError for a checkpoint with a pooling that no readout computes.
    """
    source = settings.pretrained
    if settings.readout["name"] != "auto" or not source:
        return settings, []
    name, why = _readout_in_file(source), f"as {FILE} of {source} says"
    if name is None and config.get("classifier_pooling") in ("cls", "mean"):
        name, why = str(config["classifier_pooling"]), f"as classifier_pooling in the config.json of {source} says"
    if name is None:
        name, why = "cls", f"because no file of {source} says otherwise"
    return replace(settings, readout={"name": name}), [f"model/readout=auto is {name}, {WORDS[name]}, {why}"]


def _readout_in_file(source: str) -> str | None:
    """The readout that the sentence-transformers file names; None if there is no such file."""
    try:
        path = fetch_file(source, FILE)
    except ModelError as error:
        raise ModelError(f"{error}, or name the readout: model/readout=mean or cls") from error
    if path is None:
        return None
    where = f"{checkpoint_label(source, PRETRAINED)}: {FILE}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where} is not JSON ({error}). Get a fresh copy, or name one: model/readout=mean") from error
    if not isinstance(content, dict):
        raise ModelError(f"{where} is not a JSON object. Get a fresh copy, or name one: model/readout=mean")
    found = _modes(content)
    if len(found) != 1 or found[0] not in READOUTS:
        raise ModelError(
            f"{where} pools by {' and '.join(found) or 'nothing'}, which no readout computes. "
            "Try: model/readout=mean, or another readout of run list model/readout"
        )
    return READOUTS[found[0]]


def _modes(content: JsonObject) -> list[str]:
    """The pooling modes in a file, without the suffixes `_token` and `_tokens`."""
    if MODE in content:
        named = content[MODE] if isinstance(content[MODE], list) else [content[MODE]]
    else:
        named = [
            key.removeprefix(f"{MODE}_") for key, on in content.items() if key.startswith(f"{MODE}_") and on is True
        ]
    return [str(name).removesuffix("_tokens").removesuffix("_token") for name in named]
