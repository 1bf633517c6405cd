"""make bench: upper bounds on what codes can add to texts in icd10-severity, by scikit-learn's logistic regression.

Texts as TF-IDF of words and of characters, codes as the set of nodes above them, and both together. The last two need
the codes of the texts to predict, so they are bounds, not models to deploy. Prints accuracy, macro F1 and the area
under the ROC curve (none against the others), as means over five draws of the rows that keep labels (5 minutes).
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from data.load import Rows, read_rows
from data.settings import DataSettings
from data.sources.code_tree import CodeTree, read_tree
from data.stores.build_once import SharedCache
from data.targets.class_weights import class_weights
from runner.config.compose import compose
from runner.config.resolve import resolve
from tests.conftest import hub_answers

PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # inverse, as C; chosen by macro F1 on validation
DRAWS = 1 if os.environ.get("BENCH_QUICK") == "1" else 5
REPORTED = ("test", "test_unseen")
Matrices = dict[str, Any]  # by split, sparse


def texts_of(rows: Rows) -> Matrices:
    """TF-IDF of words and word pairs, and of 2 to 5 characters, fitted on the training rows."""
    from scipy.sparse import hstack

    texts = {name: list(split.texts()) for name, split in rows.raw.splits.items()}
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit(texts["train"])
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True).fit(texts["train"])
    return {name: hstack([words.transform(some), letters.transform(some)]).tocsr() for name, some in texts.items()}


def nodes_of(rows: Rows, tree: CodeTree) -> Matrices:
    """Indicators of the nodes above each row's codes."""
    from scipy.sparse import csr_matrix

    paths = {name: tree.paths_of(split.codes(), Counter()) for name, split in rows.raw.splits.items()}
    return {
        name: csr_matrix((np.ones(len(found.nodes)), found.nodes, found.offsets), shape=(len(found), found.num_nodes))
        for name, found in paths.items()
    }


def scores(found: Matrices, rows: Rows) -> list[float]:
    """Accuracy, macro F1 and area under the ROC curve on each reported split, with the best penalty."""
    labels = {name: split.labels.values for name, split in rows.raw.splits.items()}
    weights = dict(enumerate(class_weights("sqrt", labels["train"], 3).tolist()))
    models = [
        LogisticRegression(C=penalty, max_iter=2000, class_weight=weights).fit(found["train"], labels["train"])
        for penalty in PENALTIES
    ]
    best = max(models, key=lambda model: f1_score(labels["val"], model.predict(found["val"]), average="macro"))
    values = []
    for name in REPORTED:
        shares = best.predict_proba(found[name])
        answers = shares.argmax(axis=1)
        values += [
            accuracy_score(labels[name], answers),
            f1_score(labels[name], answers, average="macro"),
            roc_auc_score(labels[name] > 0, 1 - shares[:, 0]),
        ]
    return values


def draw(data: DataSettings, tree: CodeTree, labelled: int | None, seed: int) -> dict[str, list[float]]:
    """The scores with texts, codes and both, for one draw of the rows that keep their labels."""
    from scipy.sparse import hstack

    rows = read_rows(replace(data, labelled_rows=labelled, split_seed=seed), SharedCache(Path()))
    texts, nodes = texts_of(rows), nodes_of(rows, tree)
    both = {name: hstack([texts[name], nodes[name]]).tocsr() for name in texts}
    return {name: scores(found, rows) for name, found in {"texts": texts, "codes": nodes, "both": both}.items()}


@pytest.mark.parametrize("labelled", [100, 500, 2000, None])
def test_codes_beside_texts_are_worth_more_than_either(labelled: int | None) -> None:
    if not hub_answers():
        pytest.skip("needs the hub")
    data = resolve(compose(["data=icd10-severity"])).data
    tree = read_tree(data)
    drawn = [draw(data, tree, labelled, seed) for seed in range(DRAWS if labelled else 1)]
    means = {name: np.mean([one[name] for one in drawn], axis=0) for name in drawn[0]}
    print(f"\n{labelled or 'all'} labels, {len(drawn)} draws: accuracy, macro F1, AUROC of {' and of '.join(REPORTED)}")
    for name, values in means.items():
        spread = np.std([one[name][2] for one in drawn])
        print(f"{name:6} {' '.join(f'{value:.3f}' for value in values)}   (AUROC of test, sd of draws {spread:.3f})")
    assert means["both"][2] > means["texts"][2]
