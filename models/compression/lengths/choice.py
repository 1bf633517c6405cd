"""The lengths that a search found for one model, each with its cost and score: what a budget is chosen from.

They lie in config.json, so that every export of the model can choose; nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.compression.settings.length_search import LengthSearch
from models.errors import ModelError
from models.json_types import JsonObject

METHOD = "length"  # of the entry in architecture["compressed"]


@dataclass(frozen=True)
class Choice:
    """The lengths of each layer; their cost as a share of the full model's, and the score on the search's rows."""

    lengths: tuple[float, ...]  # in the mode of the entry; () for all tokens
    share: float  # of the multiply-adds at full length, mean over the search's texts
    score: float  # higher is better
    ms: float | None = None  # of one call with a text of `tokens`, on the machine that searched
    tokens: int | None = None  # the mean of the search's texts

    def to_json(self) -> JsonObject:
        """The object in config.json."""
        found = {"lengths": list(self.lengths), "share": self.share, "score": self.score}
        return found | {"ms": self.ms, "tokens": self.tokens}

    @classmethod
    def from_json(cls, content: JsonObject) -> Choice:
        """The choice in an object of config.json; ModelError for a damaged one."""
        try:
            lengths = tuple(float(value) for value in content["lengths"])
            ms, tokens = content.get("ms"), content.get("tokens")
            found = cls(
                lengths, float(content["share"]), float(content["score"]), None if ms is None else float(ms),
                None if tokens is None else int(tokens),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"config.json: its choices of lengths are damaged ({error!r})") from error
        if not 0 < found.share <= 1:
            raise ModelError(f"config.json: a choice of lengths has share={found.share:g}, expected 0 to 1")
        return found


def entry_of(architecture: JsonObject) -> JsonObject | None:
    """The entry of a model with lengths; None for another model."""
    entries = architecture.get("compressed", ())
    return next((entry for entry in entries if entry["method"] == METHOD), None)


def choices_of(architecture: JsonObject) -> list[Choice]:
    """The choices in the config of a model, cheapest first; [] for a model without."""
    entry = entry_of(architecture) or {}
    return [Choice.from_json(content) for content in entry.get("choices", ())]


def within_share(choices: Sequence[Choice], share: float) -> Choice:
    """The best choice of at most that share of the full cost; of 1 full length.

    Raises ModelError, with the least share that there is, below all.
    """
    found = [choice for choice in choices if choice.share <= share + 1e-9]
    if not found:
        least = min(choices, key=lambda one: one.share)
        raise ModelError(
            f"length={share:g}: the shortest lengths that were searched take {least.share:.3g} of the full "
            f"multiply-adds. Try: length={_rounded_up(least.share):g}"
        )
    return max(found, key=lambda one: (share >= 1 and one.share, one.score, -one.share))


def kept_choice(choices: Sequence[Choice], options: LengthSearch) -> Choice:
    """The choice that a model is left with: of a budget or of a loss, whichever the settings name; else full length."""
    if options.budget is not None:
        return within_share(choices, options.budget)
    return within_loss(choices, options.at_most_loss) if options.at_most_loss is not None else choices[-1]


def within_loss(choices: Sequence[Choice], loss: float) -> Choice:
    """The cheapest choice whose score is at most `loss` below that of full length."""
    full = max(choices, key=lambda one: one.share)
    return min((one for one in choices if one.score >= full.score - loss - 1e-9), key=lambda one: one.share)


def _rounded_up(share: float) -> float:
    """A share with three digits that is not below the given one."""
    rounded = round(share, 3)
    return rounded if rounded >= share else round(rounded + 0.001, 3)
