"""Learning from a second view: the correlation of two views as a training task."""
