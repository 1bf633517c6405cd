"""A finished model that answers in arrays, as scikit-learn's do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from runner.deploy.bundle.predict import GRAPH_FACTS, MODEL_FILE
from runner.deploy.bundle.predict import Model as BundleModel
from runner.deploy.exported import DESCRIPTION_FILE, find_model
from runner.deploy.predictors import open_predictor

Answers = list[dict[str, Any]]
Ask = Callable[[list[str], list[str] | None], Answers]


class Model:
    """A model that is opened when it is first asked.

    classes_: the labels in the order of `predict_proba`, (C,); empty where answers are numbers. path: its folder.
    """

    def __init__(
        self, path: Path, labels: Sequence[str], columns: Sequence[str], make: Callable[[], Ask],
        values: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """columns: the one or two texts that it reads; values: labels by their names, where they are no texts."""
        self.path, self.columns, self._make = path, tuple(columns), make
        named = values if values and set(labels) <= set(values) else {label: label for label in labels}
        self._values: dict[str, Any] = {label: named[label] for label in labels}
        self.classes_ = np.array(list(self._values.values()))

    @cached_property
    def _ask(self) -> Ask:
        return self._make()

    def predict(self, texts: Iterable[Any] | pd.DataFrame) -> np.ndarray:
        """Return the label of each text, or its number, (texts,).

        texts: a list, a Series or an array; of a model of two texts, pairs; or a data frame with the model's columns.
        """
        found = [answer["prediction"] for answer in self._answers(texts)]
        if not self._values:
            return np.array(found, np.float64)
        return np.array([self._values[one] for one in found], self.classes_.dtype)

    def predict_proba(self, texts: Iterable[Any] | pd.DataFrame) -> np.ndarray:
        """Return the probability of each class, (texts, C) in the order of `classes_`; AttributeError for numbers."""
        if not self._values:
            raise AttributeError("this model predicts numbers, which have no probabilities")
        rows = [[answer["probabilities"][name] for name in self._values] for answer in self._answers(texts)]
        return np.array(rows, np.float64).reshape(len(rows), len(self._values))

    def _answers(self, texts: Iterable[Any] | pd.DataFrame) -> Answers:
        if isinstance(texts, str):
            raise TypeError('expected a list of texts, here is one. Try: model.predict(["a text"])')
        if isinstance(texts, pd.DataFrame):
            texts = texts[list(self.columns)].itertuples(index=False, name=None)
            rows = list(texts) if len(self.columns) == 2 else [row[0] for row in texts]
        else:
            rows = list(texts)
        if not rows:
            return []
        if len(self.columns) == 2:
            return self._ask([str(first) for first, _ in rows], [str(second) for _, second in rows])
        return self._ask([str(row) for row in rows], None)

    def __repr__(self) -> str:
        what = f"{len(self.classes_)} classes" if len(self.classes_) else "numbers"
        return f"<bertier.Model {self.path}: {what}>"


def load(
    source: str | Path,
    *,
    output: str | Path = "outputs",
    engine: str = "auto",
    threads: int = 1,
    values: Mapping[str, Any] | None = None,
) -> Model:
    """Return the model of a run (its id or the beginning of it), of a run's folder, an export or a bundle.

    output: the folder of the runs; engine: auto, torch, numpy, onnx or onnx-int8; values: labels by their names, for
    labels that are no texts. Raises ConfigError where there is no such model.
    """
    folder = Path(source).expanduser()
    is_bundle = any((folder / name).is_file() for name in (MODEL_FILE, GRAPH_FACTS))
    if is_bundle and not any((folder / name).is_file() for name in (DESCRIPTION_FILE, "config.json")):
        packed = BundleModel(folder)
        columns = ("text", "text_pair")[: packed.reads]
        return Model(folder.absolute(), packed.labels, columns, lambda: packed, values)
    exported = find_model(str(source), Path(output).expanduser(), engine)
    return Model(
        exported.folder, exported.labels, exported.columns, lambda: open_predictor(exported, threads), values
    )  # fmt: skip
