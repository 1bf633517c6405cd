"""What structured pruning is made of: removal, times, search, recovery."""
