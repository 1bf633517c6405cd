"""Compression of a trained model: one file a method. stage.py says what a method is; methods.py finds it by name."""
