"""Writes an export as an MLflow model, which `mlflow models serve` and `mlflow.pyfunc.load_model` open.

    mlflow models serve -m outputs/<id>/export/mlflow --env-manager local
    curl -d '{"dataframe_records": [{"text": "a fine film"}]}' -H 'Content-Type: application/json' :5000/invocations

MLflow gets a module and a folder instead of an object, so nothing is pickled. The model contains the packages of
Bertier; only the packages in its requirements.txt must be installed.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.deploy.answer_table import answer_row, as_cell, column_types
from runner.deploy.exported import ExportedModel, read_export
from runner.deploy.predictor import Predictor
from runner.errors import ConfigError
from runner.tasks.make import task_of_export

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

PACKAGES = ("runner", "models", "data")
NEEDED = ("torch", "tokenizers", "safetensors", "transformers", "numpy", "pandas", "pyarrow", "filelock")


def save_mlflow_model(folder: Path, model: Path) -> None:
    """Write the MLflow model of an exported folder `model` into the empty `folder`."""
    import mlflow.pyfunc

    exported = read_export(model)
    needed = [*NEEDED, *(["onnxruntime"] if exported.engine != "torch" else [])]
    needed += ["soundfile", "scipy"] if exported.reads_sounds else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for an input example; the signature says the same
        mlflow.pyfunc.save_model(
            path=str(folder),
            loader_module=__name__,
            data_path=str(model),
            code_paths=[str(Path(str(import_module(name).__file__)).parent) for name in PACKAGES],
            # Without the part after +: local builds such as 2.13.0+cpu are in no package index.
            pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in needed],
            signature=signature(exported),
            metadata={"identity": exported.identity, "name": exported.name},
        )


def signature(exported: ExportedModel) -> ModelSignature:
    """Return the input and output columns."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    columns = column_types(task_of_export(exported.task, exported.labels, exported.facts).answer_fields())
    made = [ColSpec("double" if holds is float else "string", name) for name, holds in columns.items()]
    asked = "binary" if exported.reads_sounds else "string"  # in JSON binary is base64
    return ModelSignature(Schema([ColSpec(asked, name) for name in exported.columns]), Schema(made))


class MlflowTextModel:
    """The object whose `predict` MLflow calls."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Predict the rows of a data frame that has the text columns; lists in an answer become JSON.

        Sounds are the content of files: a path would name a file of the server's disk. ConfigError for one, and for a
        missing text.
        """
        import pandas as pd

        exported = self.predictor.exported
        first, *second = (frame[name].tolist() for name in exported.columns)
        if exported.reads_sounds:
            if not all(isinstance(sound, bytes) for sound in first):
                raise ConfigError(f"{exported.columns[0]}: expected the contents of sound files, as bytes")
        else:
            for name in exported.columns:
                if (missing := frame[name].isna().to_numpy()).any():
                    row = int(missing.argmax()) + 1
                    raise ConfigError(f"row {row}: nothing under {name!r}, but a text is needed. Leave that row out")
            first, second = list(map(str, first)), [list(map(str, column)) for column in second]
        answers = self.predictor(first, second[0] if second else None)
        rows = [answer_row(answer, self.predictor.answer_fields) for answer in answers]
        return pd.DataFrame([{name: as_cell(value) for name, value in row.items()} for row in rows], index=frame.index)


def _load_pyfunc(path: str) -> MlflowTextModel:
    """Load the model from its data folder; MLflow calls this by name."""
    return MlflowTextModel(Predictor(read_export(Path(path))))
