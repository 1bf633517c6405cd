"""The setting that train.recipe=auto chose for a run, and those that it was chosen from: a part of the record."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from data.json_types import JsonObject


@dataclass(frozen=True)
class TriedRecipe:
    """One setting of the list and its scores on the selection split; None: not trained that far, or not finite."""

    settings: str  # as one would type them
    third: float | None = None  # the best epoch of the first third of its training
    whole: float | None = None  # the best epoch of all, for those that went on

    def score_text(self) -> str:
        """Return both scores as a note shows them: `0.8110, 0.8241`, or `0.7920, left out`."""
        third = "not finite" if self.third is None else f"{self.third:.4f}"
        return f"{third}, {'left out' if self.whole is None else f'{self.whole:.4f}'}"


@dataclass(frozen=True)
class ChosenRecipe:
    """The setting that a run is trained with, and all those that it was chosen from."""

    chosen: str
    metric: str  # that chose, such as val/accuracy
    rows: int  # of the selection split; of a ranking its queries
    tried: list[TriedRecipe] = field(default_factory=list)  # in the order of model.recipes
    units: str = "rows"  # the word for what `rows` counts

    @classmethod
    def from_json(cls, content: JsonObject) -> ChosenRecipe:
        """From the object in record.json, which has been validated."""
        tried = [TriedRecipe(one["settings"], one.get("third"), one.get("whole")) for one in content["tried"]]
        units = str(content.get("units") or "rows")
        return cls(str(content["chosen"]), str(content["metric"]), int(content["rows"]), tried, units)

    def to_json(self) -> JsonObject:
        """Return the object in record.json."""
        return asdict(self)

    def notes(self) -> list[str]:
        """Sentences for the record: what was chosen, and every setting with its scores."""
        best = next(one for one in self.tried if one.settings == self.chosen)
        score = best.third if best.whole is None else best.whole
        return [
            f"train.recipe=auto chose {self.chosen}: {self.metric} {score:.4f} on {self.rows:,} {self.units}, the best "
            f"of {len(self.tried)} settings. It was chosen on these {self.units}, so expect a slightly lower score on "
            "others",
            f"settings tried ({self.metric} in the first third of the epochs, in all): "
            + "; ".join(f"{one.settings} ({one.score_text()})" for one in self.tried),
        ]
