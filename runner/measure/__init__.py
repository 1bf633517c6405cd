"""What a model costs and how fast it answers."""
