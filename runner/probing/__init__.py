"""Probes of the layers of a frozen encoder, with controls, and how easily a property can be decoded.

Only the probes are trained, never the encoder.
"""
