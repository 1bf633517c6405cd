"""Two finished runs as one model: the small one answers where it is confident, the large one the rest."""
