"""Pages and metrics that are added to a run after its end are sent to the MLflow that the run names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from runner.commands.errors import main
from runner.track.added import mirror_added
from runner.track.connection import connect
from runner.track.settings import TrackerSettings
from runner.track.sync import sync_run
from tests.records import a_record
from tests.runner.mistakes.cases import write_case
from tests.runner.track.folders import state


def test_the_page_of_mistakes_is_an_artifact_of_a_mirrored_run(
    tmp_path: Path, empty_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = write_case(tmp_path, "tracker.name=mlflow", "tracker.artifacts=all").record
    output = tmp_path / "out"
    folder = output / record.identity
    words = [record.identity, "label_errors=false", f"paths.output={output}", f"paths.cache={tmp_path / 'cache'}"]
    shutil.copy(empty_store, output / "mlflow.db")
    assert main(words) == 0 and not (folder / "mlflow.json").exists(), "a run that is not mirrored stays so"
    (folder / "errors.html").unlink()
    target = connect(TrackerSettings(), output)
    sync_run(folder, TrackerSettings(), target)
    assert main(words) == 0
    stored = target.client.download_artifacts(state(folder)["run_id"], "errors.html", str(tmp_path))
    assert Path(stored).read_bytes() == (folder / "errors.html").read_bytes()
    assert "not mirrored" not in capsys.readouterr().err


def test_a_store_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    told, known = list[str](), a_record().config
    mirror_added(a_record(config=known | {"tracker": {"name": "none"}}), tmp_path, told.append)
    assert not told
    mirror_added(a_record(config=known | {"tracker": {"name": "mlflow"}}), tmp_path, told.append)
    assert len(told) == 1 and told[0].startswith("not mirrored to MLflow") and "Try: run sync paths.output=" in told[0]
