from __future__ import annotations

import subprocess
import sys

import pytest

from runner.record.metrics import METRICS, check, direction


@pytest.mark.parametrize(
    "name",
    [
        "train/loss", "tune/f1", "val/accuracy", "val_mm/accuracy", "test/spearman", "test/accuracy_low",
        "cost/params", "cost/macs_s128", "speed/latency_ms_p90_b32_s512", "speed/cpu_ms_b1_data",
        "baseline/majority", "baseline/majority_f1", "time/train_s",
    ],
)  # fmt: skip
def test_names_of_the_list_and_of_its_patterns_are_known(name: str) -> None:
    assert check(name).unit


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("val/acuracy", "val/accuracy"),
        ("test/acc", "test/accuracy"),
        ("cost/parameters", "cost/params"),
        ("speed/latency_ms_p50_b1_128", "speed/latency_ms_p50_b1_s128"),
        ("test/accuracy/extra", "test/accuracy"),
        ("time/training_s", "time/train_s"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(name: str, nearest: str) -> None:
    with pytest.raises(KeyError, match=f"unknown metric '{name}'.* is '{nearest}'"):
        check(name)


def test_quality_is_better_higher_and_cost_is_better_lower() -> None:
    assert direction("val/accuracy") == "higher"
    assert direction("test/loss") == "lower"
    assert direction("cost/bytes_file") == "lower"
    assert direction("speed/speedup_b1_s128") == "higher"
    assert direction("speed/load_before") == "none"


def test_no_name_belongs_to_two_entries() -> None:
    for name in [example for metric in METRICS for example in metric.examples()]:
        assert [m.name for m in METRICS if m.pattern.fullmatch(name)] == [check(name).name]


def test_every_entry_has_a_unit_a_direction_and_a_meaning() -> None:
    for metric in METRICS:
        assert metric.unit and metric.meaning
        assert metric.direction in ("higher", "lower", "none")


def test_the_list_loads_only_the_standard_library() -> None:
    code = "import sys; import runner.record.metrics, runner.measure.settings; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
