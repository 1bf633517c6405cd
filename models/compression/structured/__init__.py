"""The parts of structured pruning: removal, timing, search, recovery."""
