"""Let torch read its table of ONNX operators, which never changes, once a process: that is half a second an export."""

from __future__ import annotations

from functools import cache


def read_operators_once() -> None:
    """Keep the table that the first export reads for those after it, which only look operators up in it."""
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    read = cache(ONNXRegistry.from_torchlib)
    ONNXRegistry.from_torchlib = staticmethod(read)  # type: ignore[method-assign]
