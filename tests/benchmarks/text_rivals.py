"""Rivals for small text classifiers: fastText, and scikit-learn's TF-IDF with logistic regression.

Each is fitted to texts and labels, predicts texts, and counts all bytes that it needs for predictions.
"""

from __future__ import annotations

import pickle
import re
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

MARK = "__label__"


@dataclass(frozen=True)
class Rows:
    """Texts and their labels, as class numbers."""

    texts: list[str]
    labels: list[int]


class Rival(Protocol):
    """A classifier of another project."""

    name: str

    def fit(self, train: Rows, select: Rows) -> None:
        """Train on `train`; `select` is used to choose settings, if there are any to choose."""

    def answer(self, texts: Sequence[str]) -> list[int]:
        """Return the class of each text."""

    def bytes_needed(self) -> int:
        """Return the bytes of everything that `answer` reads."""


@dataclass
class TfidfLogistic:
    """TF-IDF of words and word pairs with logistic regression, which most people try first."""

    name: str = "TF-IDF + LR (scikit-learn)"
    model: Any = None

    def fit(self, train: Rows, select: Rows) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        found = []
        for strength in (1.0, 10.0):
            words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
            model = make_pipeline(words, LogisticRegression(C=strength, max_iter=1000))
            model.fit(train.texts, train.labels)
            found.append((model.score(select.texts, select.labels), strength, model))
        self.model = max(found, key=lambda one: one[:2])[2]

    def answer(self, texts: Sequence[str]) -> list[int]:
        return [int(label) for label in self.model.predict(texts)]

    def bytes_needed(self) -> int:
        return len(pickle.dumps(self.model))  # as scikit-learn's documentation recommends


@dataclass
class PrunedTfidf(TfidfLogistic):
    """TF-IDF and logistic regression, refitted on as many terms with the largest weights as fit into `most` bytes."""

    most: float = 1e6
    name: str = "TF-IDF + LR, pruned"
    stored: bytes = b""

    def fit(self, train: Rows, select: Rows) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline

        super().fit(train, select)
        words, linear = (step for _, step in self.model.steps)
        weight = abs(linear.coef_).max(axis=0)
        terms = words.get_feature_names_out()[(-weight).argsort(kind="stable")]
        low, high = 1, len(terms)  # number of terms
        while True:
            kept = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, vocabulary=sorted(terms[:high]))
            self.model = make_pipeline(kept, type(linear)(C=linear.C, max_iter=1000)).fit(train.texts, train.labels)
            self.stored = self.packed()
            if len(self.stored) <= self.most or high == low:
                return
            high = max(low, int(0.95 * high * self.most / len(self.stored)))

    def packed(self) -> bytes:
        """Terms, inverse document frequencies and weights, in half precision and compressed."""
        words, linear = (step for _, step in self.model.steps)
        numbers = [words.idf_, linear.coef_, linear.intercept_]
        return zlib.compress(pickle.dumps((list(words.vocabulary_), [one.astype("float16") for one in numbers])), 9)

    def bytes_needed(self) -> int:
        return len(self.stored)


@dataclass
class FastText:
    """fastText; with `size` ("1M"), its autotune search of `seconds` for a model of that size."""

    name: str
    size: str | None = None
    seconds: int = 120
    threads: int = 1
    model: Any = None
    written: int = 0
    folder: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)

    def fit(self, train: Rows, select: Rows) -> None:
        import fasttext

        paths = [self._write(name, rows) for name, rows in (("train.txt", train), ("select.txt", select))]
        search = {} if self.size is None else {
            "autotuneValidationFile": str(paths[1]), "autotuneDuration": self.seconds, "autotuneModelSize": self.size,
        }  # fmt: skip
        self.model = fasttext.train_supervised(input=str(paths[0]), thread=self.threads, verbose=0, **search)
        kept = Path(self.folder.name) / "model"
        self.model.save_model(str(kept))
        self.written = kept.stat().st_size

    def _write(self, name: str, rows: Rows) -> Path:
        path = Path(self.folder.name) / name
        lines = (f"{MARK}{label} {one_line(text)}\n" for text, label in zip(rows.texts, rows.labels))
        path.write_text("".join(lines), encoding="utf-8")
        return path

    def answer(self, texts: Sequence[str]) -> list[int]:
        found, _ = self.model.predict([one_line(text) for text in texts])
        return [int(labels[0].removeprefix(MARK)) for labels in found]

    def bytes_needed(self) -> int:
        return self.written


def one_line(text: str) -> str:
    """Return a text in lower case, on one line, with punctuation separated from words, as in fastText's examples."""
    return " ".join(re.findall(r"\w+|[^\w\s]", text.lower()))


def all_rivals(seconds: int) -> list[Rival]:
    """Return all rivals; seconds: length of each fastText search."""
    return [
        TfidfLogistic(),
        FastText("fastText"),
        FastText("fastText autotune 1M", "1M", seconds),
        FastText("fastText autotune 200K", "200K", seconds),
    ]
