"""The printed end of a search: one number to report, what stands beside it, and plain sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runner.best.choice.show_result import show_result
from runner.best.types import Budget
from tests.runner.best.endings import MODELS, ROW, ROWS, a_run, an_ending

CAP = Budget(max_kb=1000)


def shown(lines: list[str]) -> str:
    """The lines as one text; only commands and names of folders may be longer than 80 columns."""
    commands = lines.index("next") if "next" in lines else len(lines)
    assert max(map(len, lines[:commands])) <= 80
    return " ".join(" ".join(lines).split())


def test_the_winner_has_one_number_and_its_costs(tmp_path: Path) -> None:
    lines = show_result(an_ending(tmp_path, CAP))
    text = shown(lines)
    assert lines[0] == "best: tiny-1"
    assert "size 812 KB of 1,000 KB" in text and "an answer 40 us, median" in text
    assert "test/accuracy 0.9000 [0.8798, 0.9171] on 1,000 rows not used to choose: the number to report" in text
    assert "val/accuracy 0.9000 chosen on these 1,000 rows; 0.8" in text and "corrected for that" in text
    assert "why the highest accuracy of 3 candidates within the budget" in text
    assert lines[-2:] == [f"  python {tmp_path}/sweeps/0123456789/bundle/predict.py \"a text\"",
                          f"  run serve {an_ending(tmp_path, CAP).result.run} paths.output={tmp_path}"]  # fmt: skip


def test_the_time_of_a_run_is_not_taken_for_that_of_its_graph(tmp_path: Path) -> None:
    ending = an_ending(tmp_path, CAP)
    graph = replace(ending, result=replace(ending.result, agreement=1.0))
    said = "on this machine, by the run in torch; the graph in the bundle may be faster or slower"
    assert said in shown(show_result(graph)) and said not in shown(show_result(ending))
    assert show_result(graph)[-1] == f"  run serve {tmp_path}/sweeps/0123456789/bundle", "which answers sooner"


def test_a_model_of_all_rows_is_served_as_its_bundle_which_alone_is_calibrated(tmp_path: Path) -> None:
    ending = an_ending(tmp_path, CAP)
    ending.records["tiny-1"].config["data"] = {"fold": "all"}
    assert show_result(ending)[-1] == f"  run serve {tmp_path}/sweeps/0123456789/bundle"


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("numpy", "on this machine test/accuracy"), ("onnx", "by the graph in the bundle test/accuracy"),
        ("onnx-int8", "by the graph in the bundle, in 8 bits"), ("torch", "in torch: there is no bundle"),
    ],
)  # fmt: skip
def test_what_answers_in_the_judged_time_is_said(tmp_path: Path, engine: str, said: str) -> None:
    ending = an_ending(tmp_path, Budget(max_us=1000))
    text = shown(show_result(replace(ending, result=replace(ending.result, micros=8.0, engine=engine))))
    assert "an answer 8 us of 1,000 us, median" in text and said in text and "faster or slower" not in text
    assert "winner ahead by large 90.0 MB 8 us 0.9500" in text, "the other rows are timed in the same way"


def test_beside_runs_in_torch_the_table_has_the_winner_in_torch_too(tmp_path: Path) -> None:
    ending = an_ending(tmp_path, CAP)
    graph = replace(ending.result, micros=8.0, engine="onnx", agreement=1.0)
    text = shown(show_result(replace(ending, result=graph)))
    assert "an answer 8 us, median" in text and "tiny-1 812 KB 40 us 0.9000" in text


def test_the_winner_stands_beside_the_next_smaller_the_ceiling_and_the_most_frequent_label(tmp_path: Path) -> None:
    text = shown(show_result(an_ending(tmp_path, CAP)))
    assert "next smaller: ngram 34 KB 41 us 0.8500 +0.050 [" in text
    assert "ceiling: large 90.0 MB 43 us 0.9500 -0.050 [" in text
    assert "majority-class baseline - - 0.5000" in text
    assert "3 settings were scored on the selection rows, in 5.2 min stopped after step 14 of 22: the" in text
    told = "trained, but not chosen: ngram 0.8500 (34 KB), ngram quarter 0.8200 (9.0 KB)"
    assert f"left out {told} over the budget" in text
    assert "minilm: needs 22.9 MB, cap 1,000 kB dsn lr=0.1: skipped: 0.71 after a third" in text
    assert "not significantly" not in text


def test_with_folds_all_models_are_compared_as_trained_on_the_same_rows(tmp_path: Path) -> None:
    ending = an_ending(tmp_path, CAP)
    weaker = {"tiny-1": a_run(tmp_path / "folds", 0, ROW < 870), "ngram": a_run(tmp_path / "folds", 1, ROW < 850)}
    for record in weaker.values():
        (tmp_path / "folds" / record.identity).rename(tmp_path / f"{record.identity}-fold")
    on_folds = {name: replace(record, identity=f"{record.identity}-fold") for name, record in weaker.items()}
    folded = replace(ending, plan=replace(ending.plan, folds=5), on_folds=on_folds)
    text = shown(show_result(folded))
    assert "test/accuracy 0.9000 [" in text and "next smaller: ngram 34 KB 41 us 0.8500 +0.020 [" in text
    assert "The winner is trained on all rows, the others on 4 of 5 folds" in text
    assert "trained on all rows" not in shown(show_result(ending))


def test_where_only_time_is_limited_the_next_one_is_the_faster(tmp_path: Path) -> None:
    models = {"slow": ("static", 5.0, ROW < 900), "fast": ("dsn", 20.0, ROW < 800)}
    ending = an_ending(tmp_path, Budget(max_us=100), models)
    slow, fast = ending.scored
    text = shown(show_result(replace(ending, scored=(replace(slow, micros=60.0), replace(fast, micros=10.0)))))
    assert "best: slow" in text and "next faster: fast 20 KB 10 us" in text


def test_a_winner_that_is_not_ahead_of_the_simple_ones_says_so(tmp_path: Path) -> None:
    equal = {**MODELS, "tiny-1": ("tiny", 812.3, (ROW < 846) | (ROW >= 990)), "large": ("large", 90_000.0, ROW < 100)}
    text = shown(show_result(an_ending(tmp_path, CAP, equal)))
    assert "best: tiny-1" in text and "not significantly" not in text, "6 of 6 rows that differ"
    close = {**equal, "tiny-1": ("tiny", 812.3, (ROW < 850) | (ROW >= 993))}
    text = shown(show_result(an_ending(tmp_path / "close", CAP, close)))
    assert "It is not significantly ahead of the n-gram model (+0.007 [" in text and "ceiling" not in text
    text = shown(show_result(an_ending(tmp_path / "won", Budget(max_kb=100), MODELS)))
    assert "best: ngram" in text and "An n-gram model won" in text
    chance = {name: (kind, kb, np.roll(right, seed) & (ROW % 2 > 0)) for seed, (name, (kind, kb, right)) in
              enumerate(MODELS.items())}  # fmt: skip
    text = shown(show_result(an_ending(tmp_path / "chance", CAP, chance)))
    assert "not significantly better than a model that learns nothing" in text


@pytest.mark.parametrize(("least", "said"), [(0.85, "holds"), (0.91, "cannot tell"), (0.96, "does not hold")])
def test_at_least_is_judged_on_rows_that_chose_nothing(tmp_path: Path, least: float, said: str) -> None:
    ending = an_ending(tmp_path, CAP)
    plan = replace(ending.plan, budget=replace(CAP, at_least=least))
    assert f"at_least={least:g} {said} on the reported rows" in shown(show_result(replace(ending, plan=plan)))


def test_an_end_without_a_winner_and_one_without_reported_rows(tmp_path: Path) -> None:
    ending = an_ending(tmp_path, CAP)
    nothing = show_result(replace(ending, choice=None, scored=(), result=replace(ending.result, winner=None)))
    assert nothing[0] == "no winner: stopped after step 14 of 22: the time was up"
    bare = {name: replace(record, metrics={"val/accuracy": 0.9}) for name, record in ending.records.items()}
    text = shown(show_result(replace(ending, records=bare)))
    assert "estimate from the rows it was chosen on, corrected (0.9000 chosen on these 1,000 rows)" in text
    assert ROWS == 1000
