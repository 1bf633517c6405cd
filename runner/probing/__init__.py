"""What the layers of a frozen encoder say about a sentence: probes, their controls, and how easily it is read off.

Nothing of the encoder is trained; only the probes are.
"""
