"""Heads, from vectors to outputs; the order of their labels and the scale of their targets."""
