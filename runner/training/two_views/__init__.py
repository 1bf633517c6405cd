"""Learning from a second view: the loss of two views as a task of its own."""
