"""Kinds of labels, such as classes, numbers, tags and masked words."""
