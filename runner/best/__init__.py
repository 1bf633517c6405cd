"""The best model inside a budget: a plan that is made first, its steps as ordinary runs, and the choice at the end."""
