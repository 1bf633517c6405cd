"""`run show`: a run, or the runs of a sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands.show import main
from runner.errors import ConfigError
from tests.runner.compare.folders import write_group, write_sweep


def test_a_sweep_is_shown_by_its_runs_its_report_and_what_is_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150, 152])
    write_sweep(tmp_path, records, status="done")
    (tmp_path / "sweeps/0123456789/report.html").write_text("", encoding="utf-8")
    for name in ("a_sweep", "01234"):
        assert main([name, f"paths.output={tmp_path}"]) == 0
        said = capsys.readouterr().out
        assert said.startswith("sweep a_sweep (0123456789, done): 2 done\nwhich?\n") and "0.7550" in said
        assert f"report: {tmp_path}/sweeps/0123456789/report.html\nnext: run predict {records[1]['identity']}" in said


def test_a_run_that_a_search_paused_counts_as_paused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (record,) = write_group(tmp_path, "model=dsn", right=[150])
    cut = {"identity": "9e6c4c929a", "status": "killed", "reason": "paused after epoch 4 of 12", "overrides": []}
    write_sweep(tmp_path, [record, cut], status="done")
    assert main(["a_sweep", f"paths.output={tmp_path}"]) == 0
    assert "(0123456789, done): 1 done, 1 paused\n" in capsys.readouterr().out


def test_a_run_comes_before_a_sweep_of_the_same_beginning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (record,) = write_group(tmp_path, "model=dsn", right=[150])
    write_sweep(tmp_path, [record], id=f"{record['identity'][:4]}abcdef")
    for name in (record["identity"][:4], "latest"):
        assert main([name, f"paths.output={tmp_path}"]) == 0
        assert capsys.readouterr().out.startswith(f"dsn demo seed=0  ({record['identity']}, done)")


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150])
    with pytest.raises(ConfigError, match=r"no run starts with '\*x'"):
        main(["*x", f"paths.output={tmp_path}"])
