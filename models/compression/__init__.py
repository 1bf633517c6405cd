"""Compression of a trained model, one file per method. stage.py defines the interface; methods.py finds methods."""
