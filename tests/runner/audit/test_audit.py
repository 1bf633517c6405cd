"""The whole audit of files whose faults are known."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from data.errors import DataError
from runner.audit.audit import audit_data
from runner.audit.show import show_audit
from runner.commands.reader import with_reader
from runner.config.compose import compose
from runner.config.resolve import resolve
from tests.conftest import REPO
from tests.data.inputs.sounds import write_clips
from tests.runner.audit.tables import audit_file, audit_of, rows_of, write_table


def test_leaks_and_contradictions_have_their_rows(tmp_path: Path) -> None:
    rows = rows_of(200)
    train = write_table(tmp_path / "train.csv", [*rows[:150], (rows[0][0], "good"), (rows[1][0].upper(), "good")])
    test = write_table(tmp_path / "test.csv", [*rows[150:], rows[3], (rows[4][0], "good")])
    val = write_table(tmp_path / "val.csv", rows[190:])
    paths = (f"data.train_path={train}", f"data.val_path={val}", f"data.test_path={test}")
    audit = audit_of(tmp_path, "data=files", *paths)
    of_train = audit.repeats["train"]
    assert (of_train.rows, of_train.repeated, of_train.exact, of_train.contradicting) == (152, 2, 1, 2)
    assert of_train.ceiling == pytest.approx(151 / 152)
    leaks = {(leak.split, leak.inside): leak for leak in audit.leaks}
    assert (leaks["test", "train"].rows, leaks["test", "train"].other_label) == (2, 1)
    assert leaks["test", "train"].examples == ((52, 5), (53, 6))  # lines of the files: the header is the first
    assert (leaks["test", "val"].rows, leaks["val", "train"].rows) == (10, 0)
    assert "data.duplicates=drop" in audit.advice.command.split()


def test_a_rule_for_repeats_is_not_advised_where_these_rows_leave_it_nothing(tmp_path: Path) -> None:
    few = [(f"the same text {number % 4}", "good" if number % 2 else "bad") for number in range(60)]
    assert "data.duplicates" not in audit_file(tmp_path, few).advice.command, "four groups cannot be cut in three"
    many = [(f"the same text {number % 30}", "good" if number % 2 else "bad") for number in range(60)]
    assert "data.duplicates=group" in audit_file(tmp_path, many).advice.command
    paths = [f"data.{name}_path={write_table(tmp_path / f'{name}.csv', few[:20])}" for name in ("train", "test")]
    audit = audit_of(tmp_path, "data=files", *paths)
    assert audit.leaks and "data.duplicates" not in audit.advice.command, "all of train is in test"


def test_incomplete_rows_are_counted_and_the_command_drops_them(tmp_path: Path) -> None:
    audit = audit_file(tmp_path, [*rows_of(60), ("", "good"), ("no label", "")])
    assert audit.dropped == {"train: missing text or label": 2}
    assert sum(audit.splits.values()) == 60
    assert "data.missing=drop" in audit.advice.command.split()
    assert "data.missing=drop" in audit.advice.search.split()


def test_columns_that_are_not_used_are_named(tmp_path: Path) -> None:
    rows = [(str(number), *row, "x") for number, row in enumerate(rows_of(60))]
    path = write_table(tmp_path / "rows.csv", rows, ("id", "text", "label", "date"))
    (source,) = audit_of(tmp_path, "data=files", f"data.path={path}").sources
    assert source.columns == {"text": "text", "label": "label"} and source.unused == ("id", "date")
    assert source.bytes == path.stat().st_size


@pytest.mark.parametrize(
    ("words", "task", "unit"),
    [(("data=demo",), "classification", "rows"), (("data=demo-pairs",), "classification", "rows"),
     (("data=demo", "task=tags"), "tags", "words")],
)  # fmt: skip
def test_built_in_data_need_no_network(tmp_path: Path, words: tuple[str, ...], task: str, unit: str) -> None:
    audit = audit_of(tmp_path, *words, "data.demo_rows=120")
    assert (audit.task.name, audit.labels.unit) == (task, unit)
    assert sum(found.counts["train"] for found in audit.labels.classes) >= audit.splits["train"]
    assert audit.sources == () and not any(leak.rows for leak in audit.leaks)


def test_numbers_have_a_spread_and_no_ceiling(tmp_path: Path) -> None:
    rows = [(text, f"{number / 7:.3f}") for number, (text, _) in enumerate(rows_of(80))]
    audit = audit_file(tmp_path, [*rows, (rows[0][0], "9.5")])
    assert audit.task.name == "regression" and not audit.labels.classes
    assert audit.labels.numbers["train"]["distinct"] == audit.splits["train"]
    assert all(found.ceiling is None for found in audit.repeats.values())


def test_texts_without_labels_have_lengths_and_repeats(tmp_path: Path) -> None:
    audit = audit_file(tmp_path, rows_of(60), "task=mlm", "model=bert-tiny", "data.label=null")
    assert audit.task.name == "mlm" and not audit.labels.classes and not audit.labels.numbers
    assert audit.lengths["train"].words.p50 > 5
    assert not audit.advice.search, "run best has no candidates for texts without labels"
    assert "max_length" not in audit.advice.command, "texts become blocks, whatever their lengths"


def test_a_file_that_is_not_there_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        audit_of(tmp_path, "data=files", f"data.path={tmp_path / 'none.csv'}")


def test_torch_is_not_loaded() -> None:
    code = "import sys, runner.commands.data; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=REPO, check=True)


def test_sounds_are_audited_by_their_seconds_and_samples(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 24)
    (tmp_path / "wav" / "2.wav").write_bytes((tmp_path / "wav" / "0.wav").read_bytes())
    (tmp_path / "wav" / "4.wav").write_bytes(b"no sound")
    words = with_reader(["data=files", f"data.path={path}", "data.audio=path", "data.label=kind", "data.seconds=0.2"])
    assert words[-1] == "model=tiny-sound"
    settings = resolve(compose([*words, f"paths.cache={tmp_path / 'cache'}"]))
    audit = audit_data(settings, words, all_near=False, problems=lambda _: [])
    lines = "\n".join(show_audit(audit))
    assert "classification of sounds" in lines and "repeated sounds (equal samples" in lines
    assert "1 row (train: no sound that can be used)" in lines and "data.missing=drop" in audit.advice.command
    seconds = audit.lengths["train"].seconds
    assert seconds is not None and seconds.p50 == 0.25 and audit.lengths["train"].cut == 1.0
    assert audit.advice.search == "" and not audit.near.looked_at


def test_rows_set_aside_to_calibrate_on_are_counted_and_their_repeats_found(tmp_path: Path) -> None:
    rows = rows_of(200)
    train = write_table(tmp_path / "train.csv", rows[:150])
    apart = write_table(tmp_path / "later.csv", [*rows[150:], rows[3], rows[4]])
    audit = audit_of(tmp_path, "data=files", f"data.path={train}", f"data.calibration={apart}", "model=ngram")
    assert audit.splits["calibration"] == 52 and [source.split for source in audit.sources] == ["train", "calibration"]
    assert sum(found.counts["calibration"] for found in audit.labels.classes) == 52
    leaks = [leak for leak in audit.leaks if leak.split == "calibration"]
    assert sum(leak.rows for leak in leaks) == 2 and audit.near.looked_at["calibration"] > 0
    assert "data.duplicates=drop" in audit.advice.command.split(), "other cuts of train keep no text of that file out"
    lines = list(show_audit(audit))
    head = next(line for line in lines if line.startswith("class "))
    row = next(line for line in lines if line.startswith("  good"))
    assert head.index("calibration") + len("calibration") == row.index(" 26") + 3, "below its title"
    cut = audit_of(tmp_path, "data=files", f"data.path={train}", "data.calibration=0.2", "model=ngram")
    assert cut.splits["calibration"] == 24 and len(cut.sources) == 1


def test_rows_that_train_too_are_no_leak(tmp_path: Path) -> None:
    audit = audit_file(tmp_path, rows_of(120), "data.folds=3", "data.fold=all", "data.calibration=folds", "model=ngram")
    assert audit.splits["val"] and list(audit.repeats) == ["train", "test"] and len(audit.leaks) == 1
    assert not any("data.duplicates" in word for word in audit.advice.command.split())
