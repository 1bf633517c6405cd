"""Edge probes: the label of one span of a sentence, or of two, read from frozen vectors of their tokens."""
