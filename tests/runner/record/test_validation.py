"""Records, points and sweeps that the runner did not write are refused in a line; what they name is not run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.commands import show
from runner.compare.select import select_runs
from runner.config.from_run import expand_from
from runner.errors import ConfigError
from runner.record.folder import find_record, read_record
from runner.record.learning_curve import points
from runner.record.sweep_record import find_sweep
from runner.record.validation import point, problem_of_record
from runner.report.points import read_points
from runner.track.errors import TrackError
from runner.track.folder import MirrorState, milliseconds, read_state, record_to_mirror
from runner.track.folder import read_points as tracked
from tests.records import read
from tests.runner.compare.folders import write_run, write_sweep


def edit(folder: Path, change: Callable[[dict[str, Any]], object], name: str = "record.json") -> None:
    """Change a record in place."""
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    change(content)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


REPORT = {"classes": ["a"], "support": [1], "predicted": [1], "precision": [1.0], "recall": [1.0], "f1": [1.0]}
CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a metric that is text": (
        lambda r: r["metrics"].update({"test/accuracy": "good"}),
        "metrics.test/accuracy is 'good'",
    ),
    "a metric beyond floats": (lambda r: r["metrics"].update({"cost/params": 10**400}), "expected a number"),
    "columns of labels that are no numbers": (
        lambda r: r["data"].update(label_columns=["all"]),
        "data.label_columns.0 is 'all', expected a whole number",
    ),
    "no metrics": (lambda r: r.pop("metrics"), "metrics is missing"),
    "overrides that are no list": (lambda r: r.update(overrides="seed=1"), "overrides is 'seed=1'"),
    "a seed that is text": (lambda r: r["config"].update(seed="0"), "config.seed is '0', expected a whole number"),
    "another status": (lambda r: r.update(status="fine"), "expected one of running, done, failed, killed"),
    "an unknown score": (lambda r: r["data"].update(primary="x"), "unknown metric 'x'"),
    "stages that are no objects": (lambda r: r.update(stages=["train"]), "stages.0 is 'train', expected an object"),
    "a positive class that is a number": (lambda r: r["data"].update(positive=1), "data.positive is '1'"),
    "a report without its classes": (lambda r: r.update(reports={"test": {}}), "reports.test.classes is missing"),
    "a confusion that is no matrix": (
        lambda r: r.update(reports={"test": {**REPORT, "confusion": [1]}}),
        "reports.test.confusion.0 is '1'",
    ),
    "a fingerprint that is a number": (lambda r: r["data"].update(fingerprint=1.5), "expected a text"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_record_that_the_runner_did_not_write_is_refused_by_name(case: str, tmp_path: Path) -> None:
    change, expected = CHANGES[case]
    identity = str(write_run(tmp_path, "model=dsn", labels=[0, 1], answers=[0, 1])["identity"])
    assert problem_of_record(read(tmp_path / identity) or {}) is None
    edit(tmp_path / identity, change)
    assert read_record(tmp_path / identity) is None
    with pytest.raises(ConfigError, match=r"record\.json is damaged: .*Repair it") as raised:
        find_record(tmp_path, identity)
    assert expected in str(raised.value)
    with pytest.raises(TrackError, match="is damaged"):
        record_to_mirror(tmp_path / identity)
    with pytest.raises(ConfigError, match="none of the selected runs"):
        select_runs(tmp_path, [])


def test_a_run_is_what_its_folder_is_called_so_no_path_leads_out(tmp_path: Path) -> None:
    identity = str(write_run(tmp_path, "model=dsn")["identity"])
    edit(tmp_path / identity, lambda record: record.update(identity="../../etc"))
    assert find_record(tmp_path, None).identity == identity
    assert [run.folder for run in select_runs(tmp_path, []).runs] == [tmp_path / identity]


def test_show_bears_a_record_of_older_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    identity = str(write_run(tmp_path, "model=dsn", labels=[0, 1], answers=[0, 1])["identity"])
    edit(tmp_path / identity, lambda r: r.update(stages=[{"name": "\x1b[2J[b]", "metrics": {}}] * 2, name="\x1b[31mx"))
    assert show.main([identity, f"paths.output={tmp_path}"]) == 0
    assert "\\x1b[2J[b]" in (out := capsys.readouterr().out) and "\x1b" not in out


def test_damaged_points_are_passed_over_everywhere(tmp_path: Path) -> None:
    record = write_run(tmp_path, "model=dsn")
    folder = tmp_path / str(record["identity"])
    good = '{"step": 3, "time": 1.0, "val/accuracy": 0.5}'
    bad = ["[1]", "{", "null", '{"step": "3", "time": 0}', '{"step": 1e400, "time": 0}', '{"time": 0}', "[" * 100_000,
           f'{{"step": 1, "time": 0, "val/accuracy": {"9" * 400}}}', '{"step": -1, "time": 0}', "\udcff"]  # fmt: skip
    text = "\n".join([*bad, good, good.replace("3", "4")]) + "\n"
    (folder / "metrics.jsonl").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert [point(line) for line in bad] == [None] * len(bad)
    assert points(folder, "val/accuracy") == {3: 0.5, 4: 0.5}
    assert read_points(folder) == {"val/accuracy": [(3, 0.5), (4, 0.5)]}
    assert [logged["step"] for logged in tracked(folder).parsed()] == [3, 4]


def test_a_damaged_sweep_is_refused_and_a_damaged_mirror_state_is_none(tmp_path: Path) -> None:
    record = write_run(tmp_path, "model=dsn")
    sweep = write_sweep(tmp_path, [record])
    edit(tmp_path / "sweeps" / sweep["id"], lambda content: content.update(runs=["x"]), "sweep.json")
    with pytest.raises(ConfigError, match=r"sweep\.json is damaged: runs\.0 is 'x'"):
        find_sweep(tmp_path, "a_sweep")
    for text in ("[]", '{"points": "many"}', "{", '{"run_id": {}}'):
        (tmp_path / "mlflow.json").write_text(text)
        assert read_state(tmp_path) == MirrorState()
    assert milliseconds("yesterday") is None and milliseconds("2026-01-01T00:00:00Z") == 1767225600000


def test_going_on_from_a_run_takes_no_setting_of_hydra_from_its_record(tmp_path: Path) -> None:
    identity = str(write_run(tmp_path, "model=dsn")["identity"])
    (tmp_path / identity / "model").mkdir()
    (tmp_path / identity / "model" / "config.json").write_text("{}")
    evil = ["+hydra.callbacks.x._target_=os.system", "hydra.run.dir=/tmp", "hydra/launcher=basic",
            "++paths.output=/tmp", "--config-dir=/tmp", "optimizer.lr=0.1"]  # fmt: skip
    edit(tmp_path / identity, lambda record: record.update(overrides=evil))
    words = expand_from([f"from={identity}", "compression=[int8]", f"paths.output={tmp_path}"])
    assert [word for word in words if word in evil] == ["optimizer.lr=0.1"]
