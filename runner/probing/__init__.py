"""Probes of the layers of a frozen encoder, with their controls, and how easily a property is read off.

Nothing of the encoder is trained; only the probes are.
"""
