"""Claims about divergence stay open while runs of the sweep failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands.compare import main
from runner.compare.failed_runs import DIVERGED, left_open
from runner.compare.verdict import NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED, UNDECIDED, ClaimVerdict
from runner.statistics.paired import Interval
from tests.runner.compare.folders import write_group, write_run, write_sweep

FAILED = [("model=dsn seed=3", "failed: the loss is not finite"), ("model=dsn seed=4", "killed: interrupted")]


def claim(metric: str, verdict: str, *parts: ClaimVerdict) -> ClaimVerdict:
    return ClaimVerdict("", "", metric, "value", 0.0, 0.0, 0.0, Interval(0.0, 0.4, "runs"), verdict, "why", parts)


@pytest.mark.parametrize(
    ("metric", "verdict", "expected"),
    [
        (DIVERGED, REPRODUCED, UNDECIDED),
        (DIVERGED, NOT_REPRODUCED, UNDECIDED),
        (DIVERGED, NOT_TESTABLE, NOT_TESTABLE),
        ("val/accuracy", REPRODUCED, REPRODUCED),
    ],
)
def test_only_a_decided_claim_about_divergence_is_opened_again(metric: str, verdict: str, expected: str) -> None:
    (found,) = left_open([claim(metric, verdict)], FAILED)
    assert found.verdict == expected
    assert found.why == (
        "why" if verdict == expected else "why, but 1 run failed, perhaps by diverging, and is not counted"
    )
    assert left_open([claim(metric, verdict)], FAILED[1:]) == [claim(metric, verdict)], "an interrupted run goes on"


def test_a_claim_with_several_conditions_follows_them() -> None:
    both = claim("", NOT_REPRODUCED, claim(DIVERGED, REPRODUCED), claim(DIVERGED, NOT_REPRODUCED))
    (found,) = left_open([both], FAILED * 2)
    assert found.verdict == UNDECIDED and [part.verdict for part in found.parts] == [UNDECIDED, UNDECIDED]
    assert found.why.endswith("; 2 runs failed, perhaps by diverging, and are not counted")
    other = claim("", NOT_REPRODUCED, claim(DIVERGED, REPRODUCED), claim("val/accuracy", NOT_REPRODUCED))
    assert left_open([other], FAILED)[0].verdict == NOT_REPRODUCED, "the score refutes it"


def test_a_ledger_does_not_count_finished_runs_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150] * 6, metrics={DIVERGED: 0.0})
    often = {"claim": "often", "metric": DIVERGED, "kind": "value", "direction": "higher", "value": 0.5}
    for more, verdict in (([], NOT_REPRODUCED), ([6], UNDECIDED)):
        failed = [write_run(tmp_path, "model=dsn", seed=seed, status="failed", reason="not finite") for seed in more]
        write_sweep(tmp_path, [*records, *failed], status="done", claims=[often | {"where": {"model": "dsn"}}])
        assert main(["a_sweep", "--format", "ledger", f"paths.output={tmp_path}"]) == 0
        assert f"| **{verdict}**: " in capsys.readouterr().out
