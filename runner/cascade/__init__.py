"""Two finished runs as one model: the small one answers what it is sure of, the large one the rest."""
