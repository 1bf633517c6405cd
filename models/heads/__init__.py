"""Heads, from vectors to outputs, and what brings their outputs into the task's order and unit."""
