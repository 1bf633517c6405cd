"""The table of a result: each template beside chance, also on a narrow terminal."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from runner.record.record import DataFacts, RunRecord
from runner.zero_shot.show import show_result

METRICS = {
    "test/accuracy": 0.5, "test/accuracy_low": 0.4, "test/accuracy_high": 0.6, "test/examples": 100.0,
    "zero_shot/chance": 0.25, "baseline/majority": 0.3, "zero_shot/texts_per_s": 12.5,
    "zero_shot/accuracy_prior_1": 0.5, "zero_shot/accuracy_no_prior_1": 0.45, "zero_shot/accuracy_prior_2": 0.41,
    "zero_shot/accuracy_no_prior_2": 0.39,
}  # fmt: skip


def shown(templates: list[str]) -> str:
    config = {"seed": 0, "model": {"name": "m"}, "data": {"name": "d", "metrics": ["accuracy"]}}
    record = RunRecord(
        "1234567890", "zero-shot m on d", config | {"zero_shot": {"templates": templates, "has_prior": True}},
        DataFacts("classification", "test/accuracy", {"test": 100}), metrics=METRICS, notes=["template [1]: a {}"],
    )  # fmt: skip
    stream = StringIO()
    show_result(record, Path("outputs/1234567890"), Console(file=stream, width=80))
    return stream.getvalue()


def test_templates_stand_beside_chance_and_the_majority_class() -> None:
    found = shown(["About {}.", "It is {}."])
    assert "0.5000 [0.4000, 0.6000]" in found and "0.4100" in found and "0.3900" in found
    assert "0.2500" in found and "0.3000" in found and "100 texts, 12.5 texts/s" in found
    assert "note: template [1]: a {}" in found and max(map(len, found.splitlines())) <= 80


def test_pairs_have_one_row() -> None:
    assert "pairs as they are" in shown([])
