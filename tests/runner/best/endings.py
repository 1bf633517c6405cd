"""The end of a search made of recorded runs, for tests of what is printed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from runner.best.choice.choose import Choice, choose
from runner.best.choice.optimism import corrected_score
from runner.best.types import Budget, Candidate, Conclusion, Facts, LeftOut, Plan, Result, Scored
from runner.record.json_files import write_json
from runner.record.record import RunRecord
from runner.record.sweep_record import SWEEPS
from runner.statistics.intervals import wilson_interval
from tests.runner.best.candidates import ACCURACY, answers, scored
from tests.runner.compare.folders import write_run

KEY, ROWS = "0123456789", 1000
ROW = np.arange(ROWS)
MODELS = {  # kind, kB, right answers on the reported rows: which
    "tiny-1": ("tiny", 812.3, ROW < 900),
    "ngram": ("ngram", 34.0, (ROW < 840) | (ROW >= 990)),
    "ngram quarter": ("ngram", 9.0, ROW < 820),
    "large": ("large", 90_000.0, ROW < 950),
}


def a_run(output: Path, seed: int, right: np.ndarray, **changes: Any) -> RunRecord:
    """A finished run with these answers to the reported rows."""
    low, high = wilson_interval(float(right.mean()), len(right))
    data = {
        "name": "demo", "fingerprint": "d" * 64, "task": "classification",
        "rows": {"train": 90, "val": 10, "test": ROWS},
        "primary": "test/accuracy", "selection": "val/accuracy", "fingerprints": {"val": "v", "test": "t"},
    }  # fmt: skip
    metrics = {"test/accuracy_low": low, "test/accuracy_high": high, "baseline/majority": 0.5, "val/accuracy": 0.9}
    found = write_run(
        output, "model=dsn", seed=seed, labels=np.ones(len(right), int), answers=right.astype(int),
        metrics=metrics | changes.pop("metrics", {}), data=data | changes.pop("data", {}), **changes,
    )  # fmt: skip
    return RunRecord.from_json(found)


def an_ending(output: Path, budget: Budget, models: dict[str, Any] | None = None, **changes: Any) -> Conclusion:
    """The end of a search among these models; those over the cap are ceilings."""
    found, records = list[Scored](), dict[str, RunRecord]()
    for position, (name, (kind, kb, right)) in enumerate((MODELS if models is None else models).items()):
        one = scored(name, answers(right), kb, position=position, micros=40.0 + position)
        found.append(replace(one, kind=kind))
        records[name] = a_run(output, position, right, metrics={"cost/bytes_deployed": kb * 1000})
    fitting = tuple(one for one in found if one.bytes <= (budget.max_bytes or np.inf))
    others = tuple(one for one in found if one not in fitting)
    choice = choose(fitting, ACCURACY, budget)
    assert isinstance(choice, Choice)
    candidates = tuple(Candidate(one.name, one.kind) for one in found)
    left_out = (LeftOut("minilm", "shortened", "needs 22.9 MB, cap 1,000 kB"),)
    plan = Plan(KEY, budget, Facts(rows=5000, classes=2), candidates, left_out)
    folder = output / SWEEPS / KEY
    result = Result(
        KEY, "stopped", "stopped after step 14 of 22: the time was up", choice.winner, records[choice.winner].identity,
        folder=str(folder), bundle=str(folder / "bundle"), done=14, planned=22, compared=3,
        corrected=corrected_score(fitting, ACCURACY, budget, draws=100),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "best.json", result.to_json())
    ended = (("dsn lr=0.1", "skipped", "0.71 after a third of its steps, the best of its kind had 0.80"),)
    return replace(
        Conclusion(plan, result, choice, ACCURACY, fitting, others, records, ended, 312.0), **changes
    )  # fmt: skip
