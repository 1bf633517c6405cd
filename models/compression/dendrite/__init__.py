"""The parts of dendrites: the module, the training of candidates, the state of growth."""
