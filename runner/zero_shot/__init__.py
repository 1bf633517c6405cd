"""Labels for texts from an entailment model that was trained on none of them."""
