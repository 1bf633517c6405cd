"""The overrides of a plan: those of the portfolio with the values of a search in place of names in braces."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from data.json_types import JsonObject
from data.quoting import hydra_value
from runner.best.plan.portfolio import Kind, Variant
from runner.best.types import Budget, Facts

BATCH = 32  # rows of an optimizer step in the recipes of the kinds that have `epochs`
FEW_KB = 10  # caps below it are not rounded to whole kilobytes
MOST_UNLABELLED, FOLD_UNLABELLED = 50_000, 5_000  # texts that a student learns from, and on a fold of few labels


def share_of_time(micros: float | None, budget: Budget, fastest: float) -> float:
    """Return the share of the multiply-adds that max_us allows, in tenths, from `fastest` to 1.

    micros: of an answer by all layers and tokens. A tenth is left for what does not shrink: tokens, the head.
    """
    if micros is None or budget.max_us is None:
        return 1.0
    return min(1.0, max(fastest, math.floor(9 * budget.max_us / micros) / 10))


def filled_words(words: tuple[str, ...], budget: Budget, spare: int = 0, share: float = 1.0) -> tuple[str, ...]:
    """Return overrides with the budget's values in place of their names.

    {kb}: the cap less `spare` bytes in whole kilobytes, or in tenths below 10, null without one; {quarter_kb}: a
    quarter of the cap, 50 without; {share}: of the multiply-adds. The names of `with_inputs` stay.
    """
    cap = None if budget.max_kb is None else max(1, int(budget.max_kb))
    values: JsonObject = {
        "kb": "null" if budget.max_kb is None else _kilobytes(round(1000 * budget.max_kb) - spare),
        "share": f"{share:g}",
        "quarter_kb": 50 if cap is None else max(1, cap // 4),
    }
    return tuple(_filled(word, values) for word in words)


def _kilobytes(size: int) -> str:
    """Return a number of bytes in kilobytes, rounded down: to whole ones or, below FEW_KB, to tenths, at least 0.1."""
    return f"{size // 1000}" if size >= 1000 * FEW_KB else f"{max(1, size // 100) / 10:g}"


def most_unlabelled(*, on_fold: bool) -> int:
    """Return how many unlabelled texts a student learns from: fewer on a fold, where each fold has its own teacher."""
    return FOLD_UNLABELLED if on_fold else MOST_UNLABELLED


def with_inputs(
    words: Sequence[str], teacher: str | None, unlabelled: str | None, *, on_fold: bool = False
) -> list[str]:
    """Return the overrides of a plan as a run takes them.

    {teacher}: the id of the teacher's run; {unlabelled}: the file of further texts, null without; {unlabelled_rows}:
    how many of these are used. A plan does not contain that file's path: a command with a renamed file, whose content
    is the same, finds the same plan.
    """
    further = "null" if unlabelled is None else hydra_value(unlabelled)
    values: JsonObject = {
        "teacher": teacher or "", "unlabelled": further, "unlabelled_rows": most_unlabelled(on_fold=on_fold),
    }  # fmt: skip
    return [_filled(word, values) for word in words]


def each_vocabulary(variant: Variant) -> Iterator[tuple[str | int, Variant]]:
    """Yield each vocabulary and the variant with it; "" and the variant as it is where it has none."""
    for size in variant.vocabularies or ("",):
        values: JsonObject = {"vocabulary": size}
        words = tuple(_filled(word, values) for word in variant.words)
        yield size, replace(variant, name=_filled(variant.name, values), words=words)


def _filled(word: str, values: JsonObject) -> str:
    for name, value in values.items():
        word = word.replace("{" + name + "}", str(value))
    return word


def further_epochs(epochs: tuple[int, ...], rows: float) -> int | None:
    """Return the epochs that give so many training rows enough optimizer steps; None if the recipe's epochs do.

    epochs: least, steps and most, as of a kind.
    """
    if not epochs:
        return None
    least, steps, most = epochs
    found = min(most, math.ceil(steps * BATCH / max(1.0, rows)))
    return found if found > least else None


def with_rates(
    kind: Kind, variant: Variant, rows: float = math.inf, facts: Facts | None = None
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the name and the overrides of each candidate of a variant: one, or one a learning rate.

    rows: to train on; on few of them more epochs are added. facts: of the data, whose long texts are read further.
    """
    tokens = variant.tokens or kind.tokens
    is_longer = facts is not None and facts.exceeded_by(tokens)
    name = " ".join(part for part in (kind.name, variant.name, f"{tokens} tokens" if is_longer else "") if part)
    epochs = further_epochs(variant.epochs or kind.epochs, rows)
    words = (*kind.words, *variant.words, *([] if epochs is None else [f"train.epochs={epochs}"]))
    words = (*words, f"data.max_length={tokens}") if is_longer else words
    rates = variant.rates or kind.rates
    if not rates:
        yield name, words
    for rate in rates:
        yield f"{name} lr={rate:g}", (*words, f"optimizer.lr={rate:g}")
