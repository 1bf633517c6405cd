"""A run that is ready for its first step: data, device, model, identity and folder. Nothing is written yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data.splits import Splits
from models.checkpoints.read import WeightsReport
from models.network import Network
from runner.experiment.stage_inputs import StageInputs
from runner.machine.exclusive import Exclusive
from runner.schema import Settings
from runner.tasks.base import Task


@dataclass(frozen=True)
class InitialWeights:
    """The saved model that a run starts from, and the time that making it took."""

    folder: Path | None = None  # None: the weights come from model.pretrained or from the seed
    seconds: float = 0.0  # of finetuning the encoder first


@dataclass(frozen=True)
class HeldOut:
    """The logits (rows, C) of the training rows, each from the run whose fold held it out; and these runs."""

    logits: np.ndarray
    runs: tuple[str, ...]


@dataclass
class PreparedRun:
    """Everything that a run has before its first step."""

    settings: Settings
    splits: Splits
    task: Task
    model: Network
    device: torch.device
    identity: str
    folder: Path
    weights: WeightsReport
    exclusive: Exclusive
    engine: dict[str, Any] = field(default_factory=dict)  # facts from runner/machine/matmul.py
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)  # spent on loading and building
    stage_inputs: dict[str, StageInputs] = field(default_factory=dict)  # by the name of the stage
    start: Path | None = None  # the saved model that it starts from, if model.init_from names one
    before: Path | None = None  # folder of the finished run that the last stage continues
    ngram: dict[str, float] = field(default_factory=dict)  # the metrics of its n-gram baseline; {} without one
    held_out: HeldOut | None = None  # the answers of the runs of the folds, with data.calibration=folds
