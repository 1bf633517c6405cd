"""The parts of quantization: grids, bit packing, coded layers, integer products."""
