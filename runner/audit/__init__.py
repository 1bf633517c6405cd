"""Looks at a data set as a run would see it, before anything is trained: `run data`."""
