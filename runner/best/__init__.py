"""The best model within a budget: a plan that is made first, its steps as ordinary runs, and the choice at the end."""
