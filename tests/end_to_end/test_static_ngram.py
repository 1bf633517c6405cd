"""A model of word vectors and n-grams in a whole run: trained, quantized, exported and queried."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.deploy.bundle.predict import Model
from runner.deploy.bundles import write_packed_bundle
from runner.deploy.exported import find_model
from runner.deploy.predictor import Predictor
from tests.conftest import run_cli
from tests.records import records

FIRST = ["the dog sleeps", "", "a man plays the guitar outside"]
SECOND = ["an animal is asleep", "nobody", "a man plays"]


@pytest.mark.parametrize("texts", [[FIRST, SECOND], [FIRST]])
def test_a_model_of_two_parts_is_trained_rounded_exported_and_asked(tmp_path: Path, texts: list[list[str]]) -> None:
    data = "demo-pairs" if len(texts) == 2 else "demo"
    words = ["model=static-ngram", f"data={data}", "data.demo_rows=900", "data.max_eval_rows=200", "model.dims=16"]
    words += ["train.epochs=1", "measure=off", "tracker=none", "baseline.ngram=off", "compression=[int4]"]
    done = run_cli(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "logits of both added" in done.stdout and "on the selection split: network 0." in done.stdout
    rounded = next(record for record in records(tmp_path / "outputs") if len(record["stages"]) == 2)
    identity = rounded["identity"]
    assert "logits of both added" in " ".join(rounded["notes"]), "a later stage keeps what was said"
    write_packed_bundle(find_model(identity, tmp_path / "outputs", "numpy"), tmp_path / "made")
    asked = [sys.executable, "predict.py", *(column[0] for column in texts)]
    found = subprocess.run(
        asked, cwd=tmp_path / "made", env={"PATH": os.environ["PATH"]}, capture_output=True, text=True
    )
    answers = Model(tmp_path / "made")
    assert json.loads(found.stdout) == answers(*(column[0] for column in texts)), found.stderr
    torch_answers = Predictor(find_model(identity, tmp_path / "outputs", "torch"))(*texts)
    for own, theirs in zip(answers(*texts), torch_answers):
        assert own["prediction"] == theirs["prediction"]
        assert own["probabilities"] == pytest.approx(theirs["probabilities"], abs=1e-5)
    assert answers.header["ngrams"]["count"] > 100
