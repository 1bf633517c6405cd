"""The guarantee of runner/statistics/rejection.py on simulated models, and on 100 random splits of IMDB and SST-2.

make bench-rejection      # one core, about 5 minutes, needs a hub
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from runner.record.folder import find_record
from runner.record.predictions import calibrated_probabilities, read_logits
from runner.statistics.rejection import Threshold, find_threshold
from tests.conftest import run_cli

GRID = (np.arange(20000) + 0.5) / 20000
MODELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # error probability at each rank of the confidence, 0..1
    "good": lambda s: 0.5 * np.exp(-6 * s),
    "weak": lambda s: 0.45 * np.exp(-2.2 * s),
    "bump": lambda s: np.where(s > 0.93, 0.06, 0.4 * np.exp(-5 * s)),
}
DRAWS, CUTS = 1000, 100


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("name", MODELS)
def test_simulated_models(name: str, alpha: float) -> None:
    """The guarantee holds within chance at three sizes; prints how often it fails, and the share of rows answered."""
    model, most = MODELS[name], stats.binom.ppf(0.999, DRAWS, 0.05)
    for rows in (300, 1000, 5000):
        rng, violated, answered = np.random.default_rng(rows), 0, np.zeros(DRAWS)
        for draw in range(DRAWS):
            s = rng.random(rows)
            found = find_threshold(s, rng.random(rows) < model(s), alpha)
            if isinstance(found, Threshold):
                answered[draw] = found.answered / rows
                violated += model(GRID[found.threshold < GRID]).mean() > alpha
        print(
            f"{name} {alpha:g} n={rows}: above in {violated / DRAWS:.1%}, answers {answered.mean():.0%}, "
            f"nothing in {(answered == 0).mean():.1%}"
        )
        assert violated <= most


@pytest.mark.parametrize("models", [1, 20])
@pytest.mark.parametrize("rows", [500, 1000, 2000])
def test_the_best_of_several_models(rows: int, models: int) -> None:
    """Choose the best of 20 equal models on the calibration rows: delta / 20 keeps the guarantee, delta may not."""
    rng, violated, draws = np.random.default_rng(models), 0, 500
    for _ in range(draws):
        s, shared = rng.random(rows), rng.random(rows)  # models of one data set agree on most rows
        own = rng.random((20, rows))
        wrong = np.where(rng.random((20, rows)) < 0.7, shared, own) < MODELS["good"](s)
        best = wrong[wrong.sum(1).argmin()]
        found = find_threshold(s, best, 0.05, models=models)
        violated += isinstance(found, Threshold) and MODELS["good"](GRID[found.threshold < GRID]).mean() > 0.05
    print(f"best of 20, counted as {models}, n={rows}: above in {violated / draws:.1%}")
    assert models == 1 or violated <= stats.binom.ppf(0.999, draws, 0.05)


@pytest.mark.parametrize(
    ("words", "split"),
    [(["data=imdb"], "test"), (["data=sst2", "data.folds=3", "data.fold=0"], "tune")],
    ids=["imdb", "sst2"],
)
@pytest.mark.parametrize("model", ["ngram", "dsn-32"])
@pytest.mark.timeout(3600)
def test_real_answers(words: list[str], split: str, model: str, tmp_path: Path) -> None:
    """In at most 10 of 100 splits, the error on the other rows exceeds 5 %; at a true rate of 5 %, 1.1 % would fail."""
    output = tmp_path / "outputs"
    words = [f"model={model}", *words, f"paths.output={output}", "tracker=none", "measure=off"]
    done = run_cli(*words, cwd=tmp_path, timeout_s=3600)
    assert done.returncode == 0, done.stderr
    record = find_record(output, None)
    answers = read_logits(output / record.identity, split, record)
    assert answers is not None
    shares = calibrated_probabilities(record, answers[0])
    confidence, is_wrong = shares.max(1), shares.argmax(1) != answers[1]
    for rows in (300, 1000, 3000):
        above, shown = 0, []
        for cut in range(CUTS):
            order = np.random.default_rng(cut).permutation(len(is_wrong))
            mine, others = order[:rows], order[rows:]
            found = find_threshold(confidence[mine], is_wrong[mine], 0.05)
            answered = others[confidence[others] > found.threshold] if isinstance(found, Threshold) else others[:0]
            above += len(answered) > 0 and is_wrong[answered].mean() > 0.05
            shown.append(len(answered) / len(others))
        facts = {
            "accuracy": round(1 - is_wrong.mean(), 4), "rows": len(is_wrong), "cut": rows, "above": int(above),
            "answers": round(float(np.mean(shown)), 3), "nothing": int(sum(share == 0 for share in shown)),
        }  # fmt: skip
        print(*words[:2], json.dumps(facts))
        assert above <= 10
