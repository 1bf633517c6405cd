"""The settings of the pruning methods: unstructured, and structured (heads and neurons)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from models.compression.settings.stage import StageSettings
from models.settings import limited

OF_TRAINING = ("lr", "warmup", "start", "end", "every", "freeze_embeddings")  # of masks that follow a schedule


@dataclass
class MaskedPruning(StageSettings):
    """The settings that all unstructured pruning methods share; conf/compression/_masks.yaml explains each."""

    phase: ClassVar[str] = "prune"
    needs_encoder: ClassVar[bool] = True

    matrices: str | None = None
    starts: str = limited("tuned", choices=("tuned", "pretrained"), neutral="tuned")
    epochs: float = limited(6.0, low=0.0, high=100000.0)
    steps: int | None = limited(None, low=1, neutral=None)
    lr: float | None = limited(None, above=0.0, high=100.0)
    warmup: float | None = limited(None, low=0.0, high=1.0)
    start: float = limited(0.167, low=0.0, high=1.0)
    end: float = limited(0.833, low=0.0, high=1.0)
    every: int = limited(10, low=1)
    freeze_embeddings: bool = True

    @property
    def replaces_training(self) -> bool:
        """Does pruning start from the model's initial weights, without plain training before it?"""
        return self.starts == "pretrained"

    @property
    def is_trained(self) -> bool:
        """Are there training steps? If not, masks are only set and folded."""
        return bool(self.steps or self.epochs)

    def without_effect(self) -> dict[str, str]:
        """The epochs if steps are set; the options of training if there is none."""
        if self.steps:
            return {"epochs": "steps=null"}
        return {} if self.epochs else dict.fromkeys(OF_TRAINING, "epochs=6")

    def contradictions(self, name: str) -> list[str]:
        """A schedule that ends before it begins."""
        if self.start > self.end:
            return [
                f"compression.{name}.start={self.start:g} is later than compression.{name}.end={self.end:g}. "
                f"Try: compression.{name}.start={self.end / 2:g}"
            ]
        return []


@dataclass
class CutPruning(MaskedPruning):
    """The settings of pruning methods whose masks are 0 or 1."""

    density: float = limited(0.1, above=0.0, high=1.0)
    scope: str = limited("local", choices=("local", "global"))
    absorb: bool = limited(False, neutral=False)

    @property
    def keeps_share(self) -> bool:
        """Yes: `density` is the share of the weights that these masks keep."""
        return True


@dataclass
class Magnitude(CutPruning):
    """Remove the weights with the smallest absolute values."""

    method: str = limited("magnitude", choices=("magnitude",))


@dataclass
class RandomPruning(CutPruning):
    """Remove weights in a random order."""

    method: str = limited("random_pruning", choices=("random_pruning",))


@dataclass
class Movement(CutPruning):
    """Remove the weights that training moves towards zero."""

    method: str = limited("movement", choices=("movement",))
    form: str = limited("hard", choices=("hard", "soft"))
    threshold: float = limited(0.1, above=0.0, high=1.0)
    penalty: float = limited(400.0, low=0.0)
    score_lr: float = limited(1e-2, above=0.0, high=100.0)

    @property
    def keeps_share(self) -> bool:
        """Yes, unless the density is an outcome of the penalty."""
        return self.form == "hard"

    def without_effect(self) -> dict[str, str]:
        """The options of the base class and, with form=soft, those of the density."""
        found = super().without_effect()
        return found if self.form == "hard" else found | dict.fromkeys(("density", "scope"), "form=hard")

    def contradictions(self, name: str) -> list[str]:
        """A schedule that ends before it begins, and scores that are used before they are trained."""
        found = super().contradictions(name)
        if not self.start or not self.is_trained:
            found.append(
                f"compression.{name}: all scores start at 0, so no weight may be removed before they are trained. "
                f"Try: compression.{name}.start=0.1 compression.{name}.epochs=6"
            )
        return found


@dataclass
class L0(MaskedPruning):
    """Random gates on the weights, with a penalty on open gates."""

    method: str = limited("l0", choices=("l0",))
    penalty: float = limited(125.0, low=0.0)
    init: float = limited(2.197, low=-10.0, high=10.0)
    score_lr: float = limited(1e-1, above=0.0, high=100.0)

    def without_effect(self) -> dict[str, str]:
        """The options of the base class, and the schedule of removals: gates close whenever the penalty closes them."""
        return super().without_effect() | {"every": "penalty=50", "start": "penalty=50"}

    def contradictions(self, name: str) -> list[str]:
        """A schedule that ends before it begins, and gates that are never trained."""
        found = super().contradictions(name)
        if not self.is_trained:
            found.append(f"compression.{name}.epochs=0: only training closes gates. Try: compression.{name}.epochs=6")
        return found


@dataclass
class Target:
    """The target speed of structured pruning; a latency, if set, replaces the speed-up."""

    speedup: float = limited(2.0, low=1.0, high=1000.0)
    latency_ms: float | None = limited(None, above=0.0)


@dataclass
class Recovery:
    """The training after each cut: its length, learning rate, and loss weights."""

    epochs: float = limited(0.0, low=0.0, high=1000.0)
    lr: float = limited(5e-5, above=0.0)
    task: float = limited(0.0, low=0.0)
    answers: float = limited(1.0, low=0.0)
    states: float = limited(0.5, low=0.0)
    temperature: float = limited(2.0, above=0.0)


@dataclass
class Search:
    """The random search for how much of each layer to remove."""

    steps: int = limited(100, low=0)
    rows: int = limited(128, low=1)


@dataclass
class Ziplm(StageSettings):
    """Structured pruning until a measured speed is reached."""

    phase: ClassVar[str] = "prune"
    needs_encoder: ClassVar[bool] = True

    method: str = limited("ziplm", choices=("ziplm",))
    target: Target = field(default_factory=Target)
    batch: int = limited(1, low=1)
    length: int = limited(128, low=1)
    tolerance: float = limited(0.03, low=0.0, high=1.0)
    calibration_rows: int = limited(2048, low=1)
    round_to: int = limited(16, low=1)
    search: Search = field(default_factory=Search)
    steps: int = limited(1, low=1, high=100)
    recovery: Recovery = field(default_factory=Recovery)

    def without_effect(self) -> dict[str, str]:
        """The speed-up if a latency is set; the options of a search without steps, and of training without epochs."""
        found = {"target.speedup": "target.latency_ms=null"} if self.target.latency_ms else {}
        if not self.search.steps:
            found["search.rows"] = "search.steps=100"
        if not self.recovery.epochs:
            found |= {f"recovery.{key}": "recovery.epochs=2" for key in vars(self.recovery) if key != "epochs"}
        elif not self.recovery.answers:
            found["recovery.temperature"] = "recovery.answers=1"
        return found

    def contradictions(self, name: str) -> list[str]:
        """A training after each cut that learns nothing."""
        after = self.recovery
        if not after.epochs or after.task or after.answers or after.states:
            return []
        key = f"compression.{name}.recovery"
        return [
            f"{key}.task, {key}.answers and {key}.states are all 0, so nothing is learned. Try: {key}.answers=1, or "
            f"{key}.epochs=0"
        ]
