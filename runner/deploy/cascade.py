"""Two models that answer as one: the small one where it is confident, the large one the rest. Reads cascade.json.

The folder of a cascade has cascade.json, which says where both models lie, and deploy.json, so that `run predict`,
`run serve` and `bertier.load` open it like an export. `run cascade` writes it. Both models are identified by the
SHA-256 of their weights: with other weights the threshold means nothing, and the cascade is refused.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from data.inputs.request import Field
from data.json_types import JsonObject
from runner.deploy.answer_table import Answer
from runner.deploy.bundle.calibration import Calibration, hash_of
from runner.deploy.exported import CASCADE, DESCRIPTION_FILE, WEIGHTS, ExportedModel, exported_from
from runner.deploy.predictors import AnyPredictor, Questions, open_predictor
from runner.errors import ConfigError

CASCADE_FILE = WEIGHTS[CASCADE]
SMALL, LARGE = MODELS = ("small", "large")
ANSWERED_BY = "answered_by"  # of an answer: SMALL or LARGE


@dataclass(frozen=True)
class Cascade:
    """Two models, in the order of MODELS; a text is answered by the small one if its confidence is `threshold`."""

    models: tuple[ExportedModel, ExportedModel]
    threshold: float
    facts: JsonObject  # all of cascade.json


@dataclass
class AskedOfBoth:
    """Questions prepared for the small model; which of them the large one reads is known once they are answered."""

    texts: Sequence[Any]
    pairs: Sequence[str] | None
    of_small: Questions
    lengths: np.ndarray  # (questions,) tokens of each, as the model that answered counts them
    is_cut: np.ndarray  # (questions,) bool: did the model that answered read less than all of it?
    limits: np.ndarray  # (questions,) the tokens that the model that answered reads at most
    answered_by_small: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))  # (questions,)

    @property
    def longest(self) -> int | None:
        """How many tokens of the longest cut question are kept; None if none was cut."""
        place = longest_cut(self.lengths, self.is_cut)
        return int(self.limits[place]) if len(self.is_cut) and self.is_cut[place] else None


def longest_cut(lengths: np.ndarray, is_cut: np.ndarray) -> int:
    """Return the index of the longest question that was cut; 0 if none was. Both arguments are (questions,)."""
    return int(np.where(is_cut, lengths, -1).argmax()) if len(lengths) else 0


class CascadePredictor:
    """Two loaded models that answer as one; each answer says which of them gave it."""

    def __init__(self, exported: ExportedModel, small: AnyPredictor, large: AnyPredictor, threshold: float) -> None:
        self.exported, self.small, self.large, self.threshold = exported, small, large, threshold

    @property
    def calibration(self) -> Calibration:
        """How logits become probabilities: that of the large model, unless only the small one has none."""
        return self.large.calibration if self.small.calibration.is_calibrated else self.small.calibration

    @property
    def request_fields(self) -> tuple[Field, ...]:
        """The parts of a question."""
        return self.large.request_fields

    @property
    def answer_fields(self) -> tuple[Field, ...]:
        """The parts of an answer: those of either model, and which of them gave it."""
        return *self.large.answer_fields, Field(ANSWERED_BY, "text", "the model that answered")

    def ask(self, texts: Sequence[Any], pairs: Sequence[str] | None = None) -> AskedOfBoth:
        """Prepare texts, or pairs of texts, for the small model; the large one reads only what it must answer."""
        asked = self.small.ask(texts, pairs)
        limits = np.full(len(texts), asked.longest or self.small.exported.max_length)
        return AskedOfBoth(texts, pairs, asked, asked.lengths.copy(), asked.is_cut.copy(), limits)

    def answers(self, asked: AskedOfBoth, batch_size: int) -> list[Answer]:
        """Return one answer for each question; the facts of `asked` become those of the model that answered."""
        found = self.small.answers(asked.of_small, batch_size)
        sure = np.array([max(answer["probabilities"].values()) >= self.threshold for answer in found], bool)
        rest = np.flatnonzero(~sure).tolist()
        given = [answer | {ANSWERED_BY: SMALL} for answer in found]
        asked.answered_by_small = sure
        if len(rest):
            pairs = None if asked.pairs is None else [asked.pairs[row] for row in rest]
            again = self.large.ask([asked.texts[row] for row in rest], pairs)
            for row, answer in zip(rest, self.large.answers(again, batch_size), strict=True):
                given[row] = answer | {ANSWERED_BY: LARGE}
            asked.lengths[rest], asked.is_cut[rest] = again.lengths, again.is_cut
            asked.limits[rest] = again.longest or self.large.exported.max_length
        return given

    def model_of(self, answer: Answer) -> AnyPredictor:
        """Return the model that gave an answer."""
        return self.small if answer[ANSWERED_BY] == SMALL else self.large

    def __call__(self, texts: Sequence[Any], pairs: Sequence[str] | None = None, batch_size: int = 32) -> list[Answer]:
        """Return one answer for each text or pair of texts; long texts are cut."""
        return self.answers(self.ask(texts, pairs), batch_size) if len(texts) else []


def open_cascade(exported: ExportedModel, threads: int = 1) -> CascadePredictor:
    """Load both models to predict on `threads` threads; raise ConfigError for a damaged cascade, or changed weights."""
    found = read_cascade(exported.folder)
    for part, model in zip(MODELS, found.models, strict=True):
        if hash_of(model.weights) != found.facts[part]["sha256"]:
            raise ConfigError(
                f"{exported.folder / CASCADE_FILE}: {model.weights} has changed since, but the threshold was found for "
                f"the earlier weights. Try: {again(found.facts)}"
            )
    small, large = (open_predictor(model, threads) for model in found.models)
    return CascadePredictor(exported, small, large, found.threshold)


def read_cascade(folder: Path) -> Cascade:
    """Return the content of the cascade.json of a folder; raise ConfigError if it is damaged or a model is missing."""
    path = folder / CASCADE_FILE
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        models = [exported_from(facts[part], (folder / facts[part]["folder"]).resolve()) for part in MODELS]
        threshold = float(facts["threshold"])
        if threshold != threshold or any("sha256" not in facts[part] for part in MODELS):
            raise ValueError("no threshold, or no hash of the weights")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is damaged ({error!r}). Try: run cascade small=<id> large=<id>") from error
    for part, model in zip(MODELS, models, strict=True):
        if not model.weights.is_file():
            raise ConfigError(
                f"{path}: its {part} model is gone: {model.weights}. Try: {again(facts)}; a cascade with out=DIR has "
                "copies of both"
            )
    return Cascade((models[0], models[1]), threshold, facts)


def again(facts: JsonObject) -> str:
    """Return the command that made a cascade."""
    return shlex.join(["run", *facts["command"]]) if "command" in facts else "run cascade small=<id> large=<id>"


def write_cascade(folder: Path, identity: str, models: Sequence[ExportedModel], facts: JsonObject) -> None:
    """Write cascade.json and deploy.json into an existing folder; models: small and large.

    identity: of the cascade; a folder that is being written has another name. facts: the rest of cascade.json,
    including `name` and `threshold`.
    """
    parts = {}
    for part, model in zip(MODELS, models, strict=True):
        is_near = model.folder.is_relative_to(folder.parent)  # beside it or in it: both may be moved together
        where = os.path.relpath(model.folder, folder) if is_near else str(model.folder)
        parts[part] = model.describe() | {"folder": where, "sha256": hash_of(model.weights)}
    (folder / CASCADE_FILE).write_text(json.dumps(parts | facts, indent=2) + "\n", encoding="utf-8")
    described = replace(models[1], folder=folder, engine=CASCADE, identity=identity, name=str(facts["name"]))
    (folder / DESCRIPTION_FILE).write_text(json.dumps(described.describe(), indent=2) + "\n", encoding="utf-8")
