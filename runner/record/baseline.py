"""Decides whether a score is better than that of a model which has learned nothing; tables mark those that are not.

    is_at_baseline([record.metrics for record in records], records[0].data.primary)

It uses only recorded metrics, so that a single run, a comparison and a sweep judge alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from statistics import fmean

from runner.record.metrics import direction
from runner.record.shown_costs import in_mb

MARK = "at baseline"
MAJORITY = "baseline/majority"
NAMED = {"baseline/no_answer": "no answer", "baseline/first_sentence": "first sentence"}  # of answers in texts
NGRAM, NGRAM_BYTES, NGRAM_US = "baseline/ngram", "baseline/ngram_bytes", "baseline/ngram_us"
MEANING = "not better, by more than chance, than a model that has learned nothing, so not a result"


def is_at_baseline(runs: Sequence[Mapping[str, float]], primary: str, baseline: str = MAJORITY) -> bool | None:
    """Return whether runs that differ only in the seed score no better than a model that has learned nothing.

    runs: the metrics of each run's record. primary: its headline metric, e.g. test/accuracy.
    The baseline is the recorded `baseline/majority`: the score of always answering the majority class of the training
    rows, or their mean for numbers; for masked words the perplexity of the words' frequencies; for tags the score of
    the most frequent tag of each word; for answers in texts the better one of no answer and the first sentence. The
    runs are at baseline if all of them give every row the same answer, or if the baseline lies within or beyond the 95
    % interval of their mean: the one over the examples or the one over the seeds (Student's t), whichever reaches
    farther. If each run by itself is better than the baseline, scatter between seeds does not count: two seeds at 0.9
    and 0.8 have learned.
    baseline: another recorded score to compare with; NGRAM for that of the n-gram model.
    Returns None if no run has both the score and a baseline: not judged.
    """
    judged = [run for run in runs if primary in run and baseline in run]
    if not judged:
        return None
    if all(run.get(f"{primary.partition('/')[0]}/constant_predictions") for run in judged):
        return True
    sign, end = (-1.0, f"{primary}_high") if direction(primary) == "lower" else (1.0, f"{primary}_low")
    gains = [sign * (run[primary] - run[baseline]) for run in judged]
    ends = [sign * (run[end] - run[baseline]) for run in judged if end in run]
    if len(ends) == len(judged) and min(ends) > 0:
        return False
    worst = [fmean(ends)] if ends else []
    if len(gains) > 1:
        from runner.statistics.intervals import student_interval

        worst.append(student_interval(gains)[0])
    return not min(worst or gains) > 0  # a score that is not a number is no result either


def marked(text: str, metrics: Mapping[str, float], primary: str) -> str:
    """Return the text, followed by the mark if these metrics of one run are at baseline."""
    return f"{text} ({MARK})" if is_at_baseline([metrics], primary) else text


def describe_ngram(metrics: Mapping[str, float]) -> str:
    """Return the n-gram baseline of a run in a few words: its score, and what it costs where that was measured."""
    costs = []
    if NGRAM_BYTES in metrics:
        costs.append(f"{in_mb(metrics[NGRAM_BYTES])} MB")
    if NGRAM_US in metrics:
        costs.append(f"{metrics[NGRAM_US]:,.0f} us")
    return f"{metrics[NGRAM]:.4f}" + (f" at {', '.join(costs)}" if costs else "")


def no_better_than_ngrams(runs: Sequence[Mapping[str, float]], primary: str) -> str:
    """Return a sentence on runs, equal except for the seed, that the n-gram model makes superfluous; "" for others.

    That is, they are larger and slower than that model, as far as both are measured, and not significantly better.
    """
    if not is_at_baseline(runs, primary, NGRAM):
        return ""
    judged = [run for run in runs if NGRAM in run]
    costs = (("larger", "cost/bytes_deployed", NGRAM_BYTES), ("slower", "speed/answer_us_p50", NGRAM_US))
    words = [word for word, own, other in costs if all(run.get(own, 0.0) > run.get(other, inf) for run in judged)]
    found = f"{', '.join(words)} and not better than the n-gram baseline ({describe_ngram(judged[0])})"
    return found if words else ""
