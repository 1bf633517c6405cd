"""Suspicious costs become sentences, and honest ones do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner.compare.analyse import analyse
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_run

US, MS = "speed/answer_us_p50", "speed/latency_ms_p50_b1_s128"


def compressed(output: Path, stage: str, metrics: dict[str, float], **more: Any) -> None:
    record = write_run(output, "model=dsn", "train.precision=fp32")
    config = record["config"] | {"compression": {stage: {"bits": 8}}}
    write_run(output, "model=dsn", "train.precision=fp32", metrics=metrics, config=config, identity=stage, **more)


def said(output: Path, baseline: str | None = None) -> list[str]:
    return analyse(select_runs(output, []), baseline=baseline).lint


def test_compression_that_costs_time_is_said(tmp_path: Path) -> None:
    compressed(tmp_path, "int8", {US: 900.0, MS: 0.1})
    assert said(tmp_path) == ["int8 slower than fp32 here: 900 us against 600 us (compression=[int8])"]


def test_a_record_older_than_the_times_of_answers_is_judged_by_its_latency(tmp_path: Path) -> None:
    compressed(tmp_path, "int8", {MS: 1.5}, older=True)
    assert said(tmp_path) == ["int8 slower than fp32 here: 1.50 ms against 1.00 ms (compression=[int8])"]


def test_zeros_that_are_stored_are_said(tmp_path: Path) -> None:
    compressed(tmp_path, "prune", {"cost/params_nonzero": 100})
    (sentence,) = said(tmp_path)
    assert sentence.startswith("sparse but not smaller: compression=[prune] has 90% zeros")


def test_zeros_that_are_left_out_of_the_packed_file_are_not_said(tmp_path: Path) -> None:
    compressed(tmp_path, "prune", {"cost/params_nonzero": 100, "cost/bytes_deployed": 900, US: 500.0})
    assert said(tmp_path) == []


def test_a_sparse_model_that_is_smaller_and_fast_passes(tmp_path: Path) -> None:
    compressed(
        tmp_path, "prune", {"cost/params_nonzero": 100, "cost/bytes_file": 900, "cost/bytes_deployed": 1500, US: 500.0}
    )
    assert said(tmp_path) == []


def test_fewer_bytes_but_more_time_than_the_baseline_is_said(tmp_path: Path) -> None:
    write_run(tmp_path, "model=bert-tiny")
    write_run(tmp_path, "model=dsn", metrics={"cost/bytes_deployed": 1250, US: 1800.0, MS: 0.1})
    expected = "smaller but slower: model=dsn takes 25% of the bytes and 300% of the time of model=bert-tiny"
    assert said(tmp_path) == [] and said(tmp_path, "model=bert-tiny") == [expected]


def test_a_size_that_only_the_paper_has_is_said(tmp_path: Path) -> None:
    write_run(tmp_path, "model=dsn", metrics={"cost/bytes_packed": 1e6, "cost/bytes_file": 4e6})
    assert said(tmp_path) == ["model=dsn data=demo: 1.00 MB packed, but a file of 4.00 MB"]


def test_a_vocabulary_that_outweighs_the_weights_is_said(tmp_path: Path) -> None:
    write_run(tmp_path, "model=dsn", metrics={"cost/bytes_deployed": 8000})
    assert said(tmp_path) == []
    larger = {"cost/bytes_deployed": 704_400, "cost/bytes_file": 104_400, "cost/bytes_packed": 104_000}
    write_run(tmp_path, "model=bert-tiny", metrics=larger)
    (sentence,) = said(tmp_path)
    assert sentence.startswith("model=bert-tiny: its vocabulary") and "0.60 MB against 0.10 MB" in sentence


def test_noise_other_machines_and_constant_answers_are_said(tmp_path: Path) -> None:
    write_run(tmp_path, "model=dsn", metrics={"speed/noise_b1_s128": 1.9})
    write_run(tmp_path, "model=bert-tiny", environment={"cpu": "another"}, metrics={"test/constant_predictions": 1.0})
    noisy, machines, stuck = said(tmp_path)
    assert noisy.startswith("noisy latency (p90/p50 up to 1.9") and noisy.endswith("model=dsn")
    assert "2 kinds of machine" in machines and "speed/speedup" in machines
    assert stuck == "model=bert-tiny: the same prediction for every example (seed 0)"


def test_a_long_list_of_one_kind_is_cut(tmp_path: Path) -> None:
    write_run(tmp_path, "model=bert-tiny")
    for number in range(8):
        more = {"cost/bytes_deployed": 1000, US: 3000.0}
        write_run(tmp_path, "model=dsn", f"optimizer.lr={number + 1}e-3", metrics=more)
    found = said(tmp_path, "model=bert-tiny")
    assert len(found) == 6 and found[-1] == "... and 3 more like the last one"


def test_runs_that_learned_nothing_are_said(tmp_path: Path) -> None:
    write_run(tmp_path, "model=dsn", metrics={"test/accuracy": 0.5, "train/diverged": 1.0})
    assert said(tmp_path) == ["model=dsn data=demo: learned nothing in 1 of 1 runs (seed 0)"]


def test_runs_of_one_table_that_were_computed_in_several_ways_are_said(tmp_path: Path) -> None:
    ways = [("default", 1), ("default", 1), ("onednn", 4)]
    for seed, (gemm, threads) in enumerate(ways):
        write_run(tmp_path, "model=dsn", seed=seed, environment={"engine": {"gemm": gemm}, "threads": threads})
    (sentence,) = said(tmp_path)
    assert "(default, 1 thread: 2 runs; onednn, 4 threads: 1 run)" in sentence
    assert len(analyse(select_runs(tmp_path, [])).rows) == 1, "they stay one group"


def test_runs_of_several_tables_may_be_computed_in_several_ways(tmp_path: Path) -> None:
    for gemm, fingerprint in (("default", "d" * 64), ("onednn", "e" * 64)):
        environment = {"engine": {"gemm": gemm}, "threads": 1}
        write_run(tmp_path, "model=dsn", fingerprint=fingerprint, environment=environment)
    write_run(tmp_path, "model=bert-tiny")  # a record that does not say
    assert said(tmp_path) == []


def test_a_model_that_the_ngram_baseline_makes_superfluous_is_said(tmp_path: Path) -> None:
    costs = {"baseline/ngram_bytes": 200_000.0, "baseline/ngram_us": 15.0}
    own = {"test/accuracy": 0.8, "cost/bytes_deployed": 900_000.0, "speed/answer_us_p50": 600.0}
    write_run(tmp_path, "model=dsn", metrics=own | costs | {"baseline/ngram": 0.99})
    write_run(tmp_path, "model=bert-tiny", metrics=own | costs | {"baseline/ngram": 0.01})
    (sentence,) = (one for one in said(tmp_path) if "n-gram" in one)
    assert sentence == ("model=dsn: larger, slower and not better than the n-gram baseline (0.9900 at 0.20 MB, 15 us)")


def test_files_larger_than_the_weights_are_said_of_texts_and_not_of_sounds(tmp_path: Path) -> None:
    costs = {"cost/bytes_file": 700.0, "cost/bytes_deployed": 2000.0}
    write_run(tmp_path, "model=mean-sound", "data=spoken-digits", metrics=costs, fingerprint="d" * 64)
    assert said(tmp_path) == []
    write_run(tmp_path, "model=dsn", metrics=costs)
    (sentence,) = analyse(select_runs(tmp_path, ["data=demo"])).lint
    assert "its vocabulary and config files are larger than its weights" in sentence
