"""Whole runs of every method on every family; writes the tables in models/families.md (about 4 minutes on one core).

.venv/bin/python -m pytest tests/benchmarks/bench_families.py -s
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from datasets import load_dataset
from transformers import AutoModel

from data.inputs.tokenizer import train_tokenizer
from models.backbones.transformers_backbone import parse_config
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.run import run
from tests.conftest import write_reviews
from tests.end_to_end.family_runs import CHECKS, MEASURED, FamilyRuns
from tests.models.families import ENCODERS
from tests.models.family_table import CONFIGS, FACTS, NAMES, PAGE, facts, with_rows

pytestmark = pytest.mark.timeout(3600)
RATES = ("2e-3",)
LEARNED = ("family", *(f"accuracy at {rate}" for rate in RATES))


def row_of(family: str, folder: Path, head: str) -> dict[str, str]:
    """The result of every check, by column; for a failure, its error type and the start of its message."""
    runs, found = FamilyRuns(family, folder, write_reviews(folder / "reviews.csv"), head), {MEASURED[0]: NAMES[family]}
    for name, check in CHECKS.items():
        try:
            found[name] = check(runs)
        except Exception as error:  # the table shows what fails
            found[name] = f"fails: {type(error).__name__} {str(error).splitlines()[0][:60] if str(error) else ''}"
    return found


def test_every_method_works_on_every_family_and_the_page_says_so(tmp_path: Path) -> None:
    tables: dict[str, list[Mapping[str, str]]] = {head: [] for head in ("trained", "stock")}
    for head, rows in tables.items():
        (tmp_path / head).mkdir()
        for family in ENCODERS:
            rows.append(row_of(family, tmp_path / head, head))
            print(head, *rows[-1].values(), sep=" | ", flush=True)
    text = with_rows(PAGE.read_text(encoding="utf-8"), FACTS, [facts(family) for family in CONFIGS])
    PAGE.write_text(with_rows(text, MEASURED, tables["trained"]), encoding="utf-8")
    wrong = [cell for rows in tables.values() for row in rows for cell in row.values() if cell.startswith("fails")]
    assert not wrong


@pytest.mark.hub
def test_every_family_learns_two_thousand_sentences(tmp_path: Path) -> None:
    texts = load_dataset("nyu-mll/glue", "sst2", split="train")["sentence"][:20_000]
    tokenizer = train_tokenizer(texts, 4000)
    special = ("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")
    rows: list[Mapping[str, str]] = []
    for family, shape in CONFIGS.items():
        folder = tmp_path / str(shape["model_type"])
        torch.manual_seed(0)
        config = parse_config(shape | dict.fromkeys(special) | {"pad_token_id": tokenizer.pad_id})
        AutoModel.from_config(config).save_pretrained(folder)
        tokenizer.save(folder)
        found = [sst2_accuracy(folder, tmp_path, rate) for rate in RATES]
        rows.append(dict(zip(LEARNED, (family, *(f"{accuracy:.3f}" for accuracy in found)))))
        print(*rows[-1].values(), sep=" | ", flush=True)
    PAGE.write_text(with_rows(PAGE.read_text(encoding="utf-8"), LEARNED, rows), encoding="utf-8")


def sst2_accuracy(encoder: Path, folder: Path, rate: str) -> float:
    """Accuracy on SST-2's 872 validation sentences after two epochs on 2,000 training rows, from random weights."""
    words = [
        "model=auto", f"model.pretrained={encoder}", "model/readout=mean", "data=sst2", "data.max_rows=2000",
        "data.max_eval_rows=872", "train.epochs=2", "train.threads=1", f"optimizer.lr={rate}", "measure=off",
        "tracker=none", f"paths.output={folder / 'outputs'}", f"paths.cache={folder / 'cache'}",
    ]  # fmt: skip
    record = run(resolve(compose(words)), []).record
    assert record is not None
    return record.metrics["val/accuracy"]
