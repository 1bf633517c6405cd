"""Compare the sparsity of a pruned model with its measured costs: zeros are stored and multiplied like any number."""

from __future__ import annotations

from collections.abc import Mapping

SAME = 0.05  # sizes and latencies that differ by a smaller share count as the same
DENSE_BYTES = 4  # of a parameter stored in fp32


def disagreement(density: float, metrics: Mapping[str, float], before: Mapping[str, float]) -> str | None:
    """Return one sentence where a pruned model is as large or as slow as before, else None.

    density: share of the prunable weights that are left; metrics, before: of the model now, and before the stage. If
    the file size before is unknown, that of a dense model is used.
    """
    file, dense = metrics["cost/bytes_file"], before.get("cost/bytes_file", DENSE_BYTES * metrics["cost/params"])
    found = []
    if file > (1 - SAME) * dense:
        found.append(
            f"same file size ({file / 1e6:.2f} MB; with a bit mask {metrics['cost/bytes_bitmask'] / 1e6:.2f} MB)"
        )
    cell = next((name for name in metrics if name.startswith("speed/latency_ms_p50_b1_s")), "")
    if cell in before and metrics[cell] > (1 - SAME) * before[cell]:
        word = "same" if metrics[cell] < (1 + SAME) * before[cell] else "higher"
        found.append(f"{word} latency ({metrics[cell]:.2f} ms, before {before[cell]:.2f} ms)")
    if density > 1 - SAME or not found:
        return None
    whole = 1 - metrics["cost/params_nonzero"] / metrics["cost/params"]
    return f"{1 - density:.0%} sparse ({whole:.0%} of the whole model), {', '.join(found)}"
