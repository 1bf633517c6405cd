"""The parts of quantization: grids, bit packing, quantized layers, integer products."""
