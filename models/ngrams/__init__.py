"""N-grams as 32-bit hashes: the features of models over hashed words."""
