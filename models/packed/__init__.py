"""Writes a trained network as one small file, `model.bin`, which can be read with NumPy alone.

The reader is runner/deploy/bundle/predict.py. This package imports neither `data` nor `runner`.
"""
