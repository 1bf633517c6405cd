"""The parts of dendrites: the module, the training of candidates, and the growth state."""
