"""The baselines of recorded runs as rows."""

from __future__ import annotations

from pathlib import Path

from runner.compare.analyse import analyse
from runner.compare.baselines import BaselineLine, baseline_lines
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_group

BASE = {"baseline/majority": 0.5, "baseline/ngram": 0.8, "baseline/ngram_bytes": 9_000.0, "baseline/ngram_us": 15.0}

WHATS = ("majority-class baseline", "n-gram baseline")


def lines(output: Path, metric: str | None = None) -> list[BaselineLine]:
    return baseline_lines(analyse(select_runs(output, []), metric=metric).rows)


def test_majority_and_ngrams_are_a_row_each_with_what_they_cost(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 152], metrics=BASE)
    majority, ngram = lines(tmp_path)
    assert (majority.name, majority.score(), majority.in_mb()) == ("majority-class baseline", "0.5000", "")
    assert (ngram.name, ngram.score(), ngram.in_mb(), ngram.in_us()) == ("n-gram baseline", "0.8000", "0.01", "15")
    assert (ngram.metric, ngram.data) == ("test/accuracy", "demo")


def test_runs_that_learned_from_other_rows_have_a_range_of_baselines(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150], metrics=BASE)
    write_group(tmp_path, "model=dsn", "data.max_rows=90", right=[150], metrics=BASE | {"baseline/ngram": 0.7})
    assert [line.score() for line in lines(tmp_path)] == ["0.5000", "0.7000-0.8000"]


def test_baselines_of_several_data_sets_say_of_which(tmp_path: Path) -> None:
    for path, fingerprint in (("a/first.csv", "a" * 64), ("second.csv", "b" * 64)):
        words = ("model=dsn", "data=files", f"data.path={path}", "data.task=classification")
        write_group(tmp_path, *words, right=[150], metrics=BASE, fingerprint=fingerprint)
    found = [line.name for line in lines(tmp_path)]
    assert sorted(found) == [f"{what} of {file}" for what in WHATS for file in ("first.csv", "second.csv")]


def test_an_ngram_model_that_is_compared_itself_is_no_baseline_beside_it(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150], metrics=BASE)
    write_group(tmp_path, "model=ngram", right=[160], metrics={"cost/bytes_deployed": 9_000.0})
    assert [line.name for line in lines(tmp_path)] == ["majority-class baseline"]


def test_a_metric_that_is_not_the_headline_has_no_baseline(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150], metrics=BASE | {"test/f1": 0.7})
    assert lines(tmp_path, "test/f1") == []
