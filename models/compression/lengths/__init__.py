"""Length-adaptive encoders: lengths in a saved model, their training, their search."""
