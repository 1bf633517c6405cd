"""Runs are compared with a linear n-gram model of the same data, which is trained once, as an ordinary run."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import run_cli
from tests.records import records

DATA = ("data=demo", "data.demo_rows=300", "data.max_eval_rows=200")
MEASURE = ("measure.min_time_s=0.01", "measure.lengths=[]", "measure.baseline=null")


def test_two_runs_share_one_ngram_baseline(tmp_path: Path) -> None:
    words = ("model=dsn", *DATA, *MEASURE, "train.epochs=1", "tracker=none", "paths.output=out")
    first = run_cli(*words, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    ngram, dsn = sorted(records(tmp_path / "out"), key=lambda record: record["name"], reverse=True)
    assert (ngram["config"]["model"]["name"], dsn["config"]["model"]["name"]) == ("ngram", "dsn")
    assert dsn["metrics"]["baseline/ngram"] == ngram["metrics"]["test/accuracy"]
    assert dsn["metrics"]["baseline/ngram_bytes"] == ngram["metrics"]["cost/bytes_deployed"]
    assert "n-gram baseline" in first.stdout and "n-gram baseline first" in first.stdout
    assert "baseline/ngram" not in ngram["metrics"], "the baseline has none itself"
    assert "epoch" in first.stdout and first.stdout.count("recorded in") == 1, "only the run itself shows its table"

    second = run_cli(*words, "seed=1", cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    assert len(records(tmp_path / "out")) == 3 and "n-gram baseline first" not in second.stdout
    again = run_cli(*words, "force=true", "baseline.ngram=off", cwd=tmp_path)
    assert again.returncode == 0 and "n-gram" not in again.stdout
    alone = next(record for record in records(tmp_path / "out") if record["identity"] == dsn["identity"])
    assert alone["metrics"]["test/loss"] == dsn["metrics"]["test/loss"], "making the baseline first changes nothing"
    same = run_cli("model=ngram", *DATA, *MEASURE, "tracker=none", "paths.output=out", cwd=tmp_path)
    assert f"run {ngram['identity']} is finished already" in same.stdout, "it is the run that model=ngram makes"
