"""A finished model that answers in arrays, as scikit-learn's do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import Any, cast

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
OF_TEXTS = {"spans", "tags"}  # of an answer that is a part of a text, or a text with names, tags or marks
Answers = list[dict[str, Any]]
Ask = Callable[[list[Any], list[Any] | None], Answers]


class Model:
    """A model that is opened when it is first asked.

    classes_: the labels in the order of `predict_proba`, (C,); empty where answers are numbers. path: its folder.
    """

    def __init__(
        self, path: Path, labels: Sequence[str], columns: Sequence[str], make: Callable[[], Ask],
        values: Mapping[str, object] | None = None, run: Path | None = None, reads_words: bool = False,
        length: float | None = None,
    ) -> None:  # fmt: skip
        """columns: the one or two texts that it reads; values: labels by their names, where they are no texts; run: the
        folder of the run that trained it, where it is known; reads_words: may a list of words stand for a text?
        length: as in `load`.
        """
        self.path, self.columns, self._make, self._run = path, tuple(columns), make, run
        self._reads_words, self._length = reads_words, length
        self._promises: dict[float, dict[str, Any]] = {}  # by the share of errors
        named = values if values and set(labels) <= set(values) else {label: label for label in labels}
        self._values: dict[str, object] = {label: named[label] for label in labels}
        self.classes_ = np.array(list(self._values.values()))

    @cached_property
    def _ask(self) -> Ask:
        return self._make()

    def __getstate__(self) -> dict[str, object]:
        """Return what a copy needs in another process, where the model is opened again."""
        return {name: value for name, value in self.__dict__.items() if name != "_ask"}

    def predict(self, texts: Iterable[Any] | pd.DataFrame, *, reject: float | None = None) -> np.ndarray:
        """Return the label of each text, or its number, (texts,); of sets of labels 0 and 1, (texts, C).

        A model of tags returns the texts with names marked, with a tag after each word, or with marks and capitals; one
        of spans the parts that answer; (texts,) of text.
        texts: a list, a Series or an array; of a model of two texts, pairs; of one of tags also lists of words; of one
        of sounds, paths of files or their content (bytes); or a data frame with the model's columns.
        reject: the share of errors among answered texts, such as 0.05; the label of the others is "unsure", as it is of
        an export with a promise of its own. Raises ConfigError if `promise` does, and for a column that a data
        frame lacks; TypeError for what is no text, such as None or nan.
        """
        promise = None if reject is None else self.promise(reject)
        answers = self._answers(texts)
        if answers and SET in answers[0]:
            return np.array([[name in answer[SET] for name in self._values] for answer in answers], np.int8)
        if answers and OF_TEXTS & answers[0].keys():
            return np.array([answer["prediction"] for answer in answers], np.str_)
        found = [(keep_promise(promise, answer) if promise else answer)["prediction"] for answer in answers]
        if not self._values:
            return np.array(found, np.float64)
        if UNSURE in found and UNSURE not in self._values:
            labels = [self._values.get(one, UNSURE) for one in found]
            return np.array(labels, None if np.issubdtype(self.classes_.dtype, np.str_) else object)
        return np.array([self._values[one] for one in found], self.classes_.dtype)

    def promise(self, reject: float) -> dict[str, Any]:
        """Return the promise of at most a share `reject` of errors among the answers, as in `calibration.json`.

        `threshold`, `answered` and `errors` of `rows` calibration rows, `models` that were compared on them. Raises
        ConfigError where it cannot be promised, and for a model whose run is not known.
        """
        if not 0 < reject < 1:
            raise ConfigError(f"reject={reject}: expected a share between 0 and 1. Try: reject=0.05")
        if self._length is not None:
            raise ConfigError(
                f"reject={reject:g}: the rows behind the promise were answered at the run's own lengths, but this "
                f"model was loaded with length={self._length:g}. Try: bertier.load without length="
            )
        if self._run is None:
            raise ConfigError(
                f"{self.path} was loaded without its run, whose rows a promise needs. Try: bertier.load(<run id>)"
            )
        if reject not in self._promises:
            record = find_record(self._run.parent, self._run.name)
            compared = models_compared(self._run.parent, record)
            self._promises[reject] = find_promise(record, self._run, WantedPromise(reject), compared)
        return self._promises[reject]

    def predict_proba(self, texts: Iterable[Any] | pd.DataFrame) -> np.ndarray:
        """Return the probability of each class, (texts, C) in the order of `classes_`.

        Raises AttributeError for a model that predicts numbers, tags or parts of a text, and else what `predict` does.
        """
        if not self._values:
            raise AttributeError("this model predicts numbers, which have no probabilities")
        answers = self._answers(texts)
        if answers and OF_TEXTS & answers[0].keys():
            raise AttributeError("this model answers with texts, not with a class. Try: model.predict(texts)")
        rows = [[answer["probabilities"][name] for name in self._values] for answer in answers]
        return np.array(rows, np.float64).reshape(len(rows), len(self._values))

    def _answers(self, texts: Iterable[Any] | pd.DataFrame) -> Answers:
        if isinstance(texts, str | bytes):
            raise TypeError('expected a list of texts, not a single text. Try: model.predict(["a text"])')
        if isinstance(texts, Mapping | Set):  # the keys of a dict would be answered, a set in any order
            raise TypeError(f'expected a list of texts, not a {type(texts).__name__}. Try: model.predict(["a text"])')
        is_pair = len(self.columns) == 2
        rows: list[Any] = self._rows_of_frame(texts) if isinstance(texts, pd.DataFrame) else list(texts)
        if not rows:
            return []
        if not is_pair:
            return self._ask([self._question(row, place) for place, row in enumerate(rows, 1)], None)
        for place, row in enumerate(rows, 1):
            if isinstance(row, str | bytes) or not isinstance(row, Sequence | np.ndarray) or len(row) != 2:
                wanted = ", ".join(self.columns)
                raise TypeError(f"row {place} is not a pair of texts. Try: model.predict([({wanted})])")
        firsts, seconds = ([self._question(row[side], place) for place, row in enumerate(rows, 1)] for side in (0, 1))
        return self._ask(firsts, seconds)

    def _rows_of_frame(self, frame: pd.DataFrame) -> list[object]:
        """The texts of the model's columns, or pairs of them; ConfigError where one is missing or twice there."""
        if missing := [column for column in self.columns if column not in frame]:
            has = ", ".join(map(str, frame.columns))
            raise ConfigError(
                f"the data frame has no column {missing[0]!r} (columns: {has}). Try: frame.rename(columns=...)"
            )
        if twice := [column for column in self.columns if list(frame.columns).count(column) > 1]:
            raise ConfigError(
                f"the data frame has several columns named {twice[0]}, but one is needed. Rename the others"
            )
        rows = frame[list(self.columns)].itertuples(index=False, name=None)
        return list(rows) if len(self.columns) == 2 else [row[0] for row in rows]

    def _question(self, given: Any, place: int) -> str | bytes | list[str]:
        """A text or a sound as the model is asked it; place: of its row, from 1. Raises TypeError for neither."""
        if isinstance(given, bytes):
            return given
        if self._reads_words and isinstance(given, list | tuple | np.ndarray):
            return [_text(word, place, "has") for word in given]
        return _text(given, place, "is")

    def __repr__(self) -> str:
        what = f"{len(self.classes_)} classes" if len(self.classes_) else "numbers"
        return f"<bertier.Model {self.path}: {what}>"


def _text(given: object, place: int, verb: str) -> str:
    """Return a cell, or a word of one, as a text; raise TypeError if it is none. verb: is, or has (words)."""
    is_nothing = pd.api.types.is_scalar(given) and bool(pd.isna(cast("float", given)))  # or any other scalar
    if not is_nothing and not isinstance(given, bytes) and (isinstance(given, PathLike) or np.isscalar(given)):
        return str(given)
    what = "nothing" if is_nothing else f"a {type(given).__name__}"
    must = "but must be a text" if verb == "is" else "but its words must be texts"
    raise TypeError(f"row {place} {verb} {what}, {must}. Leave such rows out, or convert them")


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
        return Model(folder.absolute(), packed.labels, columns, partial(BundleModel, folder.absolute()), values, run)
    exported = find_model_at(str(source), Path(output).expanduser(), engine, length)
    if not (exported.folder / DESCRIPTION_FILE).is_file():  # of the run itself: <output>/<id>/model
        run = exported.folder.parent
    opening, reads_words = partial(open_answering, exported, threads), exported.reads_words
    return Model(exported.folder, exported.labels, exported.columns, opening, values, run, reads_words, length)
