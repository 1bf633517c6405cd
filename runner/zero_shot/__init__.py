"""Labels for texts from a model of entailment that was trained on none of them."""
