"""The settings of length-adaptive encoders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, cast

from models.backbones.lengths import Lengths, Mode
from models.compression.settings.length_search import LengthSearch
from models.compression.settings.stage import StageSettings
from models.errors import ModelError
from models.settings import limited


@dataclass
class LengthTraining:
    """Training with shorter lengths; 0 epochs: no training."""

    epochs: float = limited(2.0, low=0.0, high=100000.0)
    lr: float | None = limited(None, above=0.0, high=100.0)
    sandwich: int = limited(2, low=0, high=16)
    drop: float = limited(0.2, low=0.0, high=0.9)
    layer_drop: float = limited(0.2, low=0.0, high=1.0)
    direction: str = limited("full_sub", choices=("full_sub", "sub_full"))


@dataclass
class Length(StageSettings):
    """Fewer tokens in deeper layers; conf/compression/length.yaml explains the options."""

    phase: ClassVar[str] = "shorten"
    needs_encoder: ClassVar[bool] = True
    keeps_zeros: ClassVar[bool] = True
    not_on_folds: ClassVar[str] = "searches for lengths on held-out rows"

    method: str = limited("length", choices=("length",))
    mode: str = limited("ratio", choices=("ratio", "absolute"))
    lengths: list[float] | None = None
    train: LengthTraining = field(default_factory=LengthTraining)
    search: LengthSearch = field(default_factory=LengthSearch)

    @property
    def keeps_codes(self) -> bool:
        """Yes without training: a search changes no weights."""
        return not self.train.epochs

    def without_effect(self) -> dict[str, str]:
        """The options of training without epochs, of the search if lengths are given, and of other search methods."""
        off = dict[str, str]()
        if not self.train.epochs:
            off |= {f"train.{key}": "train.epochs=2" for key in vars(self.train) if key != "epochs"}
        if self.lengths is not None:
            off.setdefault("train.drop", "lengths=null")
            return off | {f"search.{key}": "lengths=null" for key in vars(self.search)}
        if self.search.method != "evolution":
            keys = ("iterations", "mutations", "crossovers", "mutation_share")
            off |= {f"search.{key}": "search.method=evolution" for key in keys}
        return off

    def contradictions(self, name: str) -> list[str]:
        """Invalid lengths, and two conflicting ways to choose among the lengths found."""
        return [*self.search.contradictions(name), *self._wrong_lengths(name)]

    def _wrong_lengths(self, name: str) -> list[str]:
        """The error message for invalid lengths, if any."""
        try:
            self.given()
        except ModelError as error:
            return [f"compression.{name}.{error}"]
        return []

    def given(self) -> Lengths | None:
        """The lengths in the settings, or None if they are to be searched; ModelError for invalid ones."""
        return None if self.lengths is None else Lengths(tuple(self.lengths), cast(Mode, self.mode))
