"""The parts of pruning single weights: masks and their training."""
