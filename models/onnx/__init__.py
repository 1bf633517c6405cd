"""Writes a network as an ONNX graph, in float32 or int8."""
