"""A finished model that answers in arrays, as scikit-learn's do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from runner.deploy.budgets import find_model_at
from runner.deploy.bundle.predict import GRAPH_FACTS, MODEL_FILE
from runner.deploy.bundle.predict import Model as BundleModel
from runner.deploy.bundle.rejection import UNSURE, keep_promise
from runner.deploy.exported import DESCRIPTION_FILE
from runner.deploy.promise import WantedPromise, find_promise
from runner.deploy.rejecting import open_answering
from runner.errors import ConfigError
from runner.record.compared import models_compared
from runner.record.folder import find_record

SET = "predicted_labels"  # of an answer that is a set
Answers = list[dict[str, Any]]
Ask = Callable[[list[Any], list[str] | None], Answers]


class Model:
    """A model that is opened when it is first asked.

    classes_: the labels in the order of `predict_proba`, (C,); empty where answers are numbers. path: its folder.
    """

    def __init__(
        self, path: Path, labels: Sequence[str], columns: Sequence[str], make: Callable[[], Ask],
        values: Mapping[str, object] | None = None, run: Path | None = None,
    ) -> None:  # fmt: skip
        """columns: the one or two texts that it reads; values: labels by their names, where they are no texts; run: the
        folder of the run that trained it, where it is known.
        """
        self.path, self.columns, self._make, self._run = path, tuple(columns), make, run
        self._promises: dict[float, dict[str, Any]] = {}  # by the share of errors
        named = values if values and set(labels) <= set(values) else {label: label for label in labels}
        self._values: dict[str, object] = {label: named[label] for label in labels}
        self.classes_ = np.array(list(self._values.values()))

    @cached_property
    def _ask(self) -> Ask:
        return self._make()

    def predict(self, texts: Iterable[Any] | pd.DataFrame, *, reject: float | None = None) -> np.ndarray:
        """Return the label of each text, or its number, (texts,); of sets of labels 0 and 1, (texts, C).

        texts: a list, a Series or an array; of a model of two texts, pairs; of one of sounds, paths of files or their
        content (bytes); or a data frame with the model's columns.
        reject: the share of errors among answered texts, such as 0.05; the label of the others is "unsure", as it is of
        an export with a promise of its own. Raises ConfigError where `promise` does.
        """
        promise = None if reject is None else self.promise(reject)
        answers = self._answers(texts)
        if answers and SET in answers[0]:
            return np.array([[name in answer[SET] for name in self._values] for answer in answers], np.int8)
        found = [(keep_promise(promise, answer) if promise else answer)["prediction"] for answer in answers]
        if not self._values:
            return np.array(found, np.float64)
        if UNSURE in found and UNSURE not in self._values:
            labels = [self._values.get(one, UNSURE) for one in found]
            return np.array(labels, None if np.issubdtype(self.classes_.dtype, np.str_) else object)
        return np.array([self._values[one] for one in found], self.classes_.dtype)

    def promise(self, reject: float) -> dict[str, Any]:
        """Return what at most a share `reject` of errors among the answers comes to, as `calibration.json` has it.

        `threshold`, `answered` and `errors` of `rows` calibration rows, `models` that were compared on them. Raises
        ConfigError where it cannot be promised, and for a model whose run is not known.
        """
        if not 0 < reject < 1:
            raise ConfigError(f"reject={reject}: expected a share between 0 and 1. Try: reject=0.05")
        if self._run is None:
            raise ConfigError(
                f"{self.path} is without its run, whose rows a promise needs. Try: bertier.load(<run id>)"
            )
        if reject not in self._promises:
            record = find_record(self._run.parent, self._run.name)
            compared = models_compared(self._run.parent, record)
            self._promises[reject] = find_promise(record, self._run, WantedPromise(reject), compared)
        return self._promises[reject]

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
        return self._ask([row if isinstance(row, bytes) else str(row) for row in rows], None)

    def __repr__(self) -> str:
        what = f"{len(self.classes_)} classes" if len(self.classes_) else "numbers"
        return f"<bertier.Model {self.path}: {what}>"


def load(
    source: str | Path,
    *,
    output: str | Path = "outputs",
    engine: str = "auto",
    threads: int = 1,
    length: float | None = None,
    values: Mapping[str, object] | None = None,
    run: Path | None = None,
) -> Model:
    """Return the model of a run (its id or the beginning of it), of a run's folder, an export or a bundle.

    output: the folder of the runs; engine: auto, torch, numpy, onnx or onnx-int8; values: labels by their names, for
    labels that are no texts; length: the share of the multiply-adds at full length that the model may take, of a model
    with searched lengths; run: the folder of the run that trained it, where it lies elsewhere. Raises ConfigError
    where there is no such model.
    """
    folder = Path(source).expanduser()
    is_bundle = any((folder / name).is_file() for name in (MODEL_FILE, GRAPH_FACTS))
    if is_bundle and not any((folder / name).is_file() for name in (DESCRIPTION_FILE, "config.json")):
        packed = BundleModel(folder)
        columns = ("text", "text_pair")[: packed.reads]
        return Model(folder.absolute(), packed.labels, columns, lambda: packed, values, run)
    exported = find_model_at(str(source), Path(output).expanduser(), engine, length)
    if not (exported.folder / DESCRIPTION_FILE).is_file():  # of the run itself: <output>/<id>/model
        run = exported.folder.parent
    return Model(
        exported.folder, exported.labels, exported.columns, lambda: open_answering(exported, threads), values, run
    )
