"""The choices that a search found for one model: lengths with their cost and score, to select from by budget.

They are stored in config.json, so that every export of the model can select lengths; nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.compression.settings.length_search import LengthSearch
from models.errors import ModelError
from models.json_types import JsonObject

CLOSE = 1e-9  # tolerance of comparisons between shares or scores
METHOD = "length"  # the method of the entry in architecture["compressed"]


@dataclass(frozen=True)
class Choice:
    """The length of each layer, the cost relative to the full model, and the score on the search's rows."""

    lengths: tuple[float, ...]  # in the entry's mode; () for all tokens
    share: float  # multiply-adds as a share of those at full length, over the search's texts
    score: float  # higher is better
    ms: float | None = None  # time of one call with texts of `tokens` tokens, on the machine that ran the search
    tokens: int | None = None  # mean token count of the search's texts

    def to_json(self) -> JsonObject:
        """The object in config.json."""
        found = {"lengths": list(self.lengths), "share": self.share, "score": self.score}
        return found | {"ms": self.ms, "tokens": self.tokens}

    @classmethod
    def from_json(cls, content: JsonObject) -> Choice:
        """Read a choice from an object in config.json; ModelError if it is damaged."""
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
    """The entry with the lengths in a model's architecture; None if it has none."""
    entries = architecture.get("compressed", ())
    return next((entry for entry in entries if entry["method"] == METHOD), None)


def choices_of(architecture: JsonObject) -> list[Choice]:
    """The choices in a model's config, cheapest first; [] if it has none."""
    entry = entry_of(architecture) or {}
    return [Choice.from_json(content) for content in entry.get("choices", ())]


def within_share(choices: Sequence[Choice], share: float) -> Choice:
    """The best choice that costs at most `share` of the full model; full length if `share` is 1 or more.

    Raises ModelError, with the smallest available share, if all choices cost more.
    """
    found = [choice for choice in choices if choice.share <= share + CLOSE]
    if not found:
        least = min(choices, key=lambda one: one.share)
        raise ModelError(
            f"length={share:g}: the shortest lengths that were searched take {least.share:.3g} of the full "
            f"multiply-adds. Try: length={rounded_up(least.share):g}"
        )
    return max(found, key=lambda one: (share >= 1 and one.share, one.score, -one.share))


def kept_choice(choices: Sequence[Choice], options: LengthSearch) -> Choice:
    """The choice that the model keeps: by budget or by loss, whichever the settings give, or else full length."""
    if options.budget is not None:
        return within_share(choices, options.budget)
    return within_loss(choices, options.at_most_loss) if options.at_most_loss is not None else choices[-1]


def within_loss(choices: Sequence[Choice], loss: float) -> Choice:
    """The cheapest choice whose score is at most `loss` below the score at full length."""
    full = max(choices, key=lambda one: one.share)
    return min((one for one in choices if one.score >= full.score - loss - CLOSE), key=lambda one: one.share)


def rounded_up(share: float) -> float:
    """Round a share up to three decimals."""
    rounded = round(share, 3)
    return rounded if rounded >= share else round(rounded + 0.001, 3)
