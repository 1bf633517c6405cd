"""Training with few labels: a linear head fitted on an encoder's vectors, and fine-tuning of the encoder on pairs."""
