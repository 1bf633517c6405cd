"""Makes a cascade that answers within a time: the threshold follows from times and confidences alone.

    record, folder = make_within_time("<id>", "<id>", 500.0, output, cache)

The small model answers the share of texts that leaves enough time for the large one on the others. No label is used for
that, so the score on the selection rows is not optimistic, and the loss is bounded by one test instead of many.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from runner.cascade.choose import EXACT, Chosen, Wanted
from runner.cascade.graph import AUTO, answer_time, fastest_engine
from runner.cascade.make import Measuring, NewCascade, find_or_make
from runner.cascade.pair import Pair, open_pair
from runner.cascade.rows import BothAnswers, read_calibration_rows, read_reported_rows, read_selecting_rows
from runner.deploy.cascade import LARGE, MODELS, SMALL
from runner.deploy.exported import CASCADE
from runner.errors import ConfigError
from runner.record.record import RunRecord
from runner.statistics.deferral import Deferral, net_loss_bound
from runner.statistics.rejection import DELTA

AIM = 0.9  # share of the time to aim for: other texts may be harder, and a machine is not always as fast
OWN = 60.0  # us that a cascade adds to its models, which evict each other from the processor's caches
SECONDS, THREADS = 20, 1  # seconds for which both models and the cascade are timed


def choose_within_time(rows: BothAnswers, small: float, large: float, most: float, pairs: int = 1) -> Chosen:
    """Return the highest threshold at which the mean time is AIM of `most`, and what is lost with it.

    small, large, most: microseconds of an answer; pairs: of models compared on these rows. The promise is the upper end
    of the loss at this threshold, at 1 - DELTA / pairs. Raises ConfigError if no threshold is fast enough, or none
    is needed.
    """
    if large <= AIM * most:  # a cascade would take longer, and lose accuracy
        raise ConfigError(f"max_us={most:g}: the large model alone takes {large:,.0f} us. Try: the large model alone")
    share = 1 - (AIM * most - small - OWN) / large
    if share > 1:
        raise ConfigError(
            f"max_us={most:g}: the small model takes {small:,.0f} us, and a cascade {OWN:g} us more. "
            f"Try: max_us={math.ceil((small + OWN) / AIM) + 1}"
        )
    confidence = rows.confidence
    answered = max(1, math.ceil(share * len(rows)))
    threshold = below(confidence, float(np.sort(confidence)[-answered]))
    taken = confidence >= threshold
    harms = int((taken & rows.large_right & ~rows.small_right).sum())
    helps = int((taken & rows.small_right & ~rows.large_right).sum())
    bound = net_loss_bound(harms, helps, len(rows), DELTA / pairs)
    found = Deferral(threshold, int(taken.sum()), harms, helps, len(rows), bound)
    return Chosen(Wanted(max(0.0, bound), EXACT, DELTA, pairs), found, rows)


def below(confidence: np.ndarray, lowest: float) -> float:
    """Return the threshold half-way from the lowest confidence that is answered to the next one below, or to 0.

    A threshold equal to a confidence would depend on its last digit: texts without a known word all have the same
    confidence, and an engine that rounds differently from the run would send all of them to the large model.
    """
    lower = confidence[confidence < lowest]
    return (lowest + (float(lower.max()) if len(lower) else 0.0)) / 2


def make_within_time(
    small: str, large: str, most: float, output: Path, cache: Path, pairs: int = 1
) -> tuple[RunRecord, Path]:
    """Return the record and folder of the cascade of two runs that answers in `most` microseconds on average.

    small, large: ids of runs in `output`. An encoder answers by its graph, which is written and timed here; the time of
    a packed model is in the record of its run. The record has the answers to the selection rows, too. Raises
    ConfigError for two runs that cannot be one model within that time.
    """
    named = {SMALL: small, LARGE: large}
    engines = {part: fastest_engine(named[part], output) for part in MODELS}
    pair = open_pair(named, output, engines)
    words = [CASCADE, *(f"{part}={named[part]}" for part in MODELS), f"max_us={most:g}"]
    words += [f"{part}_engine={engine}" for part, engine in engines.items() if engine != AUTO]
    made = plan_within_time(pair, most, cache, pairs, words)
    return find_or_make(made, output, cache, Measuring(SECONDS, THREADS), force=False)


def plan_within_time(pair: Pair, most: float, cache: Path, pairs: int, words: list[str]) -> NewCascade:
    """Return everything that a cascade within a mean time depends on. words: of the command that makes it.

    Raises ConfigError for two runs that cannot be one model within that time.
    """
    said = f"max_us={most:g}"
    reported = read_reported_rows(pair, said)
    times = [answer_time(side, reported.split, cache) for side in pair.sides]
    if times[0] is None or times[1] is None:
        ids = " or ".join(side.record.identity for side in pair.sides)
        raise ConfigError(f"{said}: the times of {ids} were not measured. Try: run them again with force=true")
    rows = read_calibration_rows(pair, said, cache)
    chosen = choose_within_time(rows, times[0], times[1], most, pairs)
    return NewCascade(pair, chosen, reported, words, read_selecting_rows(pair, said))
