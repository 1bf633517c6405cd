"""Probes of words and trees, and of sentences made from them, with labels from a treebank."""
