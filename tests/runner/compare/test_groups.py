"""Groups over seeds: what is pooled, what never is, and how groups are named."""

from __future__ import annotations

import json
from pathlib import Path

from runner.compare.analyse import analyse
from runner.compare.groups import Group, explain_separate_groups, make_groups
from runner.compare.select import select_runs
from tests.runner.compare.folded import right_rows, write_fold
from tests.runner.compare.folders import write_group, write_run


def groups_in(output: Path) -> list[Group]:
    return make_groups(select_runs(output, []).runs)


def test_runs_that_differ_in_seed_paths_threads_and_tracker_are_one_group(tmp_path: Path) -> None:
    write_run(tmp_path, "model=dsn", seed=0)
    write_run(tmp_path, "model=dsn", "train.threads=2", "paths.output=elsewhere", "tracker.experiment=x", seed=1)
    (group,) = groups_in(tmp_path)
    assert list(group.seeds) == [0, 1] and group.name == "model=dsn data=demo"


def test_a_name_holds_only_what_tells_groups_apart(tmp_path: Path) -> None:
    for model in ("dsn", "bert-tiny"):
        write_run(tmp_path, f"model={model}")
    assert {g.name for g in groups_in(tmp_path)} == {"model=dsn", "model=bert-tiny"}, "not the 20 keys behind a preset"
    write_run(tmp_path, "model=dsn", "optimizer.lr=0.02")
    names = {g.name for g in groups_in(tmp_path)}
    assert names == {
        "model=dsn optimizer.lr=0.005",
        "model=bert-tiny optimizer.lr=0.0003",
        "model=dsn optimizer.lr=0.02",
    }


def test_a_model_without_training_steps_is_not_named_by_an_optimizer(tmp_path: Path) -> None:
    for words in (["model=ngram"], ["model=dsn"], ["model=dsn", "optimizer.lr=0.02"]):
        write_run(tmp_path, *words)
    assert {g.name for g in groups_in(tmp_path)} == {
        "model=ngram",
        "model=dsn optimizer.lr=0.005",
        "model=dsn optimizer.lr=0.02",
    }
    write_run(tmp_path, "model=ngram", "optimizer.lr=0.5", seed=1)
    assert {len(g.runs) for g in groups_in(tmp_path) if g.name == "model=ngram"} == {2}


def test_a_part_of_a_model_that_was_chosen_leads_its_options(tmp_path: Path) -> None:
    for embedding in ("table", "hash", "token_random"):
        write_run(tmp_path, "model=bert-tiny", f"model/embedding={embedding}")
    names = {g.name for g in groups_in(tmp_path)}
    assert names == {"model.embedding=table", "model.embedding=hash", "model.embedding=token_random"}


def test_other_code_or_other_data_is_never_pooled_and_said(tmp_path: Path) -> None:
    write_run(tmp_path, "model=dsn", seed=0)
    write_run(tmp_path, "model=dsn", seed=1, environment={"code_version": "0.0.1"})
    write_run(tmp_path, "model=dsn", seed=2, fingerprint="e" * 64)
    found = groups_in(tmp_path)
    assert sorted(len(group.runs) for group in found) == [1, 1, 1]
    assert len({group.name for group in found}) == 3
    (sentence,) = explain_separate_groups(found)
    assert "not pooled" in sentence and "code_version" in sentence and "data.fingerprint" in sentence


def test_runs_on_other_files_are_named_by_them_and_a_file_may_have_moved(tmp_path: Path) -> None:
    for seed, file, fingerprint in ((0, "a.csv", "a"), (0, "b.csv", "b"), (1, "a.csv", "a"), (2, "moved.csv", "a")):
        record = write_run(tmp_path, "model=dsn", seed=seed, fingerprint=64 * fingerprint)
        record["config"]["data"]["path"] = file
        record["overrides"].append(f"data.path={file}")
        (tmp_path / record["identity"] / "record.json").write_text(json.dumps(record), encoding="utf-8")
    assert {group.name: len(group.runs) for group in groups_in(tmp_path)} == {
        "data.path=a.csv": 3,
        "data.path=b.csv": 1,
    }


def test_other_weights_or_another_tokenizer_are_not_pooled_either(tmp_path: Path) -> None:
    write_run(tmp_path, "model=dsn", seed=0)
    write_run(tmp_path, "model=dsn", seed=1, tokenizer={"fingerprint": "u" * 64})
    write_run(tmp_path, "model=dsn", seed=2, weights={"fingerprint": "w" * 64})
    assert len(groups_in(tmp_path)) == 3


def test_the_order_of_compression_stages_makes_another_group(tmp_path: Path) -> None:
    for seed, stages in enumerate(
        ({}, {"prune": {"share": 0.5}, "int8": {"bits": 8}}, {"int8": {"bits": 8}, "prune": {"share": 0.5}})
    ):
        record = write_run(tmp_path, "model=dsn", seed=seed)
        record["config"]["compression"] = stages
        write_run(tmp_path, "model=dsn", seed=seed, config=record["config"])
    assert {g.name for g in groups_in(tmp_path)} == {
        "compression=none", "compression=[prune,int8]", "compression=[int8,prune]",
    }  # fmt: skip


def test_values_come_in_the_order_of_the_seeds_without_the_runs_that_lack_them(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 160], count=200)
    write_run(tmp_path, "model=dsn", seed=5)
    (group,) = groups_in(tmp_path)
    assert group.values("test/accuracy") == [0.75, 0.8] and group.mean("test/accuracy") == 0.775
    group.runs.reverse()  # made in another order
    again = Group(group.settings, group.runs)
    assert list(again.seeds) == [0, 1, 5] and again.values("test/accuracy") == [0.75, 0.8]
    assert group.mean("test/f1") is None


def test_seeds_of_a_head_are_pooled_although_each_has_an_encoder_that_was_tuned_by_its_own_seed(tmp_path: Path) -> None:
    for seed in (0, 1):
        words = ("model=bertvision", "model/backbone=bert-mini", "model.pretrained=null")
        write_run(tmp_path, *words, seed=seed, weights={"fingerprint": str(seed) * 64})
    assert [len(group.runs) for group in groups_in(tmp_path)] == [2]


def test_every_group_is_a_baseline_by_the_name_that_the_table_gives_it(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150])
    write_group(tmp_path, "model=dsn", "data.name='my set'", fingerprint="e" * 64, right=[150])
    write_group(tmp_path, "model=bert-tiny", "compression=[int8]", right=[150])
    for density in ("0.1", "0.2"):
        words = ("compression=[magnitude,int8]", f"compression.magnitude.density={density}")
        write_group(tmp_path, "model=bert-tiny", *words, right=[150])
    names = [row.group.name for row in analyse(select_runs(tmp_path, [])).rows]
    assert any("compression.magnitude.density=(absent)" in name for name in names)
    for name in names:
        assert [
            row.group.name for row in analyse(select_runs(tmp_path, []), baseline=name).rows if row.is_baseline
        ] == [name]


def test_folds_of_a_search_that_are_untimed_and_report_few_rows_are_with_the_first_one(tmp_path: Path) -> None:
    for model in ("dsn", "bert-tiny"):
        write_fold(tmp_path, model, 0, right_rows(0.8, 1))
        for fold in range(1, 5):
            write_fold(tmp_path, model, fold, right_rows(0.8, 1), few="f" * 64)
    groups = groups_in(tmp_path)
    assert {group.name: len(group.values("val/accuracy")) for group in groups} == {"model=dsn": 5, "model=bert-tiny": 5}
    assert groups[0].values("test/accuracy") == [0.5], "the others report other rows"
    for fold in range(1, 5):  # of the same recipe on data that have changed: whose first fold is it?
        write_fold(tmp_path, "dsn", fold, right_rows(0.8, 1), few="9" * 64)
    found = [group for group in groups_in(tmp_path) if group.settings["model.name"] == "dsn"]
    assert sorted(len(group.runs) for group in found) == [1, 4, 4]
