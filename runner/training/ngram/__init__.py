"""Fits a model over n-grams: counts them, weighs them, chooses settings on the selection split, and fills a file."""
