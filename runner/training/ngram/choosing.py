"""Chooses weighting and penalty strength on the selection split, and the temperature of the probabilities."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from data.splits import TokenSplit
from runner.training.ngram.containment import choosing_rows
from runner.training.ngram.counting import Counted, words_alone
from runner.training.ngram.problem import Problem
from runner.training.ngram.pruning import by_importance, likely_count, prune

ORDER_STRENGTH = 1  # index of the solver's strength whose weights decide which n-grams are dropped while choosing
TEMPERATURES = np.geomspace(0.3, 3.0, 47).round(2)
LEAST_GAIN = 0.005  # nats by which a temperature must lower the log loss
LONG_S = 5.0  # a fit that takes longer is announced
LOOK = 1e-3  # tolerance of the trial fit that decides whether a further weighting is fitted at every strength
BEHIND = 2.5  # standard deviations by which its right answers may fall behind; strengths shift them by 0.5 to 1.5


Found = tuple[float, str, float, np.ndarray]  # score, weighting, strength, and the outputs on the held-out rows


@dataclass(frozen=True)
class Choice:
    """The settings chosen on the selection split."""

    weighting: str
    strength: float
    score: float  # of the task's first metric, higher is better
    temperature: float
    contained: int  # training rows that were left out while choosing
    chosen_by: int  # rows of the selection split
    tried: int = 0  # pairs of weighting and strength that were scored on them


def choose(problem: Problem, select: TokenSplit) -> Choice:
    """Return the weighting and strength with the best score on the selection rows given by `choosing_rows`."""
    texts = [problem.rows, select] if problem.is_pair else [words_alone(problem.rows), words_alone(select)]
    usable = choosing_rows(*texts)
    part, held = problem.take(np.flatnonzero(usable.train)), select.take(np.flatnonzero(usable.select))
    best: Found | None = None
    tried = 0
    if len(part.counted.hashes):
        known = part.known(held, part.counted.hashes)
        for weighting in problem.weightings:
            tried += 1
            if best is not None and _is_far_behind(part, weighting, held, known, best):
                continue
            found = _path(part, weighting, held, known)
            tried += len(found) - 1
            for score, strength, outputs in found:
                if best is None or score > best[0]:
                    best = score, weighting, strength, outputs
    if best is None:  # nothing is left of the training rows
        return Choice(problem.weightings[0], problem.solver.strengths[ORDER_STRENGTH], np.nan, 1.0, 0, 0)
    temperature = 1.0 if problem.is_number else fit_temperature(best[3], np.asarray(held.known_labels))
    return Choice(best[1], best[2], best[0], temperature, int((~usable.train).sum()), len(held), tried)


def _is_far_behind(part: Problem, weighting: str, held: TokenSplit, known: Counted, best: Found) -> bool:
    """Is a quick fit with a weighting so much worse than the best so far that no strength will make up for it?"""
    if part.is_number:
        return False
    part.pause()
    counted, solver = part.counted, part.solver
    fitted = solver.fit(counted.presence, part.scales(weighting, counted), best[2], LOOK)
    outputs = part.outputs_of(fitted, known)
    labels = np.asarray(held.known_labels)
    gained = _right(outputs, labels) - _right(best[3], labels)
    return part.score(outputs, held) < best[0] and gained.sum() < -BEHIND * np.sqrt((gained**2).sum())


def _right(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return for each row 1.0 if its class is right, else 0.0; for sets of labels the share of right decisions."""
    if labels.ndim == 2:
        return np.asarray(np.mean((outputs > 0) == labels, axis=1))
    return np.asarray(outputs.argmax(1) == labels, np.float64)


def _path(part: Problem, weighting: str, held: TokenSplit, known: Counted) -> list[tuple[float, float, np.ndarray]]:
    """Return score, strength and outputs on the held-out rows for each strength, with as many weights as may fit."""
    begun, counted, solver = time.perf_counter(), part.counted, part.solver
    most, scales = likely_count(part.settings.max_kb), part.scales(weighting, counted)
    if scales.size > most:
        whole = solver.fit(counted.presence, scales, solver.strengths[ORDER_STRENGTH])
        order = by_importance(whole, counted.df)
        if len(order) > most:
            kept = prune(order, most, scales.shape)
            counted, known = counted.only(kept.columns), known.only(kept.columns)
            scales = part.scales(weighting, counted) * kept.mask
    found = list[tuple[float, float, np.ndarray]]()
    for strength in solver.strengths:
        part.pause()
        fitted = solver.fit(counted.presence, scales, strength)
        if weighting == part.weightings[0] and not found:
            _announce(part, time.perf_counter() - begun)
        outputs = part.outputs_of(fitted, known)
        found.append((part.score(outputs, held), strength, outputs))
    return found


def _announce(part: Problem, seconds: float) -> None:
    """Tell the user how many settings are to come if the first one took long, as it does with very many classes."""
    if seconds > LONG_S:
        count = len(part.weightings) * len(part.solver.strengths)
        part.tell(f"the first of up to {count} settings of the n-gram model took {seconds:.0f} s")


def fit_temperature(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature by which to divide outputs (rows, C) for the lowest log loss; 1 if the gain is small.

    labels: (rows,) classes, or (rows, C) sets.
    """
    losses = np.array([_log_loss(outputs / temperature, labels) for temperature in TEMPERATURES])
    best = int(losses.argmin())
    gain = _log_loss(outputs, labels) - losses[best]
    return float(TEMPERATURES[best]) if gain > LEAST_GAIN else 1.0


def _log_loss(outputs: np.ndarray, labels: np.ndarray) -> float:
    if labels.ndim == 2:  # of each label separately
        return float(np.logaddexp(0, np.where(labels > 0, -1, 1) * outputs.astype(np.float64)).mean())
    shifted = outputs.astype(np.float64) - outputs.max(1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(labels)), labels]).mean())
