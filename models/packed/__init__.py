"""A trained network as one small file, `model.bin`, which numpy alone can read.

The reader is runner/deploy/bundle/predict.py. This package imports neither `data` nor `runner`.
"""
