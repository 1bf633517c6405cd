"""The plan of a search, made before any training: facts of the data, the portfolio, costs of each candidate."""
