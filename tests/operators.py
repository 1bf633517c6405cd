"""Let torch read its tables of operators, which never change, once a process: that is 0.6 s an export."""

from __future__ import annotations

from functools import cache


def read_operators_once() -> None:
    """Keep the tables that the first export reads for those after it, which only look operators up in them."""
    from torch._export import utils
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    read = cache(ONNXRegistry.from_torchlib)
    ONNXRegistry.from_torchlib = staticmethod(read)  # type: ignore[method-assign]
    utils._materialize_cpp_cia_ops = cache(utils._materialize_cpp_cia_ops)
