"""The size and the time by which the groups of one comparison are ranked: the same metric for all of them.

By default the bytes of all files that an answer needs, and the time from a string to its label. If some records are
older than these metrics, all groups are ranked by metrics that they share.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from runner.record.shown_costs import ANSWER, SIZES

SIZE, TIME, LATENCY = "size", "time", "latency"  # keys in Row.costs beside the names of metrics
_CELL = re.compile(r"speed/latency_ms_p50_b(\d+)_s?(\w+)")
WORDS = {
    "cost/bytes_deployed": "deployed bytes",
    "cost/bytes_file": "bytes of the weights file",
    "cost/bytes_packed": "packed bytes",
    "cost/macs": "multiply-adds per example",
    ANSWER: "us from string to label",
}


def latency_metric(metrics: Sequence[Mapping[str, float]]) -> str | None:
    """Return the latency that most groups have; among equals the smallest batch, then 128 tokens."""
    counts = Counter(name for found in metrics for name in found if name.startswith("speed/latency_ms_p50"))

    def rank(name: str) -> tuple[int, int, bool, str]:
        found = _CELL.fullmatch(name)
        batch, length = found.groups() if found else ("0", "")
        return -counts[name], int(batch), length != "128", name

    return min(counts, key=rank, default=None)


def size_metric(metrics: Sequence[Mapping[str, float]]) -> str | None:
    """Return the count of bytes that most groups have; among equals the one nearest to what is deployed."""
    return _most_common(metrics, SIZES)


def time_metric(metrics: Sequence[Mapping[str, float]]) -> str | None:
    """Return the time that most groups have; among equals that from string to label."""
    latency = latency_metric(metrics)
    return _most_common(metrics, [ANSWER, *([latency] if latency else [])])


def words_of(metric: str | None) -> str:
    """Return the name of a cost with its unit, for axes and hints."""
    return WORDS.get(metric or "", f"ms ({metric})" if metric else "")


def _most_common(metrics: Sequence[Mapping[str, float]], names: Iterable[str]) -> str | None:
    counts = {name: sum(name in found for found in metrics) for name in names}
    best = max(counts, key=counts.__getitem__, default=None)
    return best if best and counts[best] else None
