"""The cache answers as the runs' own files do, whatever happened to either."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from runner.compare.analyse import analyse
from runner.compare.pairs import Paired
from runner.compare.select import select_runs
from runner.record import answer_cache
from runner.record.answer_cache import NAME, AnswerCache, Columns
from tests.runner.compare.folders import write_group

NAMES = ("label", "prediction")
RUNS = 3


@pytest.fixture(autouse=True)
def _keeps_few_and_young_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_cache, "WORTH", 1)
    monkeypatch.setattr(answer_cache, "SETTLED_NS", -(10**12))


class Reader:
    """Reads a file of numbers, and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, path: Path, names: tuple[str, ...]) -> Columns:
        self.calls += 1
        found = np.frombuffer(path.read_bytes(), np.int64)
        return {names[0]: np.arange(len(found)) % 2, names[1]: found}, None


def store(output: Path, run: str, values: list[int]) -> Path:
    path = output / run / "predictions-test.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(np.asarray(values, np.int64).tobytes())
    return path


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """The files of some runs, whose answers are kept."""
    found = [store(tmp_path, f"run{number}", [number, -1, 300]) for number in range(RUNS)]
    read_all(tmp_path, found)
    return found


def read_all(output: Path, paths: list[Path]) -> tuple[list[list[int]], int]:
    """Read files by a new cache, which is written; return the answers and how many files were read."""
    cache, reader = AnswerCache(output), Reader()
    found = [cache.read(path, NAMES, reader) for path in paths]
    cache.write()
    assert all(one is not None and one[0]["prediction"].dtype == np.int64 for one in found)
    return [one[0]["prediction"].tolist() for one in found if one], reader.calls


def test_files_that_are_the_same_are_not_read_again(paths: list[Path], tmp_path: Path) -> None:
    assert read_all(tmp_path, paths) == ([[number, -1, 300] for number in range(RUNS)], 0)


def test_the_folder_may_be_the_one_that_the_command_is_given_in(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_all(Path(), [path.relative_to(tmp_path) for path in paths])[1] == 0


def test_a_file_that_was_written_over_is_read_again_though_size_and_time_are_the_same(
    paths: list[Path], tmp_path: Path
) -> None:
    before = paths[1].stat()
    store(tmp_path, "run1", [7, 8, 9])
    os.utime(paths[1], ns=(before.st_atime_ns, before.st_mtime_ns))
    assert paths[1].stat().st_mtime_ns == before.st_mtime_ns and paths[1].stat().st_size == before.st_size
    answers, calls = read_all(tmp_path, paths)
    assert answers[1] == [7, 8, 9] and calls == 1
    assert read_all(tmp_path, paths) == (answers, 0)


def test_a_file_in_the_place_of_another_is_read_and_one_that_is_gone_is_none(paths: list[Path], tmp_path: Path) -> None:
    store(tmp_path, "other", [4, 5, 6]).replace(paths[0])
    assert read_all(tmp_path, paths[:1]) == ([[4, 5, 6]], 1)
    paths[2].unlink()
    assert AnswerCache(tmp_path).read(paths[2], NAMES, Reader()) is None


def test_a_file_that_changed_just_now_is_not_kept(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_cache, "SETTLED_NS", 10**12)
    young = [store(tmp_path, "young", [1, 2])]
    assert [read_all(tmp_path, young)[1] for _ in range(2)] == [1, 1]


def test_few_files_are_not_worth_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_cache, "WORTH", 2)
    read_all(tmp_path, [store(tmp_path, "alone", [1, 2])])
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("damage", ["cut", "empty", "noise", "version", "stamps", "kinds", "lengths"])
def test_a_damaged_cache_is_none_and_is_written_anew(damage: str, paths: list[Path], tmp_path: Path) -> None:
    kept = tmp_path / NAME
    content = kept.read_bytes()
    head = int.from_bytes(content[:8], "big")
    header = json.loads(content[8 : 8 + head])
    if damage == "version":
        header["version"] = 0
    if damage == "stamps":
        header["entries"] = {key: [1, []] for key in header["entries"]}
    for _, places in header["entries"].values():
        if damage == "kinds":
            places[1][1] = "O"
        if damage == "lengths":
            places[1][4] -= 2
    text = json.dumps(header).encode()
    whole = len(text).to_bytes(8, "big") + text + content[8 + head :]
    kept.write_bytes({"cut": content[:-9], "empty": b"", "noise": b"\xff" * 90}.get(damage, whole))
    answers, calls = read_all(tmp_path, paths)
    assert answers == [[number, -1, 300] for number in range(RUNS)] and calls > 0
    assert read_all(tmp_path, paths) == (answers, 0)


def test_what_a_killed_writer_left_is_removed_and_a_cache_that_cannot_be_written_is_no_error(
    paths: list[Path], tmp_path: Path
) -> None:
    (tmp_path / f"{NAME}.1.part").write_bytes(b"half")
    read_all(tmp_path, [*paths, store(tmp_path, "new", [1])])
    assert sorted(path.name for path in tmp_path.glob(f"{NAME}*")) == [NAME]
    (tmp_path / NAME).unlink()
    (tmp_path / NAME / "in the way").mkdir(parents=True)
    assert read_all(tmp_path, paths)[1] == RUNS
    assert sorted(path.name for path in tmp_path.glob(f"{NAME}*")) == [NAME]


def test_processes_that_write_at_once_leave_a_whole_cache(paths: list[Path], tmp_path: Path) -> None:
    new = [store(tmp_path, f"new{number}", [number] * 50_000) for number in range(2)]
    context = multiprocessing.get_context("fork")
    others = [context.Process(target=read_all, args=(tmp_path, [path])) for path in new]
    for other in others:
        other.start()
    for other in others:
        other.join()
        assert other.exitcode == 0
    answers, calls = read_all(tmp_path, [*paths, *new])
    assert answers[RUNS:] == [[0] * 50_000, [1] * 50_000] and calls <= 1, "at most what the first one had read is lost"


def test_runs_that_are_gone_leave_the_cache_when_it_is_written(paths: list[Path], tmp_path: Path) -> None:
    paths[0].unlink()
    read_all(tmp_path, [store(tmp_path, "new", [1])])
    assert not [key for key in AnswerCache(tmp_path)._file.entries if "run0" in key]


def test_equal_columns_are_kept_once_in_the_smallest_type(tmp_path: Path) -> None:
    read_all(tmp_path, [store(tmp_path, f"run{number}", [5] * 10_000) for number in range(RUNS)])
    assert (tmp_path / NAME).stat().st_size < 22_000


def test_lists_and_shares_are_kept_and_texts_are_not(tmp_path: Path) -> None:
    path = store(tmp_path, "run", [1])
    lists: Columns = {"tag": np.array([3, 1, 2]), "share": np.array([0.5, np.nan, 1])}, np.array([0, 1, 3])
    texts: Columns = {"text": np.array(["a"], object)}, None
    first = AnswerCache(tmp_path)
    for names, columns in ((("tag", "share"), lists), (("text",), texts)):
        first.read(path, names, lambda *_, found=columns: found)
    first.write()
    found = AnswerCache(tmp_path).read(path, ("tag", "share"), Reader())
    assert found is not None and found[1] is not None
    assert found[1].tolist() == [0, 1, 3] and found[0]["tag"].tolist() == [3, 1, 2]
    np.testing.assert_array_equal(found[0]["share"], lists[0]["share"])
    reader = Reader()
    AnswerCache(tmp_path).read(path, ("text", "other"), reader)
    assert reader.calls == 1


def test_a_comparison_never_tests_old_answers(tmp_path: Path) -> None:
    def difference() -> Paired:
        row = analyse(select_runs(tmp_path, []), baseline="model=dsn").rows[0]
        assert isinstance(row.paired, Paired)
        return row.paired

    write_group(tmp_path, "model=dsn", right=[150, 150])
    better = write_group(tmp_path, "model=bert-tiny", right=[180, 180])
    first, again = difference(), difference()
    assert (first.p_examples, first.low) == (again.p_examples, again.low) and (tmp_path / NAME).is_file()
    write_group(tmp_path / "other", "model=bert-tiny", right=[180])
    other = next((tmp_path / "other").glob("*/predictions-test.parquet"))
    path = tmp_path / better[1]["identity"] / other.name
    before = path.stat()
    path.write_bytes(other.read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert difference().p_examples != first.p_examples
