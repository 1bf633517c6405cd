"""A bundle cleans its questions as the rows of its model were cleaned, also where Bertier is not installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from models.packed.facts import Facts
from models.packed.format import pack
from runner.commands.export import main
from runner.deploy.bundle.predict import Model, ModelFileError
from runner.deploy.bundles import sources_for
from runner.deploy.exported import find_model
from runner.deploy.predictors import open_predictor
from runner.errors import ConfigError
from tests.models.packed.golden import golden_content
from tests.runner.deploy.runs import write_run

RAW, CLEAN = "the film was lovely @ana https://t.co/x1", "the film was lovely @USER HTTPURL"
OF_TWEETS = Facts((), 8, cleaning=("tweets",)).entries()


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a packed bag of words (dddd) whose texts were cleaned."""
    output = tmp_path_factory.mktemp("outputs")
    write_run(output, "dddd", is_packed=True, cleaning=("tweets",), family="dsn", readout={"name": "mean"})
    return output


def test_every_engine_and_the_bundle_give_the_answer_of_the_clean_text(output: Path, tmp_path: Path) -> None:
    assert main(["dddd", "format=bundle", f"paths.output={output}", f"out={tmp_path}/b"]) == 0
    words = [sys.executable, "-E", "predict.py", RAW]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path / "b", check=True)
    answer = json.loads(done.stdout)
    for engine in ("numpy", "torch"):
        predictor = open_predictor(find_model("dddd", output, engine))
        of_raw, of_clean = predictor([RAW, CLEAN])
        assert of_raw["prediction"] == of_clean["prediction"] == answer["prediction"]
        for found in (of_raw, of_clean):  # a row's last bits depend on its place in the batch
            assert found["probabilities"] == pytest.approx(answer["probabilities"], abs=1e-6)
        assert predictor.ask([RAW]).lengths[0] == predictor.ask([CLEAN]).lengths[0]


def test_a_page_of_a_model_of_clean_texts_is_refused(output: Path) -> None:
    with pytest.raises(ConfigError, match="cleans texts before it reads them"):
        main(["dddd", "format=page", f"paths.output={output}"])


def test_a_step_that_this_reader_does_not_know_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(golden_content(cleaning=["rot13"]))
    with pytest.raises(ModelFileError, match="cleans texts by rot13"):
        Model(path)


def test_only_a_model_of_clean_texts_has_the_steps_beside_it() -> None:
    assert "cleaning.py" in sources_for({"kind": "dsn"} | OF_TWEETS) and "cleaning.py" not in sources_for(
        {"kind": "dsn"}
    )
    assert pack("dsn", ("a",), {}, OF_TWEETS) != pack("dsn", ("a",), {}, Facts((), 8).entries())
