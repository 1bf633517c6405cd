"""Minimal pairs: what a masked language model knows of a language without any training on a task: `run blimp`."""
