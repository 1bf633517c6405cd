"""One run, from its identity to its record."""
