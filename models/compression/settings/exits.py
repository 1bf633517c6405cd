"""The settings of early exits; conf/compression/exits.yaml explains them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from models.compression.settings.stage import StageSettings
from models.settings import limited

HIGHEST = {"confidence": 1.0, "learned": 1.0}  # highest threshold, by rule


@dataclass
class Exits(StageSettings):
    """Exits after layers of a trained encoder, with calibrated thresholds."""

    phase: ClassVar[str] = "exits"
    needs_encoder: ClassVar[bool] = True
    keeps_zeros: ClassVar[bool] = True
    not_on_folds: ClassVar[str] = "calibrates its exits on held-out rows"

    method: str = limited("exits", choices=("exits",))
    form: str = limited("frozen", choices=("frozen", "alternate", "weighted"))
    rule: str = limited("confidence", choices=("confidence", "entropy", "patience", "learned"))
    reads: str = limited("auto", choices=("auto", "mean", "first"))
    after: list[int] | None = None  # layers, from 1; None: all but the last
    rows: int = limited(10000, low=50)
    epochs: float = limited(1.0, above=0.0, high=100000.0)
    lr: float | None = limited(None, above=0.0, high=100.0)
    soft: float = limited(5.0, low=0.0)
    threshold: float | None = limited(None, low=0.0)
    within: float = limited(0.5, above=0.0)
    at_most_loss: float = limited(0.005, low=0.0, high=1.0)
    guarantee: str = limited("none", choices=("none", "net_loss"))
    delta: float = limited(0.05, above=0.0, high=0.5)

    @property
    def keeps_codes(self) -> bool:
        """Yes: exits are fitted beside the quantized weights (other checks allow only form=frozen there)."""
        return True

    def without_effect(self) -> dict[str, str]:
        """The options of other forms and rules, and the allowed loss if the threshold is given."""
        found = dict.fromkeys(("epochs", "lr"), "form=alternate") if self.form == "frozen" else {}
        if self.form != "frozen" and self.rule != "learned":
            found["rows"] = "form=frozen"
        if self.rule != "patience":
            found["within"] = "rule=patience"
        return found | ({} if self.threshold is None else {"at_most_loss": "threshold=null"})

    def contradictions(self, name: str) -> list[str]:
        """Invalid thresholds and layers, and a guarantee for a threshold that the settings fix."""
        key, found = f"compression.{name}", []
        top = HIGHEST.get(self.rule)
        if self.threshold is not None and top is not None and self.threshold > top:
            found.append(f"{key}.threshold={self.threshold:g}: a {self.rule} is from 0 to 1. Try: {key}.threshold=0.95")
        if self.rule == "patience" and self.threshold is not None and self.threshold != int(self.threshold):
            found.append(f"{key}.threshold={self.threshold:g}: patience is a number of exits. Try: {key}.threshold=2")
        if self.rule == "patience" and self.threshold == 0:
            found.append(f"{key}.threshold=0: every text would leave at the first exit. Try: {key}.threshold=1")
        if self.threshold is not None and self.guarantee != "none":
            found.append(
                f"{key}.guarantee={self.guarantee} finds a threshold, but {key}.threshold={self.threshold:g} is set. "
                f"Try: {key}.threshold=null"
            )
        if self.after is not None and (not self.after or sorted(set(self.after)) != self.after or self.after[0] < 1):
            found.append(f"{key}.after={self.after}: expected layers from 1, rising. Try: '{key}.after=[2,4]'")
        return found
