"""Which runs a command names, and what it answers when it names none."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.compare.select import is_value, select_runs, setting_matcher, setting_words
from runner.errors import ConfigError
from runner.record.added_metrics import add_metrics
from tests.runner.compare.folders import write_group, write_run, write_sweep


def test_all_finished_runs_are_chosen_and_the_others_are_listed_with_their_reason(tmp_path: Path) -> None:
    done = write_run(tmp_path, "model=dsn")
    failed = write_run(tmp_path, "model=dsn", seed=1, status="failed", reason="ValueError: diverged")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "record.json").write_text("{")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "record.json").write_text('{"identity": "half"}')
    found = select_runs(tmp_path, [])
    assert [run.identity for run in found.runs] == [done["identity"]]
    assert sorted(found.left_out) == sorted(
        [
            (failed["identity"], "failed: ValueError: diverged"),
            ("broken", "its record.json is damaged: it holds no JSON object"),
            ("half", "its record.json is damaged: status is missing, expected one of running, done, failed, killed"),
        ]
    )


def test_filters_take_several_values_and_group_names(tmp_path: Path) -> None:
    for model in ("dsn", "bert-tiny", "bert-mini"):
        for rate in ("1e-3", "0.01"):
            write_run(tmp_path, f"model={model}", f"optimizer.lr={rate}")
    names = {run.settings["model.name"] for run in select_runs(tmp_path, ["model=dsn,bert-mini"]).runs}
    assert names == {"dsn", "bert-mini"}
    (run,) = select_runs(tmp_path, ["model=dsn", "optimizer.lr=0.001"]).runs
    assert run.settings["optimizer.lr"] == 0.001
    write_run(tmp_path, "model=dsn", "compression=[int8]")
    write_run(tmp_path, "model=bert-tiny", "compression=[magnitude,int8]")
    chosen = select_runs(tmp_path, ["model=dsn,bert-tiny", "compression=[none],[magnitude,int8]"]).runs
    assert [run.settings["compression"] for run in chosen].count([]) == len(chosen) - 1 == 4, "as a sweep is typed"


def test_ids_and_sweeps_by_name_or_id_can_be_mixed(tmp_path: Path) -> None:
    one, two = write_group(tmp_path, "model=dsn", right=[150, 151])
    other = write_run(tmp_path, "model=bert-tiny")
    write_sweep(tmp_path, [one, two])
    for name in ("a_sweep", "0123"):
        chosen = select_runs(tmp_path, [name])
        assert {run.identity for run in chosen.runs} == {one["identity"], two["identity"]}
        assert chosen.sweep is not None and chosen.sweep.question == "which?"
    mixed = select_runs(tmp_path, ["a_sweep", other["identity"][:6], "seed=0"])
    assert {run.identity for run in mixed.runs} == {one["identity"], other["identity"]}


def test_a_sweep_made_in_parts_says_how_to_compare_all_of_them(tmp_path: Path) -> None:
    one, two, three = write_group(tmp_path, "model=dsn", right=[150, 151, 152])
    killed = write_run(tmp_path, "model=bert-tiny", status="killed")
    for identity, day, records in (
        ("0000000001", 1, [one, two]),
        ("0000000002", 2, [two]),
        ("0000000003", 3, [killed]),
    ):
        write_sweep(tmp_path, records, id=identity, started=f"2026-01-0{day}")
    newest = write_sweep(tmp_path, [three], id="0000000004", started="2026-01-04")
    found = select_runs(tmp_path, [newest["name"]])
    assert [run.identity for run in found.runs] == [three["identity"]]
    assert found.notes == [
        "this is the newest sweep named a_sweep; earlier ones have 2 more finished runs. "
        "All together: run compare 0000000001 0000000002 0000000004"
    ], "the third adds nothing that is finished"
    together = select_runs(tmp_path, found.notes[0].partition("run compare ")[2].split())
    assert len(together.runs) == 3 and together.notes == [] and together.sweep is not None
    assert together.sweep.id == newest["id"], "the claims are those of the newest"


def test_jobs_of_a_sweep_that_left_no_record_are_named(tmp_path: Path) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150])
    lost = {"identity": None, "overrides": ["model=dsn", "seed=7"], "status": "killed", "reason": "signal 9"}
    sweep = write_sweep(tmp_path, records)
    write_sweep(tmp_path, records, runs=[*sweep["runs"], lost])
    assert select_runs(tmp_path, ["a_sweep"]).left_out == [("model=dsn seed=7", "killed: signal 9")]


def test_a_suggested_setting_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    write_run(tmp_path, "model=bert-tiny", "compression=[magnitude,int8]")
    with pytest.raises(ConfigError, match=r"Try: run compare 'compression=\[magnitude,int8\]'$"):
        select_runs(tmp_path, ["compression=[int4]"])


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["modle=dsn"], "did you mean model"),
        (["model=bert"], "recorded values of model.name: dsn. Try: run compare model=dsn"),
        (["nosuchsweep"], "Sweeps: 0123456789"),
        (["model.nam=dsn"], "did you mean model.name"),
    ],
)
def test_a_word_that_names_nothing_gets_one_message_with_the_cure(words: list[str], cure: str, tmp_path: Path) -> None:
    write_sweep(tmp_path, write_group(tmp_path, "model=dsn", right=[150, 151]))
    with pytest.raises(ConfigError) as caught:
        select_runs(tmp_path, words)
    assert cure in str(caught.value) and "\n" not in str(caught.value)


def test_an_empty_folder_sends_to_the_demo(tmp_path: Path) -> None:
    for words in ([], ["abc"], ["model=dsn"]):
        with pytest.raises(ConfigError, match="run demo"):
            select_runs(tmp_path, words)


def test_only_failed_runs_are_not_a_comparison(tmp_path: Path) -> None:
    write_run(tmp_path, "model=dsn", status="failed", reason="ValueError: diverged")
    with pytest.raises(ConfigError, match=r"none of the selected runs.*diverged"):
        select_runs(tmp_path, [])


@pytest.mark.parametrize(
    ("value", "text", "equal"),
    [
        (0.001, "1e-3", True), (0.001, "0.002", False), (None, "null", True), (True, "true", True),
        (True, "True", True), (1, "1.0", True),
        (["int8"], "[int8]", True), (["int8"], "int8", True), (["a", "b"], "[a, b]", True), ([], "none", True),
        ("dsn", "ds", False), (True, "1", False), ("/a/0123456789/model", "0123456789", True),
    ],
)  # fmt: skip
def test_values_compare_as_typed_on_the_command_line(value: object, text: str, equal: bool) -> None:
    assert is_value(value, text) is equal


def test_a_file_with_a_comma_in_its_name_is_found_and_a_list_is_not_taken_for_one_value() -> None:
    settings = {"data.path": "my file, new=1.csv", "compression": ["magnitude", "int8"]}
    assert setting_matcher("data.path=my file, new=1.csv", [settings])(settings)
    assert setting_matcher("data.path=other.csv,my file, new=1.csv", [settings])(settings) is False
    assert not setting_matcher("compression=magnitude,int8", [settings])(settings), "either of two chains of one"


def test_metrics_that_were_measured_after_a_run_are_among_its_own(tmp_path: Path) -> None:
    record = write_run(tmp_path, "model=dsn")
    add_metrics(tmp_path / record["identity"], record["started"], {"probe/semantic_accuracy": 0.7})
    (run,) = select_runs(tmp_path, []).runs
    assert run.metrics["probe/semantic_accuracy"] == 0.7


def test_a_recorded_value_is_not_split_where_another_setting_seems_to_begin() -> None:
    path, teacher = "/data/a, x=1.csv", "model=dsn data=imdb"
    known = [{"model.name": "dsn", "data.path": path, "compression.distil.teacher": teacher, "seed": 0}]
    words = ["model=dsn", f"data.path={path}", f"compression.distil.teacher={teacher}"]
    for joined in (" ".join(words), ", ".join(words), ",".join([*words[1:], words[0]])):
        assert sorted(setting_words(joined, known)) == sorted(words)
    assert setting_words("model=dsn, sed=0", known) == ["model=dsn", "sed=0"]
