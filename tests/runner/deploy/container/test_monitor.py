"""The counts of a server, read with the parser of Prometheus' own client, and ids that cannot forge a log."""

from __future__ import annotations

import re

import pytest

from runner.deploy.container.monitor import Histogram, Monitor, log_line, request_id

parser = pytest.importorskip("prometheus_client.parser")


def values(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_errors_times_texts_and_batches_are_counted() -> None:
    monitor = Monitor({"model": 'a"b\\c\nd', "name": "x", "engine": "numpy"})
    for path, status, seconds in [("/predict", 200, 0.002), ("/predict", 200, 0.3), ("/predict", 413, 0.001)]:
        monitor.begin()
        monitor.end(path, status, seconds)
    monitor.begin()
    monitor.batch(3)
    monitor.batch(300)
    found = values(monitor.text(waiting=5))
    assert found["bertier_model_info", 'a"b\\c\nd', "x", "numpy"] == 1
    assert found["bertier_requests_total", "/predict", "200"] == 2
    assert found["bertier_errors_total",] == 1
    assert found["bertier_request_seconds_bucket", "/predict", "0.0025"] == 2, "an end belongs to its bucket"
    assert found["bertier_request_seconds_bucket", "/predict", "+Inf"] == 3
    assert found["bertier_request_seconds_sum", "/predict"] == pytest.approx(0.303)
    assert (found["bertier_texts_total",], found["bertier_batch_texts_bucket", "4.0"]) == (303, 1)
    assert (found["bertier_requests_open",], found["bertier_texts_waiting",]) == (1, 5)


def test_paths_that_nobody_knows_are_one_label() -> None:
    monitor = Monitor({"model": "x"})
    for number in range(50):
        monitor.begin()
        monitor.end(f'/{number}"}} 1\nforged 1', 404, 0.0)
    assert monitor.text().count("bertier_requests_total{") == 1 and "forged" not in monitor.text()


def test_a_bucket_holds_the_values_up_to_its_end() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.add(value)
    assert list(histogram.lines("x"))[:3] == ['x_bucket{le="1.0"} 2', 'x_bucket{le="2.0"} 3', 'x_bucket{le="+Inf"} 4']


def test_an_id_is_the_clients_unless_it_could_forge_a_line() -> None:
    assert request_id("trace-1.a_B") == "trace-1.a_B"
    for given in (None, "", "a b", "x\n2026-01-01 id=1", "y" * 65, "ü"):
        assert re.fullmatch(r"[0-9a-f]{16}", request_id(given))
    assert len({request_id(None) for _ in range(50)}) == 50


def test_a_line_of_the_log_has_no_text_of_the_request() -> None:
    line = log_line("1f0c", "POST", "/predict", 200, 0.0013, 2)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ id=1f0c POST /predict 200 1\.3 ms 2 texts", line)
    assert " GET other 404 " in log_line("1f0c", "GET", "/secret", 404, 0.0)
