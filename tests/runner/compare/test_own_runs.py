"""Runs that each build on a run of their own seed are repeats of one recipe."""

from __future__ import annotations

from pathlib import Path

from runner.compare.groups import Group, make_groups
from runner.compare.own_runs import shares_a_teacher
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_run


def groups_in(output: Path) -> list[Group]:
    return make_groups(select_runs(output, []).runs)


def write_student(output: Path, teachers: list[str], seed: int) -> None:
    teacher = teachers[min(seed, len(teachers) - 1)]
    write_run(output, "model=dsn", "compression=[distil]", f"compression.distil.teacher={teacher}", seed=seed)


def sizes_of_students(output: Path) -> list[int]:
    return sorted(len(group.runs) for group in groups_in(output) if group.settings["model.name"] == "dsn")


def test_seeds_whose_teachers_differ_in_the_seed_alone_are_one_group(tmp_path: Path) -> None:
    teachers = [str(write_run(tmp_path, "model=bert-tiny", seed=seed)["identity"]) for seed in range(3)]
    for seed in range(3):
        write_student(tmp_path, teachers, seed)
    assert sizes_of_students(tmp_path) == [3]
    students = [run for run in select_runs(tmp_path, []).runs if run.record.config["model"]["name"] == "dsn"]
    assert not shares_a_teacher(students)
    write_student(tmp_path, teachers[:1], 3)
    assert shares_a_teacher(select_runs(tmp_path, []).runs)


def test_teachers_of_other_recipes_or_seeds_keep_groups_apart(tmp_path: Path) -> None:
    others = [("model=bert-tiny", 0), ("model=bert-mini", 1)]
    teachers = [str(write_run(tmp_path, word, seed=seed)["identity"]) for word, seed in others]
    for seed in range(3):
        write_student(tmp_path, teachers, seed)
    assert sizes_of_students(tmp_path) == [1, 2], "seeds 1 and 2 have one teacher, of another recipe than seed 0"


def test_runs_that_begin_with_the_weights_of_their_own_seed_are_one_group(tmp_path: Path) -> None:
    for seed in range(2):
        first = str(write_run(tmp_path, "model=bert-tiny", "model.pretrained=null", seed=seed)["identity"])
        (tmp_path / first / "model").mkdir()
        words = [f"model.pretrained={first}", f"paths.output={tmp_path}", "model.readout.name=mean"]
        write_run(
            tmp_path, "model=bert-tiny", *words, seed=seed, weights={"source": first, "fingerprint": f"{seed}" * 64}
        )
    groups = [group for group in groups_in(tmp_path) if group.settings["model.pretrained"]]
    assert [sorted(group.seeds) for group in groups] == [[0, 1]]


def test_two_stages_of_one_run_may_have_one_teacher(tmp_path: Path) -> None:
    teachers = [str(write_run(tmp_path, "model=bert-tiny", seed=seed)["identity"]) for seed in range(2)]
    for seed, teacher in enumerate(teachers):
        named = [f"compression.{stage}.teacher={teacher}" for stage in ("distil", "distil_unlabelled")]
        more = "compression.distil_unlabelled.unlabelled=imdb:unsupervised"
        write_run(tmp_path, "model=dsn", "compression=[distil,distil_unlabelled]", *named, more, seed=seed)
    assert sizes_of_students(tmp_path) == [2]
    assert not shares_a_teacher([run for run in select_runs(tmp_path, []).runs if run.record.compression])
