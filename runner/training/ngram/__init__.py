"""Fits an n-gram model: counts and weights n-grams, chooses settings on the selection split, and fills a file."""
