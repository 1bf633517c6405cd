"""MLflow sends texts as strings and sounds as the content of files; test_export.py opens a whole model."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from runner.deploy.exported import find_model
from runner.deploy.mlflow_model import MlflowTextModel, signature
from runner.deploy.predictor import Predictor
from runner.errors import ConfigError
from tests.runner.deploy.sound_runs import CLIPS, write_clips, write_sound_run


def test_sounds_are_bytes_and_never_paths_of_the_server(tmp_path: Path) -> None:
    write_sound_run(tmp_path, "5555", is_packed=False)
    exported = find_model("5555", tmp_path, "auto")
    predictor = Predictor(exported)
    model = MlflowTextModel(predictor)
    found = model.predict(pd.DataFrame({"path": list(CLIPS.values())}, index=[7, 3, 2, 1]))
    assert found["prediction"].tolist() == [answer["prediction"] for answer in predictor(list(CLIPS.values()))]
    assert list(found.index) == [7, 3, 2, 1] and list(found) == ["prediction", "p_bell", "p_dog", "p_saw"]
    clips = write_clips(tmp_path / "clips")
    with pytest.raises(ConfigError, match="path: expected the contents of sound files, as bytes"):
        model.predict(pd.DataFrame({"path": [str(clips["a"])]}))
    assert [column["type"] for column in signature(exported).inputs.to_dict()] == ["binary"]


def test_texts_are_strings(output: Path) -> None:
    predictor = Predictor(find_model("aaaa", output, "torch"))
    found = MlflowTextModel(predictor).predict(pd.DataFrame({"text": ["a lovely film", 5]}))
    assert found["prediction"].tolist() == [answer["prediction"] for answer in predictor(["a lovely film", "5"])]
    assert [column["type"] for column in signature(predictor.exported).inputs.to_dict()] == ["string"]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_a_missing_text_is_refused_and_not_answered(output: Path, missing: object) -> None:
    model = MlflowTextModel(Predictor(find_model("aaaa", output, "torch")))
    with pytest.raises(ConfigError, match="row 2: nothing under 'text', but a text is needed"):
        model.predict(pd.DataFrame({"text": ["a lovely film", missing]}))
