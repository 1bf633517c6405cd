"""Whole runs with encoders of other families and the heads of their own classes; the tables of models/families.md."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

from models.checkpoints.read import read_config
from tests.conftest import write_reviews
from tests.end_to_end.family_runs import CHECKS, CLOSE, MEASURED, TEXTS, FamilyRuns, difference
from tests.models.families import ENCODERS
from tests.models.family_table import CONFIGS, FACTS, NAMES, PAGE, facts, rows_of

# Runs where our packages cannot be imported: class, labels and logits of TEXTS for each folder, by transformers alone.
PLAIN = """
import json, sys
for name in ("bertier", "models", "runner", "data"):
    sys.modules[name] = None
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
folders, texts = json.load(sys.stdin)
found = {}
for folder in folders:
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    inputs = tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False)
    with torch.no_grad():
        logits = model.eval()(**inputs).logits
    config = model.config
    found[folder] = [type(model).__name__, list(config.id2label.values()), config.problem_type, logits.tolist()]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def all_runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FamilyRuns]:
    folder = tmp_path_factory.mktemp("families")
    reviews = write_reviews(folder / "reviews.csv")
    return {family: FamilyRuns(family, folder, reviews, "stock") for family in ENCODERS}


@pytest.mark.parametrize("family", ENCODERS)
def test_a_family_learns_and_answers_the_same_reopened_and_in_any_batch(
    all_runs: dict[str, FamilyRuns], family: str
) -> None:
    page = {row["family"]: row for row in rows_of(PAGE.read_text(encoding="utf-8"), MEASURED)}
    for name in ("accuracy", "reload", "batch"):
        assert CHECKS[name](all_runs[family]) and (name == "accuracy" or page[NAMES[family]][name] == "equal")


def test_plain_transformers_opens_every_family_with_its_labels_tokenizer_and_logits(
    all_runs: dict[str, FamilyRuns],
) -> None:
    folders = {family: str(runs.model_folder()) for family, runs in all_runs.items()}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAIN], input=json.dumps([list(folders.values()), TEXTS]),
        capture_output=True, text=True, cwd=next(iter(folders.values())),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for family, folder in folders.items():
        name, labels, problem, logits = found[folder]
        assert (name, labels, problem) == (
            f"{family}ForSequenceClassification", ["1", "5"], "single_label_classification",
        )  # fmt: skip
        assert difference(torch.tensor(logits), all_runs[family].model()(**all_runs[family].inputs)) <= CLOSE


@pytest.mark.parametrize(
    ("family", "check"),
    [("ModernBert", "`magnitude`"), ("DistilBert", "`distil`")],
)
def test_what_follows_a_run_works_on_stock_heads(all_runs: dict[str, FamilyRuns], family: str, check: str) -> None:
    assert CHECKS[check](all_runs[family])


def test_a_pruned_class_stays_one_and_a_rounded_one_becomes_ours(all_runs: dict[str, FamilyRuns]) -> None:
    runs = all_runs["Albert"]
    assert CHECKS["`magnitude`"](runs) == "6 of 6" and CHECKS["`int8`"](runs)
    kinds = {read_config(str(runs.model_folder(*words)), "")["model_type"] for words in runs.records}
    assert kinds == {"albert", "bertier"}


def test_the_page_says_what_the_classes_of_each_family_are() -> None:
    assert rows_of(PAGE.read_text(encoding="utf-8"), FACTS) == [facts(family) for family in CONFIGS]


def test_the_page_has_a_measured_row_for_every_family() -> None:
    rows = rows_of(PAGE.read_text(encoding="utf-8"), MEASURED)
    assert [row["family"] for row in rows] == list(CONFIGS)
    assert all(cell for row in rows for cell in row.values())
