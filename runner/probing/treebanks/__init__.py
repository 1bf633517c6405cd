"""Probes of words and trees, and sentences made from them: what they learn is read from a treebank."""
