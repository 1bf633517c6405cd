"""Early exits on the command line: fitted, recorded and saved."""

from __future__ import annotations

import json
from pathlib import Path

from models.checkpoints.open import load_model
from models.heads.exits import exits_of
from tests.conftest import run_cli

WORDS = [
    "model=bert-tiny", "model.pretrained=null", "model.layers=3", "model.hidden=32", "model.intermediate=32",
    "data=demo", "data.demo_rows=400", "data.duplicates=group", "data.calibration=0.3", "train.epochs=1", "measure=off",
    "tracker=none", "baseline.ngram=off",
]  # fmt: skip


def test_a_run_gets_exits_that_its_record_and_its_files_know(tmp_path: Path) -> None:
    done = run_cli(*WORDS, "compression=[exits]", "compression.exits.threshold=0.5", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(path.read_text()) for path in tmp_path.glob("outputs/*/record.json")]
    found = next(record for record in records if len(record["stages"]) == 2)
    metrics = found["metrics"]
    assert metrics["exits/mean_layers"] == 1 and metrics["exits/share_1"] == 1 and metrics["exits/threshold"] == 0.5
    rows = found["data"]["rows"]
    assert metrics["exits/rows"] == rows["calibration"] != rows["val"], "set aside, they calibrate the exits too"
    before = found["stages"][0]["metrics"]
    assert metrics["cost/macs"] < before["cost/macs"] / 2 and metrics["cost/macs_s128"] == before["cost/macs_s128"]
    assert exits_of(load_model(tmp_path / "outputs" / found["identity"] / "model")) is not None
