"""Make torch read its operator tables, which never change, only once per process: this saves 0.6 s per export."""

from __future__ import annotations

from functools import cache


def read_operators_once() -> None:
    """Cache the tables that the first export reads for later exports, which only look up operators in them."""
    from torch._export import utils
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    read = cache(ONNXRegistry.from_torchlib)
    ONNXRegistry.from_torchlib = staticmethod(read)  # type: ignore[method-assign]
    utils._materialize_cpp_cia_ops = cache(utils._materialize_cpp_cia_ops)
