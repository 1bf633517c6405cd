"""The ledger of a sweep's claims: arms and seeds, verdicts, and what speaks against a number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.commands.compare import main
from runner.compare.ledger import COLUMNS
from runner.errors import ConfigError
from runner.record.baseline import MAJORITY, NGRAM, NGRAM_BYTES
from tests.runner.compare.folders import answers_with, write_group, write_run, write_sweep

CLAIM = {
    "claim": "DSN is as good | as a tiny BERT", "source": "a paper", "metric": "test/accuracy", "kind": "difference",
    "where": {"model": "dsn"}, "versus": {"model": "bert-tiny"}, "value": -0.01, "tolerance": 0.0, "why": None,
}  # fmt: skip
OF_ONE = {"kind": "value", "versus": None}  # a claim about one group


def printed(capsys: pytest.CaptureFixture[str], output: Path) -> list[list[str]]:
    """The rows of the table that is printed."""
    assert main(["a_sweep", "--format", "ledger", f"paths.output={output}"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.replace("\\|", "/").strip("|").split("|")] for line in lines]


def test_a_line_has_arms_seeds_verdict_and_objections(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = write_group(
        tmp_path, "model=dsn", "data.max_rows=500", right=[150, 152, 151], metrics={"train/steps": 30}
    )
    records += write_group(tmp_path, "model=bert-tiny", right=[149, 150], metrics={"train/steps": 20})
    claims = [CLAIM | {"objections": ["random weights, the paper's were trained"]}]
    write_sweep(tmp_path, records, status="done", claims=claims, question="Which is better?")
    titles, _, line = printed(capsys, tmp_path)
    assert titles == [*COLUMNS]
    claim, published, measured, arms, verdict, objections = line
    assert claim == "DSN is as good / as a tiny BERT"
    assert published == "test/accuracy difference -0.01 (a paper)"
    assert measured.startswith("0.0075 (") and verdict.startswith("**")
    assert "dsn" in arms and arms.count("(seeds 0, 1)") == 2, "the third seed of one arm has no pair"
    assert "random weights, the paper's were trained" in objections
    assert "an arm of 2 seeds" in objections and "at most 500 training rows" in objections
    assert "the arms took different numbers of steps" in objections


def test_an_arm_has_only_the_seeds_that_a_number_comes_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150, 152, 151])
    records.append(write_run(tmp_path, "model=dsn", seed=3, metrics={"test/accuracy": 0.75, "probe/pos_accuracy": 0.7}))
    write_sweep(tmp_path, records, status="done", claims=[CLAIM | OF_ONE | {"metric": "probe/pos_accuracy"}])
    _, _, line = printed(capsys, tmp_path)
    assert "(seed 3)" in line[3] and line[4].startswith("**undecided") and "an arm of one seed" in line[5]


def test_arms_that_share_one_seed_are_a_single_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150, 152, 190])
    for seed in (2, 3, 4):
        labels, answers = answers_with(150, 200, seed)
        records.append(write_run(tmp_path, "model=bert-tiny", seed=seed, labels=labels, answers=answers))
    write_sweep(tmp_path, records, status="done", claims=[CLAIM])
    _, _, line = printed(capsys, tmp_path)
    assert line[3].count("(seed 2)") == 2 and "an arm of one seed" in line[5]
    assert line[4].startswith("**undecided") and "1 pair of seeds" in line[4]


def test_conditions_on_other_data_may_take_other_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = []
    for rows, steps in ((500, 30), (400, 20)):
        for model in ("dsn", "bert-tiny"):
            words = [f"model={model}", f"data.max_rows={rows}"]
            records += write_group(tmp_path, *words, right=[150, 152, 151], metrics={"train/steps": steps})
    parts = [
        {key: CLAIM[key] for key in ("metric", "kind", "value", "tolerance")}
        | {side: {"model": model, "data.max_rows": rows} for side, model in (("where", "dsn"), ("versus", "bert-tiny"))}
        for rows in (500, 400)
    ]
    write_sweep(tmp_path, records, status="done", claims=[{"claim": "as good on both", "all": parts, "why": None}])
    _, _, line = printed(capsys, tmp_path)
    assert line[3].count("(seeds 0, 1, 2)") == 4
    assert "different numbers of steps" not in line[5]


@pytest.mark.parametrize(("metric", "is_objection"), [("test/accuracy", True), ("speed/answer_us_p50", False)])
def test_other_steps_few_rows_and_little_learned_are_objections_to_a_score_and_not_to_a_time(
    metric: str, is_objection: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = []
    for model, steps in (("dsn", 30), ("bert-tiny", 20)):
        metrics = {"train/steps": steps, "speed/answer_us_p50": 100.0, MAJORITY: 0.75}
        metrics |= {"test/accuracy_low": 0.70, "test/accuracy_high": 0.80}
        records += write_group(tmp_path, f"model={model}", "data.max_rows=90", right=[150, 152, 151], metrics=metrics)
    write_sweep(tmp_path, records, status="done", claims=[CLAIM | {"metric": metric}])
    _, _, line = printed(capsys, tmp_path)
    few = ("the arms took different numbers of steps", "at most 90 training rows", "model=dsn is at baseline")
    for objection in few:
        assert (objection in line[5]) == is_objection


def test_the_scores_that_need_no_encoder_stand_above_the_claims(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = {MAJORITY: 0.5, NGRAM: 0.74, NGRAM_BYTES: 200_000}
    records = write_group(tmp_path, "model=dsn", right=[150, 152], metrics=metrics)
    write_sweep(tmp_path, records, status="done", claims=[CLAIM | OF_ONE])
    assert main(["a_sweep", "--format", "ledger", f"paths.output={tmp_path}"]) == 0
    line = capsys.readouterr().out.partition("For comparison: ")[2].splitlines()[0]
    majority, ngram = line.split("; ")
    assert majority.startswith("majority-class baseline 0.5000 (test/accuracy on ")
    assert ngram.startswith("n-gram baseline 0.7400 (test/accuracy on ") and ngram.endswith(", 0.20 MB).")


def test_runs_that_never_reach_a_target_are_objections(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = []
    for model, curves in (("bert-tiny", [[0.5, 0.9, 0.9, 0.9, 0.9]] * 3), ("dsn", [[0.5] * 5, [0.9] * 5, [0.6] * 5])):
        found = write_group(tmp_path, f"model={model}", "train.evals=5", right=[150] * 3, metrics={"train/steps": 50})
        for record, scores in zip(found, curves):
            points = [{"step": 10 * i, "time": 0.0, "val/accuracy": score} for i, score in enumerate(scores, 1)]
            path = tmp_path / str(record["identity"]) / "metrics.jsonl"
            path.write_text("".join(json.dumps(point) + "\n" for point in points), encoding="utf-8")
        records += found
    faster = {"metric": "time/steps_to_target", "kind": "ratio", "value": 1.67, "where": {"model": "bert-tiny"}}
    claims = [CLAIM | faster | {"versus": {"model": "dsn"}}]
    write_sweep(tmp_path, records, status="done", claims=claims, baseline={"model.name": "bert-tiny"})
    _, _, line = printed(capsys, tmp_path)
    assert "2 of 3 runs of model=dsn never reached the target, and count all their steps" in line[5]
    assert line[5].count("never reached") == 1, "all runs of the baseline did"


def test_one_teacher_for_several_seeds_is_an_objection(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taught = ["compression=[distil]", "compression.distil.teacher=0123456789"]
    for seeds, is_said in ((1, False), (3, True)):
        records = write_group(tmp_path / str(seeds), "model=dsn", *taught, right=[150, 152, 151][:seeds])
        records += write_group(tmp_path / str(seeds), "model=bert-tiny", right=[149, 150, 148][:seeds])
        write_sweep(tmp_path / str(seeds), records, status="done", claims=[CLAIM])
        _, _, line = printed(capsys, tmp_path / str(seeds))
        assert ("one teacher for all seeds" in line[5]) == is_said


def test_several_claims_are_not_corrected_for_their_number_and_the_ledger_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150, 152, 151])
    records += write_group(tmp_path, "model=bert-tiny", right=[149, 150, 148])
    for claims, said in (([CLAIM], ""), ([CLAIM, CLAIM], " without a correction for the 2 claims")):
        write_sweep(tmp_path, records, status="done", claims=claims)
        assert main(["a_sweep", "--format", "ledger", f"paths.output={tmp_path}"]) == 0
        printed_text = capsys.readouterr().out
        assert said in printed_text and ("correction" in printed_text) == bool(said)


def test_runs_that_did_not_finish_are_named_above_the_claims(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150, 152, 151])
    write_sweep(tmp_path, records, status="done", claims=[CLAIM | OF_ONE])
    assert main(["a_sweep", "--format", "ledger", f"paths.output={tmp_path}"]) == 0
    assert "did not finish" not in capsys.readouterr().out

    failed = [write_run(tmp_path, "model=dsn", seed=seed, status="failed", reason="not finite") for seed in (3, 4)]
    never = [
        {"identity": f"{i:010}", "overrides": [f"seed={i}"], "status": "new", "reason": None} for i in range(5, 12)
    ]
    for more, said in (
        (failed[:1], "1 run did not finish and is in no number below: `model=dsn "),
        ([*failed, *never], "9 runs did not finish and are in no number below: `model=dsn "),
    ):
        write_sweep(tmp_path, [*records, *more], status="failed", claims=[CLAIM | OF_ONE])
        assert main(["a_sweep", "--format", "ledger", f"paths.output={tmp_path}"]) == 0
        (line,) = [line for line in capsys.readouterr().out.splitlines() if "did not finish" in line]
        assert line.startswith(said) and "seed=3` (" in line and "not finite" in line
        assert line.endswith("; 1 more.") == (len(more) > 8)


def test_a_claim_without_runs_is_a_line_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150, 152, 151])
    write_sweep(tmp_path, records, status="done", claims=[CLAIM])
    _, _, line = printed(capsys, tmp_path)
    assert line[2:4] == ["-", "-"] and line[4].startswith("**not testable here**")


def test_objections_that_are_no_texts_and_sweeps_without_claims_are_refused(tmp_path: Path) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150])
    write_sweep(tmp_path, records, status="done", claims=[CLAIM | {"objections": "one"}])
    with pytest.raises(ConfigError, match="`objections` is a list of texts"):
        main(["a_sweep", "--format", "ledger", f"paths.output={tmp_path}"])
    write_sweep(tmp_path, records, status="done", claims=[])
    with pytest.raises(ConfigError, match="states no claims"):
        main(["a_sweep", "--format", "ledger", f"paths.output={tmp_path}"])


def test_the_command_makes_the_same_runs_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150, 152, 151])
    given = ["+sweep=a_sweep", "data=mnli", "sweep.size=10", "tracker=none", f"paths.output={tmp_path}"]
    write_sweep(tmp_path, records, status="done", claims=[CLAIM], overrides=given)
    assert main(["a_sweep", "--format", "ledger", f"paths.output={tmp_path}"]) == 0
    assert "`run -m +sweep=a_sweep data=mnli`; 3 runs" in capsys.readouterr().out
