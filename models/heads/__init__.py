"""Heads, which map vectors to outputs; also the order of their labels and the scale of regression targets."""
