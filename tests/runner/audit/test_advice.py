"""Each setting that is advised has its reason, and the command can run."""

from __future__ import annotations

import shlex
from pathlib import Path

from runner.audit.audit import audit_data
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve
from tests.runner.audit.tables import audit_file, audit_of, rows_of, write_table


def test_the_longest_length_is_the_95_percent_length_rounded_up(tmp_path: Path) -> None:
    audit = audit_file(tmp_path, rows_of(80))
    tokens = audit.lengths["train"].tokens
    assert tokens is not None and 0 < tokens.p95 <= 32
    wanted = 16 if tokens.p95 <= 16 else 32
    assert f"data.max_length={wanted}" in audit.advice.command.split()
    assert "data.max_length" not in audit.advice.search


def test_the_command_is_the_users_with_a_model_and_can_run(tmp_path: Path) -> None:
    path = write_table(tmp_path / "my rows (1).csv", rows_of(60))
    word = f"data.path='{path}'"
    audit = audit_of(tmp_path, "data=files", word, "paths.output=elsewhere")
    verb, *words = shlex.split(audit.advice.command)
    assert verb == "run" and words[:3] == ["model=dsn", "data=files", word]
    assert not any(one.startswith("paths.") for one in words)
    assert check_overrides(words) == []


def test_a_setting_of_the_user_is_not_replaced(tmp_path: Path) -> None:
    audit = audit_file(tmp_path, rows_of(80), "data.max_length=99", "model=bert-tiny", "model.pretrained=null")
    assert "data.max_length=99" in audit.advice.command and audit.advice.command.count("max_length") == 1
    assert audit.advice.command.startswith("run data=files")


def test_texts_of_one_file_that_leak_are_kept_together(tmp_path: Path) -> None:
    audit = audit_file(tmp_path, rows_of(40) * 3)
    assert "data.duplicates=group" in audit.advice.command.split()


def test_texts_that_a_column_of_folds_splits_are_dropped_since_groups_would_not_keep_them_together(
    tmp_path: Path,
) -> None:
    rows = [(*row, str(number // 40)) for number, row in enumerate(rows_of(120))]
    rows += [(*row, "1") for row in rows_of(20)]  # texts of part 0
    path = write_table(tmp_path / "rows.csv", rows, ("text", "label", "part"))
    audit = audit_of(tmp_path, "data=files", f"data.path={path}", "data.fold_column=part", "data.fold=1")
    words = audit.advice.command.split()
    assert "data.duplicates=drop" in words and "data.duplicates=group" not in words


def test_no_setting_is_advised_for_texts_that_two_held_out_files_have_in_common(tmp_path: Path) -> None:
    train, test = (
        write_table(tmp_path / f"{part}.csv", rows_of(80)[at : at + 40]) for part, at in (("a", 0), ("b", 40))
    )
    audit = audit_of(
        tmp_path, "data=files", f"data.train_path={train}", f"data.val_path={test}", f"data.test_path={test}"
    )
    assert any(leak.rows == 40 for leak in audit.leaks) and "data.duplicates" not in audit.advice.command


def test_a_large_class_asks_for_another_score(tmp_path: Path) -> None:
    rows = [(text, "rare" if row % 12 == 0 else "usual") for row, (text, _) in enumerate(rows_of(240))]
    audit = audit_file(tmp_path, rows)
    assert audit.labels.classes[0].name == "usual" and audit.labels.majority["test"] > 0.8
    assert "data.metrics=[f1_macro,accuracy]" in shlex.split(audit.advice.command)
    split, share = max(audit.labels.majority.items(), key=lambda one: one[1])
    assert any(f"{share:.0%} of {split} are of one class" in reason for reason in audit.advice.reasons)


def test_texts_longer_than_any_advised_length_are_read_at_both_ends(tmp_path: Path) -> None:
    rows = [(f"{text} {'so ' * 600}", label) for text, label in rows_of(60)]
    audit = audit_file(tmp_path, rows)
    assert {"data.max_length=512", "data.truncate=middle"} <= {*audit.advice.command.split()}
    assert "data.truncate" not in audit.advice.search
    assert "data.truncate" not in audit_file(tmp_path, rows_of(80)).advice.command


def test_what_a_file_of_settings_names_is_kept_and_a_search_gets_its_data_as_words(tmp_path: Path) -> None:
    words, of_files = ["experiment=mine"], ["data=demo", "data.demo_rows=90", "data.max_length=48"]
    settings = resolve(compose([*of_files, f"paths.cache={tmp_path}", "model.tokenizer=train"]))
    audit = audit_data(settings, words, of_files, all_near=False, problems=lambda _: [])
    assert audit.advice.command == "run experiment=mine", "neither its model nor its length is replaced"
    assert audit.advice.search == "run best data=demo data.demo_rows=90 data.max_length=48 max_kb=1000"


def test_a_search_names_the_data_that_a_run_has_by_default(tmp_path: Path) -> None:
    audit = audit_of(tmp_path, "data.demo_rows=90")
    assert audit.advice.search == "run best data=demo data.demo_rows=90 max_kb=1000"
