"""Length-adaptive encoders: the lengths in a saved model, training for them, and the search for them."""
