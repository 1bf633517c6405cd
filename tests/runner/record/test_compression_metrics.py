"""The metrics of compression methods are part of the list of all."""

from __future__ import annotations

import pytest

from runner.record.compression_metrics import COMPRESSION_METRICS
from runner.record.metrics import METRICS, check


def test_every_metric_of_a_method_is_in_the_list_once() -> None:
    names = [metric.name for metric in METRICS]
    assert all(names.count(metric.name) == 1 for metric in COMPRESSION_METRICS)


@pytest.mark.parametrize("name", ["prune/density_3_query", "distil/loss_soft", "length/tokens_12", "quantize/snr_db"])
def test_names_with_places_are_known(name: str) -> None:
    assert check(name) in COMPRESSION_METRICS
