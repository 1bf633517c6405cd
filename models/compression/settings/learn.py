"""The settings of the methods that train: distillation and dendrites."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import ClassVar

from models.compression.settings.stage import StageSettings
from models.settings import limited

MARGIN_MSE = "margin_mse"  # the soft loss that compares differences of scores, without a softmax
OF_CANDIDATES = ("pool", "objective", "ema", "p_batch_size", "p_epochs", "p_patience", "p_lr")  # of cascor alone
BLOCKS = ("encoder", "backbone")  # the parts of `bert` with the blocks: in our encoder, and in one of transformers


@dataclass
class DistilLosses:
    """The weight of each loss in a phase; 0: the loss is not computed."""

    soft: float = limited(0.0, low=0.0)
    hard: float = limited(0.0, low=0.0)
    hidden: float = limited(0.0, low=0.0)
    attention: float = limited(0.0, low=0.0)
    embedding: float = limited(0.0, low=0.0)
    relation: float = limited(0.0, low=0.0)
    cosine: float = limited(0.0, low=0.0)
    vector: float = limited(0.0, low=0.0, neutral=0.0)

    @property
    def internal(self) -> list[str]:
        """The active losses that compare internal states of the two models, token by token."""
        return [name for name, weight in vars(self).items() if weight and name not in ("soft", "hard", "vector")]

    @property
    def is_projected(self) -> bool:
        """Does an active loss compare states after a projection to the teacher's width?"""
        return bool(self.hidden or self.embedding)


@dataclass
class DistilPhase:
    """One training phase of a distillation; None: use the run's setting."""

    losses: DistilLosses = field(default_factory=DistilLosses)
    epochs: float | None = limited(None, above=0.0, high=100000.0)
    lr: float | None = limited(None, above=0.0, high=100.0)
    batch_size: int | None = limited(None, low=1)
    schedule: str | None = limited(None, choices=("linear", "cosine", "constant", "plateau"))
    warmup: float | None = limited(None, low=0.0, high=1.0)


@dataclass
class Augment:
    """Copies of the training texts in which a masked-word model replaced words; see conf/compression/_distil.yaml."""

    model: str | None = None
    copies: int = limited(20, low=1, high=1000)
    share: float = limited(0.4, above=0.0, high=1.0)
    words: int = limited(15, low=1, high=1000)
    seed: int = limited(0, low=0, high=2**32 - 1)


@dataclass
class TaughtSettings(StageSettings):
    """Settings of a stage that learns from a teacher: which one, what it reads, and additional training texts."""

    not_on_folds: ClassVar[str] = "learns from a teacher, which may have seen the rows that a fold holds out"

    teacher: str | None = None
    tokens: str = limited("shared", choices=("shared", "own"))
    teacher_length: int | None = limited(None, low=3)
    unlabelled: str | None = None
    unlabelled_rows: int | None = limited(None, low=1)
    held_out: str = limited("kept", choices=("kept", "left_out"), neutral="kept")
    augment: Augment = field(default_factory=Augment)

    def without_effect(self) -> dict[str, str]:
        """The options of augmentation without a model for it, and those of unlabelled texts without a file of them."""
        found = dict[str, str]()
        if not self.augment.model:
            copies = [f"augment.{key}" for key in vars(self.augment) if key != "model"]
            found |= dict.fromkeys(copies, "augment.model=<id of a task=mlm run>")
        if not self.unlabelled:
            found |= dict.fromkeys(("unlabelled_rows", "held_out"), "unlabelled=<a file with one text per row>")
        return found


@dataclass
class Distil(TaughtSettings):
    """Knowledge distillation in phases, one after the other; conf/compression/_distil.yaml explains the options."""

    keeps_zeros: ClassVar[bool] = True

    method: str = limited("distil", choices=("distil",))
    starts: str = limited("pretrained", choices=("tuned", "pretrained"), neutral="pretrained")
    soft: str = limited("kl", choices=("kl", "cross_entropy", MARGIN_MSE))
    temperature: float = limited(2.0, above=0.0, high=100.0)
    layers: str = limited("uniform", choices=("uniform", "top", "bottom", "last"))
    projection: str = limited("shared", choices=("shared", "per_layer"))
    relation_heads: int = limited(16, low=1, high=1024)
    phases: dict[str, DistilPhase] = field(default_factory=dict)

    @property
    def replaces_training(self) -> bool:
        """Does the student learn from its teacher from the start, without plain training before it?"""
        return self.starts == "pretrained"

    def without_effect(self) -> dict[str, str]:
        """The options of the base class, and those of losses that no phase has."""
        found, phases = super().without_effect(), {name: phase.losses for name, phase in self.phases.items()}
        first = next(iter(phases), "task")
        needed = {
            ("soft", "temperature"): ("soft", any(one.soft for one in phases.values())),
            ("layers",): ("hidden", any(one.internal for one in phases.values())),
            ("projection",): ("hidden", any(one.is_projected for one in phases.values())),
            ("relation_heads",): ("relation", any(one.relation for one in phases.values())),
        }
        for options, (loss, has_effect) in needed.items():
            found |= {} if has_effect else dict.fromkeys(options, f"phases.{first}.losses.{loss}=1")
        return {"temperature": "soft=kl"} | found if self.soft == MARGIN_MSE else found

    def contradictions(self, name: str) -> list[str]:
        """Phases without any loss, losses that would compare different tokens, and options without effect."""
        idle = [phase for phase, settings in self.phases.items() if not any(vars(settings.losses).values())]
        found = [
            f"compression.{name}.phases.{phase}.losses are all 0, so nothing is learned. "
            f"Try: compression.{name}.phases.{phase}.losses.soft=1"
            for phase in idle
        ]
        internal = sorted({loss for phase in self.phases.values() for loss in phase.losses.internal})
        if self.tokens == "own" and internal:
            found.append(
                f"compression.{name}.tokens=own: the losses {', '.join(internal)} compare states token by token, but "
                f"the two models read different tokens. Try: compression.{name}.tokens=shared, or the losses soft and "
                "hard alone"
            )
        if self.tokens == "own" and self.augment.model:
            found.append(
                f"compression.{name}.augment.model replaces words in the student's tokens, which the teacher does not "
                f"read. Try: compression.{name}.tokens=shared, or compression.{name}.augment.model=null"
            )
        if self.tokens == "shared" and self.teacher_length:
            found.append(
                f"compression.{name}.teacher_length has no effect, as the teacher reads the student's tokens. "
                f"Try: compression.{name}.tokens=own"
            )
        return found


@dataclass
class Dendrites(StageSettings):
    """Dendrites for chosen linear layers, added one by one and kept if they raise the score."""

    not_on_folds: ClassVar[str] = "keeps a dendrite by its gain on held-out rows"

    method: str = limited("dendrites", choices=("dendrites",))
    mode: str = limited("gd", choices=("gd", "cascor", "random", "restart", "base"))
    targets: list[str] = field(default_factory=lambda: ["classifier"])
    act: str = limited("sigmoid", choices=("sigmoid", "tanh", "relu"))
    maximum: int = limited(5, low=1)
    tries: int = limited(2, low=1)
    attempts: int | None = limited(None, low=1)
    min_gain: float = limited(0.0, low=0.0)
    switch: str = limited("history", choices=("history", "fixed"))
    patience: int = limited(5, low=1)
    epochs: float | None = limited(None, above=0.0, high=100000.0)
    lr: float | None = limited(None, above=0.0, high=100.0)
    lr_factor: float = limited(1.0, above=0.0, high=1.0)
    spread: float | None = limited(None, above=0.0)
    pool: int = limited(4, low=1)
    objective: str = limited("cov", choices=("cov", "corr"))
    ema: float = limited(0.99, low=0.0, high=0.9999)
    p_rows: int | None = limited(20000, low=2)
    p_batch_size: int = limited(256, low=2)
    p_epochs: int = limited(40, low=1)
    p_patience: int = limited(5, low=1)
    p_lr: float = limited(0.01, above=0.0, high=100.0)

    def without_effect(self) -> dict[str, str]:
        """The options of candidates if mode=gd or random, and the patience if it is not used.

        The controls restart and base accept the options of candidates, so that they can repeat the command that they
        are compared with.
        """
        found = {} if self.switch == "history" else {"patience": "switch=history"}
        if self.mode == "gd":
            found["p_rows"] = "mode=cascor"
        return found | (dict.fromkeys(OF_CANDIDATES, "mode=cascor") if self.mode in ("gd", "random") else {})

    def grows_in_encoder(self) -> bool:
        """May layers of the encoder's blocks get dendrites? The modes restart and base add none."""
        if self.mode in ("restart", "base"):
            return False
        parts = [target.split(".") for target in self.targets]
        return any(
            fnmatchcase("bert", part[0]) and (len(part) == 1 or any(fnmatchcase(name, part[1]) for name in BLOCKS))
            for part in parts
        )
