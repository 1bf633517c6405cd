"""N-grams as 32-bit numbers: what a model over hashed words reads of a text."""
