"""The table of a cascade: both models, what they come to together, and what is lost and saved."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from runner.cascade.show import costs_in_words, show_cascade
from tests.records import a_record, record_json

METRICS = {
    "test/accuracy": 0.91, "test/accuracy_low": 0.90, "test/accuracy_high": 0.92, "cascade/by_small": 0.8,
    "cascade/small_score": 0.88, "cascade/large_score": 0.912, "cascade/loss": 0.002, "cascade/loss_low": -0.001,
    "cascade/loss_high": 0.005, "cost/bytes_deployed": 91_150_000.0,
}  # fmt: skip
TIMES = {
    "cascade/small_us_mean": 50.0, "cascade/large_us_mean": 2000.0, "cascade/formula_us_mean": 450.0,
    "speed/answer_us_mean": 460.0, "speed/answer_us_p50": 60.0, "speed/answer_us_p95": 2100.0,
    "speed/answer_texts": 300.0,
}  # fmt: skip


def shown(metrics: dict[str, float], width: int = 80) -> str:
    config = record_json()["config"] | {"cascade": {"small": "aaaaaaaaaa", "large": "bbbbbbbbbb"}}
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, highlight=False, color_system=None)
    show_cascade(a_record(metrics=metrics, config=config, notes=["a note"]), Path("outputs/0123456789"), console)
    return stream.getvalue()


def test_the_table_fits_a_terminal_and_has_both_models() -> None:
    text = shown(METRICS | TIMES)
    assert max(map(len, text.splitlines()[:9])) <= 80
    for part in ("aaaaaaaaaa", "bbbbbbbbbb", "0.9100", "80 %", "0.46", "2.1", "91.15", "note: a note"):
        assert part in text
    assert "mean time: 23.0 % of the large model's on 300 texts" in " ".join(text.split())


def test_without_times_only_the_loss_is_told() -> None:
    (line,) = costs_in_words(METRICS)
    assert line == "accuracy lost against the large model: +0.20 points (-0.10 to +0.50) on the same rows"
    assert "mean time" not in shown(METRICS)


def test_a_small_model_that_is_better_alone_is_told() -> None:
    better = METRICS | {"cascade/small_score": 0.93, "cascade/loss": -0.01}
    assert "the small model alone is at least as good, 0.9300, and does not need the large one" in costs_in_words(
        better
    )
