"""A run that learns from codes beside its texts: what is refused, the phases before its own training, and bounds."""
