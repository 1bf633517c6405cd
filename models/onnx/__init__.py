"""A network as an ONNX graph, and that graph in int8."""
