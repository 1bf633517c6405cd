"""What the quantizations share: grids, bit packing, layers."""
