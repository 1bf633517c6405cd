"""The parts of unstructured pruning: masks and their training."""
